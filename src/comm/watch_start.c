/* MPI that does not begin. Open MPI 4.1 hangs there now and then when many jobs start on a crowded host, or after the
 * network was away; nothing else would end such a job. */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/stamp.h"
#include "base/status.h"
#include "comm/comm.h"
#include "comm/watch.h"
#include "comm/watch_state.h"

enum { PATIENCE = 600, TELL = 60 }; /* seconds */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t change;
    pthread_t thread;
    bool on, begun;
    int patience, rank;
} start = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void tell(int seconds, const char *rest)
{
    char host[STAMP_HOST];
    char line[STAMP_HOST + 512];

    (void)snprintf(line, sizeof line,
                   "mopo: rank %d: MPI has not begun after %d s (host %s, pid %ld): a rank did not "
                   "start, or ranks cannot reach each other. %s\n",
                   start.rank, seconds, stamp_host(host), (long)getpid(), rest);
    watch_put(STDERR_FILENO, line);
}

/* Rank 0 speaks for all; the others end two seconds later if they are still there. */
static _Noreturn void give_up(void)
{
    watch_kill_near_soon(); /* mpirun, which may hang, too */
    if (start.rank == 0) {
        tell(start.patience, "The job ends here (MOPO_START_PATIENCE); start it again");
    } else {
        (void)sleep(2);
    }
    _exit(status_exit_code(ERR_INTERRUPTED));
}

/* Ticks are counted, not time: a job that is suspended does not grow older. */
static void *run(void *unused)
{
    (void)unused;
    (void)pthread_mutex_lock(&start.lock);
    for (int ticks = 0; !start.begun; ticks++) {
        if (ticks == start.patience) {
            give_up();
        }
        if (ticks == TELL && start.rank == 0) {
            tell(ticks, "Waiting");
        }
        watch_wait(&start.change, &start.lock, 1);
    }
    (void)pthread_mutex_unlock(&start.lock);
    return NULL;
}

void watch_start(void)
{
    const char *set = getenv("MOPO_START_PATIENCE");
    const long seconds = set != NULL ? strtol(set, NULL, 10) : 0;

    if (comm_launched(&start.rank) == 1) {
        return;
    }
    start.patience = seconds > 0 && seconds < 1 << 20 ? (int)seconds : PATIENCE;
    watch_open_change(&start.change);
    start.on = watch_thread(&start.thread, run);
}

void watch_started(void)
{
    if (start.on) {
        (void)pthread_mutex_lock(&start.lock);
        start.begun = true;
        (void)pthread_cond_signal(&start.change);
        (void)pthread_mutex_unlock(&start.lock);
        (void)pthread_join(start.thread, NULL);
        start.on = false;
    }
}
