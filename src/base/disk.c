#include "base/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { FILE_RIGHTS = 0640, DIR_RIGHTS = 0750 };

static DiskWatch watcher;

void disk_watch(DiskWatch watch)
{
    watcher = watch;
}

static bool told(bool done, const DiskEvent *event)
{
    if (done && watcher != NULL) {
        watcher(event);
    }
    return done;
}

static int opened(int fd, const char *path)
{
    (void)told(fd >= 0, &(DiskEvent){.call = DISK_OPEN, .fd = fd, .path = path});
    return fd;
}

int disk_append(const char *path)
{
    const int flags = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW;
    return opened(file_refused() ? -1 : open(path, flags, FILE_RIGHTS), path);
}

int disk_temp(char *name)
{
    const int fd = file_refused() ? -1 : mkstemp(name);
    if (fd >= 0) { /* mkstemp makes private files, and children inherit them */
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
        const mode_t mask = umask(0);
        (void)umask(mask);
        (void)fchmod(fd, FILE_RIGHTS & ~mask);
    }
    return opened(fd, name);
}

int disk_directory(const char *path)
{
    return opened(file_refused() ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), path);
}

bool disk_write(int fd, const void *bytes, size_t n)
{
    const unsigned char *from = bytes;

    while (n > 0) {
        const size_t piece = n < (1U << 30) ? n : 1U << 30; /* one write stops at 2 GiB */
        const ssize_t done = file_refused() ? -1 : write(fd, from, piece);
        if (done < 0 && errno != EINTR) {
            return false;
        }
        const size_t wrote = done > 0 ? (size_t)done : 0;
        (void)told(wrote > 0,
                   &(DiskEvent){.call = DISK_WRITE, .fd = fd, .bytes = from, .n = wrote});
        from += wrote;
        n -= wrote;
    }
    return true;
}

bool disk_truncate(int fd, int64_t size)
{
    return told(!file_refused() && ftruncate(fd, (off_t)size) == 0,
                &(DiskEvent){.call = DISK_TRUNCATE, .fd = fd, .n = (size_t)size});
}

bool disk_sync(int fd)
{
    return told(!file_refused() && fsync(fd) == 0, &(DiskEvent){.call = DISK_SYNC, .fd = fd});
}

bool disk_close(int fd)
{
    const bool refused = file_refused();
    const int cause = errno;
    const bool done = close(fd) == 0;
    if (refused) {
        errno = cause;
    }
    (void)told(true, &(DiskEvent){.call = DISK_CLOSE, .fd = fd});
    return done && !refused;
}

bool disk_rename(const char *from, const char *to)
{
    return told(!file_refused() && rename(from, to) == 0,
                &(DiskEvent){.call = DISK_RENAME, .path = from, .to = to});
}

bool disk_unlink(const char *path)
{
    return told(!file_refused() && unlink(path) == 0,
                &(DiskEvent){.call = DISK_UNLINK, .path = path});
}

bool disk_mkdir(const char *path)
{
    return told(!file_refused() && mkdir(path, DIR_RIGHTS) == 0,
                &(DiskEvent){.call = DISK_MKDIR, .path = path});
}

bool disk_rmdir(const char *path)
{
    return told(!file_refused() && rmdir(path) == 0,
                &(DiskEvent){.call = DISK_RMDIR, .path = path});
}
