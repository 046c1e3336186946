/* Whole files: read at once, replaced at once. A reader sees the old bytes or the new ones, never
 * a part. Every message names path and cause. Local: nothing here is collective.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Put n bytes under `path`: temporary file beside it, fsync, rename, fsync of the directory. After
 * ERR_IO the temporary file is gone and the old file untouched - except when only the directory
 * could not be synced: then the new file stands in full, but a power cut might undo the rename. */
NODISCARD Status file_write(const char *path, const void *bytes, size_t n);
/* The whole file into *bytes (to be freed with mem_free), followed by a '\0' that n does not count.
 * Errors: ERR_IO; ERR_FORMAT when it has more than `max` bytes; ERR_NOMEM. *bytes is then NULL. */
NODISCARD Status file_read(const char *path, size_t max, unsigned char **bytes, size_t *n);
/* Create a directory and its parents; existing ones are fine. Error: ERR_IO. */
NODISCARD Status file_make_dirs(const char *path);
/* Make renames inside a directory durable. Error: ERR_IO. */
NODISCARD Status file_sync_dir(const char *path);
bool file_exists(const char *path);

/* Let the k-th open, write, read, fsync, close, mkdir, rename or unlink from now fail with errno
 * `error` (1 = the next); k = 0 switches off. For tests. */
void file_fail_at(int64_t k, int error);

/* For modules with system calls of their own. Stands in front of each call that a disk can refuse:
 * true when a test wants this one to fail; errno is set. */
bool file_refused(void);
/* Right after a failed call: ERR_IO with "path: cannot <what>: <errno>" and what may help. */
Status file_error(const char *path, const char *what);

#endif
