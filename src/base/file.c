#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/mem.h"

static int64_t fail_at;
static int fail_errno;

void file_fail_at(int64_t k, int error)
{
    fail_at = k;
    fail_errno = error;
}

bool file_refused(void)
{
    const bool now = fail_at > 0 && --fail_at == 0;
    if (now) {
        errno = fail_errno;
    }
    return now;
}

Status file_error(const char *path, const char *what)
{
    const int cause = errno;
    const char *hint = "";
    if (cause == ENOSPC || cause == EDQUOT) {
        hint = "; free some space or choose another directory";
    } else if (cause == EACCES || cause == EPERM || cause == EROFS) {
        hint = "; check the rights or choose another directory";
    } else if (cause == EFBIG) {
        hint = "; raise the limit on the size of files (ulimit -f)";
    } else if (cause == ELOOP) {
        hint = "; it may be a symbolic link, and those are not followed here: delete it";
    }
    return status_fail(ERR_IO, "%s: cannot %s: %s%s", path, what, strerror(cause), hint);
}

static Status sync_and_close(int fd, const char *path)
{
    const Status st = disk_sync(fd) ? OK : file_error(path, "flush to disk");
    const bool closed = disk_close(fd); /* in any case */
    return st != OK || closed ? st : file_error(path, "close");
}

static Status sync_parent(const char *path)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    const int len = slash == NULL ? 1 : slash == path ? 1 : (int)(slash - path);
    (void)snprintf(dir, sizeof dir, "%.*s", len, slash == NULL ? "." : path);
    return file_sync_dir(dir);
}

Status file_write(const char *path, const void *bytes, size_t n)
{
    Status st = OK;
    char temp[PATH_MAX] = "";
    bool made = false;

    const int len = snprintf(temp, sizeof temp, "%s.tmp.XXXXXX", path);
    if (len < 0 || (size_t)len >= sizeof temp) {
        return status_fail(ERR_IO, "%s: the path is too long", path);
    }
    int fd = disk_temp(temp);
    if (fd < 0) {
        st = file_error(path, "create a temporary file beside it");
        goto done;
    }
    made = true;
    if (!disk_write(fd, bytes, n)) {
        st = file_error(path, "write");
        goto done;
    }
    const int open_fd = fd;
    fd = -1;
    TRY(sync_and_close(open_fd, path));
    if (!disk_rename(temp, path)) {
        st = file_error(path, "rename the finished file to this name");
        goto done;
    }
    made = false;
    TRY(sync_parent(path));
done:
    if (fd >= 0) {
        (void)disk_close(fd);
    }
    if (made) {
        (void)disk_unlink(temp);
    }
    return st;
}

static Status read_all(int fd, const char *path, size_t max, unsigned char **bytes, size_t *n)
{
    struct stat info;

    if (file_refused() || fstat(fd, &info) != 0) {
        return file_error(path, "read");
    }
    if (!S_ISREG(info.st_mode)) {
        return status_fail(ERR_IO, "%s: not a regular file", path);
    }
    const size_t size = (size_t)info.st_size;
    if (size > max) {
        return status_fail(ERR_FORMAT, "%s: %zu bytes, at most %zu are expected here", path, size,
                           max);
    }
    const Status st = mem_alloc(bytes, size + 1, 1, path);
    if (st != OK) {
        return st;
    }
    for (*n = 0; *n < size;) {
        const ssize_t got = file_refused() ? -1 : read(fd, *bytes + *n, size - *n);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return file_error(path, "read");
        }
        if (got == 0) {
            return status_fail(ERR_IO, "%s: became shorter while it was read", path);
        }
        *n += (size_t)got;
    }
    return OK;
}

Status file_read(const char *path, size_t max, unsigned char **bytes, size_t *n)
{
    *bytes = NULL;
    *n = 0;
    const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK; /* a pipe without a writer would wait */
    const int fd = file_refused() ? -1 : open(path, flags);
    if (fd < 0) {
        return file_error(path, "open");
    }
    const Status st = read_all(fd, path, max, bytes, n);
    (void)close(fd);
    if (st != OK) {
        mem_free(bytes);
        *n = 0;
    }
    return st;
}

static bool is_dir(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* Its name is brought to disk too: what is in a directory lasts no longer than the directory. */
static Status make_dir(const char *path)
{
    if (is_dir(path)) {
        return OK;
    }
    if (disk_mkdir(path)) {
        return sync_parent(path);
    }
    const int cause = errno;
    if (cause == EEXIST && is_dir(path)) { /* another process was faster */
        return OK;
    }
    if (cause == EEXIST || cause == ENOTDIR) {
        return status_fail(ERR_IO, "%s: cannot create the directory: a file of this name is there",
                           path);
    }
    errno = cause;
    return file_error(path, "create the directory");
}

Status file_make_dirs(const char *path)
{
    Status st = OK;
    char part[PATH_MAX];

    const size_t len = strlen(path);
    if (len == 0 || len >= sizeof part) {
        return status_fail(ERR_IO, "'%.60s': the path of a directory must have 1 to %d characters",
                           path, PATH_MAX - 1);
    }
    memcpy(part, path, len + 1);
    for (size_t i = 1; i < len; i++) {
        if (part[i] == '/') {
            part[i] = '\0';
            TRY(make_dir(part));
            part[i] = '/';
        }
    }
    TRY(make_dir(part));
done:
    return st;
}

Status file_sync_dir(const char *path)
{
    const int fd = disk_directory(path);
    if (fd < 0) {
        return file_error(path, "open the directory");
    }
    /* some network file systems cannot, and say EINVAL */
    const bool done = disk_sync(fd) || errno == EINVAL;
    const Status st = done ? OK : file_error(path, "flush the directory to disk");
    const bool closed = disk_close(fd); /* in any case */
    return st != OK || closed ? st : file_error(path, "close the directory");
}

bool file_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}
