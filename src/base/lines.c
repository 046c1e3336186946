#include "base/lines.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/disk.h"
#include "base/file.h"

Status lines_open(Lines *lines, const char *path)
{
    *lines = (Lines){.fd = disk_append(path)};
    (void)snprintf(lines->path, sizeof lines->path, "%s", path);
    return lines->fd >= 0 ? OK : file_error(path, "open");
}

void lines_close(Lines *lines)
{
    if (lines->fd >= 0) {
        (void)disk_close(lines->fd);
        lines->fd = -1;
    }
}

static void tell(Lines *lines)
{
    (void)fprintf(stderr,
                  "warning: %s: cannot write: %s; the run goes on, lines are missing there\n",
                  lines->path, strerror(errno));
    lines->lost = true;
}

void lines_add(Lines *lines, const char *format, ...)
{
    char line[LINES_LENGTH_MAX + 1];
    struct stat before;
    va_list args;

    if (lines->fd < 0) {
        return;
    }
    va_start(args, format);
    const int len = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    const size_t n = len < LINES_LENGTH_MAX ? (size_t)len : LINES_LENGTH_MAX;
    const bool known = fstat(lines->fd, &before) == 0;
    if (len < 0 || disk_write(lines->fd, line, n)) {
        return;
    }
    if (!lines->lost) {
        tell(lines);
    }
    if (known) {
        (void)disk_truncate(lines->fd, (int64_t)before.st_size);
    }
}
