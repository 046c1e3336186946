/* A job never hangs: where a rank has stopped, a host is gone, or all wait for each other, the job ends with one
 * message that names ranks and phases, and no process is left. Exit code 75: the same command goes on from the last
 * checkpoint.
 *
 * A thread of each rank, which never calls MPI, publishes about once a second what the rank is doing, in a page of
 * memory that the ranks of a host share, and looks at the others. With a run directory the first rank of each host
 * also writes the page of its host into the folder `beat` there (docs/formats.md) and reads those of the others.
 * For longer than `patience`:
 *   stopped   a rank of this host, or another host as a whole, gives no sign of life;
 *   stuck     every rank of the job is in an exchange, the same one all the time;
 *   adrift    (5 times as long) the ranks of this host wait, and the folder can be neither written nor read.
 * A rank that computes for long is never accused. Who was suspended itself starts to count again.
 */
#ifndef COMM_WATCH_H
#define COMM_WATCH_H

enum { WATCH_PATIENCE = 40 }; /* seconds, until watch_patience is called */

/* By comm_open, before MPI begins and when it has: in between a job of several ranks may wait for MOPO_START_PATIENCE
 * seconds (600), then it ends with one message and exit code 75. Local. */
void watch_start(void);
void watch_started(void);
/* By comm_open and comm_close. Collective. One rank alone needs no watch, and has none. */
void watch_open(void);
void watch_close(void);

/* 0: no watch, no folder. Local, the same on all ranks. */
void watch_patience(int seconds);
/* From now on with run_dir/beat, and the verdict goes into run_dir/log.txt, too. Collective. */
void watch_folder(const char *run_dir);
/* Beside it, as long as this job works there for others: dir/beat, where the first rank of rank 0's host writes its
 * host's page, too. NULL: it goes away. Rank 0, local. */
void watch_second_folder(const char *dir);
/* The run has ended: the folder goes away. Local. */
void watch_leave_folder(void);

#endif
