#include "run/history.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

static size_t grown(const void *block, int64_t count)
{
    return block == NULL ? 0 : (size_t)count;
}

/* Move `count` rows of `width` elements to a block with room for `room` rows. */
static Status regrow(void *slot, int64_t count, int64_t room, size_t width, size_t size)
{
    void *old = NULL;
    void *fresh = NULL;

    memcpy(&old, slot, sizeof old);
    const Status st = mem_alloc(&fresh, (size_t)room * width, size, "the list of rollout phases");
    if (st == OK) {
        if (old != NULL) {
            memcpy(fresh, old, grown(old, count) * width * size);
        }
        memcpy(slot, &fresh, sizeof fresh);
        mem_free(&old);
    }
    return st;
}

static Status reserve(History *h, int64_t room)
{
    Status st = OK;

    if (room <= h->room) {
        return OK;
    }
    TRY(regrow(&h->epoch, h->count, room, 1, sizeof *h->epoch));
    TRY(regrow(&h->digest, h->count, room, 1, sizeof *h->digest));
    TRY(regrow(&h->sums, h->count, room, SUM_COUNT, sizeof *h->sums));
    TRY(regrow(&h->rows, h->count, room, (size_t)h->shards, sizeof *h->rows));
    TRY(regrow(&h->policy, h->count, room, h->actor, sizeof *h->policy));
    h->room = room;
done:
    return st;
}

Status history_init(History *h, int shards, size_t actor, int64_t room)
{
    *h = (History){.shards = shards, .actor = actor};
    const Status st = reserve(h, room);
    if (st != OK) {
        history_release(h);
    }
    return st;
}

void history_release(History *h)
{
    mem_free(&h->epoch);
    mem_free(&h->digest);
    mem_free(&h->sums);
    mem_free(&h->rows);
    mem_free(&h->policy);
    *h = (History){0};
}

Status history_add(History *h, int64_t epoch, const float *policy, const UnitReport *units,
                   int count)
{
    Status st = h->count < h->room ? OK : reserve(h, 2 * h->room);
    uint64_t chain = 0;

    if (st != OK) {
        return st;
    }
    const int64_t at = h->count++;
    double *sums = h->sums + at * SUM_COUNT;
    int64_t *rows = h->rows + at * h->shards;
    memset(sums, 0, SUM_COUNT * sizeof *sums);
    memset(rows, 0, (size_t)h->shards * sizeof *rows);
    for (int u = 0; u < count; u++) {
        const uint64_t pair[2] = {chain, units[u].digest};
        chain = bytes_hash(pair, sizeof pair);
        rows[(int64_t)u * h->shards / count] += units[u].rows;
        sums[SUM_ROWS] += (double)units[u].rows;
        sums[SUM_ENDED] += (double)units[u].ended;
        sums[SUM_DROPPED] += (double)units[u].dropped;
        sums[SUM_PENALTY] += units[u].penalty_sum;
        sums[SUM_PENALTY_MAX] = fmax(sums[SUM_PENALTY_MAX], units[u].penalty_max);
        sums[SUM_REWARD] += units[u].reward_sum;
        sums[SUM_HALTED] += (double)units[u].halted;
    }
    h->epoch[at] = epoch;
    memcpy(&h->digest[at], &chain, sizeof chain);
    memcpy(h->policy + (size_t)at * h->actor, policy, h->actor * sizeof *policy);
    return OK;
}

/* Whether the phases after the first `skip` fill every ring. */
static bool covered(const History *h, int64_t skip, const int64_t *capacity)
{
    for (int s = 0; s < h->shards; s++) {
        int64_t rows = 0;
        for (int64_t i = skip; i < h->count; i++) {
            rows += h->rows[i * h->shards + s];
        }
        if (rows < capacity[s]) {
            return false;
        }
    }
    return true;
}

void history_trim(History *h, const int64_t *capacity)
{
    int64_t skip = 0;

    while (skip + 1 < h->count && covered(h, skip + 1, capacity)) {
        skip++;
    }
    const size_t left = (size_t)(h->count - skip);
    const size_t from = (size_t)skip;
    const size_t V = (size_t)h->shards;
    memmove(h->epoch, h->epoch + from, left * sizeof *h->epoch);
    memmove(h->digest, h->digest + from, left * sizeof *h->digest);
    memmove(h->sums, h->sums + from * SUM_COUNT, left * SUM_COUNT * sizeof *h->sums);
    memmove(h->rows, h->rows + from * V, left * V * sizeof *h->rows);
    memmove(h->policy, h->policy + from * h->actor, left * h->actor * sizeof *h->policy);
    h->count -= skip;
}

int64_t history_find(const History *h, int64_t epoch)
{
    for (int64_t i = 0; i < h->count; i++) {
        if (h->epoch[i] == epoch) {
            return i;
        }
    }
    return -1;
}

int history_slabs(const History *h, Slab slabs[HISTORY_SLABS])
{
    const size_t n = (size_t)h->count;

    slabs[0] = slab_i64("history.epoch", h->epoch, n);
    slabs[1] = slab_i64("history.digest", h->digest, n);
    slabs[2] = slab_f64("history.sums", h->sums, n * SUM_COUNT);
    slabs[3] = slab_i64("history.rows", h->rows, n * (size_t)h->shards);
    slabs[4] = slab_f32("history.policy", h->policy, n * h->actor);
    return HISTORY_SLABS;
}
