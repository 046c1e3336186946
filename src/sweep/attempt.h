/* One start of a job by `mopo sweep --local`: its process, the lines around its output in OUT/logs/<name>.txt
 * (docs/formats.md), and whether it is to be started again. The same rules as slurm/keep.sh (which also
 * waits for a process of an earlier start that lives on; here that is looked for before):
 *
 *   0            done
 *   1, 2, 76     failed: a new start would end the same; but again where another process is there still, and for a 1
 *                of which mopo tells nothing
 *   75, others   again; failed after three starts in a row from which no new checkpoint came
 *
 * Local.
 */
#ifndef SWEEP_ATTEMPT_H
#define SWEEP_ATTEMPT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/lines.h"
#include "sweep/cells.h"
#include "sweep/tail.h"

typedef enum { ATTEMPT_DONE, ATTEMPT_AGAIN, ATTEMPT_FAILED } Verdict;

enum { ATTEMPT_MARK = 3 * TAIL_WORD, ATTEMPTS_IN_VAIN = 3 };

typedef struct {
    pid_t pid;                /* of the process, which leads a group of its own; 0: none runs */
    double begun;             /* timer_now() at its start */
    int in_vain;              /* starts in a row without a new checkpoint */
    char mark[ATTEMPT_MARK];  /* the newest checkpoint at its start */
    char reason[TAIL_REASON]; /* of the last end; "" */
    bool out_of_time;         /* the allocation in which the sweep runs ends soon */
    Lines log;
    off_t from; /* where its output begins in the log */
} Attempt;

/* Start it on so many ranks. jobs: the list that `job` is of, for what it needs. Errors: ERR_IO, ERR_CONFIG; nothing
 * runs then, and the log says so. */
NODISCARD Status attempt_start(Attempt *a, const JobList *jobs, const Job *job, const char *out,
                               int ranks);
/* Its process has ended with this exit code. stopped: the sweep had asked it to. */
Verdict attempt_end(Attempt *a, const JobList *jobs, const Job *job, int code, bool stopped);

#endif
