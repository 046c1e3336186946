/* Does a process live in a job's directory? From its lock and its folder `beat` (docs/formats.md); nothing is locked
 * or written. Signs may disagree. What is certain goes first:
 *
 *   1. the lock is held (F_GETLK): a process is there. It is silent all the same where `beat` has stood still for
 *      longer than the watch allows: it was stopped, or its machine was.
 *   2. nobody holds it and it is signed by this host: that process is gone, for it would hold it. Where the file
 *      system has no locks: it is gone if there is no process of that number (kill(pid, 0)).
 *   3. nobody holds it and it is signed by another host: some file systems keep locks to each host, so this says
 *      nothing. Then `beat` decides; where there is none yet, the signature is good for a minute.
 *   4. nobody holds it and it is empty: nobody, after a regular end.
 *
 * The age of `beat` is our clock less that of the disk. Where the two differ a look may be wrong; the next one
 * (--watch) is not: a beat that has changed since the last look is a living one, whatever the clocks say.
 */
#ifndef SWEEP_LIFE_H
#define SWEEP_LIFE_H

#include "sweep/tail.h"

typedef enum { LIFE_NONE, LIFE_RUNS, LIFE_SILENT } LifeSign;

typedef struct {
    LifeSign sign;
    char host[TAIL_WORD];  /* who signed the lock; "" where nobody did */
    long pid;              /* 0: not known */
    double since;          /* when it signed, by its clock; seconds since 1970, 0: not known */
    double beat;           /* of the newest beat, by the clock of the disk; 0: none */
    double seen;           /* last sign of life, by our clock; 0: none */
    int ranks;             /* of the job; 0: not known */
    char phase[TAIL_WORD]; /* what its first rank does: a row of the table of times; "" */
} Life;

/* *life: zero, or what the look before gave. now: seconds since 1970. patience: ranks.patience of the job. A
 * process that holds the lock of this directory must not call this: closing the file would give the lock away. */
void life_look(const char *dir, double now, int patience, Life *life);

#endif
