/* `mopo sweep --local`: the jobs of a sweep on this machine, as many at once as it has cores for, until all have
 * ended. Jobs that end without need are started again (sweep/attempt.h). Local.
 *
 * SIGINT, SIGTERM, SIGHUP and SIGUSR2 are passed on as SIGUSR2: running jobs save and end. A second SIGINT ends them at
 * once. SIGUSR1 lets them save and go on. If this process is killed its jobs go on; the next one waits for them.
 */
#ifndef SWEEP_LOCAL_H
#define SWEEP_LOCAL_H

#include <stdbool.h>

#include "sweep/cells.h"

typedef struct {
    const JobList *jobs;
    const char *out;  /* of the sweep, locked by this process */
    const char *only; /* pattern of names, NULL: all */
    int ranks;        /* of each job */
    bool retry;       /* those that failed before, too */
} LocalRun;

/* Progress goes to the log. Errors: ERR_JOB (some failed; says what to do), ERR_INTERRUPTED, ERR_USAGE (no job matches
 * `only`), ERR_NOMEM. */
NODISCARD Status local_run(const LocalRun *run);

#endif
