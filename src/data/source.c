#include "data/source.h"

#include <float.h>
#include <math.h>

#include "base/mem.h"
#include "data/d4rl.h"

const char *source_name(Field field)
{
    static const char *const names[FIELDS] = {[FIELD_STATE] = "observations",
                                              [FIELD_ACTION] = "actions",
                                              [FIELD_REWARD] = "rewards",
                                              [FIELD_NEXT] = "next_observations"};
    return names[field];
}

int source_width(const Source *src, Field field)
{
    return field == FIELD_REWARD ? 1 : field == FIELD_ACTION ? src->act_dim : src->state_dim;
}

/* The first number that is no flag, or n. */
static int64_t take_flags(const float *x, int64_t n, uint8_t *flags)
{
    unsigned bad = 0;
    int64_t i = 0;

    for (int64_t k = 0; k < n; k++) { /* without a way out: many at once */
        bad |= x[k] == 0.0F || x[k] == 1.0F ? 0U : 1U;
        flags[k] = x[k] == 1.0F;
    }
    if (bad == 0) {
        return n;
    }
    while (x[i] == 0.0F || x[i] == 1.0F) {
        i++;
    }
    return i;
}

static Status read_flags(const Source *src, const char *name, uint8_t *flags)
{
    enum { BLOCK = 1 << 17 }; /* HDF5 clears a megabyte whenever it converts */
    Status st = OK;
    H5Array *array = NULL;
    float *x = NULL;

    TRY(mem_alloc(&x, BLOCK, sizeof *x, name));
    TRY(h5_array_open(&array, src->file, name, SLAB_F32));
    for (int64_t first = 0; first < src->rows; first += BLOCK) {
        const int64_t n = src->rows - first < BLOCK ? src->rows - first : BLOCK;
        TRY(h5_array_read(array, first, n, x, (size_t)n));
        const int64_t bad = take_flags(x, n, flags + first);
        const int64_t row = first + bad;
        if (bad < n) {
            st = status_fail(ERR_FORMAT, "%s: '%s' row %lld is %g; 0 and 1 are allowed", src->path,
                             name, (long long)row, (double)x[bad]);
            goto done;
        }
    }
done:
    mem_free(&x);
    h5_array_close(&array);
    return st;
}

static Status open_d4rl(Source *src)
{
    Status st = OK;
    D4rlShape shape = {0};

    TRY(d4rl_shape(src->file, src->path, &shape));
    src->rows = shape.rows;
    src->state_dim = shape.state_dim;
    src->act_dim = shape.act_dim;
    src->has_next = shape.has_next;
    src->has_timeouts = shape.has_timeouts;
    TRY(mem_alloc(&src->terminal, (size_t)src->rows, 1, "terminals"));
    TRY(mem_alloc(&src->timeout, (size_t)src->rows, 1, "timeouts"));
    TRY(read_flags(src, "terminals", src->terminal));
    if (src->has_timeouts) {
        TRY(read_flags(src, "timeouts", src->timeout));
    }
    for (int f = 0; f < FIELDS; f++) {
        if (f != FIELD_NEXT || src->has_next) {
            TRY(h5_array_open(&src->array[f], src->file, source_name((Field)f), SLAB_F32));
        }
    }
done:
    return st;
}

static Status open_minari(Source *src)
{
    Status st = OK;
    Recording *rec = &src->rec;

    TRY(recording_read(rec, src->path));
    if (rec->odd_flags > 0) {
        return status_fail(ERR_FORMAT,
                           "%s: %lld flags of terminations or truncations are neither 0 nor 1",
                           src->path, (long long)rec->odd_flags);
    }
    src->rows = rec->rows;
    src->state_dim = rec->state_dim;
    src->act_dim = rec->act_dim;
    src->has_next = rec->next_observations != NULL;
    src->has_timeouts = rec->timeouts != NULL;
    src->terminal = rec->terminals;
    rec->terminals = NULL;
    src->timeout = rec->timeouts;
    rec->timeouts = NULL;
    if (src->timeout == NULL) {
        TRY(mem_alloc(&src->timeout, (size_t)src->rows, 1, "timeouts"));
    }
done:
    return st;
}

Status source_open(Source *src, const char *path)
{
    Status st = OK;

    *src = (Source){.path = path};
    TRY(recording_refuse(path));
    TRY(h5_open(&src->file, path));
    TRY(h5_has(src->file, "episode_0") ? open_minari(src) : open_d4rl(src));
done:
    return st;
}

void source_close(Source *src)
{
    for (int f = 0; f < FIELDS; f++) {
        h5_array_close(&src->array[f]);
    }
    h5_close(src->file);
    recording_release(&src->rec);
    mem_free(&src->terminal);
    mem_free(&src->timeout);
    *src = (Source){0};
}

Status source_read(Source *src, Field field, int64_t first, int64_t count, float *out)
{
    const double *const column[FIELDS] = {[FIELD_STATE] = src->rec.observations,
                                          [FIELD_ACTION] = src->rec.actions,
                                          [FIELD_REWARD] = src->rec.rewards,
                                          [FIELD_NEXT] = src->rec.next_observations};
    const size_t width = (size_t)source_width(src, field);
    const size_t n = (size_t)count * width;

    if (src->array[field] != NULL) {
        return h5_array_read(src->array[field], first, count, out, n);
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = (float)column[field][(size_t)first * width + i];
    }
    return OK;
}

/* Without a way out in the middle, so that the compiler takes many at once. */
static bool all_finite(const float *x, size_t n)
{
    unsigned bad = 0;
    for (size_t i = 0; i < n; i++) {
        bad |= fabsf(x[i]) <= FLT_MAX ? 0U : 1U;
    }
    return bad == 0;
}

Status source_check_finite(const Source *src, Field field, int64_t first, int64_t count,
                           const float *x)
{
    const int width = source_width(src, field);

    if (all_finite(x, (size_t)count * (size_t)width)) {
        return OK;
    }
    for (int64_t i = 0; i < count; i++) {
        for (int j = 0; j < width; j++) {
            const float bad = x[(size_t)i * (size_t)width + (size_t)j];
            const int64_t row = first + i;
            if (!isfinite(bad)) {
                return status_fail(ERR_FORMAT,
                                   "%s: '%s' row %lld column %d is %g; numbers must be finite in "
                                   "single precision",
                                   src->path, source_name(field), (long long)row, j, (double)bad);
            }
        }
    }
    return OK;
}
