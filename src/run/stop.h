/* Requests from outside to a run that can be taken up again. Rank 0 looks where the run can be saved: between
 * epochs, passes, episodes.
 *
 *   SIGUSR1                                          save now and go on
 *   SIGUSR2, SIGTERM, SIGINT, a file named `stop`    save and end
 *   --max-time, SLURM_JOB_END_TIME                   the same, before the next epoch would end too late
 *
 * mpirun passes USR1 and USR2 on to its ranks, and TERM to ranks that it kills a second or two later: then the
 * newest checkpoint is what remains. A second SIGINT ends a single process at once. USR1 and USR2 that come while
 * MPI starts, which takes seconds with many ranks, wait for stop_listen; a command that never calls it ignores them.
 */
#ifndef RUN_STOP_H
#define RUN_STOP_H

#include <stdbool.h>

/* From here on USR1 and USR2 wait. To be called before there are threads, which inherit it. */
void stop_hold(void);
/* Catch the signals, those that waited first. seconds: end within so long, 0 = no limit. run_dir: where `stop` is
 * looked for, and this rank tells what it will do; copied; NULL on other ranks. SLURM sets SLURM_JOB_END_TIME (seconds
 * since 1970) since its version 23.02; slurm/train.sbatch where SLURM does not. */
void stop_listen(double seconds, const char *run_dir);
/* A loop of epochs or passes begins: nothing is known yet of how long one takes, and one is made whatever the
 * limit, so that every start gets on. */
void stop_begin(void);
/* To be asked at regular intervals: the longest one lately is what the next one may take. The file is
 * removed once it is seen, or the next start would stop at once. */
bool stop_wanted(void);
/* True once for each SIGUSR1 or more of them since it was asked. */
bool stop_save_wanted(void);
const char *stop_reason(void);

#endif
