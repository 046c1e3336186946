#include "run/shared_wait.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/account.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timer.h"
#include "comm/comm.h"
#include "run/stop.h"

enum { PULSE_BYTES_MAX = 1 << 20, PATIENCES = 2 };

/* Whether nothing has come from the owner for long. No clocks are compared: what is in its file has changed or not. */
static bool is_silent(SharedWait *w)
{
    char path[RUNDIR_PATH_MAX];
    char pulse[SLAB_DIGEST_MAX] = "";
    unsigned char *bytes = NULL;
    size_t n = 0;
    const double now = timer_now();

    (void)snprintf(path, sizeof path, "%s/beat/0", w->path);
    if (file_exists(path) && file_read(path, PULSE_BYTES_MAX, &bytes, &n) == OK) {
        bytes_digest(bytes, n, pulse);
    }
    mem_free(&bytes);
    if (!w->looked || strcmp(pulse, w->pulse) != 0) {
        memcpy(w->pulse, pulse, sizeof pulse);
        w->pulse_at = now;
        w->looked = true;
    }
    return w->patience > 0 && now - w->pulse_at > (double)PATIENCES * w->patience;
}

/* Once for each owner, when it has signed. */
static void tell(SharedWait *w, LockAnswer answer)
{
    const char *holder = w->dir.lock.held;

    if (holder[0] == '\0' || strcmp(w->holder, holder) == 0) {
        return;
    }
    memcpy(w->holder, holder, sizeof w->holder);
    log_info("model: another process (%s) fits the shared model in %s; waiting for it", holder,
             w->path);
    if (answer == LOCK_UNKNOWN && w->patience > 0) {
        log_info("model: there are no locks there; if %s/beat does not change for %d s, it is "
                 "taken for dead",
                 w->path, PATIENCES * w->patience);
    } else if (answer == LOCK_UNKNOWN) {
        log_warn("model: there are no locks there, and with ranks.patience=0 no sign of life: if "
                 "that process is dead, delete %s/lock",
                 w->path);
    }
}

static bool is_there(const SharedWait *w)
{
    char path[RUNDIR_PATH_MAX];

    (void)snprintf(path, sizeof path, "%s/model.h5", w->path);
    return file_exists(path);
}

Status shared_look(SharedWait *w, SharedTurn *turn)
{
    Status st = OK;
    LockAnswer answer = LOCK_OURS;

    *turn = SHARED_THERE;
    if (is_there(w)) {
        return OK;
    }
    TRY(rundir_open_shared(&w->dir, w->path, w->settings, is_silent(w), &answer));
    if (answer == LOCK_OURS) {
        if (is_there(w)) { /* its owner ended a moment ago */
            rundir_close(&w->dir);
        } else {
            *turn = SHARED_OURS;
        }
        return OK;
    }
    tell(w, answer);
    *turn = stop_wanted() ? SHARED_STOP : SHARED_BUSY;
done:
    return st;
}

/* Half a second of no work. */
static void rest(void)
{
    static const struct timespec half = {0, 500000000};
    const AccountWay before = account_way(ACCOUNT_WAIT);

    (void)nanosleep(&half, NULL); /* a signal ends it: then it is time to look */
    (void)account_way(before);
}

Status shared_wait(SharedWait *wait, SharedTurn *turn)
{
    Status st = OK;
    const AccountKind before =
        account_kind(ACCOUNT_LOAD); /* what another process fits is no fit of ours */

    do {
        if (comm_rank() == 0) {
            st = shared_look(wait, turn);
        }
        TRY(comm_agree(st));
        coll_bcast(turn, sizeof *turn, 0);
        if (*turn == SHARED_BUSY) {
            rest();
        }
    } while (*turn == SHARED_BUSY);
done:
    (void)account_kind(before);
    return st;
}
