/* Soft actor-critic: Haarnoja et al. 2018b with twin critics, no state value, automatic temperature.
 *
 *   y      = reward_scale r + gamma cont ( min_i Qt_i(s', a') - alpha log pi(a' | s') )
 *   L_Q_i  = 1/2 mean (Q_i(s, a) - y)^2
 *   L_pi   = mean ( alpha log pi(a~ | s) - min_i Q_i(s, a~) ),  a~ by reparameterization
 *   L_alpha = -log alpha mean( log pi(a~ | s) + H )
 *   Qt    <- Qt + tau (Q - Qt)
 *
 * Simultaneous form, MOPO's released code (softlearning): all gradients of an update are taken at the
 * weights before it, on one batch, then all are applied, then the targets move. Sequential form,
 * OfflineRL-Kit: the critics step first, and the actor's gradient is taken against the critics just
 * moved; alpha is that before the update in all losses; the loss is (Q - y)^2 / 2 in both.
 *
 * In the simultaneous form a' ~ pi(s') and a~ ~ pi(s) come from one actor pass over [s; s'], Q(s, a) and Q(s, a~) from one
 * critic pass over [(s, a); (s, a~)]: the weights are the same, and wide products are fast ones.
 */
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "data/record.h"
#include "nn/vec.h"
#include "policy/kinds.h"
#include "policy/sac_parts.h"
#include "policy/stage.h"
#include "policy/twin.h"

static void sac_layout(Agent *agent)
{
    const AgentConfig *c = &agent->cfg;
    agent->actor = mlp_make(c->state_dim, c->hidden, c->layers, 2 * c->act_dim, 1, ACT_RELU);
    agent->critic = mlp_make(c->state_dim + c->act_dim, c->hidden, c->layers, 1, CRITICS, ACT_RELU);
    agent->at_actor = 0;
    agent->at_critic = agent_padded(agent->actor.count);
    agent->at_alpha = agent->at_critic + agent_padded(agent->critic.count);
    agent->trained = agent->at_alpha + agent_padded(1);
}

static void sac_init(Agent *agent, uint64_t seed)
{
    Rng actor = rng_make(seed, RNG_AGENT_INIT, 0, 0);
    Rng critic = rng_make(seed, RNG_AGENT_INIT, 0, 1);

    mlp_init_glorot(&agent->actor, agent_actor(agent), &actor);
    mlp_init_glorot(&agent->critic, agent->params + agent->at_critic, &critic);
    memcpy(agent->target, agent->params + agent->at_critic, agent->critic.count * sizeof(float));
    agent->params[agent->at_alpha] = (float)log(agent->cfg.alpha);
}

/* The arrays of one shard; b rows. */
typedef struct {
    int b;
    float *states; /* (2b, S): s, then s' */
    float *eps;    /* (2b, A) */
    float *head;   /* (2b, 2A) actor output */
    float *logp;   /* (2b) */
    float *inputs; /* (2b, D): (s, a), then (s, a~) */
    float *next;   /* (b, D): (s', a') */
    float *q;      /* (2b, 2) */
    float *dq;     /* (b, 2) */
    float *qt;     /* (b, 2) */
    float *dq_da;  /* (b, A) */
    float *dhead;  /* (b, 2A) */
    MlpTape actor, critic;
} Shard;

static Shard shard_make(const Agent *agent, int b, Arena *tmp)
{
    const size_t rows = (size_t)b;
    const size_t S = (size_t)agent->cfg.state_dim;
    const size_t A = (size_t)agent->cfg.act_dim;
    return (Shard){.b = b,
                   .states = arena_floats(tmp, 2 * rows * S),
                   .eps = arena_floats(tmp, 2 * rows * A),
                   .head = arena_floats(tmp, 2 * rows * 2 * A),
                   .logp = arena_floats(tmp, 2 * rows),
                   .inputs = arena_floats(tmp, 2 * rows * (S + A)),
                   .next = arena_floats(tmp, rows * (S + A)),
                   .q = arena_floats(tmp, 2 * rows * CRITICS),
                   .dq = arena_floats(tmp, rows * CRITICS),
                   .qt = arena_floats(tmp, rows * CRITICS),
                   .dq_da = arena_floats(tmp, rows * A),
                   .dhead = arena_floats(tmp, rows * 2 * A),
                   .actor = mlp_tape(&agent->actor, 2 * b, tmp),
                   .critic = mlp_tape(&agent->critic, 2 * b, tmp)};
}

static size_t sac_update_cost(const Agent *agent, int rows)
{
    if (agent->cfg.sequential) {
        return sac_sequential_cost(agent, rows);
    }
    const size_t b = (size_t)rows;
    const size_t D = (size_t)agent->cfg.state_dim + (size_t)agent->cfg.act_dim;
    const size_t arrays = 12 * arena_cost(2 * b * 2 * (D + CRITICS)) + twin_slope_cost(agent, rows);
    return arrays + mlp_tape_cost(&agent->actor, 2 * rows) +
           mlp_tape_cost(&agent->critic, 2 * rows) + mlp_backward_cost(&agent->critic, rows) +
           mlp_infer_cost(&agent->critic, rows);
}

/* Spread records over the inputs; actions a~ and a' are filled in later. */
static void unpack(const Agent *agent, const Batch *batch, Shard *sh)
{
    const Record rec = record_make(agent->cfg.state_dim, agent->cfg.act_dim);
    const size_t S = (size_t)rec.S;
    const size_t A = (size_t)rec.A;
    const size_t D = S + A;
    const size_t b = (size_t)sh->b;

    for (size_t i = 0; i < b; i++) {
        const float *row = batch->records + i * rec.stride;
        memcpy(sh->states + i * S, row, S * sizeof *row);
        memcpy(sh->states + (b + i) * S, row + rec.s2, S * sizeof *row);
        memcpy(sh->inputs + i * D, row, D * sizeof *row); /* s and a stand side by side */
        memcpy(sh->inputs + (b + i) * D, row, S * sizeof *row);
        memcpy(sh->next + i * D, row + rec.s2, S * sizeof *row);
    }
}

void sac_note_policy(const Agent *agent, double loss, double logp, int rows, float scale,
                     float *stats)
{
    const double mean = logp * (double)scale;
    const double share = (double)rows * (double)scale; /* of the batch in this shard */
    const double slack = mean + share * (double)agent->cfg.target_entropy;
    stats[STAT_ACTOR_LOSS] = (float)(loss * (double)scale);
    stats[STAT_ENTROPY] = (float)-mean;
    stats[STAT_ALPHA_LOSS] = (float)(-(double)agent->params[agent->at_alpha] * slack);
}

float sac_alpha_gradient(const Agent *agent, int rows, float scale, const float *stats)
{
    return stats[STAT_ENTROPY] - (float)rows * scale * agent->cfg.target_entropy;
}

float sac_alpha(const Agent *agent)
{
    const float alpha = expf(agent->params[agent->at_alpha]);
    const float most = (float)agent->cfg.alpha_max;
    return most > 0.0F && alpha > most ? most : alpha;
}

/* dq gets dL_Q/dQ, over B. */
static void critic_errors(const Agent *agent, const Batch *batch, Shard *sh, float alpha,
                          float scale, float *stats)
{
    const Record rec = record_make(agent->cfg.state_dim, agent->cfg.act_dim);
    const size_t b = (size_t)sh->b;
    double loss = 0;
    double q_sum = 0;

    for (size_t i = 0; i < b; i++) {
        const float *row = batch->records + i * rec.stride;
        const float next = twin_least(sh->qt + 2 * i) - alpha * sh->logp[b + i];
        const float y =
            agent->cfg.reward_scale * row[rec.r] + agent->cfg.gamma * row[rec.cont] * next;
        for (size_t k = 0; k < CRITICS; k++) {
            const float off = sh->q[2 * i + k] - y;
            sh->dq[2 * i + k] = off * scale;
            loss += 0.5 * (double)off * (double)off;
            q_sum += (double)sh->q[2 * i + k];
        }
    }
    stats[STAT_CRITIC_LOSS] = (float)(loss * (double)scale / CRITICS);
    stats[STAT_Q] = (float)(q_sum * (double)scale / CRITICS);
}

static void note_policy(const Agent *agent, const Shard *sh, float alpha, float scale, float *stats)
{
    const size_t b = (size_t)sh->b;
    double loss = 0;
    double logp_sum = 0;

    for (size_t i = 0; i < b; i++) {
        loss += (double)(alpha * sh->logp[i] - twin_least(sh->q + 2 * (b + i)));
        logp_sum += (double)sh->logp[i];
    }
    sac_note_policy(agent, loss, logp_sum, sh->b, scale, stats);
}

static void shard_gradient(const Agent *agent, const Batch *batch, int total, Rng *rng, Arena *tmp,
                           float *grad, float *stats)
{
    const size_t mark = tmp->used;
    const int S = agent->cfg.state_dim;
    const int A = agent->cfg.act_dim;
    const int D = S + A;
    const int b = batch->rows;
    const float scale = 1.0F / (float)total;
    const float *actor = agent_actor(agent);
    const float *critic = agent->params + agent->at_critic;
    const float alpha = sac_alpha(agent);
    Shard sh = shard_make(agent, b, tmp);

    unpack(agent, batch, &sh);
    rng_fill_normal(rng, sh.eps, 2 * (size_t)b * (size_t)A);
    mlp_forward(&agent->actor, actor, sh.states, 2 * b, &sh.actor, sh.head);
    float *sampled = sh.inputs + (size_t)b * (size_t)D + S; /* a~ goes straight to its place */
    squash_forward(&agent->squash, sh.head, sh.eps, b, sampled, D, sh.logp);
    squash_forward(&agent->squash, sh.head + (size_t)b * 2 * (size_t)A,
                   sh.eps + (size_t)b * (size_t)A, b, sh.next + S, D, sh.logp + b);

    mlp_infer(&agent->critic, agent->target, sh.next, b, tmp, sh.qt);
    mlp_forward(&agent->critic, critic, sh.inputs, 2 * b, &sh.critic, sh.q);
    critic_errors(agent, batch, &sh, alpha, scale, stats);
    mlp_backward(&agent->critic, critic, sh.inputs, b, &sh.critic, sh.dq, grad + agent->at_critic,
                 NULL, 0, tmp);

    note_policy(agent, &sh, alpha, scale, stats);
    const MlpTape second = mlp_tape_from(&agent->critic, &sh.critic, b);
    twin_slope(agent, &second, sh.q + 2 * (size_t)b, b, scale, tmp, sh.dq_da);
    squash_backward(&agent->squash, sh.head, sh.eps, sampled, D, b, alpha * scale, sh.dq_da,
                    sh.dhead);
    mlp_backward(&agent->actor, actor, sh.states, b, &sh.actor, sh.dhead, grad + agent->at_actor,
                 NULL, 0, tmp);
    grad[agent->at_alpha] = sac_alpha_gradient(agent, b, scale, stats);
    arena_reset(tmp, mark);
}

static Status simultaneous_update(Agent *agent, const Batch *batches, int total,
                                  const Reduce *reduce, uint64_t seed, Arena *tmp, float *stats)
{
    const AgentConfig *c = &agent->cfg;
    const Stage all = {.name = "agent",
                       .count = agent->trained,
                       .noise = RNG_UPDATE_NOISE,
                       .gradient = shard_gradient};
    float tail[AGENT_TAIL] = {0};
    const Status st =
        stage_gradient(agent, &all, batches, total, reduce, seed, agent->updates, tmp, tail);
    memcpy(stats, tail, STAT_COUNT * sizeof *stats);
    if (st != OK) {
        return st;
    }
    const int64_t t = ++agent->updates;
    stage_adam(agent, &all, agent->at_actor, agent->actor.count, c->actor_lr, t);
    stage_adam(agent, &all, agent->at_critic, agent->critic.count, c->critic_lr, t);
    stage_adam(agent, &all, agent->at_alpha, 1, c->alpha_lr, t);
    vec_polyak(agent->target, agent->params + agent->at_critic, agent->critic.count, c->tau);
    return OK;
}

static Status sac_update(Agent *agent, const Batch *batches, int total, const Reduce *reduce,
                         uint64_t seed, Arena *tmp, float *stats)
{
    return (agent->cfg.sequential ? sac_sequential_update : simultaneous_update)(
        agent, batches, total, reduce, seed, tmp, stats);
}

const AgentKind agent_sac = {
    .name = "sac",
    .source = "Haarnoja et al. 2018b; simultaneous update as in tianheyu927/mopo",
    .stats = 1U << STAT_CRITIC_LOSS | 1U << STAT_ACTOR_LOSS | 1U << STAT_ALPHA_LOSS | 1U << STAT_Q |
             1U << STAT_ENTROPY,
    .layout = sac_layout,
    .init = sac_init,
    .update_cost = sac_update_cost,
    .update = sac_update,
};
