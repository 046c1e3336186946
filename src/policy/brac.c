/* BRAC (Wu et al. 2019) with the penalty on the policy (BRAC-p) or also on the value (BRAC-v), as in the
 * released code (google-research, behavior_regularized_offline_rl) with the settings of
 * rail-berkeley/d4rl_evaluations. First a clone b of the behavior is fitted (brac_clone.c), then
 *
 *   y      = r + gamma cont ( min_i Qt_i(s', a') - [BRAC-v] alpha D(s') ),  a' ~ pi(s')
 *   L_Q    = sum_i mean (Q_i(s, a) - y)^2
 *   L_pi   = mean ( alpha D(s) - min_i Q_i(s, a~) ),  a~ ~ pi(s); without Q in the first updates
 *   D(s)   = mean_k log pi(a_k) - log b(clip(a_k)),  a_k ~ pi(s)              "kl"
 *          = MMD^2 of n actions of pi and n of b, Laplacian kernel            "mmd"
 *   Qt    <- Qt + tau (Q - Qt); the code does this at the start of an update, which is the same but for
 *            the first one: there Qt begins as another draw of weights, here as a copy of Q
 *
 * The policy's gradient is taken at the critics just moved. The entropy term of the code has weight 0
 * there and is left out. Heads are smooth (nn/squash.h): log deviations in (-5, 0).
 */
#include <math.h>
#include <string.h>

#include "nn/vec.h"
#include "policy/actor.h"
#include "policy/batch.h"
#include "policy/brac_clone.h"
#include "policy/kinds.h"
#include "policy/stage.h"
#include "policy/twin.h"

enum { LAYERS = 2 };

static void brac_layout(Agent *agent)
{
    const AgentConfig *c = &agent->cfg;
    const int S = c->state_dim;
    const int A = c->act_dim;

    agent->actor = mlp_make(S, c->brac.actor_hidden, LAYERS, 2 * A, 1, ACT_RELU);
    agent->critic = mlp_make(S + A, c->brac.critic_hidden, LAYERS, 1, CRITICS, ACT_RELU);
    agent->side[CLONE] = agent->actor;
    agent->at_critic = agent_padded(agent->actor.count);
    agent->at_side[CLONE] = agent->at_critic + agent_padded(agent->critic.count);
    agent->at_side[CLONE_TEMPERATURE] =
        agent->at_side[CLONE] + agent_padded(agent->side[CLONE].count);
    agent->trained = agent->at_side[CLONE_TEMPERATURE] + agent_padded(1);
    agent->squash = squash_smooth(A);
}

static void brac_init(Agent *agent, uint64_t seed)
{
    Rng actor = rng_make(seed, RNG_AGENT_INIT, 0, 0);
    Rng critic = rng_make(seed, RNG_AGENT_INIT, 0, 1);
    Rng clone = rng_make(seed, RNG_AGENT_INIT, 0, 2);

    mlp_init_glorot(&agent->actor, agent_actor(agent), &actor);
    mlp_init_glorot(&agent->critic, agent->params + agent->at_critic, &critic);
    mlp_init_glorot(&agent->side[CLONE], agent->params + agent->at_side[CLONE], &clone);
    agent->params[agent->at_side[CLONE_TEMPERATURE]] = 1.0F;
    memcpy(agent->target, agent->params + agent->at_critic, agent->critic.count * sizeof(float));
}

/* --- divergence --------------------------------------------------------------------------------- */

/* Samples of the policy for D, and where wanted what D's gradient needs. n of each of b states. */
typedef struct {
    const float *s, *head; /* (b, S), (b, 2 A): the policy's head at s */
    const float *eps;      /* (b, n, A); with MMD (b, n, A) of the clone behind it */
    float *d;              /* (b) out */
    float *dhead;          /* (b, 2 A) out: dD/dhead; NULL: not wanted */
} Distance;

/* D of each state from draws of log pi - log b; dlogp becomes 1 / n, and da the part through log b. */
static void kl_distance(const Agent *agent, const Distance *in, const float *clone, int b, float *a,
                        float *logp, Arena *tmp)
{
    const size_t mark = tmp->used;
    const int n = agent->cfg.brac.samples;
    const size_t draws = (size_t)b * (size_t)n;
    const size_t size = draws * (size_t)agent->cfg.act_dim;
    const float most = 1.0F - agent->cfg.brac.action_margin;
    float *clipped = arena_floats(tmp, size);
    float *logb = arena_floats(tmp, draws);
    float *da = arena_floats(tmp, size);

    for (size_t i = 0; i < size; i++) {
        const float low = a[i] < -most ? -most : a[i];
        clipped[i] = low > most ? most : low;
    }
    squash_density(&agent->squash, clone, clipped, b, n, logb);
    for (size_t i = 0; i < (size_t)b; i++) {
        float sum = 0.0F;
        for (size_t k = i * (size_t)n; k < (i + 1) * (size_t)n; k++) {
            sum += logp[k] - logb[k];
            logp[k] = 1.0F / (float)n;
            logb[k] = -1.0F / (float)n;
        }
        in->d[i] = sum / (float)n;
    }
    if (in->dhead != NULL) {
        squash_density_backward(&agent->squash, clone, clipped, b, n, logb, NULL, da);
        for (size_t i = 0; i < size; i++) {
            da[i] = clipped[i] == a[i] ? da[i] : 0.0F;
        }
        squash_draws_backward(&agent->squash, in->head, in->eps, a, b, n, logp, da, NULL,
                              in->dhead);
    }
    arena_reset(tmp, mark);
}

static void mmd_distance(const Agent *agent, const Distance *in, const float *clone, int b,
                         const float *a, Arena *tmp)
{
    const size_t mark = tmp->used;
    const int n = agent->cfg.brac.samples;
    const int A = agent->cfg.act_dim;
    const size_t size = (size_t)b * (size_t)n * (size_t)A;
    const Mmd mmd = {.kernel = KERNEL_LAPLACIAN, .sigma = agent->cfg.brac.sigma, .A = A};
    float *other = arena_floats(tmp, size);
    float *da = arena_floats(tmp, size);

    squash_draws(&agent->squash, clone, in->eps + size, b, n, NULL, other, NULL);
    mmd_rows(&mmd, a, n, other, n, b, in->d, in->dhead != NULL ? da : NULL);
    if (in->dhead != NULL) {
        squash_draws_backward(&agent->squash, in->head, in->eps, a, b, n, NULL, da, NULL,
                              in->dhead);
    }
    arena_reset(tmp, mark);
}

static void find_distance(const Agent *agent, const Distance *in, int b, Arena *tmp)
{
    const size_t mark = tmp->used;
    const int n = agent->cfg.brac.samples;
    const size_t A = (size_t)agent->cfg.act_dim;
    const size_t draws = (size_t)b * (size_t)n;
    float *clone = arena_floats(tmp, (size_t)b * 2 * A);
    float *a = arena_floats(tmp, draws * A);
    float *logp = arena_floats(tmp, draws);

    mlp_infer(&agent->side[CLONE], agent->params + agent->at_side[CLONE], in->s, b, tmp, clone);
    squash_draws(&agent->squash, in->head, in->eps, b, n, NULL, a, logp);
    if (agent->cfg.brac.mmd) {
        mmd_distance(agent, in, clone, b, a, tmp);
    } else {
        kl_distance(agent, in, clone, b, a, logp, tmp);
    }
    arena_reset(tmp, mark);
}

static size_t distance_cost(const Agent *agent, int rows)
{
    const size_t draws = (size_t)rows * (size_t)agent->cfg.brac.samples;
    const size_t A = (size_t)agent->cfg.act_dim;
    return 6 * arena_cost(draws * 2 * A) + mlp_infer_cost(&agent->side[CLONE], rows);
}

/* Normals that D takes for b states. */
static size_t distance_noise(const Agent *agent, int b)
{
    const size_t size = (size_t)b * (size_t)agent->cfg.brac.samples * (size_t)agent->cfg.act_dim;
    return agent->cfg.brac.mmd ? 2 * size : size;
}

/* --- critics and policy ------------------------------------------------------------------------- */

/* One fill of noise: a', then D's if the value is penalized. */
static void critic_gradient(const Agent *agent, const Batch *batch, int total, Rng *rng, Arena *tmp,
                            float *grad, float *stats)
{
    const size_t mark = tmp->used;
    const AgentConfig *c = &agent->cfg;
    const int b = batch->rows;
    const size_t rows = (size_t)b;
    const size_t S = (size_t)c->state_dim;
    const size_t A = (size_t)c->act_dim;
    const size_t noise = rows * A + (c->brac.value_penalty ? distance_noise(agent, b) : 0);
    float *s2 = arena_floats(tmp, rows * S);
    float *sa = arena_floats(tmp, rows * (S + A));
    float *next = arena_floats(tmp, rows * (S + A));
    float *head = arena_floats(tmp, rows * 2 * A);
    float *a = arena_floats(tmp, rows * A);
    float *eps = arena_floats(tmp, noise);
    float *qt = arena_floats(tmp, rows * CRITICS);
    float *y = arena_floats(tmp, rows);
    float *cont = arena_floats(tmp, rows);
    float *d = arena_floats(tmp, rows);

    batch_columns(agent, batch, NULL, s2, sa);
    batch_rewards(agent, batch, y, cont);
    rng_fill_normal(rng, eps, noise);
    mlp_infer(&agent->actor, agent_actor(agent), s2, b, tmp, head);
    squash_forward(&agent->squash, head, eps, b, a, (int)A, NULL);
    batch_join(s2, (int)S, a, (int)A, b, 1, next);
    mlp_infer(&agent->critic, agent->target, next, b, tmp, qt);
    memset(d, 0, rows * sizeof *d);
    if (c->brac.value_penalty) {
        const Distance in = {.s = s2, .head = head, .eps = eps + rows * A, .d = d};
        find_distance(agent, &in, b, tmp);
    }
    for (size_t i = 0; i < rows; i++) {
        y[i] += c->gamma * cont[i] * (twin_least(qt + CRITICS * i) - c->brac.alpha * d[i]);
    }
    twin_regress(agent, sa, y, b, 1.0F, 1.0F / (float)total, tmp, grad, stats);
    arena_reset(tmp, mark);
}

/* One fill of noise: a~, then D's. */
static void policy_gradient(const Agent *agent, const Batch *batch, int total, Rng *rng, Arena *tmp,
                            float *grad, float *stats)
{
    const size_t mark = tmp->used;
    const AgentConfig *c = &agent->cfg;
    const int b = batch->rows;
    const size_t rows = (size_t)b;
    const size_t S = (size_t)c->state_dim;
    const size_t A = (size_t)c->act_dim;
    const size_t noise = rows * A + distance_noise(agent, b);
    const float scale = 1.0F / (float)total;
    const float climbs = agent->updates >= c->brac.warm_updates ? 1.0F : 0.0F;
    float *s = arena_floats(tmp, rows * S);
    float *sa = arena_floats(tmp, rows * (S + A));
    float *head = arena_floats(tmp, rows * 2 * A);
    float *dhead = arena_floats(tmp, rows * 2 * A);
    float *dd_dhead = arena_floats(tmp, rows * 2 * A);
    float *a = arena_floats(tmp, rows * A);
    float *dq_da = arena_floats(tmp, rows * A);
    float *eps = arena_floats(tmp, noise);
    float *logp = arena_floats(tmp, rows);
    float *least = arena_floats(tmp, rows);
    float *d = arena_floats(tmp, rows);
    MlpTape tape = mlp_tape(&agent->actor, b, tmp);
    double sums[3] = {0}; /* of D, min Q, log pi */

    batch_columns(agent, batch, s, NULL, NULL);
    rng_fill_normal(rng, eps, noise);
    mlp_forward(&agent->actor, agent_actor(agent), s, b, &tape, head);
    squash_forward(&agent->squash, head, eps, b, a, (int)A, logp);
    batch_join(s, (int)S, a, (int)A, b, 1, sa);
    twin_climb(agent, sa, b, tmp, least, dq_da);
    const Distance in = {.s = s, .head = head, .eps = eps + rows * A, .d = d, .dhead = dd_dhead};
    find_distance(agent, &in, b, tmp);
    for (size_t i = 0; i < rows; i++) {
        sums[0] += (double)d[i];
        sums[1] += (double)least[i];
        sums[2] += (double)logp[i];
    }
    for (size_t i = 0; i < rows * A; i++) {
        dq_da[i] *= climbs * scale;
    }
    squash_backward(&agent->squash, head, eps, a, (int)A, b, 0.0F, dq_da, dhead);
    vec_axpy(dhead, c->brac.alpha * scale, dd_dhead, rows * 2 * A);
    mlp_backward(&agent->actor, agent_actor(agent), s, b, &tape, dhead, grad, NULL, 0, tmp);
    stats[STAT_DIVERGENCE] = (float)(sums[0] * (double)scale);
    stats[STAT_ENTROPY] = (float)(-sums[2] * (double)scale);
    stats[STAT_ACTOR_LOSS] =
        (float)(((double)c->brac.alpha * sums[0] - (double)climbs * sums[1]) * (double)scale);
    arena_reset(tmp, mark);
}

static size_t brac_update_cost(const Agent *agent, int rows)
{
    const size_t D = (size_t)agent->critic.in + (size_t)agent->cfg.act_dim;
    const size_t own =
        12 * arena_cost((size_t)rows * D) +
        arena_cost((size_t)rows * (size_t)agent->cfg.act_dim + distance_noise(agent, rows)) +
        mlp_tape_cost(&agent->actor, rows) + mlp_backward_cost(&agent->actor, rows) +
        mlp_infer_cost(&agent->actor, rows) + mlp_infer_cost(&agent->critic, rows) +
        twin_cost(agent, rows) + distance_cost(agent, rows);
    const size_t clone = brac_clone_cost(agent, rows);
    return own > clone ? own : clone;
}

static Status brac_update(Agent *agent, const Batch *batches, int total, const Reduce *reduce,
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
                          .count = agent->actor.count,
                          .noise = RNG_ACTOR_NOISE,
                          .gradient = policy_gradient};
    float tail[AGENT_TAIL];
    Status st = OK;

    memset(stats, 0, STAT_COUNT * sizeof *stats);
    TRY(stage_gradient(agent, &critics, batches, total, reduce, seed, t - 1, tmp, tail));
    stage_note(tail, stats);
    stage_adam(agent, &critics, agent->at_critic, agent->critic.count, c->brac.critic_lr, t);
    TRY(stage_gradient(agent, &policy, batches, total, reduce, seed, t - 1, tmp, tail));
    stage_note(tail, stats);
    stage_adam(agent, &policy, agent->at_actor, agent->actor.count, c->brac.actor_lr, t);
    vec_polyak(agent->target, agent->params + agent->at_critic, agent->critic.count, c->tau);
    agent->updates = t;
done:
    return st;
}

const AgentKind agent_brac = {
    .name = "brac",
    .source = "Wu et al. 2019; as in google-research/behavior_regularized_offline_rl",
    .stats = 1U << STAT_CRITIC_LOSS | 1U << STAT_ACTOR_LOSS | 1U << STAT_Q | 1U << STAT_ENTROPY |
             1U << STAT_DIVERGENCE,
    .layout = brac_layout,
    .init = brac_init,
    .update_cost = brac_update_cost,
    .update = brac_update,
    .prepare_updates = brac_clone_updates,
    .prepare = brac_clone_update,
};
