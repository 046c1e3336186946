#include "policy/stage.h"

#include <math.h>
#include <string.h>

#include "data/record.h"
#include "nn/adam.h"
#include "nn/vec.h"

/* The last number of the tail: 0, or NaN when some record is not finite. It reaches every owner with the
 * sum, so that all refuse together, and a first stage that looks at actions only refuses a bad reward. */
enum { TAIL_FLAW = AGENT_TAIL - 1 };

static float flaw(const Agent *agent, const Batch *batch)
{
    const size_t stride = record_make(agent->cfg.state_dim, agent->cfg.act_dim).stride;
    return vec_finite(batch->records, (size_t)batch->rows * stride) ? 0.0F : NAN;
}

Status stage_gradient(Agent *agent, const Stage *stage, const Batch *batches, int total,
                      const Reduce *reduce, uint64_t seed, int64_t step, Arena *tmp,
                      float stats[AGENT_TAIL])
{
    const size_t n = stage->count + AGENT_TAIL;

    for (int i = 0; i < reduce->count; i++) {
        float *row = agent->grads + (size_t)i * agent->grad_stride;
        float *tail = row + stage->count;
        Rng rng = rng_make(seed, stage->noise, (uint64_t)step, (uint32_t)(reduce->first + i));
        if (stage->count < agent->trained) { /* floats between parts, left by another stage */
            memset(row, 0, stage->count * sizeof *row);
        }
        memset(tail, 0, AGENT_TAIL * sizeof *tail);
        stage->gradient(agent, &batches[i], total, &rng, tmp, row, tail);
        tail[TAIL_FLAW] = flaw(agent, &batches[i]);
    }
    const Status st = reduce->sum(reduce, agent->grads, agent->grad_stride, n);
    if (st != OK) {
        return st;
    }
    memcpy(stats, agent->grads + stage->count, AGENT_TAIL * sizeof *stats);
    if (!vec_finite(agent->grads, n)) {
        return status_fail(
            ERR_NUMERIC,
            "update %lld: the gradient of the %s is not finite (critic loss %g, Q %g); usual "
            "cures: a larger penalty.lambda, a smaller rollout.horizon, rollout.guard "
            "above 0, a smaller learning rate of the critics",
            (long long)step + 1, stage->name, (double)stats[STAT_CRITIC_LOSS],
            (double)stats[STAT_Q]);
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
