/* What the jobs of a sweep will take: `mopo plan` as a child process for each kind of cell. Cells that differ only in
 * settings that cost nothing, such as seed, penalty.lambda and step sizes, are of one kind. Local.
 */
#ifndef SWEEP_ESTIMATE_H
#define SWEEP_ESTIMATE_H

#include "sweep/cells.h"

enum { ESTIMATE_KINDS_MAX = 24 }; /* cells of further kinds are not measured */

/* Seconds by the clock on the wanted ranks, each with a core of its own; below 0: not known. */
typedef struct {
    double total; /* of the job */
    double fit; /* cells: of the model, which is part of `total` only where the cell fits its own */
} Estimate;

typedef struct {
    Estimate *job;   /* (jobs) owned */
    int kinds;       /* of cells */
    int recommended; /* ranks, by the plan of the first cell; 0: not known */
} Estimates;

/* Measure, which takes some seconds for each kind and is told in the log. Errors: ERR_IO (this program cannot be
 * started), ERR_NOMEM; what `mopo plan` refuses is not known. */
NODISCARD Status estimate_jobs(Estimates *est, const JobList *jobs, int ranks);
void estimate_release(Estimates *est);
/* Core-hours of seconds on so many ranks. */
double estimate_core_hours(double seconds, int ranks);

#endif
