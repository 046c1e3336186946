/* Generalized advantages (Schulman et al. 2016) of the trajectories of a phase. */
#include <math.h>
#include <string.h>

#include "data/record.h"
#include "policy/batch.h"
#include "policy/npg.h"

/* Numbers of the passes, behind the agents' statistics. */
enum { TAIL_MEAN = STAT_COUNT, TAIL_SQUARES };

void npg_find_ends(const Agent *agent, const Batch *batch, uint8_t *last)
{
    const Record rec = record_make(agent->cfg.state_dim, agent->cfg.act_dim);
    const size_t bytes = (size_t)rec.S * sizeof(float);

    for (int i = 0; i < batch->rows; i++) {
        const float *row = batch->records + (size_t)i * rec.stride;
        last[i] = i + 1 == batch->rows || row[rec.cont] == 0.0F ||
                  memcmp(row + rec.s2, row + rec.stride, bytes) != 0;
    }
}

void npg_gae(const Gae *in, float *adv, float *ret)
{
    double next_adv = 0;
    double next_ret = 0;
    double next_value = 0;

    for (size_t i = in->n; i-- > 0;) {
        const double r = (double)in->r[i];
        const double value = (double)in->value[i];
        if (in->last[i] != 0) {
            next_adv = 0;
            next_value = (double)in->cont[i] * (double)in->after[i];
            next_ret = next_value;
        }
        next_adv = r + in->gamma * next_value - value + in->gamma * in->lambda * next_adv;
        next_ret = r + in->gamma * next_ret;
        next_value = value;
        adv[i] = (float)next_adv;
        ret[i] = (float)next_ret;
    }
}

size_t npg_advantages_cost(const Agent *agent, int rows)
{
    const int b = rows < NPG_CHUNK ? rows : NPG_CHUNK;
    return 5 * arena_cost((size_t)rows) + 2 * arena_cost((size_t)b * (size_t)agent->cfg.state_dim) +
           mlp_infer_cost(&agent->side[NPG_VALUE], b);
}

/* V(s) of all rows. */
static void find_values(const Agent *agent, const Batch *batch, Arena *tmp, float *value)
{
    const size_t mark = tmp->used;
    const size_t stride = record_make(agent->cfg.state_dim, agent->cfg.act_dim).stride;
    const int most = batch->rows < NPG_CHUNK ? batch->rows : NPG_CHUNK;
    float *s = arena_floats(tmp, (size_t)most * (size_t)agent->cfg.state_dim);

    for (int first = 0; first < batch->rows; first += NPG_CHUNK) {
        const int left = batch->rows - first;
        const Batch part = {batch->records + (size_t)first * stride, left < most ? left : most};
        batch_columns(agent, &part, s, NULL, NULL);
        mlp_infer(&agent->side[NPG_VALUE], agent->params + agent->at_side[NPG_VALUE], s, part.rows,
                  tmp, value + first);
    }
    arena_reset(tmp, mark);
}

/* V(s') of the rows behind which no row of their trajectory comes, one by one: they are few. */
static void find_last_values(const Agent *agent, const Batch *batch, const uint8_t *last,
                             Arena *tmp, float *after)
{
    const Record rec = record_make(agent->cfg.state_dim, agent->cfg.act_dim);

    for (int i = 0; i < batch->rows; i++) {
        after[i] = 0;
        if (last[i] != 0) {
            mlp_infer(&agent->side[NPG_VALUE], agent->params + agent->at_side[NPG_VALUE],
                      batch->records + (size_t)i * rec.stride + rec.s2, 1, tmp, after + i);
        }
    }
}

static void estimate(const NpgPhase *phase, const NpgShare *share, const float *given)
{
    const Agent *agent = phase->agent;
    const Batch *batch = share->batch;
    const size_t at = share->at;
    float *stats = share->stats;
    const size_t n = (size_t)batch->rows;
    const size_t mark = phase->tmp->used;
    float *value = arena_floats(phase->tmp, n);
    float *after = arena_floats(phase->tmp, n);
    float *r = arena_floats(phase->tmp, n);
    float *cont = arena_floats(phase->tmp, n);
    uint8_t *last = arena_bytes(phase->tmp, n);
    double sums[2] = {0}; /* of values, of advantages */

    (void)given;
    npg_find_ends(agent, batch, last);
    batch_rewards(agent, batch, r, cont);
    find_values(agent, batch, phase->tmp, value);
    find_last_values(agent, batch, last, phase->tmp, after);
    const Gae gae = {.r = r,
                     .cont = cont,
                     .value = value,
                     .after = after,
                     .last = last,
                     .n = n,
                     .gamma = (double)agent->cfg.gamma,
                     .lambda = agent->cfg.npg.gae_lambda};
    npg_gae(&gae, phase->adv + at, phase->ret + at);
    for (size_t i = 0; i < n; i++) {
        sums[0] += (double)value[i];
        sums[1] += (double)phase->adv[at + i];
    }
    stats[STAT_Q] = (float)(sums[0] / (double)phase->total);
    stats[TAIL_MEAN] = (float)(sums[1] / (double)phase->total);
    stats[TAIL_FLAW] = stage_flaw(agent, batch);
    arena_reset(phase->tmp, mark);
}

/* given: the mean. A pass of its own, since the difference of two sums in float32 would lose the variance
 * where it is small beside the mean. */
static void squares(const NpgPhase *phase, const NpgShare *share, const float *given)
{
    double sum = 0;

    for (size_t i = share->at; i < share->at + (size_t)share->batch->rows; i++) {
        const double off = (double)(phase->adv[i] - *given);
        sum += off * off;
    }
    share->stats[TAIL_SQUARES] = (float)(sum / (double)phase->total);
}

Status npg_advantages(const NpgPhase *phase, float *stats)
{
    Status st = OK;
    float first[AGENT_TAIL];
    float second[AGENT_TAIL];
    size_t rows = 0;

    TRY(npg_pass(phase, "baseline's values", 0, estimate, NULL, first));
    TRY(npg_pass(phase, "advantages", 0, squares, &first[TAIL_MEAN], second));
    stats[STAT_Q] = first[STAT_Q];
    for (int i = 0; i < phase->reduce->count; i++) {
        rows += (size_t)phase->batches[i].rows;
    }
    const float scale = 1.0F / (sqrtf(second[TAIL_SQUARES]) + 1e-6F);
    for (size_t i = 0; i < rows; i++) {
        phase->adv[i] = scale * (phase->adv[i] - first[TAIL_MEAN]);
    }
done:
    return st;
}
