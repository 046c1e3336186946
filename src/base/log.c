#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/lines.h"
#include "base/timer.h"

static int my_rank;
static int rank_count = 1;
static double start;
static LogLevel level = LOG_INFO;
static Lines file = {.fd = -1};
static Lines second = {.fd = -1};

void log_start(int rank, int ranks)
{
    my_rank = rank;
    rank_count = ranks;
    start = timer_now();
}

Status log_open_file(const char *path)
{
    log_close_file();
    return status_while(lines_open(&file, path), "the log");
}

void log_close_file(void)
{
    lines_close(&file);
}

Status log_open_second(const char *path)
{
    log_close_second();
    return status_while(lines_open(&second, path), "the log");
}

void log_close_second(void)
{
    lines_close(&second);
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
    lines_add(&file, "%8.2f  %s%s%s\n", seconds, who, words[at], text);
    lines_add(&second, "%8.2f  %s%s%s\n", seconds, who, words[at], text);
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

#define LOG_INTO(name, lines)          \
    void name(const char *format, ...) \
    {                                  \
        va_list args;                  \
        va_start(args, format);        \
        add(&(lines), format, args);   \
        va_end(args);                  \
    }

static void add(Lines *lines, const char *format, va_list args) PRINTF_LIKE(2, 0);

static void add(Lines *lines, const char *format, va_list args)
{
    char text[2 * STATUS_REASON_MAX];

    (void)vsnprintf(text, sizeof text, format, args);
    lines_add(lines, "%8.2f  %s\n", timer_now() - start, text);
}

LOG_INTO(log_file, file)
LOG_INTO(log_second, second)
