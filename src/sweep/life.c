#include "sweep/life.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/stamp.h"
#include "base/text.h"

enum { PATH = 4096 + 256, LINE = 512, TRIES = 5, YOUNG = 60 };

typedef enum { LOCK_FREE, LOCK_HELD, LOCK_UNKNOWN } LockState;

/* ---- lock ---- */

static size_t read_line(int fd, char line[LINE])
{
    const ssize_t n = pread(fd, line, LINE - 1, 0);

    line[n > 0 ? n : 0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    return strlen(line);
}

static LockState ask(int fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (fcntl(fd, F_GETLK, &whole) != 0) {
        return LOCK_UNKNOWN;
    }
    return whole.l_type == F_UNLCK ? LOCK_FREE : LOCK_HELD;
}

/* The lock and its line as they were at one moment: a process may come or leave between two calls. */
static LockState read_lock(const char *path, char line[LINE])
{
    char again[LINE];
    LockState state = LOCK_FREE;

    line[0] = '\0';
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return LOCK_FREE;
    }
    (void)read_line(fd, line);
    for (int i = 0; i < TRIES; i++) {
        state = ask(fd);
        (void)read_line(fd, again);
        if (strcmp(line, again) == 0) {
            break;
        }
        memcpy(line, again, LINE);
    }
    (void)close(fd);
    return state;
}

/* "host node1, pid 1234, since 2024-05-01T12:00:00Z" */
static void read_holder(const char *line, Life *life)
{
    const char *comma = strchr(line, ',');
    const char *pid = strstr(line, ", pid ");
    const char *since = strstr(line, ", since ");

    life->host[0] = '\0';
    life->pid = 0;
    life->since = 0;
    if (strncmp(line, "host ", 5) == 0 && comma != NULL) {
        (void)snprintf(life->host, sizeof life->host, "%.*s", (int)(comma - line - 5), line + 5);
        text_make_plain(life->host);
        life->pid = pid != NULL ? strtol(pid + 6, NULL, 10) : 0;
        life->since = since != NULL ? utc_seconds(since + 8) : 0;
    }
}

static bool is_here(const char *host)
{
    char here[STAMP_HOST];
    return strncmp(stamp_host(here), host, TAIL_WORD - 1) == 0;
}

static bool is_gone(long pid)
{
    return pid <= 0 || (kill((pid_t)pid, 0) != 0 && errno == ESRCH);
}

/* ---- beat ---- */

/* Word k (0, 1, ...) of a line; "" where there are fewer. */
static void word_of(const char *line, int k, char word[TAIL_WORD])
{
    line += strspn(line, " ");
    for (; k > 0; k--) {
        line += strcspn(line, " \n");
        line += strspn(line, " ");
    }
    (void)snprintf(word, TAIL_WORD, "%.*s", (int)strcspn(line, " \n"), line);
}

/* "mopo-beat 1 <job> <seconds> <ranks>", then "<rank> <host> <pid> <phase> ..." of its first rank. */
static void read_beat(const char *path, Life *life)
{
    enum { RANKS = 4, PHASE = 3 };
    Tail tail;
    char word[TAIL_WORD];

    tail_read_head(path, &tail);
    if (strncmp(tail.text, "mopo-beat 1 ", 12) == 0) {
        word_of(tail.text, RANKS, word);
        const long ranks = strtol(word, NULL, 10);
        life->ranks = ranks > 0 && ranks < 1 << 24 ? (int)ranks : 0;
        const char *second = strchr(tail.text, '\n');
        word_of(second != NULL ? second + 1 : "", PHASE, life->phase);
        text_make_plain(life->phase);
    }
}

/* The newest of all hosts: when only some are silent the others end the job themselves. */
static double newest_beat(const char *folder, Life *life)
{
    char path[PATH + 256];
    struct stat info;
    double newest = 0;

    DIR *beats = folder != NULL ? opendir(folder) : NULL;
    for (struct dirent *e = NULL; beats != NULL && (e = readdir(beats)) != NULL;) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (strspn(e->d_name, "0123456789") != strlen(e->d_name) || stat(path, &info) != 0) {
            continue; /* .new, told, or gone meanwhile */
        }
        newest = fmax(newest, (double)info.st_mtim.tv_sec + 1e-9 * (double)info.st_mtim.tv_nsec);
        if (strcmp(e->d_name, "0") == 0) {
            read_beat(path, life);
        }
    }
    if (beats != NULL) {
        (void)closedir(beats);
    }
    return newest;
}

/* Seconds without a sign; the first look has only the clocks to go by. */
static double beat_age(double now, Life *life, double newest)
{
    if (newest > 0 && newest != life->beat) {
        life->seen = life->beat > 0 ? now : fmin(now, newest);
    }
    life->beat = newest;
    return now - life->seen;
}

/* ---- both ---- */

/* folder: of the beat; NULL: there is none. */
static void look(const char *path, const char *folder, double now, int patience, Life *life)
{
    static const double slack = 1.5; /* a lost host takes 1.4 times the patience to be told */
    char line[LINE];

    const LockState lock = read_lock(path, line);
    read_holder(line, life);
    life->phase[0] = '\0';
    life->ranks = 0;
    const double newest = newest_beat(folder, life);
    const double age = beat_age(now, life, newest);
    /* a start signs first, and deletes the beat of the one before it next */
    const bool young = fabs(now - life->since) < YOUNG; /* not what a clock ahead of ours signed */
    const bool silent = newest > 0 && patience > 0 && age > slack * patience && !young;
    const bool signed_in = line[0] != '\0';

    life->certain = lock == LOCK_HELD || !signed_in || is_here(life->host);
    if (lock == LOCK_HELD) {
        life->sign = silent ? LIFE_SILENT : LIFE_RUNS;
    } else if (!signed_in) {
        life->sign = LIFE_NONE;
    } else if (is_here(life->host)) {
        life->sign = lock == LOCK_FREE || is_gone(life->pid) || silent ? LIFE_SILENT : LIFE_RUNS;
    } else {
        life->sign = (newest > 0 && !silent) || young ? LIFE_RUNS : LIFE_SILENT;
    }
    if (newest <= 0 && life->sign != LIFE_NONE) {
        life->seen = life->since;
    }
}

void life_look(const char *dir, double now, int patience, Life *life)
{
    char path[PATH];
    char folder[PATH];

    (void)snprintf(path, sizeof path, "%s/lock", dir);
    (void)snprintf(folder, sizeof folder, "%s/beat", dir);
    look(path, folder, now, patience, life);
}

void life_look_at_lock(const char *path, double now, Life *life)
{
    look(path, NULL, now, 0, life);
}
