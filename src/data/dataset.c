#include "data/dataset.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/slab.h"
#include "data/h5.h"

enum { DEFAULT_HORIZON = 1000 };
static const float action_slack = 1e-3F;

/* A file while it is read. Rows of the records are rows of the file until build() drops some. */
typedef struct {
    const char *path;
    H5File *file;
    int64_t rows;
    bool has_next, has_timeouts;
    uint8_t *terminal, *timeout; /* (rows) owned */
    DatasetOptions opt;          /* with `next` and `horizon` settled */
} Source;

/* ---- shapes ---- */

static Status check_present(const Source *src)
{
    static const char *const required[] = {"observations", "actions", "rewards", "terminals"};

    for (size_t i = 0; i < sizeof required / sizeof *required; i++) {
        if (!h5_has(src->file, required[i])) {
            return status_fail(ERR_FORMAT,
                               "%s: there is no '%s'; a dataset has observations, actions, rewards "
                               "and terminals, and may have timeouts and next_observations",
                               src->path, required[i]);
        }
    }
    return OK;
}

static Status check_shape(const Source *src, const char *name, int64_t rows, int64_t cols)
{
    Status st = OK;
    H5Shape shape = {0};

    TRY(h5_shape(src->file, name, &shape));
    if (shape.dims[0] != rows) {
        return status_fail(ERR_FORMAT,
                           "%s: '%s' has %lld rows, 'observations' has %lld; every "
                           "array needs one row per transition",
                           src->path, name, (long long)shape.dims[0], (long long)rows);
    }
    if (shape.dims[1] != cols || shape.dims[2] != 1) {
        return status_fail(ERR_FORMAT, "%s: '%s' has %lld x %lld columns, expected %lld", src->path,
                           name, (long long)shape.dims[1], (long long)shape.dims[2],
                           (long long)cols);
    }
done:
    return st;
}

static Status check_width(const Source *src, const char *name, int64_t got, int want)
{
    if (want != 0 && got != want) {
        return status_fail(ERR_CONFIG,
                           "%s: '%s' has %lld columns, the task has %d; choose the task that the "
                           "dataset was recorded with, or another dataset",
                           src->path, name, (long long)got, want);
    }
    return OK;
}

/* Rows and dimensions out of 'observations' and 'actions', everything else compared with them. */
static Status find_shape(Source *src, Record *rec)
{
    Status st = OK;
    H5Shape obs = {0};
    H5Shape act = {0};

    TRY(check_present(src));
    TRY(h5_shape(src->file, "observations", &obs));
    TRY(h5_shape(src->file, "actions", &act));
    src->rows = obs.dims[0];
    if (obs.rank < 1 || src->rows < 1 || src->rows > UINT32_MAX) {
        return status_fail(ERR_FORMAT,
                           "%s: 'observations' has %lld rows; 1 to 2^32 - 1 are allowed", src->path,
                           obs.rank < 1 ? 0LL : (long long)src->rows);
    }
    if (obs.dims[1] < 1 || obs.dims[1] > 10000 || act.dims[1] < 1 || act.dims[1] > 10000) {
        return status_fail(ERR_FORMAT, "%s: %lld state and %lld action columns; 1 to 10000 allowed",
                           src->path, (long long)obs.dims[1], (long long)act.dims[1]);
    }
    TRY(check_width(src, "observations", obs.dims[1], src->opt.state_dim));
    TRY(check_width(src, "actions", act.dims[1], src->opt.act_dim));
    TRY(check_shape(src, "observations", src->rows, obs.dims[1]));
    TRY(check_shape(src, "actions", src->rows, act.dims[1]));
    TRY(check_shape(src, "rewards", src->rows, 1));
    TRY(check_shape(src, "terminals", src->rows, 1));
    src->has_timeouts = h5_has(src->file, "timeouts");
    if (src->has_timeouts) {
        TRY(check_shape(src, "timeouts", src->rows, 1));
    }
    src->has_next = h5_has(src->file, "next_observations");
    if (src->has_next) {
        TRY(check_shape(src, "next_observations", src->rows, obs.dims[1]));
    }
    *rec = record_make((int)obs.dims[1], (int)act.dims[1]);
done:
    return st;
}

static Status settle_options(Source *src)
{
    if (src->opt.next == NEXT_STORED && !src->has_next) {
        return status_fail(
            ERR_CONFIG,
            "%s: there are no 'next_observations', which data.next: stored asks for; "
            "use auto, joined or d4rl",
            src->path);
    }
    if (src->opt.next == NEXT_AUTO) {
        src->opt.next = src->has_next ? NEXT_STORED : NEXT_JOINED;
    }
    if (src->opt.horizon == 0) {
        src->opt.horizon = DEFAULT_HORIZON;
    }
    return OK;
}

/* ---- contents ---- */

static Status read_flags(const Source *src, const char *name, uint8_t **flags)
{
    Status st = OK;
    float *x = NULL;

    TRY(mem_alloc(flags, (size_t)src->rows, 1, name));
    TRY(mem_alloc(&x, (size_t)src->rows, sizeof *x, name));
    TRY(h5_read(src->file, name, SLAB_F32, x, (size_t)src->rows));
    for (int64_t i = 0; i < src->rows; i++) {
        if (x[i] != 0.0F && x[i] != 1.0F) {
            st = status_fail(ERR_FORMAT, "%s: '%s' row %lld is %g; 0 and 1 are allowed", src->path,
                             name, (long long)i, (double)x[i]);
            goto done;
        }
        (*flags)[i] = x[i] == 1.0F;
    }
done:
    mem_free(&x);
    return st;
}

/* Columns at `offset` of every record out of one array of the file. */
static Status read_field(const Source *src, const char *name, Dataset *set, size_t offset, int cols)
{
    Status st = OK;
    const size_t stride = set->rec.stride;

    TRY(h5_read_rows(src->file, name, src->rows, cols, set->records + offset, stride));
    for (int64_t i = 0; i < src->rows; i++) {
        const float *x = set->records + (size_t)i * stride + offset;
        for (int j = 0; j < cols; j++) {
            if (!isfinite(x[j])) {
                return status_fail(ERR_FORMAT,
                                   "%s: '%s' row %lld column %d is %g; numbers must be finite in "
                                   "single precision",
                                   src->path, name, (long long)i, j, (double)x[j]);
            }
        }
    }
done:
    return st;
}

static Status clip_actions(const Source *src, Dataset *set)
{
    for (int64_t i = 0; i < src->rows; i++) {
        float *a = set->records + (size_t)i * set->rec.stride + set->rec.a;
        for (int j = 0; j < set->rec.A; j++) {
            if (fabsf(a[j]) > 1.0F + action_slack) {
                return status_fail(
                    ERR_FORMAT,
                    "%s: 'actions' row %lld column %d is %g; actions lie in [-1, 1]: "
                    "scale or clip them in the file",
                    src->path, (long long)i, j, (double)a[j]);
            }
            a[j] = fminf(1.0F, fmaxf(-1.0F, a[j]));
        }
    }
    return OK;
}

/* Without 'timeouts' an episode is cut after `horizon` steps. d4rl counts one step too many after
 * a terminal row (its counter is set to 0 and then advanced); NEXT_D4RL follows. */
static void count_timeouts(Source *src)
{
    const int after_terminal = src->opt.next == NEXT_D4RL ? 1 : 0;
    int step = 0;

    for (int64_t i = 0; i < src->rows; i++) {
        src->timeout[i] = step == src->opt.horizon - 1;
        step = src->timeout[i] != 0 ? 0 : src->terminal[i] != 0 ? after_terminal : step + 1;
    }
}

static Status read_contents(Source *src, Dataset *set)
{
    Status st = OK;
    const Record *rec = &set->rec;

    TRY(mem_alloc(&set->records, (size_t)src->rows, rec->stride * sizeof(float), "a dataset"));
    TRY(read_field(src, "observations", set, 0, rec->S));
    TRY(read_field(src, "actions", set, rec->a, rec->A));
    TRY(read_field(src, "rewards", set, rec->r, 1));
    if (src->opt.next == NEXT_STORED) {
        TRY(read_field(src, "next_observations", set, rec->s2, rec->S));
    }
    TRY(clip_actions(src, set));
    TRY(read_flags(src, "terminals", &src->terminal));
    if (src->has_timeouts) {
        TRY(read_flags(src, "timeouts", &src->timeout));
    } else {
        TRY(mem_alloc(&src->timeout, (size_t)src->rows, 1, "timeouts"));
        count_timeouts(src);
    }
done:
    return st;
}

/* ---- statistics and transitions ---- */

static void add_episode(Dataset *set, double sum)
{
    const double n = (double)set->episodes;
    set->return_min = set->episodes == 0 ? sum : fmin(set->return_min, sum);
    set->return_max = set->episodes == 0 ? sum : fmax(set->return_max, sum);
    set->return_mean += (sum - set->return_mean) / (n + 1);
    set->episodes++;
}

static void measure(const Source *src, Dataset *set)
{
    double sum = 0;

    set->file_rows = src->rows;
    for (int64_t i = 0; i < src->rows; i++) {
        const double r = (double)set->records[(size_t)i * set->rec.stride + set->rec.r];
        set->reward_min = i == 0 ? r : fmin(set->reward_min, r);
        set->reward_max = i == 0 ? r : fmax(set->reward_max, r);
        set->terminals += src->terminal[i];
        set->timeouts += src->timeout[i];
        sum += r;
        if (src->terminal[i] != 0 || src->timeout[i] != 0) {
            add_episode(set, sum);
            sum = 0;
        }
    }
}

static bool is_kept(const Source *src, int64_t i)
{
    if (src->opt.next == NEXT_STORED) {
        return true;
    }
    const bool joins = src->timeout[i] == 0 && i + 1 < src->rows;
    return joins && (src->opt.next == NEXT_D4RL || src->terminal[i] == 0);
}

/* Fill s' and cont and close the gaps. A row only moves towards the front, so its successor in the
 * file is still in place when it is needed. */
static Status build(const Source *src, Dataset *set)
{
    const Record *rec = &set->rec;

    for (int64_t i = 0; i < src->rows; i++) {
        if (!is_kept(src, i)) {
            continue;
        }
        const float *from = set->records + (size_t)i * rec->stride;
        float *to = set->records + (size_t)set->rows * rec->stride;
        memmove(to, from, rec->stride * sizeof *to);
        if (src->opt.next != NEXT_STORED) {
            memcpy(to + rec->s2, from + rec->stride, (size_t)rec->S * sizeof *to);
        }
        to[rec->cont] = src->terminal[i] != 0 ? 0.0F : 1.0F;
        set->rows++;
    }
    if (set->rows == 0) {
        return status_fail(ERR_FORMAT, "%s: none of the %lld rows has a known next state",
                           src->path, (long long)src->rows);
    }
    return OK;
}

/* Keep the last max_rows, in a block of their size. */
static Status cut(const Source *src, Dataset *set)
{
    Status st = OK;
    float *fewer = NULL;
    const int64_t most = src->opt.max_rows;

    if (most <= 0 || set->rows <= most) {
        return OK;
    }
    const size_t stride = set->rec.stride;
    TRY(mem_alloc(&fewer, (size_t)most, stride * sizeof *fewer, "a dataset"));
    memcpy(fewer, set->records + (size_t)(set->rows - most) * stride,
           (size_t)most * stride * sizeof *fewer);
    mem_free(&set->records);
    set->records = fewer;
    set->rows = most;
done:
    return st;
}

static void describe(const Source *src, Dataset *set)
{
    static const char *const rules[] = {
        [NEXT_AUTO] = "",
        [NEXT_STORED] = "s' from next_observations",
        [NEXT_JOINED] = "s' is the next row; terminal, timed-out and last rows dropped",
        [NEXT_D4RL] =
            "as d4rl: s' is the next row, also after terminal ones; timed-out rows dropped",
    };
    const int used = snprintf(set->rule, sizeof set->rule, "%s", rules[src->opt.next]);
    if (!src->has_timeouts && used > 0) {
        (void)snprintf(set->rule + used, sizeof set->rule - (size_t)used,
                       "; no timeouts in the file: episodes cut after %d steps", src->opt.horizon);
    }
    int64_t head[3] = {set->rec.S, set->rec.A, set->rows};
    const Slab slabs[] = {
        slab_i64("shape", head, 3),
        slab_f32("records", set->records, (size_t)set->rows * set->rec.stride),
    };
    slab_digest(slabs, 2, set->digest);
}

Status dataset_read(Dataset *set, const char *path, const DatasetOptions *options)
{
    Status st = OK;
    Source src = {.path = path, .opt = *options};

    *set = (Dataset){0};
    TRY(h5_open(&src.file, path));
    TRY(find_shape(&src, &set->rec));
    TRY(settle_options(&src));
    TRY(read_contents(&src, set));
    measure(&src, set);
    TRY(build(&src, set));
    TRY(cut(&src, set));
    describe(&src, set);
done:
    h5_close(src.file);
    mem_free(&src.terminal);
    mem_free(&src.timeout);
    if (st != OK) {
        dataset_release(set);
    }
    return st;
}

void dataset_release(Dataset *set)
{
    if (!set->borrowed) {
        mem_free(&set->records);
    }
    *set = (Dataset){0};
}
