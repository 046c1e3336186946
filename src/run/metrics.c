#include "run/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/file.h"
#include "base/log.h"
#include "base/panic.h"
#include "base/text.h"

typedef enum { INT, REAL } MetricKind;

static const struct {
    const char *name;
    MetricKind kind;
    const char *unit, *meaning;
} table[METRIC_COUNT] = {
#define METRIC_ROW(constant, ...) {__VA_ARGS__},
    METRIC_LIST(METRIC_ROW)
#undef METRIC_ROW
};

static const char *const file_names[METRICS_FILES] = {"metrics.jsonl", "metrics.csv"};

enum { LINE_MAX_BYTES = METRIC_COUNT * 64 };

void metrics_clear(Metrics *metrics)
{
    for (int i = 0; i < METRIC_COUNT; i++) {
        metrics->value[i] = (double)NAN;
    }
}

/* One value, or `missing` where there is none. */
static void add_value(Text *line, int metric, double value, const char *missing)
{
    if (!isfinite(value)) {
        text_add(line, "%s", missing);
    } else if (table[metric].kind == INT) {
        text_add(line, "%.0f", value);
    } else {
        text_add(line, "%.9g", value);
    }
}

static void json_line(const Metrics *metrics, Text *line)
{
    for (int i = 0; i < METRIC_COUNT; i++) {
        text_add(line, "%s\"%s\": ", i == 0 ? "{" : ", ", table[i].name);
        add_value(line, i, metrics->value[i], "null");
    }
    text_add(line, "}\n");
}

static void csv_line(const Metrics *metrics, Text *line)
{
    for (int i = 0; i < METRIC_COUNT; i++) {
        text_add(line, "%s", i == 0 ? "" : ",");
        add_value(line, i, metrics->value[i], "");
    }
    text_add(line, "\n");
}

static Status append(MetricsLog *log, int file, const Text *line)
{
    if (!disk_write(log->fd[file], line->data, line->used)) {
        return file_error(log->path[file], "append an epoch's metrics");
    }
    log->length[file] += (int64_t)line->used;
    return OK;
}

static Status csv_header(MetricsLog *log)
{
    char data[LINE_MAX_BYTES];
    Text line = text_over(data, sizeof data);
    for (int i = 0; i < METRIC_COUNT; i++) {
        text_add(&line, "%s%s", i == 0 ? "" : ",", table[i].name);
    }
    text_add(&line, "\n");
    return append(log, METRICS_CSV, &line);
}

/* Cut the open file back to `keep` bytes. */
static Status cut_back(MetricsLog *log, int file, int64_t keep)
{
    const char *path = log->path[file];
    struct stat info;

    if (file_refused() || fstat(log->fd[file], &info) != 0) {
        return file_error(path, "read");
    }
    const int64_t size = (int64_t)info.st_size;
    if (size == 0 && keep > 0) {
        log_warn("%s is gone or empty; the epochs before this start will be missing in it", path);
        keep = 0;
    }
    if (size < keep) {
        return status_fail(ERR_FORMAT,
                           "%s: has %lld bytes, but the checkpoint recorded %lld; put the whole "
                           "file back, or delete it to go on without its history",
                           path, (long long)size, (long long)keep);
    }
    if (size > keep && !disk_truncate(log->fd[file], keep)) {
        return file_error(path, "cut the file back to the checkpoint");
    }
    log->length[file] = keep;
    return OK;
}

static Status open_file(MetricsLog *log, int file, const char *run_dir, int64_t keep)
{
    char *path = log->path[file];
    const int len = snprintf(path, sizeof log->path[file], "%s/%s", run_dir, file_names[file]);
    if (len < 0 || (size_t)len >= sizeof log->path[file]) {
        return status_fail(ERR_IO, "%s: the path is too long", run_dir);
    }
    log->fd[file] = disk_append(path);
    return log->fd[file] < 0 ? file_error(path, "open") : cut_back(log, file, keep);
}

Status metrics_open(MetricsLog *log, const char *run_dir, const int64_t keep[METRICS_FILES])
{
    Status st = OK;

    *log = (MetricsLog){.fd = {-1, -1}};
    for (int i = 0; i < METRICS_FILES; i++) {
        TRY(open_file(log, i, run_dir, keep != NULL ? keep[i] : 0));
    }
    if (log->length[METRICS_CSV] == 0) {
        TRY(csv_header(log));
    }
    TRY(file_sync_dir(run_dir));
done:
    if (st != OK) {
        metrics_close(log);
    }
    return st;
}

void metrics_close(MetricsLog *log)
{
    for (int i = 0; i < METRICS_FILES; i++) {
        if (log->fd[i] >= 0) {
            (void)disk_close(log->fd[i]); /* a checkpoint has brought it to disk */
            log->fd[i] = -1;
        }
    }
}

/* After a failed append: no half line, and both files end with the same epoch. */
static void take_back(MetricsLog *log, const int64_t length[METRICS_FILES])
{
    for (int i = 0; i < METRICS_FILES; i++) {
        if (!disk_truncate(log->fd[i], length[i])) {
            log_warn("%s: the end of the file may be half a line: %s", log->path[i],
                     strerror(errno));
        }
        log->length[i] = length[i];
    }
}

static Status append_lines(MetricsLog *log, const Metrics *metrics)
{
    Status st = OK;
    char data[LINE_MAX_BYTES];

    Text line = text_over(data, sizeof data);
    json_line(metrics, &line);
    REQUIRE(!line.cut);
    TRY(append(log, METRICS_JSONL, &line));
    line = text_over(data, sizeof data);
    csv_line(metrics, &line);
    TRY(append(log, METRICS_CSV, &line));
done:
    return st;
}

Status metrics_append(MetricsLog *log, const Metrics *metrics)
{
    const int64_t before[METRICS_FILES] = {log->length[METRICS_JSONL], log->length[METRICS_CSV]};
    /* "." in numbers, whatever a library has made of the locale */
    const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (plain == (locale_t)0) {
        return status_fail(ERR_NOMEM, "memory for the C locale was refused");
    }
    const locale_t other = uselocale(plain);
    const Status st = append_lines(log, metrics);
    (void)uselocale(other);
    freelocale(plain);
    if (st != OK) {
        take_back(log, before);
    }
    return st;
}

Status metrics_lengths(const MetricsLog *log, int64_t length[METRICS_FILES])
{
    for (int i = 0; i < METRICS_FILES; i++) {
        if (!disk_sync(log->fd[i])) {
            return file_error(log->path[i], "flush to disk");
        }
        length[i] = log->length[i];
    }
    return OK;
}

void metrics_print_table(FILE *out)
{
    static const char *const kinds[] = {[INT] = "integer", [REAL] = "real"};
    (void)fprintf(out, "| name | kind | unit | meaning |\n| --- | --- | --- | --- |\n");
    for (int i = 0; i < METRIC_COUNT; i++) {
        (void)fprintf(out, "| `%s` | %s | %s | %s |\n", table[i].name, kinds[table[i].kind],
                      table[i].unit, table[i].meaning);
    }
}
