/* The folder of a sweep, OUT: one sweep, and one `mopo sweep` that starts jobs there at a time. Local.
 *
 *   cells.tsv    the jobs (sweep/cells.h)
 *   lock         held by the running `mopo sweep`
 *   logs/        a file for each job: what all its starts said
 *   models/      model.share of all cells
 *   submit/      what was handed to SLURM
 *   <cell>/      run directories
 */
#ifndef SWEEP_OUTDIR_H
#define SWEEP_OUTDIR_H

#include "run/lock.h"
#include "sweep/cells.h"

typedef struct {
    char path[JOB_PATH_MAX];
    Lock lock;
} OutDir;

/* Make the folder or come back to it, lock it, and write cells.tsv. Errors: ERR_CONFIG (another `mopo sweep` runs
 * there; it holds another sweep or something else), ERR_IO, ERR_NOMEM, ERR_FORMAT. After an error *dir is closed. */
NODISCARD Status outdir_open(OutDir *dir, const char *path, const JobList *jobs);
/* Harmless when closed. */
void outdir_close(OutDir *dir);
/* "<out>/<name>" */
const char *outdir_file(const OutDir *dir, const char *name, char path[JOB_PATH_MAX + 64]);

#endif
