#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/panic.h"
#include "base/text.h"
#include "run/online_state.h"

enum { LINE_MAX_BYTES = 7 * 32, FILE_MAX_BYTES = 1 << 30 };

static const char header[] = "step,episodes,return_mean,return_min,return_max,length_mean,score\n";

const char *online_file(const char *dir, const char *name, char *path)
{
    const int len = snprintf(path, ONLINE_PATH_MAX, "%s/%s", dir, name);
    REQUIRE(len > 0 && len < ONLINE_PATH_MAX); /* dir is one of the program's texts */
    return path;
}

const char *online_replay_path(const char *dir, char *path)
{
    return online_file(dir, "replay.hdf5", path);
}

const char *online_policy_path(const char *dir, int64_t step, char *path)
{
    char name[64];
    (void)snprintf(name, sizeof name, "policies/policy-%010lld.h5", (long long)step);
    return online_file(dir, name, path);
}

/* 17 digits bring a double back as it was; what the task has no score for stays empty. */
static void add_line(Text *text, const OnlineEval *e)
{
    text_add(text, "%.0f,%.0f,%.17g,%.17g,%.17g,%.17g,", e->step, e->episodes, e->mean, e->min,
             e->max, e->length);
    if (isfinite(e->score)) {
        text_add(text, "%.17g", e->score);
    }
    text_add(text, "\n");
}

Status online_write_progress(const char *dir, const OnlineEval *evals, int64_t count)
{
    Status st = OK;
    char path[ONLINE_PATH_MAX];
    char *bytes = NULL;
    const size_t size = sizeof header + (size_t)count * LINE_MAX_BYTES;

    TRY(mem_alloc(&bytes, size, 1, "the evaluations as text"));
    Text text = text_over(bytes, size);
    text_add(&text, "%s", header);
    for (int64_t i = 0; i < count; i++) {
        add_line(&text, &evals[i]);
    }
    REQUIRE(!text.cut);
    TRY(file_write(online_file(dir, "progress.csv", path), bytes, text.used));
done:
    mem_free(&bytes);
    return st;
}

/* The numbers of a line; the score alone may be absent. */
static bool read_line(const char *line, OnlineEval *e)
{
    double *const columns[] = {&e->step, &e->episodes, &e->mean, &e->min,
                               &e->max,  &e->length,   &e->score};
    enum { COLUMNS = sizeof columns / sizeof *columns };
    char *end = NULL;

    for (size_t k = 0; k < COLUMNS; k++) {
        const bool last = k + 1 == COLUMNS;
        *columns[k] = strtod(line, &end);
        if (last && *line == '\n') {
            *columns[k] = (double)NAN;
        } else if (end == line || *end != (last ? '\n' : ',') || !isfinite(*columns[k])) {
            return false;
        }
        line = end + 1;
    }
    return true;
}

Status online_read_progress(const char *dir, OnlineEval **evals, int64_t *count)
{
    Status st = OK;
    char path[ONLINE_PATH_MAX];
    unsigned char *bytes = NULL;
    size_t size = 0;
    int64_t lines = 0;

    *evals = NULL;
    *count = 0;
    TRY(file_read(online_file(dir, "progress.csv", path), FILE_MAX_BYTES, &bytes, &size));
    for (size_t i = 0; i < size; i++) {
        lines += bytes[i] == '\n' ? 1 : 0;
    }
    TRY(mem_alloc(evals, (size_t)lines + 1, sizeof **evals, "the evaluations"));
    const char *line = (const char *)bytes;
    bool good = strncmp(line, header, sizeof header - 1) == 0 && bytes[size - 1] == '\n';
    for (int64_t i = 1; good && i < lines; i++) {
        line = strchr(line, '\n') + 1;
        good = read_line(line, &(*evals)[*count]);
        *count += 1;
    }
    if (!good) {
        st =
            status_fail(ERR_FORMAT, "%s: line %lld is not one of ours; put the file back as it was",
                        path, (long long)*count + 1);
    }
done:
    mem_free(&bytes);
    if (st != OK) {
        mem_free(evals);
        *count = 0;
    }
    return st;
}
