/* Requests to stop a run that can be taken up again: signals, a time limit, a file named `stop` in the
 * run directory, which is removed once it is seen. Rank 0's answer counts; it is asked once per epoch.
 */
#ifndef RUN_STOP_H
#define RUN_STOP_H

#include <stdbool.h>

/* Catch SIGTERM, SIGINT, SIGUSR2 (mpirun passes USR2 on to its ranks and TERM to those it then
 * kills). seconds: stop after so long, 0 = never. run_dir is copied. */
void stop_listen(double seconds, const char *run_dir);
bool stop_wanted(void);
const char *stop_reason(void);

#endif
