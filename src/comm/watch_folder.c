/* run_dir/beat: what the ranks of each host do, for the other hosts and for people. A file that a host writes is the
 * number of its first rank; a line of the job, then one for each rank:
 *
 *   mopo-beat 1 <job> <seconds since 1970> <ranks of the job>
 *   <rank> <host> <pid> <phase> <exchange or -> <waits 0/1> <beat> <changes>
 *
 * Written anew and renamed, without fsync: after a crash it is worth nothing. System calls of its own, since
 * base/file.h is the main thread's.
 */
#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/timer.h"
#include "comm/comm.h"
#include "comm/watch.h"
#include "comm/watch_state.h"

enum { LINE = 4 * WATCH_WORD, WORDS = 8 };

static void file_in(const char *dir, int leader, const char *end, char path[WATCH_PATH + 32])
{
    (void)snprintf(path, WATCH_PATH + 32, "%s/%d%s", dir, leader, end);
}

/* ---- this host's ---- */

static size_t compose(char *text, size_t room)
{
    int used = snprintf(text, room, "mopo-beat 1 %s %lld %d\n", watch.folder.job,
                        (long long)time(NULL), watch.ranks);

    for (int i = 0; i < watch.near; i++) {
        const WatchSight s = watch_sight(&watch.page->slots[i]);
        if (s.pid != 0) {
            used += snprintf(text + used, room - (size_t)used, "%d %s %d %s %s %d %u %u\n", s.rank,
                             comm_host(), s.pid, s.phase, s.exchange, s.waits ? 1 : 0, s.beat,
                             s.changes);
        }
    }
    return (size_t)used;
}

static bool write_file(const char *dir)
{
    char path[WATCH_PATH + 32];
    char fresh[WATCH_PATH + 32];
    const size_t n = compose(watch.folder.text, watch.folder.room);

    file_in(dir, watch.leader, "", path);
    file_in(dir, watch.leader, ".new", fresh);
    (void)mkdir(dir, 0750);
    const int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    bool ok = fd >= 0 && write(fd, watch.folder.text, n) == (ssize_t)n;
    ok = fd >= 0 && close(fd) == 0 && ok;
    return ok && rename(fresh, path) == 0;
}

static void delete_file(const char *dir)
{
    char path[WATCH_PATH + 32];

    file_in(dir, watch.leader, "", path);
    (void)unlink(path);
    (void)rmdir(dir); /* the last host's works */
}

static void serve_second(bool leave)
{
    char dir[WATCH_PATH];

    (void)pthread_mutex_lock(&watch.lock);
    leave = leave || watch.folder.leave_second;
    memcpy(dir, watch.folder.second, sizeof dir);
    if (leave) {
        watch.folder.second[0] = '\0';
        watch.folder.leave_second = false;
    }
    (void)pthread_mutex_unlock(&watch.lock);
    if (dir[0] != '\0' && leave) {
        delete_file(dir);
    } else if (dir[0] != '\0') {
        (void)write_file(dir); /* a sign of life for others, which may fail */
    }
}

/* ---- those of others ---- */

/* The next word of a line, NULL at its end. */
static char *next_word(char **at)
{
    char *word = *at + strspn(*at, " ");
    const size_t n = strcspn(word, " ");

    *at = word + n;
    if (n == 0) {
        return NULL;
    }
    if (**at != '\0') {
        *(*at)++ = '\0';
    }
    return word;
}

static void read_line(char *line, int leader, double now)
{
    char *word[WORDS];
    WatchSight s = {0};

    for (int i = 0; i < WORDS; i++) {
        word[i] = next_word(&line);
        if (word[i] == NULL) {
            return;
        }
    }
    const long rank = strtol(word[0], NULL, 10);
    if (rank < 0 || rank >= watch.ranks || watch.known[rank].leader != leader) {
        return;
    }
    s.rank = (int)rank;
    s.pid = (int)strtol(word[2], NULL, 10);
    (void)snprintf(s.phase, sizeof s.phase, "%s", word[3]);
    (void)snprintf(s.exchange, sizeof s.exchange, "%s", word[4]);
    s.waits = word[5][0] == '1';
    s.beat = (unsigned)strtoul(word[6], NULL, 10);
    s.changes = (unsigned)strtoul(word[7], NULL, 10);
    WatchKnown *known = &watch.known[rank];
    (void)snprintf(known->host, sizeof known->host, "%s", word[1]);
    watch_learn(known, &s, now);
}

/* Another host's file into `text`; false: it has none of this job. */
static bool read_file(int leader)
{
    char path[WATCH_PATH + 32];
    char *text = watch.folder.text;
    char head[2 * WATCH_WORD];

    file_in(watch.folder.dir, leader, "", path);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd >= 0 ? read(fd, text, watch.folder.room - 1) : 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    text[n > 0 ? n : 0] = '\0';
    (void)snprintf(head, sizeof head, "mopo-beat 1 %s ", watch.folder.job);
    return strncmp(text, head, strlen(head)) == 0;
}

/* News of the ranks of a host; without a file they are not known, and nothing is held against them. */
static void learn_host(int leader, double now)
{
    const bool there = read_file(leader);
    char *line = there ? strchr(watch.folder.text, '\n') : NULL;

    (void)pthread_mutex_lock(&watch.lock);
    for (int r = 0; !there && r < watch.ranks; r++) {
        watch.known[r].heard = watch.known[r].heard && watch.known[r].leader != leader;
    }
    while (line != NULL && *++line != '\0') {
        char *end = strchr(line, '\n');
        if (end != NULL) {
            *end = '\0';
        }
        read_line(line, leader, now);
        line = end;
    }
    (void)pthread_mutex_unlock(&watch.lock);
}

/* ---- the thread ---- */

static void write_and_read(void)
{
    if (!watch.on) {
        watch_beat(); /* one rank alone has no thread that does */
    }
    serve_second(false);
    if (!write_file(watch.folder.dir)) {
        return; /* a full disk: the others' files are as old as ours */
    }
    for (int r = 0; r < watch.ranks; r++) {
        if (watch.known[r].leader == r && r != watch.leader) {
            learn_host(r, timer_now());
        }
    }
    (void)pthread_mutex_lock(&watch.lock);
    watch.folder.round_at = timer_now();
    (void)pthread_mutex_unlock(&watch.lock);
}

static void *run(void *unused)
{
    (void)unused;
    (void)pthread_mutex_lock(&watch.lock);
    while (!watch.leave) {
        (void)pthread_mutex_unlock(&watch.lock);
        write_and_read();
        (void)pthread_mutex_lock(&watch.lock);
        if (!watch.leave) {
            watch_sleep(watch.folder.period);
        }
    }
    (void)pthread_mutex_unlock(&watch.lock);
    serve_second(true);
    delete_file(watch.folder.dir);
    (void)pthread_mutex_lock(&watch.lock);
    watch.folder.done = true;
    (void)pthread_cond_broadcast(&watch.change);
    (void)pthread_mutex_unlock(&watch.lock);
    return NULL;
}

/* ---- opening, closing ---- */

/* What a killed job left. */
static void delete_old(void)
{
    char path[WATCH_PATH + 256 + 2];
    DIR *dir = opendir(watch.folder.dir);

    for (struct dirent *e = NULL; dir != NULL && (e = readdir(dir)) != NULL;) {
        (void)snprintf(path, sizeof path, "%s/%s", watch.folder.dir, e->d_name);
        (void)unlink(path);
    }
    if (dir != NULL) {
        (void)closedir(dir);
        (void)rmdir(watch.folder.dir);
    }
}

/* Who is on a host with whom, and how this job's files can be told. */
static bool share_facts(double *leaders)
{
    leaders[watch.rank] = watch.leader;
    coll_sum(leaders, watch.ranks);
    (void)snprintf(watch.folder.job, sizeof watch.folder.job, "%ld-%lld", (long)getpid(),
                   (long long)time(NULL));
    coll_bcast(watch.folder.job, sizeof watch.folder.job, 0);
    (void)pthread_mutex_lock(&watch.lock);
    for (int r = 0; watch.known != NULL && r < watch.ranks; r++) {
        watch.known[r].leader = (int)leaders[r];
    }
    (void)pthread_mutex_unlock(&watch.lock);
    return watch.known != NULL && watch.rank == watch.leader;
}

void watch_folder(const char *run_dir)
{
    WatchFolder *f = &watch.folder;
    double *leaders = NULL;

    watch_leave_folder();
    (void)snprintf(f->dir, sizeof f->dir, "%s/beat", run_dir);
    (void)pthread_mutex_lock(&watch.lock);
    (void)snprintf(f->log, sizeof f->log, "%s/log.txt", run_dir);
    (void)pthread_mutex_unlock(&watch.lock);
    if (watch.rank == 0) {
        delete_old();
    }
    f->room = (size_t)4 * WATCH_WORD + (size_t)watch.ranks * LINE;
    Status st = mem_alloc(&leaders, (size_t)watch.ranks, sizeof *leaders, "the watch");
    st = st != OK ? st : mem_alloc(&f->text, f->room, 1, "the watch");
    if (comm_agree(st) == OK && share_facts(leaders) && watch.patience > 0) {
        (void)pthread_mutex_lock(&watch.lock);
        f->period = fmax(0.1, watch.patience * WATCH_ROUND);
        f->round_at = timer_now();
        f->done = false;
        watch.leave = false;
        f->on = watch_thread(&f->thread, run);
        (void)pthread_mutex_unlock(&watch.lock);
    }
    if (!f->on) {
        mem_free(&f->text);
    }
    mem_free(&leaders);
}

void watch_second_folder(const char *dir)
{
    WatchFolder *f = &watch.folder;

    (void)pthread_mutex_lock(&watch.lock);
    if (dir != NULL) {
        (void)snprintf(f->second, sizeof f->second, "%s/beat", dir);
    }
    f->leave_second = dir == NULL;
    (void)pthread_cond_broadcast(&watch.change);
    (void)pthread_mutex_unlock(&watch.lock);
}

void watch_leave_folder(void)
{
    WatchFolder *f = &watch.folder;
    const double most = timer_now() + 5; /* seconds; a disk that hangs keeps its thread */

    if (!f->on) {
        return;
    }
    (void)pthread_mutex_lock(&watch.lock);
    watch.leave = true;
    (void)pthread_cond_broadcast(&watch.change);
    while (!f->done && timer_now() < most) {
        watch_sleep(1);
    }
    f->on = !f->done;
    (void)pthread_mutex_unlock(&watch.lock);
    if (f->done) {
        (void)pthread_join(f->thread, NULL);
        mem_free(&f->text);
    }
}
