/* What steps by Adam: the baseline, and the policy's start as a clone of the data. A minibatch of the
 * baseline has equally many rows of every shard, however many the shard has: where trajectories of one
 * shard end much earlier than those of others its rows count more. */
#include <string.h>

#include "base/rng.h"
#include "data/record.h"
#include "nn/vec.h"
#include "policy/npg.h"

/* Rows of a minibatch that come from shard v of V. */
static int dealt(int rows, int V, int v)
{
    const int64_t k = rows;
    return (int)(k * (v + 1) / V - k * v / V);
}

size_t npg_fit_cost(const Agent *agent)
{
    const int rows = agent->cfg.npg.value_batch;
    const Mlp *net = &agent->side[NPG_VALUE];
    return arena_cost((size_t)rows * (size_t)net->in) + 2 * arena_cost((size_t)rows) +
           mlp_tape_cost(net, rows) + mlp_backward_cost(net, rows);
}

/* Shard i's share of the gradient of mean (V(s) - ret)^2 over a minibatch, rows drawn with replacement. */
static void value_gradient(const NpgPhase *phase, int i, size_t at, int64_t step, float *grad,
                           float *stats)
{
    const Agent *agent = phase->agent;
    const Batch *batch = &phase->batches[i];
    const Mlp *net = &agent->side[NPG_VALUE];
    const float *params = agent->params + agent->at_side[NPG_VALUE];
    const size_t S = (size_t)agent->cfg.state_dim;
    const size_t stride = record_make(agent->cfg.state_dim, agent->cfg.act_dim).stride;
    const int shard = phase->reduce->first + i;
    const int all = agent->cfg.npg.value_batch;
    const int b = dealt(all, phase->reduce->shards, shard);
    Rng rng = rng_make(phase->seed, RNG_BASELINE_BATCH, (uint64_t)step, (uint32_t)shard);
    const size_t mark = phase->tmp->used;
    double sum = 0;

    if (b == 0) {
        return;
    }
    float *s = arena_floats(phase->tmp, (size_t)b * S);
    float *v = arena_floats(phase->tmp, (size_t)b);
    float *goal = arena_floats(phase->tmp, (size_t)b);
    MlpTape tape = mlp_tape(net, b, phase->tmp);
    for (size_t k = 0; k < (size_t)b; k++) {
        const size_t row = rng_below(&rng, (uint32_t)batch->rows);
        memcpy(s + k * S, batch->records + row * stride, S * sizeof *s);
        goal[k] = phase->ret[at + row];
    }
    mlp_forward(net, params, s, b, &tape, v);
    for (size_t k = 0; k < (size_t)b; k++) {
        const float off = v[k] - goal[k];
        sum += (double)off * (double)off;
        v[k] = 2.0F * off / (float)all;
    }
    mlp_backward(net, params, s, b, &tape, v, grad, NULL, 0, phase->tmp);
    stats[STAT_CRITIC_LOSS] = (float)(sum / all);
    arena_reset(phase->tmp, mark);
}

Status npg_fit_value(const NpgPhase *phase, float *stats)
{
    Agent *agent = phase->agent;
    const Stage stage = {.from = agent->at_side[NPG_VALUE]};
    const size_t n = agent->side[NPG_VALUE].count;
    const int batch = agent->cfg.npg.value_batch;
    const int64_t count =
        (int64_t)agent->cfg.npg.value_passes * (((int64_t)phase->total + batch - 1) / batch);
    float tail[AGENT_TAIL];
    double sum = 0;
    Status st = OK;

    for (int64_t k = 0; k < count; k++) {
        size_t at = 0;
        for (int i = 0; i < phase->reduce->count; i++) {
            float *row = stage_row(agent, i, n);
            value_gradient(phase, i, at, agent->steps + k, row, row + n);
            at += (size_t)phase->batches[i].rows;
        }
        TRY(stage_sum(agent, "baseline", n, phase->reduce, agent->updates, tail));
        stage_adam(agent, &stage, stage.from, n, agent->cfg.npg.value_lr, agent->steps + k + 1);
        sum += (double)tail[STAT_CRITIC_LOSS] / (double)count;
    }
    stats[STAT_CRITIC_LOSS] = (float)sum;
    agent->steps += count;
done:
    return st;
}

/* --- the start: mean (mean(s) - a)^2 over rows and numbers of the data's actions ------------------- */

int64_t npg_clone_updates(const Agent *agent)
{
    return agent->cfg.npg.clone_updates;
}

static void clone_gradient(const Agent *agent, const Batch *batch, int total, Rng *rng, Arena *tmp,
                           float *grad, float *stats)
{
    const size_t mark = tmp->used;
    const size_t A = (size_t)agent->cfg.act_dim;
    const float scale = 1.0F / ((float)total * (float)A);
    NpgChunk c = npg_chunk(agent, batch->rows, tmp);
    double sum = 0;

    (void)rng; /* nothing is drawn */
    memset(grad, 0, agent->actor.count * sizeof *grad);
    for (int first = 0; npg_chunk_load(agent, batch, first, &c), c.b > 0; first += c.b) {
        mlp_forward(&agent->actor, agent_actor(agent), c.s, c.b, &c.tape, c.head);
        for (size_t i = 0; i < (size_t)c.b; i++) {
            for (size_t j = 0; j < A; j++) {
                const float off = c.head[i * 2 * A + j] - c.a[i * A + j];
                sum += (double)off * (double)off;
                c.dist[i * 2 * A + j] = 2.0F * scale * off;
                c.dist[i * 2 * A + A + j] = 0.0F;
            }
        }
        mlp_backward(&agent->actor, agent_actor(agent), c.s, c.b, &c.tape, c.dist, c.grad, NULL, 0,
                     tmp);
        vec_axpy(grad, 1.0F, c.grad, agent->actor.count);
    }
    stats[STAT_BEHAVIOR] = (float)(sum * (double)scale);
    arena_reset(tmp, mark);
}

Status npg_clone_update(Agent *agent, const Batch *batches, int total, const Reduce *reduce,
                        uint64_t seed, Arena *tmp, float *stats)
{
    const Stage stage = {.name = "clone of the behavior",
                         .count = agent->actor.count,
                         .noise = RNG_CLONE_NOISE,
                         .gradient = clone_gradient};
    const int64_t t = agent->prepared + 1;
    float tail[AGENT_TAIL];
    Status st = OK;

    memset(stats, 0, STAT_COUNT * sizeof *stats);
    TRY(stage_gradient(agent, &stage, batches, total, reduce, seed, t - 1, tmp, tail));
    stage_note(tail, stats);
    stage_adam(agent, &stage, agent->at_actor, agent->actor.count, agent->cfg.npg.clone_lr, t);
    agent->prepared = t;
done:
    return st;
}
