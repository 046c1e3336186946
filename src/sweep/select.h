/* Which jobs of a sweep are meant, and what has become of them. Local. */
#ifndef SWEEP_SELECT_H
#define SWEEP_SELECT_H

#include "sweep/cells.h"
#include "sweep/progress.h"

/* wanted (jobs->count): those whose name matches `pattern` (as of files, fnmatch; NULL: all), and what they need.
 * ERR_USAGE when there is none. */
NODISCARD Status select_jobs(const JobList *jobs, const char *pattern, bool wanted[]);

/* State of a job now, with the reason where it failed. `out`: of the sweep. */
JobState job_state(const Job *job, const char *out, char reason[TAIL_REASON]);

#endif
