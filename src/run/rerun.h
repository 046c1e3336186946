/* A run once more, from its own settings, into another directory. Collective. */
#ifndef RUN_RERUN_H
#define RUN_RERUN_H

#include "base/status.h"
#include "run/train.h"

typedef struct {
    const char *run;
    const char *out; /* another directory; NULL: "<run>-rerun" */
    int count;       /* of words: settings of ranks.* only, which results do not depend on */
    char *const *words;
    TrainOptions options;
} RerunJob;

/* Train as RUN/used.yaml says, as many epochs as RUN has done, or go on where this was stopped; first say what
 * is not as it was then. Errors, the same on all ranks: ERR_USAGE (no run, other settings), and those of
 * train. */
NODISCARD Status rerun(const RerunJob *job);
/* Where it goes, into path[RUNDIR_PATH_MAX]; returns path. */
const char *rerun_out(const RerunJob *job, char *path);

#endif
