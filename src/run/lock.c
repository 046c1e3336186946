#include "run/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/file.h"
#include "base/log.h"
#include "base/stamp.h"

/* Who signed last and did not end by itself; "" after a regular end. */
static void read_holder(Lock *lock)
{
    const ssize_t n = pread(lock->fd, lock->held, LOCK_HOLDER_MAX - 1, 0);

    lock->held[n > 0 ? n : 0] = '\0';
    lock->held[strcspn(lock->held, "\n")] = '\0';
}

/* Where the file system has no locks: is the process that signed last alive? Of another host nobody can tell. */
static LockAnswer ask_holder(const Lock *lock, const char *path)
{
    char host[STAMP_HOST];
    char ours[STAMP_HOST + 16];

    const int len = snprintf(ours, sizeof ours, "host %s, pid ", stamp_host(host));
    if (strncmp(lock->held, ours, (size_t)len) == 0) {
        const long pid = strtol(lock->held + len, NULL, 10);
        return pid > 0 && (kill((pid_t)pid, 0) == 0 || errno == EPERM) ? LOCK_TAKEN : LOCK_OURS;
    }
    if (lock->held[0] != '\0') {
        return LOCK_UNKNOWN;
    }
    log_warn("%s: this file system has no locks; take care that one process runs there", path);
    return LOCK_OURS;
}

static Status ask(const Lock *lock, const char *path, LockAnswer *answer)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    *answer = LOCK_OURS;
    if (!file_refused() && fcntl(lock->fd, F_SETLK, &whole) == 0) {
        return OK;
    }
    if (errno == EACCES || errno == EAGAIN) {
        *answer = LOCK_TAKEN;
        return OK;
    }
    if (errno == ENOLCK || errno == ENOSYS || errno == EOPNOTSUPP) {
        *answer = ask_holder(lock, path);
        return OK;
    }
    return file_error(path, "lock the directory");
}

/* "host node1, pid 1234, since 2024-05-01T12:00:00Z" for whoever finds the lock taken. */
static Status sign(const Lock *lock, const char *path)
{
    char host[STAMP_HOST];
    char when[STAMP_TIME];
    char line[LOCK_HOLDER_MAX];

    const int len = snprintf(line, sizeof line, "host %s, pid %ld, since %s\n", stamp_host(host),
                             (long)getpid(), stamp_time(when));
    if (!disk_truncate(lock->fd, 0) || !disk_write(lock->fd, line, (size_t)len)) {
        return file_error(path, "write");
    }
    return OK;
}

static void close_file(Lock *lock)
{
    (void)disk_close(lock->fd);
    lock->fd = -1;
    lock->signed_in = false;
}

Status lock_take(Lock *lock, const char *path, bool doubt, LockAnswer *answer)
{
    Status st = OK;

    *answer = LOCK_OURS;
    *lock = (Lock){.fd = disk_append(path)};
    if (lock->fd < 0) {
        return file_error(path, "open");
    }
    read_holder(lock);
    TRY(ask(lock, path, answer));
    if (*answer == LOCK_UNKNOWN && doubt) {
        log_warn("%s: this file system has no locks; take care that one process runs there; not "
                 "signed off: %s",
                 path, lock->held);
        *answer = LOCK_OURS;
    }
    if (*answer == LOCK_OURS) {
        read_holder(lock); /* under the lock: who ended meanwhile has signed off */
        TRY(sign(lock, path));
        lock->signed_in = true;
    }
done:
    if (!lock->signed_in) {
        close_file(lock);
    }
    return st;
}

void lock_give_back(Lock *lock, const char *path)
{
    if (lock->fd < 0) {
        return;
    }
    if (lock->signed_in && !disk_truncate(lock->fd, 0)) { /* empty: nobody was killed here */
        log_warn("%s: cannot be emptied: %s", path, strerror(errno));
    }
    close_file(lock);
}
