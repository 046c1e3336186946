/* A learner's part of the batches: rows drawn for each of its shards. */
#include "run/learner_state.h"

/* So many rows of the dataset for a whole batch, drawn by purpose and step; the rest are model rows. */
typedef struct {
    RngPurpose purpose;
    int64_t step;
    int real;
} Draw;

static void gather_shard(Learner *l, const Draw *draw, int i, float *rows)
{
    Session *s = l->s;
    const int shard = s->reduce.first + i;
    const uint64_t seed = (uint64_t)s->cfg.top.seed;
    const uint64_t step = (uint64_t)draw->step;
    const int total = plan_deal(s->cfg.train.batch, s->plan.shards, shard);
    const int dealt = plan_deal(draw->real, s->plan.shards, shard);
    const int real = dealt < total ? dealt : total; /* 10 of 11 rows over 8 shards: 2 of 1 */
    const size_t stride = s->data.rec.stride;

    if (real > 0) {
        Rng rng = rng_make(seed, draw->purpose, step, (uint32_t)shard);
        records_gather(s->data.records, stride, s->data.rows, &rng, real, rows);
    }
    if (total > real) {
        Rng rng = rng_make(seed, RNG_BATCH_MODEL, step, (uint32_t)shard);
        buffer_gather(&l->buffer[i], &rng, total - real, rows + (size_t)real * stride);
    }
    l->shard[i] = (Batch){rows, total};
}

static void gather(Learner *l, const Draw *draw)
{
    const Session *s = l->s;
    float *rows = l->batch;

    for (int i = 0; i < s->reduce.count; i++) {
        gather_shard(l, draw, i, rows);
        rows += (size_t)l->shard[i].rows * s->data.rec.stride;
    }
}

void learner_gather(Learner *l)
{
    const Draw draw = {RNG_BATCH_REAL, l->s->agent.updates, l->s->real_rows};
    gather(l, &draw);
}

void learner_gather_prepare(Learner *l)
{
    const Draw draw = {RNG_PREPARE_BATCH, l->s->agent.prepared, l->s->cfg.train.batch};
    gather(l, &draw);
}
