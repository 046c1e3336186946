#include "run/convert.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "data/csv.h"
#include "data/minari.h"

enum { PATH_SIZE = 4096, DEFAULT_HORIZON = 1000, METADATA_MOST = 1 << 24 };

static bool ends_in(const char *path, const char *end)
{
    const size_t n = strlen(path);
    const size_t m = strlen(end);
    return n > m && strcmp(path + n - m, end) == 0;
}

/* "<folder of path>/name"; false where it does not fit. */
static bool beside(const char *path, const char *name, char out[PATH_SIZE])
{
    const char *slash = strrchr(path, '/');
    const int len = slash != NULL ? (int)(slash - path) + 1 : 0;
    return snprintf(out, PATH_SIZE, "%.*s%s", len, path, name) < PATH_SIZE;
}

/* ---- reading ---- */

static Status use_metadata(Recording *rec, const char *path)
{
    Status st = OK;
    char name[PATH_SIZE];
    unsigned char *text = NULL;
    size_t size = 0;
    json_t *all = NULL;
    json_error_t error;

    if (!beside(path, "metadata.json", name) || !file_exists(name)) {
        return OK;
    }
    TRY(file_read(name, METADATA_MOST, &text, &size));
    all = json_loadb((const char *)text, size, 0, &error);
    if (!json_is_object(all)) {
        st = status_fail(ERR_FORMAT, "%s:%d: no JSON object: %s", name,
                         all == NULL ? error.line : 1, all == NULL ? error.text : "another value");
        goto done;
    }
    const json_t *steps = json_object_get(all, "total_steps");
    const json_t *algorithm = json_object_get(all, "algorithm_name");
    if (json_is_integer(steps) && json_integer_value(steps) != rec->rows) {
        st = status_fail(ERR_FORMAT,
                         "%s says %lld steps, %s holds %lld: they do not belong together, or the "
                         "download is not complete",
                         name, (long long)json_integer_value(steps), path, (long long)rec->rows);
        goto done;
    }
    if (json_is_string(algorithm)) {
        (void)snprintf(rec->algorithm, sizeof rec->algorithm, "%s", json_string_value(algorithm));
    }
done:
    json_decref(all);
    mem_free(&text);
    return st;
}

Status convert_read(Recording *rec, const char *path)
{
    Status st = OK;

    if (ends_in(path, ".csv")) {
        return csv_read(rec, path);
    }
    TRY(recording_read(rec, path));
    if (rec->layout == LAYOUT_MINARI) {
        TRY(use_metadata(rec, path));
    }
done:
    if (st != OK) {
        recording_release(rec);
    }
    return st;
}

/* ---- Minari's metadata.json ---- */

/* A Box space as Minari writes it: JSON in a text, with Python's Infinity. */
static json_t *box(int n, const char *type, const char *low, const char *high)
{
    char *space = NULL;
    const size_t size = 200 + 22 * (size_t)n;
    json_t *out = NULL;

    if (mem_alloc(&space, size, 1, "a space") == OK) {
        Text text = text_over(space, size);
        text_add(&text, "{\"type\": \"Box\", \"dtype\": \"%s\", \"shape\": [%d], \"low\": [", type,
                 n);
        for (int i = 0; i < n; i++) {
            text_add(&text, "%s%s", i > 0 ? ", " : "", low);
        }
        text_add(&text, "], \"high\": [");
        for (int i = 0; i < n; i++) {
            text_add(&text, "%s%s", i > 0 ? ", " : "", high);
        }
        text_add(&text, "]}");
        out = json_string(space);
    }
    mem_free(&space);
    return out;
}

/* The name below the root of all datasets, or the folder's own. */
static const char *dataset_id(const char *to)
{
    const char *root = getenv("MINARI_DATASETS_PATH");
    const size_t n = root != NULL ? strlen(root) : 0;
    if (n > 0 && strncmp(to, root, n) == 0 && to[n] == '/') {
        return to + n + 1;
    }
    const char *slash = strrchr(to, '/');
    return slash != NULL && slash[1] != '\0' ? slash + 1 : to;
}

static double megabytes(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? round((double)info.st_size / 1e5) / 10 : 0;
}

static Status write_metadata(const char *to, const Converted *done, const Recording *rec,
                             const EnvKind *task)
{
    Status st = OK;
    char name[PATH_SIZE];
    const bool scores = task != NULL && task->ref_max > task->ref_min;
    json_t *all = json_pack(
        "{s:I, s:I, s:s, s:o, s:o, s:f, s:s, s:s, s:s, s:s}", "total_episodes",
        (json_int_t)done->episodes, "total_steps", (json_int_t)rec->rows, "data_format", "hdf5",
        "observation_space", box(rec->state_dim, "float64", "-Infinity", "Infinity"),
        "action_space", box(rec->act_dim, "float32", "-1.0", "1.0"), "dataset_size",
        megabytes(done->path), "dataset_id", dataset_id(to), "algorithm_name", rec->algorithm,
        "minari_version", "0.5.3", "description",
        "Converted by mopo. No env_spec: the environment is a matter of gym version and inertia.");
    if (all != NULL && scores) {
        (void)json_object_set_new(all, "ref_min_score", json_real(task->ref_min));
        (void)json_object_set_new(all, "ref_max_score", json_real(task->ref_max));
        (void)json_object_set_new(all, "num_episodes_average_score", json_integer(100));
    }
    char *text = all != NULL ? json_dumps(all, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) : NULL;
    if (text == NULL) {
        st = status_fail(ERR_NOMEM, "no memory for the metadata of %s", to);
        goto done;
    }
    (void)beside(done->path, "metadata.json", name);
    TRY(file_write(name, text, strlen(text)));
done:
    free(text); /* jansson's own */
    json_decref(all);
    return st;
}

/* ---- writing ---- */

static Status count_episodes(const Recording *rec, int horizon, int64_t *episodes)
{
    int64_t *starts = NULL;
    const Status st =
        mem_alloc(&starts, (size_t)rec->rows + 1, sizeof *starts, "starts of episodes");
    if (st == OK) {
        *episodes = recording_episodes(rec, horizon, starts);
    }
    mem_free(&starts);
    return st;
}

static Status write_minari(const char *to, const Recording *rec, const EnvKind *task, int horizon,
                           Converted *done)
{
    Status st = OK;
    char folder[PATH_SIZE];

    const int len = snprintf(folder, sizeof folder, "%s/data", to);
    if (len + 20 >= PATH_SIZE) {
        return status_fail(ERR_ARG, "%s: the path is too long", to);
    }
    (void)snprintf(done->path, sizeof done->path, "%.4000s/main_data.hdf5", folder);
    TRY(file_make_dirs(folder));
    TRY(minari_write(done->path, rec, horizon, &done->episodes));
    TRY(write_metadata(to, done, rec, task));
done:
    return st;
}

Status convert_write(const char *to, const Recording *rec, const EnvKind *task, Converted *done)
{
    Status st = OK;
    const int horizon = task != NULL ? task->horizon : DEFAULT_HORIZON;

    *done = (Converted){.rows = rec->rows};
    if (rec->odd_flags > 0) { /* written as 1 they would no longer be noticed */
        return status_fail(ERR_FORMAT,
                           "%lld of the terminals and timeouts are neither 0 nor 1; write flags, "
                           "not counts or probabilities",
                           (long long)rec->odd_flags);
    }
    if (!ends_in(to, ".hdf5") && !ends_in(to, ".h5")) {
        TRY(write_minari(to, rec, task, horizon, done));
        return OK;
    }
    (void)snprintf(done->path, sizeof done->path, "%s", to);
    TRY(count_episodes(rec, horizon, &done->episodes));
    TRY(recording_write(to, rec, NULL, 0, NULL, 0));
done:
    return st;
}
