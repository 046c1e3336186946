/* What the watch sees, and the end that it makes. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/status.h"
#include "base/timer.h"
#include "comm/watch_state.h"

enum { ADRIFT_TIMES = 5, TEXT = 3072, LIST = 2048, DESCRIPTORS = 1024 };

static bool is_near(const WatchKnown *k)
{
    return k->leader == watch.leader;
}

static double silent(const WatchKnown *k, double now)
{
    return k->heard ? now - k->beat_at : 0;
}

/* Another host's ranks are its own to judge, as long as its first rank writes: only hosts as a whole are judged
 * from afar, and after what is left of one may have done it. */
static bool stale(const WatchKnown *k, double now)
{
    if (is_near(k)) {
        return silent(k, now) > watch.patience;
    }
    const double far = watch.patience * WATCH_FAR;
    return k->heard && silent(k, now) > far && silent(&watch.known[k->leader], now) > far;
}

static bool any(bool (*holds)(const WatchKnown *, double), double now)
{
    for (int r = 0; r < watch.ranks; r++) {
        if (holds(&watch.known[r], now)) {
            return true;
        }
    }
    return false;
}

/* These keep a job from being stuck, and a host from being adrift. Who has fallen silent in an exchange will be found
 * stopped a moment after all have waited for so long: that is the truth to wait for. */
static bool moves(const WatchKnown *k, double now)
{
    return !k->heard || now - k->still_at <= watch.patience ||
           silent(k, now) > watch.patience / 2.0;
}

static bool moves_near(const WatchKnown *k, double now)
{
    return is_near(k) && (!k->heard || now - k->still_at <= ADRIFT_TIMES * watch.patience);
}

WatchVerdict watch_judge(double now)
{
    const WatchFolder *folder = &watch.folder;
    const double lost = 2.0 * watch.patience; /* the folder, for longer than a slow disk takes */

    if (any(stale, now)) {
        return WATCH_STOPPED;
    }
    if (!any(moves, now)) {
        return WATCH_STUCK;
    }
    return folder->on && watch.ranks > watch.near && now - folder->round_at > lost &&
                   !any(moves_near, now)
               ? WATCH_ADRIFT
               : WATCH_FINE;
}

static bool stale_near(const WatchKnown *k, double now)
{
    return is_near(k) && stale(k, now);
}

bool watch_others_turn(WatchVerdict verdict, double now)
{
    const bool everywhere =
        verdict == WATCH_STUCK || (verdict == WATCH_STOPPED && !any(stale_near, now));

    for (int r = 0; r < watch.rank; r++) {
        const WatchKnown *k = &watch.known[r];
        if (k->heard && !stale(k, now) && (is_near(k) || (everywhere && k->leader == r))) {
            return true;
        }
    }
    return false;
}

/* ---- messages ---- */

static bool concerned(const WatchKnown *k, WatchVerdict verdict, double now)
{
    if (verdict == WATCH_FINE) { /* who keeps the others waiting */
        return k->heard && !k->now.waits;
    }
    return verdict == WATCH_STOPPED ? stale(k, now)
                                    : k->heard && (verdict == WATCH_STUCK || is_near(k));
}

/* "rank 1 (host n1, pid 77) at updates, in coll_sum; rank 2 ..." */
static void list(WatchVerdict verdict, double now, char text[LIST])
{
    size_t used = 0;
    int left_off = 0;

    for (int r = 0; r < watch.ranks; r++) {
        const WatchKnown *k = &watch.known[r];
        if (!concerned(k, verdict, now)) {
            continue;
        }
        if (used > LIST - 2 * (size_t)WATCH_WORD - 128) {
            left_off++;
            continue;
        }
        const int n =
            snprintf(text + used, LIST - used, "%srank %d (host %s, pid %d) at %s, %s%s",
                     used > 0 ? "; " : "", r, k->host, k->now.pid, k->now.phase,
                     k->now.waits ? "in " : "computing", k->now.waits ? k->now.exchange : "");
        used += n > 0 ? (size_t)n : 0;
    }
    if (left_off > 0) {
        (void)snprintf(text + used, LIST - used, "; and %d more", left_off);
    }
}

static void compose(WatchVerdict verdict, double now, char text[TEXT])
{
    static const char *const found[] = {
        [WATCH_FINE] = "",
        [WATCH_STOPPED] = "no sign of life for",
        [WATCH_STUCK] = "all ranks have waited for each other for",
        [WATCH_ADRIFT] = "no sign of other hosts, and ranks that wait, for more than",
    };
    char ranks[LIST] = "";

    list(verdict, now, ranks);
    (void)snprintf(text, TEXT,
                   "%s %d s (ranks.patience): %s. The job ends here; the same command goes on from "
                   "what was saved%s",
                   found[verdict], watch.patience, ranks,
                   verdict == WATCH_STUCK ? ". If it hangs again, MOPO_CHECK_EXCHANGES=1 in the "
                                            "environment shows whether ranks call different things"
                                          : "");
}

/* A pipe that nobody reads must not keep us. */
void watch_put(int fd, const char *text)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};

    if (fd >= 0 && poll(&ready, 1, 1000) == 1) {
        ssize_t n = write(fd, text, strlen(text));
        (void)n;
    }
}

/* ---- no end ---- */

void watch_tell_late(double now)
{
    static char text[TEXT];
    char ranks[LIST] = "";
    double waited = 0; /* the shortest of those that wait and those waited for */
    bool waits = false;

    for (int r = 0; r < watch.ranks; r++) {
        const WatchKnown *k = &watch.known[r];
        const double same = k->heard ? now - k->same_at : 0;
        waited = r == 0 || same < waited ? same : waited;
        waits = waits || k->now.waits;
    }
    if (waited < watch.patience) {
        watch.late = 0;
        return;
    }
    if (!waits || waited < 2 * watch.late || watch_others_turn(WATCH_STUCK, now)) {
        return;
    }
    watch.late = waited;
    list(WATCH_FINE, now, ranks);
    (void)snprintf(text, sizeof text,
                   "%8.2f  others have waited for %.0f s for %s: long work, or a disk that hangs\n",
                   now - watch.began, waited, ranks);
    watch_put(STDERR_FILENO, text);
}

/* ---- the end ---- */

static void rest(int seconds)
{
    const struct timespec time = {.tv_sec = seconds};
    (void)nanosleep(&time, NULL);
}

/* An mpirun or its daemon on this host, and not somebody's shell. */
static bool is_launcher(pid_t pid)
{
    char path[64];
    char name[32] = "";

    (void)snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd >= 0 ? read(fd, name, sizeof name - 1) : 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    name[n > 0 ? n - 1 : 0] = '\0'; /* the newline */
    return strcmp(name, "mpirun") == 0 || strcmp(name, "mpiexec") == 0 ||
           strcmp(name, "orterun") == 0 || strcmp(name, "orted") == 0;
}

/* In a process of its own, which has nothing of ours open: two seconds from now whoever is stopped, or does not
 * get mpirun's signals any more, is gone, and so are we. Where mpirun itself, or its daemon here, then waits for a host
 * that is gone, it is asked to end, and made to: what it sends to that host keeps its keepalive from noticing, and TCP
 * itself gives up after a quarter of an hour. PMIx 4.2 in mpirun can also lock itself up where a rank was in
 * MPI_Finalize. An mpirun that was asked says 1, or crashes: who starts jobs again goes by the watch's message. */
void watch_kill_near_soon(void)
{
    const pid_t launcher = getppid();

    if (fork() != 0) {
        return;
    }
    (void)setpgid(0, 0);
    for (int fd = 0; fd < DESCRIPTORS; fd++) { /* who reads ours shall see the end */
        (void)close(fd);
    }
    rest(2);
    for (int i = 0; watch.page != NULL && i < watch.near; i++) {
        const int pid = atomic_load(&watch.page->slots[i].pid);
        if (pid > 1) {
            (void)kill(pid, SIGKILL);
        }
    }
    rest(5);
    if (is_launcher(launcher)) {
        (void)kill(launcher, SIGTERM);
    }
    rest(5);
    if (is_launcher(launcher)) {
        (void)kill(launcher, SIGKILL);
    }
    _exit(0);
}

/* One message from all of the job, as far as its hosts see each other. */
static bool first_to_tell(void)
{
    char path[WATCH_PATH + 16];

    if (atomic_exchange(&watch.page->told, 1) != 0) {
        return false;
    }
    if (!watch.folder.on) {
        return true;
    }
    (void)snprintf(path, sizeof path, "%s/told", watch.folder.dir);
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    const bool taken = fd < 0 && errno == EEXIST;
    if (fd >= 0) {
        (void)close(fd);
    }
    return !taken;
}

void watch_end(WatchVerdict verdict, double now)
{
    static char text[TEXT];
    static char line[TEXT + 64];

    watch_kill_near_soon(); /* before the disk, or who reads our messages, may block us */
    const bool first = first_to_tell();
    if (first) {
        compose(verdict, now, text);
        (void)snprintf(line, sizeof line, "mopo: rank %d: %s\n", watch.rank, text);
        watch_put(STDERR_FILENO, line);
    }
    if (first && watch.folder.log[0] != '\0') {
        const int fd = open(watch.folder.log, O_WRONLY | O_APPEND | O_CLOEXEC);
        (void)snprintf(line, sizeof line, "%8.2f  stopped: %s\n", now - watch.began, text);
        watch_put(fd, line);
    }
    /* Ranks that wait for each other may be a fault of the program or a cable: a new start is worth a try, and who
     * starts jobs counts those in vain. mpirun sees the code and ends the other hosts. */
    _exit(status_exit_code(ERR_INTERRUPTED));
}
