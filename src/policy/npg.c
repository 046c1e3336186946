/* Natural policy gradient (Kakade 2001; Rajeswaran et al. 2017), MOReL's own optimizer, as in
 * aravindr93/mjrl. On-policy: an update takes the trajectories that the policy has just made, N rows.
 *
 *   pi(a | s) = N( mean(s), diag(std^2) )    mean: two tanh layers; log std: A numbers, without s
 *   delta_t = r_t + gamma V(s_t+1) - V(s_t),   adv_t = delta_t + gamma lambda adv_t+1     per trajectory
 *   g   = mean adv grad log pi(a | s)                                    adv standardized over all rows
 *   F   = mean J^T diag(1 / std^2) J for the mean's parameters, 2 for each log std
 *   x   = (F + damping)^-1 g                                             by conjugate gradients
 *   theta <- theta + sqrt( step_size / (g^T x + 1e-20) ) x               KL of about step_size / 2
 *   log std is held in [log_std_min, log_std_max]; the step is halved while mean KL(old | new) > kl_max
 *   V: Adam on mean (V(s_t) - ret_t)^2, ret_t = r_t + gamma ret_t+1      minibatches, after the policy
 *
 * What comes after the last row of a trajectory: nothing where it ended (HALT, the task's rule), V(s')
 * where the horizon cut it, in adv and ret alike. Before all updates the mean is fitted to the data's
 * actions (npg_fit.c).
 *
 * The actor is one network with 2 A outputs like every other; the outputs for log std have weights that
 * are zero and stay so, and their biases are the log std.
 *
 * kl_max is TRPO's safeguard (Schulman et al. 2015): near an optimum the gradient is noise, x goes far where
 * F is flat, and the KL may come out at fifty times what its second order promised.
 *
 * Not as in mjrl: it takes every step at its full length (npg.kl_max=0); it bootstraps behind HALT, too (its flag for the end is never set), and at the horizon
 * with the value of the last state instead of the one behind it; its baseline sees powers of the time and
 * s / 10 clipped to [-1, 1], is fitted to sums that end at the horizon, by permuted minibatches and with
 * weight decay 1e-3; its conjugate gradients begin at g, not at 0.
 */
#include "policy/npg.h"

#include <math.h>
#include <string.h>

#include "data/record.h"
#include "nn/conjugate.h"
#include "nn/vec.h"
#include "policy/batch.h"
#include "policy/kinds.h"

enum { LAYERS = 2, HALVINGS = 10 /* of a step, at most: a thousandth */ };

static const double half_log_2pi_e = 1.4189385332046727;

/* --- networks ----------------------------------------------------------------------------------- */

static void npg_layout(Agent *agent)
{
    const AgentConfig *c = &agent->cfg;

    agent->actor = mlp_make(c->state_dim, c->npg.hidden, LAYERS, 2 * c->act_dim, 1, ACT_TANH);
    agent->side[NPG_VALUE] = mlp_make(c->state_dim, c->npg.value_hidden, LAYERS, 1, 1, ACT_RELU);
    agent->at_side[NPG_VALUE] = agent_padded(agent->actor.count);
    agent->trained = agent->at_side[NPG_VALUE] + agent_padded(agent->side[NPG_VALUE].count);
    agent->squash = (Squash){
        .A = c->act_dim, .low = c->npg.log_std_min, .high = c->npg.log_std_max, .linear = true};
}

size_t npg_at_log_std(const Agent *agent)
{
    return mlp_matrix(&agent->actor, LAYERS, 0).bias + (size_t)agent->cfg.act_dim;
}

void npg_mask(const Agent *agent, float *gradient)
{
    const MlpMatrix m = mlp_matrix(&agent->actor, LAYERS, 0);
    const size_t A = (size_t)agent->cfg.act_dim;

    for (size_t i = 0; i < (size_t)m.rows; i++) {
        memset(gradient + m.at + i * (size_t)m.ld + A, 0, A * sizeof *gradient);
    }
}

static void hold_log_std(const Agent *agent, float *actor)
{
    const AgentConfig *c = &agent->cfg;
    float *log_std = actor + npg_at_log_std(agent);

    for (int j = 0; j < c->act_dim; j++) {
        log_std[j] = fminf(fmaxf(log_std[j], c->npg.log_std_min), c->npg.log_std_max);
    }
}

/* nn.Linear's start, the policy's last layer a hundredth of it: the first actions are nearly 0. */
static void npg_init(Agent *agent, uint64_t seed)
{
    Rng policy = rng_make(seed, RNG_AGENT_INIT, 0, 0);
    Rng value = rng_make(seed, RNG_AGENT_INIT, 0, 1);
    float *actor = agent_actor(agent);
    float *log_std = actor + npg_at_log_std(agent);

    mlp_init_linear(&agent->actor, actor, &policy);
    for (size_t i = agent->actor.w[LAYERS]; i < agent->actor.count; i++) {
        actor[i] *= 0.01F;
    }
    npg_mask(agent, actor);
    for (int j = 0; j < agent->cfg.act_dim; j++) {
        log_std[j] = agent->cfg.npg.log_std;
    }
    hold_log_std(agent, actor);
    mlp_init_linear(&agent->side[NPG_VALUE], agent->params + agent->at_side[NPG_VALUE], &value);
}

/* --- passes over the rows ----------------------------------------------------------------------- */

NpgPhase npg_phase(Agent *agent, const Batch *batches, int total, const Reduce *reduce,
                   uint64_t seed, Arena *tmp)
{
    size_t rows = 0;

    for (int i = 0; i < reduce->count; i++) {
        rows += (size_t)batches[i].rows;
    }
    return (NpgPhase){.agent = agent,
                      .batches = batches,
                      .total = total,
                      .reduce = reduce,
                      .seed = seed,
                      .tmp = tmp,
                      .adv = arena_floats(tmp, rows),
                      .ret = arena_floats(tmp, rows)};
}

Status npg_pass(const NpgPhase *phase, const char *name, size_t count, NpgPass pass,
                const float *given, float stats[AGENT_TAIL])
{
    size_t at = 0;

    for (int i = 0; i < phase->reduce->count; i++) {
        float *row = stage_row(phase->agent, i, count);
        const NpgShare share = {&phase->batches[i], at, row, row + count};
        pass(phase, &share, given);
        at += (size_t)phase->batches[i].rows;
    }
    return stage_sum(phase->agent, name, count, phase->reduce, phase->agent->updates, stats);
}

NpgChunk npg_chunk(const Agent *agent, int rows, Arena *tmp)
{
    const int most = rows < NPG_CHUNK ? rows : NPG_CHUNK;
    const size_t b = (size_t)most;
    const size_t A = (size_t)agent->cfg.act_dim;
    return (NpgChunk){.s = arena_floats(tmp, b * (size_t)agent->cfg.state_dim),
                      .a = arena_floats(tmp, b * A),
                      .head = arena_floats(tmp, b * 2 * A),
                      .dist = arena_floats(tmp, b * 2 * A),
                      .x = arena_floats(tmp, b),
                      .y = arena_floats(tmp, b),
                      .grad = arena_floats(tmp, agent->actor.count),
                      .tape = mlp_tape(&agent->actor, most, tmp)};
}

static size_t chunk_cost(const Agent *agent, int rows)
{
    const int most = rows < NPG_CHUNK ? rows : NPG_CHUNK;
    const size_t b = (size_t)most;
    const size_t A = (size_t)agent->cfg.act_dim;
    return arena_cost(b * (size_t)agent->cfg.state_dim) + arena_cost(b * A) +
           2 * arena_cost(b * 2 * A) + 2 * arena_cost(b) + arena_cost(agent->actor.count) +
           mlp_tape_cost(&agent->actor, most) + mlp_backward_cost(&agent->actor, most) +
           arena_cost(A);
}

void npg_chunk_load(const Agent *agent, const Batch *batch, int first, NpgChunk *chunk)
{
    const Record rec = record_make(agent->cfg.state_dim, agent->cfg.act_dim);
    const int left = batch->rows - first;

    chunk->b = left < NPG_CHUNK ? left : NPG_CHUNK;
    const Batch part = {batch->records + (size_t)first * rec.stride, chunk->b};
    batch_columns(agent, &part, chunk->s, NULL, NULL);
    batch_actions(agent, &part, 0.0F, chunk->a);
}

/* --- update ------------------------------------------------------------------------------------- */

size_t npg_cost(const Agent *agent, int rows)
{
    const size_t per_row = 2 * arena_cost((size_t)rows) * (size_t)(agent->shards + 1);
    const size_t n = agent->actor.count;
    const size_t parts[] = {npg_advantages_cost(agent, rows), chunk_cost(agent, rows),
                            npg_fit_cost(agent)};
    size_t most = 0;

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        most = parts[i] > most ? parts[i] : most;
    }
    return per_row + 3 * arena_cost(n) + conjugate_cost(n) + most;
}

/* Expected -log pi, the same in every state. */
static float entropy(const Agent *agent)
{
    const float *log_std = agent_actor(agent) + npg_at_log_std(agent);
    double sum = 0;

    for (int j = 0; j < agent->cfg.act_dim; j++) {
        sum += (double)log_std[j] + half_log_2pi_e;
    }
    return (float)sum;
}

/* next (actor) = the policy after the step, with its stats; shorter steps while it goes too far. All
 * learners measure the same, so all choose alike. */
static Status find_step(const NpgPhase *phase, const float *x, double step, float *next,
                        float *stats)
{
    const Agent *agent = phase->agent;
    const float most = agent->cfg.npg.kl_max;
    Status st = OK;

    for (int k = 0; k <= HALVINGS; k++) {
        memcpy(next, agent_actor(agent), agent->actor.count * sizeof *next);
        vec_axpy(next, (float)step, x, agent->actor.count);
        hold_log_std(agent, next);
        TRY(npg_measure(phase, next, stats)); /* and refuse what is not finite */
        if (most == 0.0F || stats[STAT_DIVERGENCE] <= most) {
            break;
        }
        step *= 0.5;
    }
done:
    return st;
}

static Status npg_update(Agent *agent, const Batch *batches, int total, const Reduce *reduce,
                         uint64_t seed, Arena *tmp, float *stats)
{
    const AgentConfig *c = &agent->cfg;
    const size_t n = agent->actor.count;
    const size_t mark = tmp->used;
    NpgPhase phase = npg_phase(agent, batches, total, reduce, seed, tmp);
    float *g = arena_floats(tmp, n);
    float *x = arena_floats(tmp, n);
    float *next = arena_floats(tmp, n);
    Status st = OK;

    memset(stats, 0, STAT_COUNT * sizeof *stats);
    TRY(npg_advantages(&phase, stats));
    TRY(npg_gradient(&phase, g));
    TRY(conjugate_gradients(npg_fisher, &phase, g, n, c->npg.cg_iterations, tmp, x));
    const double step = sqrt(c->npg.step_size / (fabs(vec_dot(g, x, n)) + 1e-20));
    TRY(find_step(&phase, x, step, next, stats));
    stats[STAT_ENTROPY] = entropy(agent);
    memcpy(agent_actor(agent), next, n * sizeof *next);
    TRY(npg_fit_value(&phase, stats));
    agent->updates++;
done:
    arena_reset(tmp, mark);
    return st;
}

const AgentKind agent_npg = {
    .name = "npg",
    .source = "natural policy gradient: Kakade 2001, Rajeswaran et al. 2017, as in aravindr93/mjrl",
    .stats = 1U << STAT_CRITIC_LOSS | 1U << STAT_ACTOR_LOSS | 1U << STAT_Q | 1U << STAT_ENTROPY |
             1U << STAT_DIVERGENCE,
    .on_policy = true,
    .layout = npg_layout,
    .init = npg_init,
    .update_cost = npg_cost,
    .update = npg_update,
    .prepare_updates = npg_clone_updates,
    .prepare = npg_clone_update,
};
