/* `mopo sweep --slurm`: the jobs of a sweep as job arrays, a task for each, first datasets, then models, then cells.
 * What a task does is slurm/sweep.sbatch's, which also starts it again; here it is only handed over. Local.
 */
#ifndef SWEEP_SLURM_H
#define SWEEP_SLURM_H

#include <stdbool.h>

#include "sweep/cells.h"
#include "sweep/outdir.h"

typedef struct {
    const JobList *jobs;
    const OutDir *out; /* open */
    const char *only;  /* pattern of names, NULL: all */
    int ranks;         /* of each job */
    int at_once;       /* tasks of an array, 0: as SLURM likes */
    bool retry;        /* those that failed before, too */
    bool print;        /* write the lists and print the lines, and leave it at that */
} SlurmRun;

/* Submit what is neither done, running, queued nor failed; the lines or job numbers go to stdout. Errors: ERR_CONFIG
 * (slurm/sweep.sbatch is not found), ERR_IO (sbatch cannot be started, or refuses), ERR_USAGE, ERR_NOMEM. */
NODISCARD Status slurm_run(const SlurmRun *run);

#endif
