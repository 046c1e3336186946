/* A lock file: held by one process at a time, which signs it with host, pid and start. The lock ends with its process;
 * the file stays, and is empty after a regular end. Local.
 */
#ifndef RUN_LOCK_H
#define RUN_LOCK_H

#include <stdbool.h>

#include "base/status.h"

enum { LOCK_HOLDER_MAX = 512 };

typedef struct {
    int fd;                     /* -1: closed */
    bool signed_in;             /* it is ours and says so */
    char held[LOCK_HOLDER_MAX]; /* who signed before; ours: and was killed, or "" */
} Lock;

typedef enum {
    LOCK_OURS,
    LOCK_TAKEN, /* by a living process, lock->held; "" where it has just started */
    LOCK_UNKNOWN /* this file system has no locks, and lock->held is of another host: nobody can tell */
} LockAnswer;

/* Take the lock file, made if it is not there. doubt: an unknown holder is taken for a dead one. Where the answer is
 * not LOCK_OURS, and after an error, the lock is closed. Error: ERR_IO. */
NODISCARD Status lock_take(Lock *lock, const char *path, bool doubt, LockAnswer *answer);
/* Sign off and give it back. Harmless when closed. `path` is for a warning. */
void lock_give_back(Lock *lock, const char *path);

#endif
