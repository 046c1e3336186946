/* SAC's sequential update; the formulas are in sac.c. */
#include <math.h>
#include <string.h>

#include "nn/vec.h"
#include "policy/actor.h"
#include "policy/batch.h"
#include "policy/sac_parts.h"
#include "policy/twin.h"

/* s, s', (s, a), an actor's noise and output, its actions, (s, action), and per row a few numbers */
size_t sac_sequential_cost(const Agent *agent, int rows)
{
    const size_t b = (size_t)rows;
    const size_t D = (size_t)agent->cfg.state_dim + (size_t)agent->cfg.act_dim;
    return 12 * arena_cost(2 * b * D) + mlp_tape_cost(&agent->actor, rows) +
           mlp_backward_cost(&agent->actor, rows) + policy_act_cost(&agent->actor, rows) +
           mlp_infer_cost(&agent->critic, rows) + twin_cost(agent, rows);
}

static void critic_gradient(const Agent *agent, const Batch *batch, int total, Rng *rng, Arena *tmp,
                            float *grad, float *stats)
{
    const size_t mark = tmp->used;
    const int b = batch->rows;
    const size_t n = (size_t)b;
    const size_t S = (size_t)agent->cfg.state_dim;
    const size_t A = (size_t)agent->cfg.act_dim;
    const float alpha = sac_alpha(agent);
    float *s2 = arena_floats(tmp, n * S);
    float *sa = arena_floats(tmp, n * (S + A));
    float *next = arena_floats(tmp, n * (S + A));
    float *eps = arena_floats(tmp, n * A);
    float *a = arena_floats(tmp, n * A);
    float *logp = arena_floats(tmp, n);
    float *qt = arena_floats(tmp, n * CRITICS);
    float *y = arena_floats(tmp, n);
    float *cont = arena_floats(tmp, n);

    batch_columns(agent, batch, NULL, s2, sa);
    batch_rewards(agent, batch, y, cont);
    rng_fill_normal(rng, eps, n * A);
    policy_act(&agent->actor, &agent->squash, agent_actor(agent), s2, eps, b, tmp, a, logp);
    batch_join(s2, agent->cfg.state_dim, a, agent->cfg.act_dim, b, 1, next);
    mlp_infer(&agent->critic, agent->target, next, b, tmp, qt);
    for (size_t i = 0; i < n; i++) {
        y[i] += agent->cfg.gamma * cont[i] * (twin_least(qt + CRITICS * i) - alpha * logp[i]);
    }
    twin_regress(agent, sa, y, b, 0.5F, 1.0F / (float)total, tmp, grad, stats);
    arena_reset(tmp, mark);
}

/* grad: [ actor | critics (none) | log alpha ] */
static void policy_gradient(const Agent *agent, const Batch *batch, int total, Rng *rng, Arena *tmp,
                            float *grad, float *stats)
{
    const size_t mark = tmp->used;
    const int b = batch->rows;
    const size_t n = (size_t)b;
    const size_t S = (size_t)agent->cfg.state_dim;
    const size_t A = (size_t)agent->cfg.act_dim;
    const float scale = 1.0F / (float)total;
    const float alpha = sac_alpha(agent);
    float *s = arena_floats(tmp, n * S);
    float *sa = arena_floats(tmp, n * (S + A));
    float *eps = arena_floats(tmp, n * A);
    float *head = arena_floats(tmp, n * 2 * A);
    float *dhead = arena_floats(tmp, n * 2 * A);
    float *a = arena_floats(tmp, n * A);
    float *dq_da = arena_floats(tmp, n * A);
    float *logp = arena_floats(tmp, n);
    float *least = arena_floats(tmp, n);
    MlpTape tape = mlp_tape(&agent->actor, b, tmp);
    double loss = 0;
    double sum = 0;

    batch_columns(agent, batch, s, NULL, NULL);
    rng_fill_normal(rng, eps, n * A);
    mlp_forward(&agent->actor, agent_actor(agent), s, b, &tape, head);
    squash_forward(&agent->squash, head, eps, b, a, (int)A, logp);
    batch_join(s, agent->cfg.state_dim, a, agent->cfg.act_dim, b, 1, sa);
    twin_climb(agent, sa, b, tmp, least, dq_da);
    for (size_t i = 0; i < n; i++) {
        loss += (double)(alpha * logp[i] - least[i]);
        sum += (double)logp[i];
    }
    for (size_t i = 0; i < n * A; i++) {
        dq_da[i] *= scale;
    }
    sac_note_policy(agent, loss, sum, b, scale, stats);
    squash_backward(&agent->squash, head, eps, a, (int)A, b, alpha * scale, dq_da, dhead);
    mlp_backward(&agent->actor, agent_actor(agent), s, b, &tape, dhead, grad, NULL, 0, tmp);
    grad[agent->at_alpha] = sac_alpha_gradient(agent, b, scale, stats);
    arena_reset(tmp, mark);
}

Status sac_sequential_update(Agent *agent, const Batch *batches, int total, const Reduce *reduce,
                             uint64_t seed, Arena *tmp, float *stats)
{
    const AgentConfig *c = &agent->cfg;
    const int64_t t = agent->updates + 1;
    const Stage critics = {.name = "critics",
                           .from = agent->at_critic,
                           .count = agent->critic.count,
                           .noise = RNG_CRITIC_NOISE,
                           .gradient = critic_gradient};
    const Stage policy = {.name = "actor",
                          .count = agent->at_alpha + 1,
                          .noise = RNG_ACTOR_NOISE,
                          .gradient = policy_gradient};
    float tail[AGENT_TAIL];
    Status st = OK;

    memset(stats, 0, STAT_COUNT * sizeof *stats);
    TRY(stage_gradient(agent, &critics, batches, total, reduce, seed, t - 1, tmp, tail));
    stage_note(tail, stats);
    stage_adam(agent, &critics, agent->at_critic, agent->critic.count, c->critic_lr, t);
    TRY(stage_gradient(agent, &policy, batches, total, reduce, seed, t - 1, tmp, tail));
    stage_note(tail, stats);
    stage_adam(agent, &policy, agent->at_actor, agent->actor.count, c->actor_lr, t);
    stage_adam(agent, &policy, agent->at_alpha, 1, c->alpha_lr, t);
    vec_polyak(agent->target, agent->params + agent->at_critic, agent->critic.count, c->tau);
    agent->updates = t;
done:
    return st;
}
