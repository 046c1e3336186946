#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/timer.h"

static int my_rank;
static int rank_count = 1;
static double start;
static LogLevel level = LOG_INFO;
static FILE *sink;

void log_start(int rank, int ranks)
{
    my_rank = rank;
    rank_count = ranks;
    start = timer_now();
}

Status log_open_file(const char *path)
{
    log_close_file();
    sink = fopen(path, "ae");
    if (sink == NULL) {
        return status_fail(ERR_IO, "%s: cannot open the log: %s", path, strerror(errno));
    }
    return OK;
}

void log_close_file(void)
{
    if (sink != NULL) {
        (void)fclose(sink);
        sink = NULL;
    }
}

void log_set_level(LogLevel most)
{
    level = most;
}

static void put(LogLevel at, const char *format, va_list args) PRINTF_LIKE(2, 0);

static void put(LogLevel at, const char *format, va_list args)
{
    static const char *const words[] = {"", "warning: ", ""};
    char text[2 * STATUS_REASON_MAX];
    char who[32] = "";

    if (at > level || (at >= LOG_INFO && my_rank != 0)) {
        return;
    }
    if (rank_count > 1 && at <= LOG_WARN) {
        (void)snprintf(who, sizeof who, "[rank %d] ", my_rank);
    }
    (void)vsnprintf(text, sizeof text, format, args);
    const double seconds = timer_now() - start;
    (void)fprintf(stderr, "%8.2f  %s%s%s\n", seconds, who, words[at], text);
    if (sink != NULL) { /* a full disk must not stop a run because of its log */
        (void)fprintf(sink, "%8.2f  %s%s%s\n", seconds, who, words[at], text);
        (void)fflush(sink);
    }
}

#define LOG_FUNCTION(name, at)         \
    void name(const char *format, ...) \
    {                                  \
        va_list args;                  \
        va_start(args, format);        \
        put(at, format, args);         \
        va_end(args);                  \
    }

LOG_FUNCTION(log_warn, LOG_WARN)
LOG_FUNCTION(log_info, LOG_INFO)

void log_file(const char *format, ...)
{
    va_list args;

    if (sink != NULL) {
        va_start(args, format);
        (void)fprintf(sink, "%8.2f  ", timer_now() - start);
        (void)vfprintf(sink, format, args);
        (void)fputc('\n', sink);
        (void)fflush(sink);
        va_end(args);
    }
}
