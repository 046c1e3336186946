/* BEAR (Kumar et al. 2019) as in rail-berkeley/d4rl_evaluations, whose numbers the paper compares with.
 * A conditional VAE models the behavior; the policy is kept near it by MMD, with a dual multiplier.
 *
 *   VAE      (m, s) = e(s, a), z = m + s eps, L_VAE = mean (tanh d(s, z) - a)^2
 *                                                    + 1/2 mean -1/2 (1 + log s^2 - m^2 - s^2)
 *   y      = r + gamma cont max_k ( w min_i Qt_i(s', a'_k) + (1 - w) max_i Qt_i(s', a'_k) ),  a'_k ~ pi(s')
 *   L_Q_i  = mean (Q_i(s, a) - y)^2
 *   L_pi   = mean ( -min_i Q_i(s, a_1) + exp(mult) (MMD(s) - epsilon) );  without Q in the first updates
 *   L_mult = -mean exp(mult) (MMD(s) - epsilon), mult in [-5, 10]
 *
 * MMD (policy/mmd.h) is between n samples u_k of the policy and n of d(s, z), z ~ N(0, I) clipped to
 * +-1/2, both before tanh; a_1 = tanh u_1. An update steps the VAE, then takes all other gradients at the
 * weights before it, applies them, and moves the targets: Qt <- Qt + tau (Q - Qt).
 */
#include <math.h>
#include <string.h>

#include "base/vmath.h"
#include "nn/vec.h"
#include "policy/actor.h"
#include "policy/batch.h"
#include "policy/bear_vae.h"
#include "policy/kinds.h"
#include "policy/stage.h"
#include "policy/twin.h"

enum { LAYERS = 2 };

static const float latent_reach = 0.5F; /* of z in the MMD */
static const float mult_low = -5.0F, mult_high = 10.0F;

static void bear_layout(Agent *agent)
{
    const AgentConfig *c = &agent->cfg;
    const int S = c->state_dim;
    const int A = c->act_dim;
    const int L = bear_latents(agent);
    const int H = c->bear.vae_hidden;

    agent->actor = mlp_make(S, c->bear.hidden, LAYERS, 2 * A, 1, ACT_RELU);
    agent->critic = mlp_make(S + A, c->bear.hidden, LAYERS, 1, CRITICS, ACT_RELU);
    agent->side[ENCODER] = mlp_make(S + A, H, LAYERS, 2 * L, 1, ACT_RELU);
    agent->side[DECODER] = mlp_make(S + L, H, LAYERS, A, 1, ACT_RELU);
    agent->at_critic = agent_padded(agent->actor.count);
    agent->at_alpha = agent->at_critic + agent_padded(agent->critic.count);
    agent->at_side[ENCODER] = agent->at_alpha + agent_padded(1);
    agent->at_side[DECODER] = agent->at_side[ENCODER] + agent_padded(agent->side[ENCODER].count);
    agent->trained = agent->at_side[DECODER] + agent_padded(agent->side[DECODER].count);
    agent->squash.low = c->bear.log_std_min;
    agent->squash.high = c->bear.log_std_max;
}

static void bear_init(Agent *agent, uint64_t seed)
{
    Rng actor = rng_make(seed, RNG_AGENT_INIT, 0, 0);
    Rng critic = rng_make(seed, RNG_AGENT_INIT, 0, 1);

    mlp_init_rlkit(&agent->actor, 1e-3, agent_actor(agent), &actor);
    mlp_init_rlkit(&agent->critic, 3e-3, agent->params + agent->at_critic, &critic);
    memcpy(agent->target, agent->params + agent->at_critic, agent->critic.count * sizeof(float));
    for (uint32_t k = 0; k < 2; k++) {
        Rng side = rng_make(seed, RNG_AGENT_INIT, 0, 2 + k);
        mlp_init_linear(&agent->side[k], agent->params + agent->at_side[k], &side);
    }
}

/* --- critics and policy ------------------------------------------------------------------------- */

/* Values of the target, y (b): the best of the next actions' values. eps (b, m, A). */
static void find_targets(const Agent *agent, const Batch *batch, const float *eps, Arena *tmp,
                         float *y)
{
    const size_t mark = tmp->used;
    const int b = batch->rows;
    const int S = agent->cfg.state_dim;
    const int A = agent->cfg.act_dim;
    const int m = agent->cfg.bear.target_samples;
    const float w = agent->cfg.bear.min_weight;
    const size_t n = (size_t)b;
    const size_t all = n * (size_t)m;
    float *s2 = arena_floats(tmp, n * (size_t)S);
    float *head = arena_floats(tmp, n * 2 * (size_t)A);
    float *a = arena_floats(tmp, all * (size_t)A);
    float *sa = arena_floats(tmp, all * (size_t)(S + A));
    float *q = arena_floats(tmp, all * CRITICS);
    float *cont = arena_floats(tmp, n);

    batch_columns(agent, batch, NULL, s2, NULL);
    batch_rewards(agent, batch, y, cont);
    mlp_infer(&agent->actor, agent_actor(agent), s2, b, tmp, head);
    squash_draws(&agent->squash, head, eps, b, m, NULL, a, NULL);
    batch_join(s2, S, a, A, b, m, sa);
    mlp_infer(&agent->critic, agent->target, sa, (int)all, tmp, q);
    for (size_t i = 0; i < n; i++) {
        float best = -INFINITY;
        for (size_t k = i * (size_t)m; k < (i + 1) * (size_t)m; k++) {
            const float least = twin_least(q + CRITICS * k);
            const float most = q[CRITICS * k] + q[CRITICS * k + 1] - least;
            const float v = w * least + (1.0F - w) * most;
            best = v > best || isnan(v) ? v : best;
        }
        y[i] += agent->cfg.gamma * cont[i] * best;
    }
    arena_reset(tmp, mark);
}

static size_t targets_cost(const Agent *agent, int rows)
{
    const int all = rows * agent->cfg.bear.target_samples;
    const size_t D = (size_t)agent->critic.in;
    return 6 * arena_cost((size_t)all * (2 * D + CRITICS)) + mlp_infer_cost(&agent->actor, rows) +
           mlp_infer_cost(&agent->critic, all);
}

/* Samples of the behavior before tanh, v (b, k, A), from noise z (b, k, L), which gets clipped. */
static void behave(const Agent *agent, const float *s, int b, float *z, Arena *tmp, float *v)
{
    const size_t mark = tmp->used;
    const Mlp *decoder = &agent->side[DECODER];
    const int k = agent->cfg.bear.samples;
    const int L = bear_latents(agent);
    const size_t all = (size_t)b * (size_t)k;
    float *sz = arena_floats(tmp, all * (size_t)decoder->in);

    for (size_t i = 0; i < all * (size_t)L; i++) {
        const float low = z[i] < -latent_reach ? -latent_reach : z[i];
        z[i] = low > latent_reach ? latent_reach : low;
    }
    batch_join(s, agent->cfg.state_dim, z, L, b, k, sz);
    mlp_infer(decoder, agent->params + agent->at_side[DECODER], sz, (int)all, tmp, v);
    arena_reset(tmp, mark);
}

/* The policy's share: gradients of actor and multiplier. eps (b, n, A), z (b, n, L) overwritten. */
static void policy_gradient(const Agent *agent, const Batch *batch, int total, const float *eps,
                            float *z, Arena *tmp, float *grad, float *stats)
{
    const size_t mark = tmp->used;
    const AgentConfig *c = &agent->cfg;
    const int b = batch->rows;
    const int S = c->state_dim;
    const int A = c->act_dim;
    const int k = c->bear.samples;
    const size_t rows = (size_t)b;
    const size_t of_row = (size_t)k * (size_t)A;
    const float scale = 1.0F / (float)total;
    const float mult = expf(agent->params[agent->at_alpha]);
    const float climbs = agent->updates >= c->bear.warm_updates ? 1.0F : 0.0F;
    const Mmd mmd = {.kernel = c->bear.kernel, .sigma = c->bear.sigma, .root = true, .A = A};
    float *s = arena_floats(tmp, rows * (size_t)S);
    float *head = arena_floats(tmp, rows * 2 * (size_t)A);
    float *dhead = arena_floats(tmp, rows * 2 * (size_t)A);
    float *u = arena_floats(tmp, rows * of_row);
    float *a = arena_floats(tmp, rows * of_row);
    float *v = arena_floats(tmp, rows * of_row);
    float *du = arena_floats(tmp, rows * of_row);
    float *da = arena_floats(tmp, rows * of_row);
    float *first = arena_floats(tmp, rows * (size_t)A);
    float *dq_da = arena_floats(tmp, rows * (size_t)A);
    float *sa = arena_floats(tmp, rows * (size_t)(S + A));
    float *least = arena_floats(tmp, rows);
    float *distance = arena_floats(tmp, rows);
    MlpTape tape = mlp_tape(&agent->actor, b, tmp);
    double loss = 0;
    double sum = 0;

    batch_columns(agent, batch, s, NULL, NULL);
    mlp_forward(&agent->actor, agent_actor(agent), s, b, &tape, head);
    squash_draws(&agent->squash, head, eps, b, k, u, a, NULL);
    behave(agent, s, b, z, tmp, v);
    mmd_rows(&mmd, u, k, v, k, b, distance, du);
    for (size_t i = 0; i < rows; i++) {
        memcpy(first + i * (size_t)A, a + i * of_row, (size_t)A * sizeof *a);
    }
    batch_join(s, S, first, A, b, 1, sa);
    twin_climb(agent, sa, b, tmp, least, dq_da);
    memset(da, 0, rows * of_row * sizeof *da);
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < (size_t)A; j++) {
            da[i * of_row + j] = -climbs * scale * dq_da[i * (size_t)A + j];
        }
        loss -= (double)(climbs * least[i]);
        sum += (double)distance[i];
    }
    for (size_t i = 0; i < rows * of_row; i++) {
        du[i] *= mult * scale;
    }
    squash_draws_backward(&agent->squash, head, eps, a, b, k, NULL, da, du, dhead);
    mlp_backward(&agent->actor, agent_actor(agent), s, b, &tape, dhead, grad, NULL, 0, tmp);

    const double slack = (sum - (double)b * (double)c->bear.threshold) * (double)scale;
    stats[STAT_DIVERGENCE] = (float)(sum * (double)scale);
    stats[STAT_ACTOR_LOSS] = (float)(loss * (double)scale + (double)mult * slack);
    stats[STAT_ALPHA_LOSS] = (float)(-(double)mult * slack);
    grad[agent->at_alpha] = stats[STAT_ALPHA_LOSS]; /* d/dmult of -exp(mult) slack */
    arena_reset(tmp, mark);
}

static size_t policy_cost(const Agent *agent, int rows)
{
    const int all = rows * agent->cfg.bear.samples;
    const Mlp *decoder = &agent->side[DECODER];
    const size_t D = (size_t)agent->critic.in + (size_t)decoder->in;
    return 14 * arena_cost((size_t)all * 2 * D) + mlp_tape_cost(&agent->actor, rows) +
           mlp_backward_cost(&agent->actor, rows) + mlp_infer_cost(decoder, all) +
           twin_cost(agent, rows);
}

/* grad: [ actor | critics | log multiplier ]; one fill of noise: the targets', the policy's, z. */
static void main_gradient(const Agent *agent, const Batch *batch, int total, Rng *rng, Arena *tmp,
                          float *grad, float *stats)
{
    const size_t mark = tmp->used;
    const AgentConfig *c = &agent->cfg;
    const size_t b = (size_t)batch->rows;
    const size_t A = (size_t)c->act_dim;
    const size_t next = b * (size_t)c->bear.target_samples * A;
    const size_t own = b * (size_t)c->bear.samples * A;
    float *noise = arena_floats(tmp, next + own + 2 * own);
    float *sa = arena_floats(tmp, b * (size_t)agent->critic.in);
    float *y = arena_floats(tmp, b);

    rng_fill_normal(rng, noise, next + own + 2 * own);
    find_targets(agent, batch, noise, tmp, y);
    batch_columns(agent, batch, NULL, NULL, sa);
    twin_regress(agent, sa, y, batch->rows, 1.0F, 1.0F / (float)total, tmp, grad + agent->at_critic,
                 stats);
    policy_gradient(agent, batch, total, noise + next, noise + next + own, tmp, grad, stats);
    arena_reset(tmp, mark);
}

static size_t bear_update_cost(const Agent *agent, int rows)
{
    const AgentConfig *c = &agent->cfg;
    const size_t draws = (size_t)c->bear.target_samples + 3 * (size_t)c->bear.samples;
    const size_t b = (size_t)rows;
    const size_t own = arena_cost(b * draws * (size_t)c->act_dim) +
                       arena_cost(b * (size_t)agent->critic.in) + arena_cost(b);
    const size_t main =
        own + targets_cost(agent, rows) + policy_cost(agent, rows) + twin_cost(agent, rows);
    const size_t vae = bear_vae_cost(agent, rows);
    return main > vae ? main : vae;
}

static Status bear_update(Agent *agent, const Batch *batches, int total, const Reduce *reduce,
                          uint64_t seed, Arena *tmp, float *stats)
{
    const AgentConfig *c = &agent->cfg;
    const size_t at_vae = agent->at_side[ENCODER];
    const int64_t t = agent->updates + 1;
    const Stage vae = {.name = "VAE",
                       .from = at_vae,
                       .count = agent->trained - at_vae,
                       .noise = RNG_VAE_NOISE,
                       .gradient = bear_vae_gradient};
    const Stage rest = {
        .name = "agent", .count = at_vae, .noise = RNG_UPDATE_NOISE, .gradient = main_gradient};
    float *mult = agent->params + agent->at_alpha;
    float tail[AGENT_TAIL];
    Status st = OK;

    memset(stats, 0, STAT_COUNT * sizeof *stats);
    TRY(stage_gradient(agent, &vae, batches, total, reduce, seed, t - 1, tmp, tail));
    stage_note(tail, stats);
    stage_adam(agent, &vae, at_vae, vae.count, c->bear.vae_lr, t);
    TRY(stage_gradient(agent, &rest, batches, total, reduce, seed, t - 1, tmp, tail));
    stage_note(tail, stats);
    stage_adam(agent, &rest, agent->at_critic, agent->critic.count, c->bear.critic_lr, t);
    stage_adam(agent, &rest, agent->at_actor, agent->actor.count, c->bear.actor_lr, t);
    stage_adam(agent, &rest, agent->at_alpha, 1, c->bear.multiplier_lr, t);
    *mult = *mult < mult_low ? mult_low : *mult > mult_high ? mult_high : *mult;
    vec_polyak(agent->target, agent->params + agent->at_critic, agent->critic.count, c->tau);
    agent->updates = t;
done:
    return st;
}

const AgentKind agent_bear = {
    .name = "bear",
    .source = "Kumar et al. 2019; as in rail-berkeley/d4rl_evaluations",
    .stats = 1U << STAT_CRITIC_LOSS | 1U << STAT_ACTOR_LOSS | 1U << STAT_ALPHA_LOSS | 1U << STAT_Q |
             1U << STAT_DIVERGENCE | 1U << STAT_BEHAVIOR,
    .layout = bear_layout,
    .init = bear_init,
    .update_cost = bear_update_cost,
    .update = bear_update,
};
