/* From a grid to its jobs: what makes datasets and fits ensembles that several cells share comes first. Local. */
#ifndef SWEEP_BUILD_H
#define SWEEP_BUILD_H

#include "sweep/cells.h"
#include "sweep/grid.h"

typedef struct {
    JobList jobs;
    int count[JOB_KINDS];
    int alone;                       /* cells that fit no model */
    char missing[STATUS_REASON_MAX]; /* why the dataset of a cell cannot be had; "": all can */
    char changed
        [STATUS_REASON_MAX]; /* a cell whose directory holds a run of other settings; "": none does */
} Sweep;

/* Check every cell and list the jobs of those that `exclude` leaves. Nothing is written. `path`: of the grid file, as
 * given. Errors: ERR_CONFIG, names the cell; ERR_NOMEM. *sweep is then to be released, too. */
NODISCARD Status sweep_build(Sweep *sweep, const Grid *grid, const char *path);
void sweep_release(Sweep *sweep);

#endif
