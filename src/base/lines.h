/* A file of lines that a run can do without: its log, its times. What cannot be written is told once on stderr, and
 * the run goes on; no half line stays. Local.
 */
#ifndef BASE_LINES_H
#define BASE_LINES_H

#include <stdbool.h>

#include "base/status.h"

enum { LINES_PATH_MAX = 4096, LINES_LENGTH_MAX = 4096 };

typedef struct {
    int fd; /* -1: closed */
    bool lost;
    char path[LINES_PATH_MAX];
} Lines;

/* Append to this file from now on, made if it is not there. Error: ERR_IO. */
NODISCARD Status lines_open(Lines *lines, const char *path);
/* Harmless when closed. */
void lines_close(Lines *lines);
/* One line, its '\n' included, cut after LINES_LENGTH_MAX bytes; nothing where the file is closed. */
void lines_add(Lines *lines, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
