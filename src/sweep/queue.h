/* Jobs of a sweep that were handed to SLURM before and have not left its queue. Local. */
#ifndef SWEEP_QUEUE_H
#define SWEEP_QUEUE_H

#include <stdbool.h>

#include "sweep/cells.h"
#include "sweep/outdir.h"

/* queued (jobs->count): those that wait or run there, by OUT/submit and squeue. Errors: ERR_IO (of squeue, too:
 * without its answer jobs would be submitted twice), ERR_FORMAT (a list of OUT/submit is damaged), ERR_NOMEM. */
NODISCARD Status queue_look(const JobList *jobs, const OutDir *out, bool queued[]);

#endif
