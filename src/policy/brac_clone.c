#include "policy/brac_clone.h"

#include <string.h>

#include "policy/actor.h"
#include "policy/batch.h"
#include "policy/stage.h"

int64_t brac_clone_updates(const Agent *agent)
{
    return agent->cfg.brac.clone_updates;
}

size_t brac_clone_cost(const Agent *agent, int rows)
{
    const Mlp *clone = &agent->side[CLONE];
    const size_t widest = (size_t)clone->in + (size_t)clone->out;
    return 10 * arena_cost((size_t)rows * widest) + mlp_tape_cost(clone, rows) +
           mlp_backward_cost(clone, rows) + policy_act_cost(clone, rows);
}

static double sum_of(const float *x, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        sum += (double)x[i];
    }
    return sum;
}

static void fill(float *x, int n, float value)
{
    for (int i = 0; i < n; i++) {
        x[i] = value;
    }
}

static void clone_gradient(const Agent *agent, const Batch *batch, int total, Rng *rng, Arena *tmp,
                           float *grad, float *stats)
{
    const size_t mark = tmp->used;
    const Mlp *clone = &agent->side[CLONE];
    const float *params = agent->params + agent->at_side[CLONE];
    const float e = agent->params[agent->at_side[CLONE_TEMPERATURE]];
    const float weight = e > 0.0F ? e : 0.0F;
    const int b = batch->rows;
    const size_t n = (size_t)b;
    const size_t A = (size_t)agent->cfg.act_dim;
    const float scale = 1.0F / (float)total;
    float *s = arena_floats(tmp, n * (size_t)agent->cfg.state_dim);
    float *a = arena_floats(tmp, n * A);
    float *own = arena_floats(tmp, n * A);
    float *eps = arena_floats(tmp, n * A);
    float *none = arena_floats(tmp, n * A);
    float *head = arena_floats(tmp, n * 2 * A);
    float *dhead = arena_floats(tmp, n * 2 * A);
    float *more = arena_floats(tmp, n * 2 * A);
    float *logb = arena_floats(tmp, n);
    float *logb_own = arena_floats(tmp, n);
    MlpTape tape = mlp_tape(clone, b, tmp);

    batch_columns(agent, batch, s, NULL, NULL);
    batch_actions(agent, batch, agent->cfg.brac.action_margin, a);
    rng_fill_normal(rng, eps, n * A);
    mlp_forward(clone, params, s, b, &tape, head);
    squash_density(&agent->squash, head, a, b, 1, logb);
    squash_forward(&agent->squash, head, eps, b, own, (int)A, logb_own);
    stats[STAT_BEHAVIOR] = (float)(-sum_of(logb, b) * (double)scale);
    stats[STAT_ENTROPY] = (float)(-sum_of(logb_own, b) * (double)scale);

    fill(logb, b, -scale);
    squash_density_backward(&agent->squash, head, a, b, 1, logb, dhead, NULL);
    memset(none, 0, n * A * sizeof *none);
    squash_backward(&agent->squash, head, eps, own, (int)A, b, weight * scale, none, more);
    for (size_t i = 0; i < n * 2 * A; i++) {
        dhead[i] += more[i];
    }
    mlp_backward(clone, params, s, b, &tape, dhead, grad, NULL, 0, tmp);
    arena_reset(tmp, mark);
}

/* grad: one number, this shard's share of mean(-log b - H); whether it passes is decided for the whole
 * batch, in temper. */
/* NOLINTBEGIN(readability-non-const-parameter): the type of Stage.gradient */
static void temperature_gradient(const Agent *agent, const Batch *batch, int total, Rng *rng,
                                 Arena *tmp, float *grad, float *stats)
/* NOLINTEND(readability-non-const-parameter) */
{
    const size_t mark = tmp->used;
    const int b = batch->rows;
    const size_t n = (size_t)b;
    const size_t A = (size_t)agent->cfg.act_dim;
    float *s = arena_floats(tmp, n * (size_t)agent->cfg.state_dim);
    float *eps = arena_floats(tmp, n * A);
    float *own = arena_floats(tmp, n * A);
    float *logb = arena_floats(tmp, n);

    (void)stats; /* the first stage measures all */
    batch_columns(agent, batch, s, NULL, NULL);
    rng_fill_normal(rng, eps, n * A);
    policy_act(&agent->side[CLONE], &agent->squash, agent->params + agent->at_side[CLONE], s, eps,
               b, tmp, own, logb);
    grad[0] = (float)((-sum_of(logb, b) + (double)b * (double)A) / (double)total);
    arena_reset(tmp, mark);
}

static void temper(Agent *agent, const Stage *stage, int64_t t)
{
    const size_t at = agent->at_side[CLONE_TEMPERATURE];

    if (agent->grads[0] > 0.0F && agent->params[at] <= 0.0F) {
        agent->grads[0] = 0.0F;
    }
    stage_adam(agent, stage, at, 1, agent->cfg.brac.clone_lr, t);
}

Status brac_clone_update(Agent *agent, const Batch *batches, int total, const Reduce *reduce,
                         uint64_t seed, Arena *tmp, float *stats)
{
    const int64_t t = agent->prepared + 1;
    const Stage clone = {.name = "clone of the behavior",
                         .from = agent->at_side[CLONE],
                         .count = agent->side[CLONE].count,
                         .noise = RNG_CLONE_NOISE,
                         .gradient = clone_gradient};
    const Stage temperature = {.name = "clone's temperature",
                               .from = agent->at_side[CLONE_TEMPERATURE],
                               .count = 1,
                               .noise = RNG_CLONE_TEMPERATURE,
                               .gradient = temperature_gradient};
    float tail[AGENT_TAIL];
    Status st = OK;

    memset(stats, 0, STAT_COUNT * sizeof *stats);
    TRY(stage_gradient(agent, &clone, batches, total, reduce, seed, t - 1, tmp, tail));
    stage_note(tail, stats);
    stage_adam(agent, &clone, clone.from, clone.count, agent->cfg.brac.clone_lr, t);
    TRY(stage_gradient(agent, &temperature, batches, total, reduce, seed, t - 1, tmp, tail));
    temper(agent, &temperature, t);
    agent->prepared = t;
done:
    return st;
}
