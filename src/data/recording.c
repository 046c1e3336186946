#include "data/recording.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "data/d4rl.h"
#include "data/minari.h"

/* ---- reading D4RL's layout ---- */

static Status read_array(const H5File *file, const char *path, const char *name, int64_t rows,
                         int cols, double **out)
{
    Status st = OK;
    const size_t n = (size_t)rows * (size_t)cols;

    TRY(d4rl_check(file, path, name, rows, cols));
    TRY(mem_alloc(out, n, sizeof **out, name));
    TRY(h5_read(file, name, SLAB_F64, *out, n));
done:
    return st;
}

/* An array of `infos`; its columns are whatever they are when *cols is 0. */
static Status read_info(const H5File *file, const char *path, const char *name, int64_t rows,
                        int *cols, double **out)
{
    Status st = OK;
    H5Shape shape = {0};

    if (!h5_has(file, name)) {
        return OK;
    }
    TRY(h5_shape(file, name, &shape));
    if (shape.dims[1] < 1 || shape.dims[1] > 10000) {
        return status_fail(ERR_FORMAT, "%s: '%s' has %lld columns; 1 to 10000 are allowed", path,
                           name, (long long)shape.dims[1]);
    }
    *cols = *cols == 0 ? (int)shape.dims[1] : *cols;
    TRY(read_array(file, path, name, rows, *cols, out));
done:
    return st;
}

static Status read_flags(const H5File *file, const char *name, Recording *rec, uint8_t **out)
{
    Status st = OK;
    float *x = NULL;
    const size_t n = (size_t)rec->rows;

    TRY(mem_alloc(out, n, 1, name));
    TRY(mem_alloc(&x, n, sizeof *x, name));
    TRY(h5_read(file, name, SLAB_F32, x, n));
    for (size_t i = 0; i < n; i++) {
        (*out)[i] = x[i] != 0.0F;
        rec->odd_flags += x[i] != 0.0F && x[i] != 1.0F;
    }
done:
    mem_free(&x);
    return st;
}

static Status read_metadata(const H5File *file, const char *path, Recording *rec)
{
    Status st = OK;
    double iteration = 0;

    if (h5_has(file, "metadata/algorithm")) {
        TRY(h5_read_text(file, "metadata/algorithm", rec->algorithm, sizeof rec->algorithm));
    }
    if (h5_has(file, "metadata/iteration")) {
        TRY(h5_read(file, "metadata/iteration", SLAB_F64, &iteration, 1));
        if (!(iteration >= 0 && iteration < 1e15)) {
            return status_fail(ERR_FORMAT, "%s: 'metadata/iteration' is %g; 0 to 1e15 are allowed",
                               path, iteration);
        }
        rec->iteration = (int64_t)iteration;
    }
done:
    return st;
}

static Status d4rl_read(Recording *rec, const H5File *file, const char *path)
{
    Status st = OK;
    D4rlShape shape = {0};
    int one = 1;
    int three = 3;

    TRY(d4rl_shape(file, path, &shape));
    const int64_t n = shape.rows;
    rec->rows = n;
    rec->state_dim = shape.state_dim;
    rec->act_dim = shape.act_dim;
    rec->wide = shape.wide;
    TRY(read_array(file, path, "observations", n, rec->state_dim, &rec->observations));
    TRY(read_array(file, path, "actions", n, rec->act_dim, &rec->actions));
    TRY(read_array(file, path, "rewards", n, 1, &rec->rewards));
    TRY(read_flags(file, "terminals", rec, &rec->terminals));
    if (shape.has_timeouts) {
        TRY(read_flags(file, "timeouts", rec, &rec->timeouts));
    }
    if (shape.has_next) {
        TRY(read_array(file, path, "next_observations", n, rec->state_dim,
                       &rec->next_observations));
    }
    TRY(read_info(file, path, "infos/action_log_probs", n, &one, &rec->log_probs));
    TRY(read_info(file, path, "infos/qpos", n, &rec->nq, &rec->qpos));
    TRY(read_info(file, path, "infos/qvel", n, &rec->nv, &rec->qvel));
    TRY(read_info(file, path, "infos/torso_xpos", n, &three, &rec->xpos));
    TRY(read_info(file, path, "infos/next_torso_xpos", n, &three, &rec->next_xpos));
    TRY(read_metadata(file, path, rec));
done:
    return st;
}

Status recording_refuse(const char *path)
{
    const size_t n = strlen(path);

    if (n > 4 && strcmp(path + n - 4, ".csv") == 0) {
        return status_fail(
            ERR_FORMAT, "%s: a table; make a dataset of it first: mopo data convert %s %.*s.hdf5",
            path, path, (int)n - 4, path);
    }
    return minari_refuse_arrow(path);
}

Status recording_read(Recording *rec, const char *path)
{
    Status st = OK;
    H5File *file = NULL;

    *rec = (Recording){.iteration = -1};
    TRY(recording_refuse(path));
    TRY(h5_open(&file, path));
    TRY(h5_has(file, "episode_0") ? minari_read(rec, file, path) : d4rl_read(rec, file, path));
    TRY(h5_sound(file));
done:
    h5_close(file);
    if (st != OK) {
        recording_release(rec);
    }
    return st;
}

void recording_release(Recording *rec)
{
    mem_free(&rec->observations);
    mem_free(&rec->actions);
    mem_free(&rec->rewards);
    mem_free(&rec->next_observations);
    mem_free(&rec->terminals);
    mem_free(&rec->timeouts);
    mem_free(&rec->log_probs);
    mem_free(&rec->qpos);
    mem_free(&rec->qvel);
    mem_free(&rec->xpos);
    mem_free(&rec->next_xpos);
    *rec = (Recording){0};
}

int64_t recording_episodes(const Recording *rec, int horizon, int64_t *starts)
{
    int64_t n = 0;

    for (int64_t i = 0; i < rec->rows; i++) {
        const bool first = i == 0 || rec->terminals[i - 1] != 0;
        const bool late = i > 0 && (rec->timeouts != NULL ? rec->timeouts[i - 1] != 0
                                                          : i - starts[n - 1] == horizon);
        if (first || late) {
            starts[n++] = i;
        }
    }
    starts[n] = rec->rows;
    return n;
}

/* ---- writing it ---- */

enum { ARRAYS_MAX = 12 }; /* and metadata/iteration */

/* What will be written. */
typedef struct {
    const Recording *rec;
    H5Item *items; /* (ARRAYS_MAX + those of the caller) owned */
    int n;
    float *narrow[4]; /* owned; columns that the file has in single precision */
    int narrowed;
} Output;

/* `cols` 0: one number per row. Arrays that are NULL are left out. */
static void add(Output *out, const char *name, SlabType type, const void *data, int cols)
{
    if (data != NULL) {
        H5Item *item = &out->items[out->n++];
        *item = (H5Item){.type = type,
                         .data = data,
                         .rank = cols > 0 ? 2 : 1,
                         .dims = {out->rec->rows, cols},
                         .compress = true};
        (void)snprintf(item->name, sizeof item->name, "%s", name);
    }
}

static void add_flags(Output *out, const char *name, const uint8_t *data)
{
    const int before = out->n;
    add(out, name, SLAB_F32, data, 0);
    if (out->n > before) {
        out->items[before].flags = true;
    }
}

/* As float64 in a wide file, else as float32. */
static Status add_numbers(Output *out, const char *name, bool wide, const double *data, int cols)
{
    Status st = OK;
    const size_t n = (size_t)out->rec->rows * (size_t)(cols > 0 ? cols : 1);
    float **x = &out->narrow[out->narrowed];

    if (wide || data == NULL) {
        add(out, name, SLAB_F64, data, cols);
        return OK;
    }
    TRY(mem_alloc(x, n, sizeof **x, name));
    out->narrowed++;
    for (size_t i = 0; i < n; i++) {
        (*x)[i] = (float)data[i];
    }
    add(out, name, SLAB_F32, *x, cols);
done:
    return st;
}

static Status add_all(Output *out)
{
    Status st = OK;
    const Recording *rec = out->rec;

    TRY(add_numbers(out, "observations", rec->wide, rec->observations, rec->state_dim));
    TRY(add_numbers(out, "actions", false, rec->actions, rec->act_dim));
    TRY(add_numbers(out, "rewards", rec->wide, rec->rewards, 0));
    TRY(add_numbers(out, "next_observations", rec->wide, rec->next_observations, rec->state_dim));
    add_flags(out, "terminals", rec->terminals);
    add_flags(out, "timeouts", rec->timeouts);
    add(out, "infos/qpos", SLAB_F64, rec->qpos, rec->nq);
    add(out, "infos/qvel", SLAB_F64, rec->qvel, rec->nv);
    add(out, "infos/action_log_probs", SLAB_F64, rec->log_probs, 0);
    add(out, "infos/torso_xpos", SLAB_F64, rec->xpos, 3);
    add(out, "infos/next_torso_xpos", SLAB_F64, rec->next_xpos, 3);
    if (rec->iteration >= 0) {
        out->items[out->n++] =
            (H5Item){.name = "metadata/iteration", .type = SLAB_I64, .data = &rec->iteration};
    }
done:
    return st;
}

Status recording_write(const char *path, const Recording *rec, const H5Item *items, int n,
                       const H5Text *texts, int m)
{
    Status st = OK;
    Output out = {.rec = rec};
    H5Text *all = NULL;
    const bool named = rec->algorithm[0] != '\0';

    if (rec->rows < 1) {
        return status_fail(ERR_ARG, "%s: no transition was recorded, nothing to write", path);
    }
    TRY(mem_alloc(&out.items, ARRAYS_MAX + (size_t)n, sizeof *out.items, "names of arrays"));
    TRY(mem_alloc(&all, 1 + (size_t)m, sizeof *all, "names of texts"));
    TRY(add_all(&out));
    for (int i = 0; i < n; i++) {
        out.items[out.n++] = items[i];
    }
    all[0] = (H5Text){.name = "metadata/algorithm", .text = rec->algorithm, .object = true};
    for (int i = 0; i < m; i++) {
        all[i + 1] = texts[i];
    }
    TRY(h5_write(path, out.items, out.n, named ? all : all + 1, m + (named ? 1 : 0)));
done:
    for (int i = 0; i < out.narrowed; i++) {
        mem_free(&out.narrow[i]);
    }
    mem_free(&out.items);
    mem_free(&all);
    return status_while(st, "writing dataset %s", path);
}
