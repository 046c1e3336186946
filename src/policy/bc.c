/* Behavior cloning: the actor learns the dataset's actions, by likelihood or by squared error.
 *
 *   nll: L = -mean log pi(clip(a) | s)       mse: L = mean (tanh(mean(s)) - a)^2, over rows and dimensions
 *
 * clip: to [-1 + margin, 1 - margin], where log pi is finite. The head is that of BRAC's clone: the log
 * deviation stays in (-5, 0), so that equal actions in the data do not make the likelihood unbounded.
 */
#include <string.h>

#include "base/vmath.h"
#include "policy/batch.h"
#include "policy/kinds.h"
#include "policy/stage.h"

static void bc_layout(Agent *agent)
{
    const AgentConfig *c = &agent->cfg;
    agent->actor = mlp_make(c->state_dim, c->bc.hidden, 2, 2 * c->act_dim, 1, ACT_RELU);
    agent->trained = agent_padded(agent->actor.count);
    agent->squash = squash_smooth(c->act_dim);
}

static void bc_init(Agent *agent, uint64_t seed)
{
    Rng actor = rng_make(seed, RNG_AGENT_INIT, 0, 0);
    mlp_init_glorot(&agent->actor, agent_actor(agent), &actor);
}

/* dhead (n, 2 A) of the squared error; the head's deviations do not matter. */
static double squared_error(const float *head, const float *a, size_t n, size_t A, float scale,
                            float *dhead)
{
    double sum = 0;

    memset(dhead, 0, n * 2 * A * sizeof *dhead);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < A; j++) {
            const float t = vm_tanh(head[i * 2 * A + j]);
            const float off = t - a[i * A + j];
            dhead[i * 2 * A + j] = 2.0F * scale * off * (1.0F - t * t);
            sum += (double)off * (double)off;
        }
    }
    return sum * (double)scale;
}

static double likelihood(const Agent *agent, const float *head, const float *a, int rows,
                         float scale, Arena *tmp, float *dhead)
{
    const size_t mark = tmp->used;
    float *logp = arena_floats(tmp, (size_t)rows);
    double sum = 0;

    squash_density(&agent->squash, head, a, rows, 1, logp);
    for (size_t i = 0; i < (size_t)rows; i++) {
        sum += (double)logp[i];
        logp[i] = -scale;
    }
    squash_density_backward(&agent->squash, head, a, rows, 1, logp, dhead, NULL);
    arena_reset(tmp, mark);
    return -sum * (double)scale;
}

static void gradient(const Agent *agent, const Batch *batch, int total, Rng *rng, Arena *tmp,
                     float *grad, float *stats)
{
    const size_t mark = tmp->used;
    const AgentConfig *c = &agent->cfg;
    const int b = batch->rows;
    const size_t n = (size_t)b;
    const size_t A = (size_t)c->act_dim;
    float *s = arena_floats(tmp, n * (size_t)c->state_dim);
    float *a = arena_floats(tmp, n * A);
    float *head = arena_floats(tmp, n * 2 * A);
    float *dhead = arena_floats(tmp, n * 2 * A);
    MlpTape tape = mlp_tape(&agent->actor, b, tmp);

    (void)rng; /* nothing is drawn */
    batch_columns(agent, batch, s, NULL, NULL);
    batch_actions(agent, batch, c->bc.mse ? 0.0F : c->bc.action_margin, a);
    mlp_forward(&agent->actor, agent_actor(agent), s, b, &tape, head);
    const double loss = c->bc.mse
                            ? squared_error(head, a, n, A, 1.0F / ((float)total * (float)A), dhead)
                            : likelihood(agent, head, a, b, 1.0F / (float)total, tmp, dhead);
    mlp_backward(&agent->actor, agent_actor(agent), s, b, &tape, dhead, grad, NULL, 0, tmp);
    stats[STAT_ACTOR_LOSS] = (float)loss;
    arena_reset(tmp, mark);
}

static size_t bc_update_cost(const Agent *agent, int rows)
{
    const size_t n = (size_t)rows;
    const size_t widest = (size_t)agent->cfg.state_dim + 2 * (size_t)agent->cfg.act_dim;
    return 5 * arena_cost(n * widest) + mlp_tape_cost(&agent->actor, rows) +
           mlp_backward_cost(&agent->actor, rows);
}

static Status bc_update(Agent *agent, const Batch *batches, int total, const Reduce *reduce,
                        uint64_t seed, Arena *tmp, float *stats)
{
    const Stage stage = {
        .name = "actor", .count = agent->trained, .noise = RNG_UPDATE_NOISE, .gradient = gradient};
    const int64_t t = agent->updates + 1;
    float tail[AGENT_TAIL];
    Status st = OK;

    memset(stats, 0, STAT_COUNT * sizeof *stats);
    TRY(stage_gradient(agent, &stage, batches, total, reduce, seed, t - 1, tmp, tail));
    stage_note(tail, stats);
    stage_adam(agent, &stage, 0, agent->actor.count, agent->cfg.bc.lr, t);
    agent->updates = t;
done:
    return st;
}

const AgentKind agent_bc = {
    .name = "bc",
    .source =
        "behavior cloning: the released code of BRAC without its entropy term, or squared error",
    .stats = 1U << STAT_ACTOR_LOSS,
    .layout = bc_layout,
    .init = bc_init,
    .update_cost = bc_update_cost,
    .update = bc_update,
};
