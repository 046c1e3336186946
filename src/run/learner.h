/* The learners' side of policy training: MOPO algorithm 2 from line 3 on, epoch by epoch. Learner
 * ranks hold equal copies of the agent and each the buffers of its shards; rank 0 also speaks to the
 * workers, the disk and the user. docs/parallel.md draws it.
 */
#ifndef RUN_LEARNER_H
#define RUN_LEARNER_H

#include "run/checkpoint.h"
#include "run/rundir.h"
#include "run/session.h"

typedef struct {
    double first_return, last_return,
        best_return; /* mean evaluation returns; NaN: never evaluated */
    int64_t best_epoch, epochs;
    double last_score;
} LearnResult;

/* Train to the configured epoch and write policy.h5, metrics and checkpoints below dir (rank 0; NULL
 * elsewhere). from: a checkpoint of the policy phase to go on from, NULL for a fresh start (rank 0).
 * Collective over the learners; workers run worker_run meanwhile and are told to stop in the end,
 * whatever the outcome, which is the same on all learners. Begins with a comm_agree, as worker_run does.
 * Errors: ERR_INTERRUPTED (a stop was asked for; everything is saved), ERR_NUMERIC, ERR_IO, ... */
NODISCARD Status learner_run(Session *s, const RunDir *dir, const Checkpoint *from,
                             LearnResult *result);

#endif
