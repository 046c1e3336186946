/* A directory of model.share that another process has: wait until the model is there, or the directory is free.
 */
#ifndef RUN_SHARED_WAIT_H
#define RUN_SHARED_WAIT_H

#include "base/slab.h"
#include "run/rundir.h"

typedef enum {
    SHARED_THERE, /* model.h5 is there */
    SHARED_OURS,  /* it is not, and the directory is locked by us */
    SHARED_BUSY,  /* it is not, and another process fits it */
    SHARED_STOP   /* so, and this process was asked to stop (run/stop.h) */
} SharedTurn;

typedef struct {
    const char *path;             /* of the directory */
    const Config *settings;       /* shared_model_settings */
    int patience;                 /* ranks.patience: seconds */
    char holder[LOCK_HOLDER_MAX]; /* who is waited for, as told; "": nobody yet */
    char pulse[SLAB_DIGEST_MAX];  /* of its file in beat/ */
    double pulse_at;              /* when that last changed */
    bool looked;                  /* at it, once at least */
    RunDir dir;                   /* open where the answer is SHARED_OURS */
} SharedWait;

/* Look once. Local, rank 0. A killed owner's lock is void with its process; where the file system has no locks and the
 * owner is of another host, it is taken for dead when its file in beat/ has not changed for twice the patience. Errors:
 * those of rundir_open_shared. */
NODISCARD Status shared_look(SharedWait *wait, SharedTurn *turn);
/* Look every half second until the answer is not SHARED_BUSY. All ranks sleep in between. Collective; `wait` is rank
 * 0's, NULL elsewhere. */
NODISCARD Status shared_wait(SharedWait *wait, SharedTurn *turn);

#endif
