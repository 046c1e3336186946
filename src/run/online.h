/* Soft actor-critic in the true environment (Haarnoja et al. 2018b), to make datasets: its replay
 * buffer, and policies of every level. The agent and its update are those of run/learner.h.
 *
 * Every learner rank holds the whole agent and the whole replay buffer and steps an environment of
 * its own with the same streams, so that transitions need no messages; the shards of an update are
 * shared through Reduce. The other ranks help to evaluate. Same bytes on any number of ranks.
 *
 * In the folder `dir`:
 *   replay.hdf5                     all transitions in time order; metadata/algorithm SAC, iteration
 *   policies/policy-0000005000.h5   the policy at each evaluation (run/policy_file.h), epoch = step
 *   progress.csv                    a line for each evaluation with the mean action
 *   replay.hdf5.parts/              what a stopped run goes on from, until replay.hdf5 is there
 * and lock, settings and log as in run/rundir.h.
 */
#ifndef RUN_ONLINE_H
#define RUN_ONLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

enum { ONLINE_PATH_MAX = 4096 };

/* One evaluation. Doubles, because they are saved as one array. */
typedef struct {
    double step, episodes; /* in the environment so far; episodes that ended */
    double mean, min, max; /* returns */
    double length;         /* mean, steps */
    double score;          /* D4RL's normalized score of the mean; NaN where the task has none */
} OnlineEval;

/* Train for collect.steps steps, or go on where a stopped run left off, and write the files above;
 * nothing is done where replay.hdf5 is there.
 * Steps 1 .. collect.start_steps act uniformly and do not learn; after that each step is followed by
 * an update on train.batch rows drawn uniformly from all so far. An episode that is cut at the horizon
 * did not end (cont = 1). force: begin anew, whatever is there. Collective.
 * Errors, the same on all ranks: ERR_INTERRUPTED (asked to stop at the end of an episode; saved),
 * ERR_NUMERIC, ERR_ENV, ERR_CONFIG (the folder holds something else, or was
 * begun with other settings), ERR_IO, ERR_FORMAT, ERR_NOMEM. */
NODISCARD Status online_run(const Config *cfg, const char *dir, bool force);

/* The evaluations in dir/progress.csv: *evals is to be freed with mem_free. Local. Errors: ERR_IO,
 * ERR_FORMAT (names the line), ERR_NOMEM; *evals is then NULL. */
NODISCARD Status online_read_progress(const char *dir, OnlineEval **evals, int64_t *count);
/* dir/replay.hdf5, which is there once a run has ended; returns path (ONLINE_PATH_MAX). */
const char *online_replay_path(const char *dir, char *path);
/* Path of the policy after `step` steps; returns path (ONLINE_PATH_MAX). */
const char *online_policy_path(const char *dir, int64_t step, char *path);

#endif
