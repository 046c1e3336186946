/* Every system call by which the program changes a disk, one function each: false (or -1) and errno after a
 * failure. Tests let one fail (file_fail_at, base/file.h) or watch all of them. Files are made with the rights
 * 0640, directories with 0750, both less the umask; children of this process get no descriptor. Local.
 */
#ifndef BASE_DISK_H
#define BASE_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Open for appending, made if it is not there. A symbolic link is not followed (ELOOP): in a folder that others
 * write to it could lead anywhere. */
int disk_append(const char *path);
/* Make and open a new file; the six X at the end of `name` are replaced. */
int disk_temp(char *name);
/* Open a directory, for disk_sync. */
int disk_directory(const char *path);
/* All n bytes, at the end of a file opened by one of these. */
bool disk_write(int fd, const void *bytes, size_t n);
bool disk_truncate(int fd, int64_t size);
bool disk_sync(int fd);
/* The descriptor is gone in any case. */
bool disk_close(int fd);
bool disk_rename(const char *from, const char *to);
bool disk_unlink(const char *path);
bool disk_mkdir(const char *path);
bool disk_rmdir(const char *path);

/* What a call that succeeded has done; for tests of power cuts. */
typedef enum {
    DISK_OPEN, /* path, fd */
    DISK_WRITE,
    DISK_TRUNCATE,
    DISK_SYNC,
    DISK_CLOSE,
    DISK_RENAME, /* path, to */
    DISK_UNLINK,
    DISK_MKDIR,
    DISK_RMDIR
} DiskCall;

typedef struct {
    DiskCall call;
    int fd;
    const char *path, *to;
    const void *bytes; /* of a write */
    size_t n;          /* its bytes, or the size after a truncate */
} DiskEvent;

/* Called after each; NULL: nobody watches. */
typedef void (*DiskWatch)(const DiskEvent *event);
void disk_watch(DiskWatch watch);

#endif
