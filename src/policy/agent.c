#include "policy/agent.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/panic.h"
#include "policy/actor.h"
#include "policy/kinds.h"

static const AgentKind *const kinds[] = {
#define AGENT_ROW(name) &agent_##name,
    AGENT_TABLE(AGENT_ROW)
#undef AGENT_ROW
};

const AgentKind *agent_row(int i)
{
    return i >= 0 && (size_t)i < sizeof kinds / sizeof *kinds ? kinds[i] : NULL;
}

const AgentKind *agent_find(const char *name)
{
    for (int i = 0; agent_row(i) != NULL; i++) {
        if (strcmp(kinds[i]->name, name) == 0) {
            return kinds[i];
        }
    }
    return NULL;
}

bool agent_has_critic(const AgentKind *kind, const AgentConfig *cfg)
{
    Agent agent = {.cfg = *cfg};

    agent.cfg.state_dim = agent.cfg.act_dim = 1; /* of task none only the dataset tells */
    kind->layout(&agent);
    return agent.critic.count > 0;
}

Status agent_init(Agent *agent, const AgentKind *kind, const AgentConfig *cfg, int shards,
                  uint64_t seed)
{
    *agent = (Agent){.kind = kind,
                     .cfg = *cfg,
                     .shards = shards,
                     .at_critic = AGENT_NO_PART,
                     .at_alpha = AGENT_NO_PART,
                     .at_side = {AGENT_NO_PART, AGENT_NO_PART}};
    agent->squash = (Squash){.A = cfg->act_dim, .low = cfg->log_std_min, .high = cfg->log_std_max};
    kind->layout(agent);
    const size_t T = agent->trained;
    const size_t targets = agent_padded(agent->critic.count);
    agent->grad_stride = T + AGENT_TAIL;
    const size_t floats = 3 * T + targets + (size_t)shards * agent->grad_stride;
    const Status st = mem_alloc(&agent->block, floats, sizeof(float), "the agent");
    if (st != OK) {
        *agent = (Agent){0};
        return st;
    }
    agent->params = agent->block;
    agent->target = agent->params + T;
    agent->m = agent->target + targets;
    agent->v = agent->m + T;
    agent->grads = agent->v + T;
    kind->init(agent, seed);
    return OK;
}

void agent_use_rows(Agent *agent, int shards, float *rows)
{
    REQUIRE(agent->shards == 0);
    agent->shards = shards;
    agent->grads = rows;
}

void agent_release(Agent *agent)
{
    mem_free(&agent->block);
    *agent = (Agent){0};
}

size_t agent_act_cost(const Agent *agent, int rows)
{
    return policy_act_cost(&agent->actor, rows);
}

void agent_act(const Agent *agent, const float *actor, const float *s, const float *eps, int rows,
               Arena *tmp, float *a)
{
    policy_act(&agent->actor, &agent->squash, actor, s, eps, rows, tmp, a, NULL);
}

size_t agent_policy_floats(const Agent *agent)
{
    return agent->cfg.candidates > 0 && agent->at_critic != AGENT_NO_PART
               ? agent->at_critic + agent->critic.count
               : agent->actor.count;
}

double agent_alpha(const Agent *agent)
{
    const double most = agent->cfg.alpha_max;

    if (agent->at_alpha == AGENT_NO_PART) {
        return (double)NAN;
    }
    const double alpha = exp((double)agent->params[agent->at_alpha]);
    return agent->kind == &agent_sac && most > 0 && alpha > most ? most : alpha;
}

int agent_slabs(Agent *agent, Slab slabs[AGENT_SLABS_MAX])
{
    int n = 0;
    slabs[n++] = slab_f32("params", agent->params, agent->trained);
    if (agent->critic.count > 0) {
        slabs[n++] = slab_f32("target", agent->target, agent->critic.count);
    }
    slabs[n++] = slab_f32("adam_m", agent->m, agent->trained);
    slabs[n++] = slab_f32("adam_v", agent->v, agent->trained);
    slabs[n++] = slab_i64("updates", &agent->updates, 1);
    if (agent->kind->prepare != NULL) {
        slabs[n++] = slab_i64("prepared", &agent->prepared, 1);
    }
    if (agent->kind->on_policy) {
        slabs[n++] = slab_i64("steps", &agent->steps, 1);
    }
    return n;
}
