#include "comm/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <mpi.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/account.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timer.h"
#include "comm/comm.h"
#include "comm/exchange.h"
#include "comm/wait.h"
#include "comm/watch_state.h"

Watch watch = {.lock = PTHREAD_MUTEX_INITIALIZER,
               .change = PTHREAD_COND_INITIALIZER,
               .patience = WATCH_PATIENCE};

#define SET(x, value) atomic_store_explicit(&(x), (value), memory_order_relaxed)
#define GET(x)        atomic_load_explicit(&(x), memory_order_relaxed)

/* ---- what ranks do ---- */

static WatchSlot *own_slot(void)
{
    return &watch.page->slots[comm_local_rank()];
}

void watch_beat(void)
{
    WatchSlot *slot = own_slot();
    SET(slot->beat, GET(slot->beat) + 1);
}

/* From now on the others see this rank. */
static void show(void)
{
    WatchSlot *slot = own_slot();

    SET(slot->rank, watch.rank);
    account_show(&slot->account);
    exchange_show(&slot->exchange);
    atomic_store(&slot->pid, (int)getpid());
}

static void hide(void)
{
    account_show(NULL);
    exchange_show(NULL);
    atomic_store(&own_slot()->pid, 0);
}

WatchSight watch_sight(const WatchSlot *slot)
{
    WatchSight s = {.rank = GET(slot->rank),
                    .pid = GET(slot->pid),
                    .beat = GET(slot->beat),
                    .changes = GET(slot->account.changes),
                    .waits = GET(slot->account.way) != ACCOUNT_COMPUTE};

    (void)snprintf(s.phase, sizeof s.phase, "%s",
                   account_kind_name((AccountKind)GET(slot->account.kind)));
    (void)snprintf(s.exchange, sizeof s.exchange, "%s",
                   exchange_name(s.waits ? (Exchange)GET(slot->exchange) : EXCHANGE_NONE));
    return s;
}

void watch_learn(WatchKnown *known, const WatchSight *sight, double now)
{
    if (!known->heard || sight->beat != known->now.beat) {
        known->beat_at = now;
    }
    if (!known->heard || !sight->waits || sight->changes != known->now.changes) {
        known->still_at = now;
    }
    if (!known->heard || sight->changes != known->now.changes) {
        known->same_at = now;
    }
    known->now = *sight;
    known->heard = true;
}

/* Time in which nothing could be seen does not count against anybody. */
static void count_again(bool far_only, double now)
{
    for (int r = 0; r < watch.ranks; r++) {
        if (!far_only || watch.known[r].leader != watch.leader) {
            watch.known[r].beat_at = now;
            watch.known[r].still_at = now;
            watch.known[r].same_at = now;
        }
    }
}

static void look(double now, double tick)
{
    const WatchFolder *folder = &watch.folder;

    if (now - watch.looked > 4 * tick + watch.patience / 8.0) {
        count_again(false, now); /* this process was suspended, or the machine */
    } else if (!folder->on || now - folder->round_at > 3 * folder->period) {
        count_again(true, now);
    }
    watch.looked = now;
    for (int i = 0; i < watch.near; i++) {
        const WatchSight s = watch_sight(&watch.page->slots[i]);
        if (s.pid != 0) {
            WatchKnown *known = &watch.known[s.rank];
            (void)snprintf(known->host, sizeof known->host, "%s", comm_host());
            known->leader = watch.leader;
            watch_learn(known, &s, now);
        } else if (s.beat > 0) { /* it has left, in order */
            watch.known[s.rank].heard = false;
        }
    }
}

/* ---- the thread ---- */

void watch_wait(pthread_cond_t *change, pthread_mutex_t *lock, double seconds)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    const double nano = (double)until.tv_nsec + seconds * 1e9;
    until.tv_sec += (time_t)(nano / 1e9);
    until.tv_nsec = (long)fmod(nano, 1e9);
    (void)pthread_cond_timedwait(change, lock, &until);
}

void watch_sleep(double seconds)
{
    watch_wait(&watch.change, &watch.lock, seconds);
}

/* Act on what was seen: at once, or when those before this rank have had their turn. */
static void act(double now, double turn)
{
    const WatchVerdict verdict = watch_judge(now);

    if (verdict == WATCH_FINE) {
        watch.found_at = 0;
        watch_tell_late(now);
    } else if (!watch_others_turn(verdict, now) ||
               (watch.found_at > 0 && now - watch.found_at > turn)) {
        watch_end(verdict, now);
    } else if (watch.found_at == 0) {
        watch.found_at = now;
    }
}

static void *run(void *unused)
{
    (void)unused;
    (void)pthread_mutex_lock(&watch.lock);
    while (!watch.stop) {
        const double now = timer_now();
        const double tick = watch.patience > 0 ? fmin(1, watch.patience / 20.0) : 1;

        watch_beat();
        look(now, tick);
        if (watch.patience > 0) {
            act(now, 2 * tick + 1.5 * watch.folder.period);
        }
        watch_sleep(tick);
    }
    (void)pthread_mutex_unlock(&watch.lock);
    return NULL;
}

bool watch_thread(pthread_t *thread, void *(*start)(void *))
{
    sigset_t all;
    sigset_t before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const bool ok = pthread_create(thread, NULL, start, NULL) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}

/* ---- opening ---- */

/* Memory that outlives MPI's windows, since MPI_Finalize is watched, too. */
static WatchPage *map_page(const char *name, size_t bytes, bool create)
{
    const int fd = shm_open(name, create ? O_RDWR | O_CREAT | O_EXCL : O_RDWR, 0600);
    WatchPage *page = NULL;

    if (fd >= 0 && (!create || posix_fallocate(fd, 0, (off_t)bytes) == 0)) {
        void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        page = at != MAP_FAILED ? at : NULL;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return page;
}

/* Collective over the host. NULL on all of its ranks if one of them fails. */
static WatchPage *open_page(size_t bytes)
{
    const MPI_Comm *node = comm_node();
    const bool first = comm_local_rank() == 0;
    char name[WATCH_WORD];
    WatchPage *page = NULL;

    if (watch.near == 1) {
        return mem_alloc(&page, 1, bytes, "the watch") == OK ? page : NULL;
    }
    (void)snprintf(name, sizeof name, "/mopo-watch-%ld-%lld", (long)getpid(),
                   (long long)(timer_now() * 1e6));
    MPI_CHECK(MPI_Bcast(name, sizeof name, MPI_CHAR, 0, *node));
    if (first) {
        page = map_page(name, bytes, true);
    }
    MPI_CHECK(MPI_Barrier(*node));
    if (!first) {
        page = map_page(name, bytes, false);
    }
    int mapped = page != NULL ? 1 : 0;
    MPI_CHECK(MPI_Allreduce(MPI_IN_PLACE, &mapped, 1, MPI_INT, MPI_MIN, *node));
    if (first) {
        (void)shm_unlink(name);
    }
    if (mapped == 0 && page != NULL) {
        (void)munmap(page, bytes);
        page = NULL;
    }
    return page;
}

static void close_page(void)
{
    if (watch.near == 1) {
        mem_free(&watch.page);
    } else if (watch.page != NULL) {
        (void)munmap(watch.page, watch.page_bytes);
        watch.page = NULL;
    }
}

/* Waits that no change of the date stretches. */
void watch_open_change(pthread_cond_t *change)
{
    pthread_condattr_t attr;

    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(change, &attr);
    (void)pthread_condattr_destroy(&attr);
}

void watch_open(void)
{
    watch.ranks = comm_size();
    watch.near = comm_local_size();
    watch.rank = comm_rank();
    watch.leader = comm_host_number();
    watch.began = timer_now();
    watch.looked = watch.began;
    watch.page_bytes = sizeof(WatchPage) + (size_t)watch.near * sizeof(WatchSlot);
    watch.page = open_page(watch.page_bytes);
    watch_open_change(&watch.change);
    if (watch.page != NULL &&
        mem_alloc(&watch.known, (size_t)watch.ranks, sizeof *watch.known, "the watch") == OK) {
        for (int r = 0; r < watch.ranks; r++) {
            watch.known[r].leader = -1;
        }
        show();
        watch.on = watch.ranks > 1 && watch_thread(&watch.thread, run);
    }
    if (watch.ranks > 1 && !watch.on) {
        if (watch.known != NULL) {
            hide(); /* a heart that nobody moves would be taken for a stopped one */
        }
        log_warn("%s: rank %d has no watch: if a rank stops, others may wait for ever (%s)",
                 comm_host(), watch.rank, strerror(errno));
    }
}

void watch_patience(int seconds)
{
    (void)pthread_mutex_lock(&watch.lock);
    watch.patience = seconds;
    (void)pthread_cond_broadcast(&watch.change);
    (void)pthread_mutex_unlock(&watch.lock);
}

void watch_close(void)
{
    watch_leave_folder();
    if (watch.on) {
        (void)pthread_mutex_lock(&watch.lock);
        watch.stop = true;
        (void)pthread_cond_broadcast(&watch.change);
        (void)pthread_mutex_unlock(&watch.lock);
        (void)pthread_join(watch.thread, NULL);
    }
    if (watch.page != NULL) {
        hide();
    }
    watch.on = false;
    watch.stop = false;
    close_page();
    mem_free(&watch.known);
}
