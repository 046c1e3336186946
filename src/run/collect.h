/* Recorded episodes, for datasets. Episode k is a function of (task, source of actions, seed, k) alone,
 * so episodes can be recorded anywhere and joined in order. Local: no MPI here.
 */
#ifndef RUN_COLLECT_H
#define RUN_COLLECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "data/recording.h"
#include "env/env.h"
#include "run/policy_file.h"

/* Where actions come from. All zero: uniform on [-1, 1]^A. */
typedef struct {
    const PolicyFile *policy; /* borrowed; NULL: uniform */
    bool sample;              /* drawn from the policy; else its mean action */
    double noise;             /* Gaussian noise of this deviation on the mean action; 0: none */
} CollectSource;

/* One transition is one row of doubles (so that a piece travels as one array):
 *   [ s (S) | a (A) | r | s' (S) | terminal | timeout | qpos (nq) | qvel (nv) | log density of a
 *     | torso before (3) | torso after (3) ]
 * s, a, r, s' hold float values; qpos and qvel are those before the action; the torso's positions
 * are there where the task's reward reads them. The log density is NaN where there is none. Episodes
 * follow each other whole, in order of their number. */
typedef struct {
    int state_dim, act_dim, nq, nv;
    int torso;     /* 3, or 0 where there are no positions */
    size_t stride; /* doubles in a row */
    int64_t rows;
    int64_t capacity; /* rows that fit before the block must grow */
    double *data;     /* (rows, stride) owned */
} CollectRows;

/* Empty rows for a task, with room for `capacity` rows. Error: ERR_NOMEM; *rows is then zero. */
NODISCARD Status collect_init(CollectRows *rows, const EnvKind *kind, int64_t capacity);
void collect_release(CollectRows *rows);

/* Make one step and append its row. s (S): the state before, and afterwards the one after. last: the
 * horizon is reached. *ended: terminal or last; a timeout wins over a termination in the same step,
 * as in D4RL. No memory is taken while capacity is left. Errors: ERR_ENV, ERR_NOMEM. */
NODISCARD Status collect_step(CollectRows *rows, const EnvKind *kind, Env *env, float *s,
                              const float *action, double log_prob, bool last, bool *ended);
/* Log density of uniform actions from [-1, 1]^A. */
double collect_uniform_log_prob(int act_dim);
typedef struct {
    double reward;
    bool ended; /* terminal or timeout */
} CollectEnd;
/* What row i says about its episode's return. */
CollectEnd collect_end(const CollectRows *rows, int64_t i);
/* Row i as a record (data/record.h). */
void collect_to_record(const CollectRows *rows, int64_t i, float *record);

/* Record episodes first .. first + count - 1: starts from stream (seed, RNG_COLLECT_RESET, item =
 * episode), actions from RNG_COLLECT_ACTION, clipped to [-1, 1] before the environment gets them. Log
 * densities are those of uniform actions and of drawn ones that cannot be clipped (squashed).
 * Errors: ERR_CONFIG (a policy of other dimensions), ERR_ENV, ERR_NOMEM, ERR_ARG (numbers beyond 2^32);
 * *out is then zero. */
NODISCARD Status collect_episodes(const EnvKind *kind, const CollectSource *source, uint64_t seed,
                                  int64_t first, int64_t count, CollectRows *out);

/* Append the n pieces, in the order given, and stop at max_rows (0: all). As in D4RL's files an
 * episode that is cut there gets no flag. All pieces are of one task. Error: ERR_NOMEM. */
NODISCARD Status collect_join(CollectRows *out, const CollectRows *pieces, int n, int64_t max_rows);

/* The rows as columns, without metadata; recording_release afterwards. Without log densities unless
 * every row has one. Error: ERR_NOMEM. */
NODISCARD Status collect_columns(const CollectRows *rows, Recording *rec);
/* Write the rows as a dataset with infos, the task's name, and metadata of their source: algorithm
 * "random", or the policy with its algorithm and iteration. *rows is released on the way, once its
 * columns are copied. Errors: those of recording_write. */
NODISCARD Status collect_write(const char *path, const EnvKind *kind, CollectRows *rows,
                               const CollectSource *source);

#endif
