/* The rollout phases whose records are still in the model buffer: which policy made them, and what
 * came out. The buffer is a function of this list, so a checkpoint keeps the list (megabytes) and not
 * the buffer (hundreds); on resume the phases are rolled out again and their digests compared.
 */
#ifndef RUN_HISTORY_H
#define RUN_HISTORY_H

#include <stdint.h>

#include "base/slab.h"
#include "base/status.h"
#include "rollout/rollout.h"

/* A phase as a whole: the unit reports added in unit order. */
typedef enum {
    SUM_ROWS,
    SUM_ENDED,
    SUM_DROPPED,
    SUM_PENALTY,
    SUM_PENALTY_MAX,
    SUM_REWARD,
    SUM_HALTED,
    SUM_COUNT
} PhaseSum;

enum { HISTORY_SLABS = 5 };

typedef struct {
    int shards;   /* V */
    size_t actor; /* floats of a policy */
    int64_t count, room;
    int64_t *epoch;  /* (count) whose records they are */
    int64_t *digest; /* (count) hash of the units' digests */
    double *sums;    /* (count, SUM_COUNT) */
    int64_t *rows;   /* (count, V) records per shard */
    float *policy;   /* (count, actor) */
} History;

NODISCARD Status history_init(History *h, int shards, size_t actor, int64_t room);
void history_release(History *h);
/* Append a phase (room grows if needed): `entries` of all units in unit order. */
NODISCARD Status history_add(History *h, int64_t epoch, const float *policy,
                             const UnitReport *units, int count);
/* Forget the oldest phases, of which no record is left in any shard's ring of `capacity` rows. */
void history_trim(History *h, const int64_t *capacity);
/* Index of the phase of `epoch`, -1 when it is not there. */
int64_t history_find(const History *h, int64_t epoch);
int history_slabs(const History *h, Slab slabs[HISTORY_SLABS]);

#endif
