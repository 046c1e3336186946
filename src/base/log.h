/* Messages for people, to stderr and, once opened, to the run's log.txt. Rank 0 prints info; other
 * ranks only warnings. Errors are a Status, told once by main. stdout belongs to a command's result.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/status.h"

typedef enum { LOG_QUIET, LOG_WARN, LOG_INFO } LogLevel;

/* Once, at start. Time stamps count seconds from this call. */
void log_start(int rank, int ranks);
/* Also append to this file from now on (rank 0). Error: ERR_IO. */
NODISCARD Status log_open_file(const char *path);
void log_close_file(void);
/* The same for a second file beside it, for a while: what is done there concerns others, too. */
NODISCARD Status log_open_second(const char *path);
void log_close_second(void);
/* Into the second file only. */
void log_second(const char *format, ...) PRINTF_LIKE(1, 2);
void log_set_level(LogLevel most);
/* Into the file only: what the user is told on another way. */
void log_file(const char *format, ...) PRINTF_LIKE(1, 2);

void log_warn(const char *format, ...) PRINTF_LIKE(1, 2);
void log_info(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
