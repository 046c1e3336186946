#include "sweep/tail.h"

#include <ctype.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

/* ---- files ---- */

/* As many bytes as there are from `from` on; what came between fstat and here may have cut the file. */
static void fill(Tail *tail, int fd, off_t from)
{
    ssize_t got = 1;

    while (got > 0 && tail->size < sizeof tail->text - 1) {
        got = pread(fd, tail->text + tail->size, sizeof tail->text - 1 - tail->size,
                    from + (off_t)tail->size);
        tail->size += got > 0 ? (size_t)got : 0;
    }
    for (size_t i = 0; i < tail->size; i++) {
        if (tail->text[i] == '\0') {
            tail->text[i] = '?';
        }
    }
    tail->text[tail->size] = '\0';
}

/* Its descriptor, -1 where there is none; a pipe or a device is none of ours. */
static int open_text(const char *path, Tail *tail, off_t *size)
{
    struct stat info;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    tail->there = fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
    tail->size = 0;
    tail->text[0] = '\0';
    tail->changed = 0;
    if (!tail->there) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return -1;
    }
    tail->changed = (double)info.st_mtim.tv_sec + 1e-9 * (double)info.st_mtim.tv_nsec;
    *size = info.st_size;
    return fd;
}

void tail_read(const char *path, Tail *tail)
{
    off_t size = 0;
    const int fd = open_text(path, tail, &size);

    if (fd < 0) {
        return;
    }
    const off_t room = (off_t)sizeof tail->text - 1;
    const off_t from = size > room ? size - room : 0;
    fill(tail, fd, from);
    (void)close(fd);
    char *last = strrchr(tail->text, '\n');
    tail->size = last != NULL ? (size_t)(last - tail->text) + 1 : 0;
    tail->text[tail->size] = '\0';
    const char *first = from > 0 ? strchr(tail->text, '\n') : NULL;
    if (first != NULL) { /* what stands before it is the end of a line */
        tail->size -= (size_t)(first + 1 - tail->text);
        memmove(tail->text, first + 1, tail->size + 1);
    }
}

void tail_read_head(const char *path, Tail *tail)
{
    off_t size = 0;
    const int fd = open_text(path, tail, &size);

    if (fd >= 0) {
        fill(tail, fd, 0);
        (void)close(fd);
    }
}

/* The line at *at, its end cut off; NULL behind the last. */
static char *next_line(char **at)
{
    char *line = *at;
    char *end = strchr(line, '\n');

    if (end == NULL) {
        return NULL;
    }
    *end = '\0';
    *at = end + 1;
    return line;
}

static void copy_text(char *to, size_t room, const char *from)
{
    (void)snprintf(to, room, "%s", from);
    text_make_plain(to);
}

/* ---- log.txt ---- */

static const struct {
    const char *name, *before, *between;
} units[UNIT_COUNT] = {[UNIT_NONE] = {"", NULL, NULL},
                       [UNIT_PASS] = {"pass", "model pass ", NULL},
                       [UNIT_UPDATE] = {"update", "behavior's model: update ", "/"},
                       [UNIT_EPOCH] = {"epoch", "epoch ", "/"},
                       [UNIT_STEP] = {"step", "step ", " of "}};

const char *progress_unit_name(ProgressUnit unit)
{
    return units[unit].name;
}

enum { WINDOW = 10 };

typedef struct {
    int count; /* of this start and unit, all of them */
    struct {
        int64_t at;
        double seconds;
    } mark[WINDOW + 1]; /* the last ones, in turn */
    double seconds;     /* of the last line */
} LogMarks;

static bool after(const char *text, const char *start, const char **rest)
{
    const size_t n = strlen(start);
    *rest = text + n;
    return strncmp(text, start, n) == 0;
}

/* "model pass  12 ...", "epoch   3/30 ..." */
static bool read_mark(const char *text, ProgressUnit unit, int64_t *at, int64_t *of)
{
    const char *rest = NULL;
    char *end = NULL;

    if (units[unit].before == NULL || !after(text, units[unit].before, &rest)) {
        return false;
    }
    *at = strtoll(rest, &end, 10);
    *of = 0;
    if (end == rest || *at < 0) {
        return false;
    }
    if (units[unit].between == NULL) {
        return true;
    }
    if (!after(end, units[unit].between, &rest)) {
        return false;
    }
    *of = strtoll(rest, &end, 10);
    return end != rest && *of > 0;
}

static void add_mark(LogNews *news, LogMarks *marks, ProgressUnit unit, int64_t at, int64_t of)
{
    if (unit != news->unit) {
        marks->count = 0;
    }
    news->unit = unit;
    news->at = at;
    news->of = of;
    const int slot = marks->count++ % (WINDOW + 1);
    marks->mark[slot].at = at;
    marks->mark[slot].seconds = marks->seconds;
}

static void read_log_line(const char *line, LogNews *news, LogMarks *marks)
{
    char *end = NULL;
    const char *rest = NULL;
    int64_t at = 0;
    int64_t of = 0;
    const double seconds = strtod(line, &end);

    if (end == line || strncmp(end, "  ", 2) != 0 || !isfinite(seconds)) {
        return;
    }
    const char *text = end + 2;
    if (seconds < marks->seconds || after(text, "run ", &rest) ||
        after(text, "model: fitted in ", &rest)) { /* another start; the latter of a shared fit */
        *news = (LogNews){0};
        marks->count = 0;
    }
    marks->seconds = seconds;
    for (int u = UNIT_NONE + 1; u < UNIT_COUNT; u++) {
        if (read_mark(text, (ProgressUnit)u, &at, &of)) {
            add_mark(news, marks, (ProgressUnit)u, at, of);
            return;
        }
    }
    if (after(text, "model: ", &rest)) {
        news->waits = after(rest, "another process ", &rest);
    }
    const bool error = after(text, "error: ", &rest);
    if (error || after(text, "stopped: ", &rest)) {
        news->end = error ? LOG_ERROR : LOG_STOPPED;
        copy_text(news->reason, sizeof news->reason, rest);
    }
}

void log_news(char *text, LogNews *news)
{
    LogMarks marks = {0};

    *news = (LogNews){0};
    for (char *line = next_line(&text); line != NULL; line = next_line(&text)) {
        read_log_line(line, news, &marks);
    }
    if (marks.count > 0) {
        const int last = (marks.count - 1) % (WINDOW + 1);
        const int first = marks.count > WINDOW ? marks.count % (WINDOW + 1) : 0;
        const int64_t made = marks.mark[last].at - marks.mark[first].at;
        news->rate =
            made > 0 ? (marks.mark[last].seconds - marks.mark[first].seconds) / (double)made : 0;
        news->age = marks.seconds - marks.mark[last].seconds;
    }
}

/* ---- marker lines ---- */

double utc_seconds(const char *text)
{
    static const char form[] = "0000-00-00T00:00:00Z";
    int v[6] = {0};
    int number = 0;

    for (size_t i = 0; form[i] != '\0'; i++) {
        const bool digit = form[i] == '0';
        if (digit ? isdigit((unsigned char)text[i]) == 0 : text[i] != form[i]) {
            return 0;
        }
        number += digit ? 0 : 1;
        if (digit) {
            v[number] = 10 * v[number] + (text[i] - '0');
        }
    }
    if (v[0] < 1970 || v[1] < 1 || v[1] > 12) {
        return 0;
    }
    /* days since 1970-03-01 of a year that begins in March, so that a leap day is its last */
    const int64_t year = v[1] > 2 ? v[0] : v[0] - 1;
    const int64_t month = (v[1] + 9) % 12;
    const int64_t days =
        365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + v[2] - 1 - 719468;
    return (double)(86400 * days + 3600 * (int64_t)v[3] + 60 * (int64_t)v[4] + v[5]);
}

/* The next word, its blank skipped; "" at the end. */
static const char *next_word(char **at)
{
    char *word = *at + strspn(*at, " ");
    char *end = word + strcspn(word, " ");

    *at = *end != '\0' ? end + 1 : end;
    *end = '\0';
    return word;
}

static void read_start(char *rest, MarkNews *news)
{
    *news = (MarkNews){.last = MARK_START, .at = utc_seconds(next_word(&rest))};
    if (strcmp(next_word(&rest), "host") == 0) {
        copy_text(news->host, sizeof news->host, next_word(&rest));
    }
    if (strcmp(next_word(&rest), "job") == 0) {
        const char *job = next_word(&rest);
        news->slurm = job[0] != '\0' && strcmp(job, "-") != 0;
    }
}

static void read_end(char *rest, MarkNews *news)
{
    static const char *const verdicts[] = {
        [MARK_DONE] = "done", [MARK_AGAIN] = "again", [MARK_FAILED] = "failed"};
    const int code = (int)strtol(next_word(&rest), NULL, 10);
    const char *verdict = next_word(&rest);

    for (int m = MARK_DONE; m <= MARK_FAILED; m++) {
        if (strcmp(verdict, verdicts[m]) == 0) {
            news->last = (Mark)m;
            news->code = code;
            news->at = utc_seconds(next_word(&rest));
            copy_text(news->reason, sizeof news->reason, rest);
            return;
        }
    }
}

void mark_news(char *text, MarkNews *news)
{
    *news = (MarkNews){0};
    for (char *line = next_line(&text); line != NULL; line = next_line(&text)) {
        if (strncmp(line, "# start ", 8) == 0) {
            read_start(line + 8, news);
        } else if (strncmp(line, "# end ", 6) == 0) {
            read_end(line + 6, news);
        }
    }
}

/* ---- metrics.jsonl ---- */

void metric_news(char *text, MetricNews *news)
{
    *news = (MetricNews){.mean = (double)NAN, .score = (double)NAN};
    for (char *line = next_line(&text); line != NULL; line = next_line(&text)) {
        json_t *row = json_loads(line, 0, NULL);
        const json_t *epoch = json_object_get(row, "epoch");
        const json_t *mean = json_object_get(row, "return_mean");
        const json_t *score = json_object_get(row, "score");
        if (json_is_integer(epoch)) {
            news->epoch = json_integer_value(epoch);
        }
        if (json_is_number(mean)) {
            news->mean = json_number_value(mean);
            news->score = json_is_number(score) ? json_number_value(score) : (double)NAN;
        }
        json_decref(row);
    }
}

/* ---- used.yaml ---- */

/* The first line that begins with `start` at or behind `text`; NULL. */
static const char *find_line(const char *text, const char *start)
{
    const size_t n = strlen(start);

    while (text != NULL && strncmp(text, start, n) != 0) {
        text = strchr(text, '\n');
        text = text != NULL ? text + 1 : NULL;
    }
    return text;
}

int used_number(const char *text, const char *section, const char *key, int missing)
{
    char start[TAIL_WORD];
    char *end = NULL;

    (void)snprintf(start, sizeof start, "%s:", section);
    const char *line = find_line(text, start);
    (void)snprintf(start, sizeof start, "  %s: ", key);
    for (line = line != NULL ? strchr(line, '\n') : NULL; line != NULL && line[1] == ' ';
         line = strchr(line + 1, '\n')) {
        if (strncmp(line + 1, start, strlen(start)) == 0) {
            const char *word = line + 1 + strlen(start);
            const long value = strtol(word, &end, 10);
            return end != word && value >= 0 && value <= INT32_MAX ? (int)value : missing;
        }
    }
    return missing;
}
