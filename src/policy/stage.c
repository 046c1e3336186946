#include "policy/stage.h"

#include <math.h>
#include <string.h>

#include "data/record.h"
#include "nn/adam.h"
#include "nn/vec.h"

float *stage_row(const Agent *agent, int i, size_t count)
{
    float *row = agent->grads + (size_t)i * agent->grad_stride;
    memset(row, 0, (count + AGENT_TAIL) * sizeof *row);
    return row;
}

float stage_flaw(const Agent *agent, const Batch *batch)
{
    const size_t stride = record_make(agent->cfg.state_dim, agent->cfg.act_dim).stride;
    return vec_finite(batch->records, (size_t)batch->rows * stride) ? 0.0F : NAN;
}

Status stage_gradient(Agent *agent, const Stage *stage, const Batch *batches, int total,
                      const Reduce *reduce, uint64_t seed, int64_t step, Arena *tmp,
                      float stats[AGENT_TAIL])
{
    for (int i = 0; i < reduce->count; i++) {
        float *row = agent->grads + (size_t)i * agent->grad_stride;
        float *tail = row + stage->count;
        Rng rng = rng_make(seed, stage->noise, (uint64_t)step, (uint32_t)(reduce->first + i));
        if (stage->count < agent->trained) { /* floats between parts, left by another stage */
            memset(row, 0, stage->count * sizeof *row);
        }
        memset(tail, 0, AGENT_TAIL * sizeof *tail);
        stage->gradient(agent, &batches[i], total, &rng, tmp, row, tail);
        tail[TAIL_FLAW] = stage_flaw(agent, &batches[i]);
    }
    return stage_sum(agent, stage->name, stage->count, reduce, step, stats);
}

/* Which went first: a record of the batch, then a statistic, then the gradient. */
static Status refuse(const Agent *agent, const char *name, const float *stats, int64_t step)
{
    static const char *const words[STAT_COUNT] = {[STAT_CRITIC_LOSS] = "critic loss",
                                                  [STAT_ACTOR_LOSS] = "actor loss",
                                                  [STAT_ALPHA_LOSS] = "loss of the temperature",
                                                  [STAT_Q] = "mean Q",
                                                  [STAT_ENTROPY] = "entropy",
                                                  [STAT_DIVERGENCE] =
                                                      "divergence from the behavior",
                                                  [STAT_BEHAVIOR] = "loss of the behavior's model"};
    const long long update = (long long)step + 1;

    if (!isfinite(stats[TAIL_FLAW])) {
        return status_fail(ERR_NUMERIC, "update %lld: a transition of the batch is not finite",
                           update);
    }
    for (int k = 0; k < STAT_COUNT; k++) {
        if ((agent->kind->stats >> k & 1U) != 0 && !isfinite(stats[k])) {
            return status_fail(ERR_NUMERIC, "update %lld: the %s of the %s is %g", update, words[k],
                               name, (double)stats[k]);
        }
    }
    return status_fail(ERR_NUMERIC,
                       "update %lld: the gradient of the %s is not finite (critic loss %g, Q %g)",
                       update, name, (double)stats[STAT_CRITIC_LOSS], (double)stats[STAT_Q]);
}

Status stage_sum(Agent *agent, const char *name, size_t count, const Reduce *reduce, int64_t step,
                 float stats[AGENT_TAIL])
{
    const size_t n = count + AGENT_TAIL;
    const Status st = reduce->sum(reduce, agent->grads, agent->grad_stride, n);
    if (st != OK) {
        return st;
    }
    memcpy(stats, agent->grads + count, AGENT_TAIL * sizeof *stats);
    if (!vec_finite(agent->grads, n)) {
        return refuse(agent, name, stats, step);
    }
    return OK;
}

void stage_note(const float tail[AGENT_TAIL], float stats[STAT_COUNT])
{
    for (int k = 0; k < STAT_COUNT; k++) {
        stats[k] += tail[k];
    }
}

void stage_adam(Agent *agent, const Stage *stage, size_t at, size_t n, double lr, int64_t t)
{
    adam_step(agent->params + at, agent->grads + (at - stage->from), agent->m + at, agent->v + at,
              n, lr, t);
}
