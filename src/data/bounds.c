#include "data/bounds.h"

#include <math.h>
#include <stdio.h>

#include "base/mem.h"

static const float slack = 1e-3F;

/* Smallest and largest value of each column. */
static Status measure(ActionBounds *bounds, Source *src)
{
    enum { BLOCK = 4096 };
    Status st = OK;
    const int A = src->act_dim;
    float *x = NULL;

    TRY(mem_alloc(&x, (size_t)BLOCK * (size_t)A, sizeof *x, "a block of actions"));
    for (int64_t first = 0; first < src->rows; first += BLOCK) {
        const int64_t n = src->rows - first < BLOCK ? src->rows - first : BLOCK;
        TRY(source_read(src, FIELD_ACTION, first, n, x));
        TRY(source_check_finite(src, FIELD_ACTION, first, n, x));
        for (int64_t i = 0; i < n * A; i++) {
            const int64_t j = i % A;
            const bool unseen = first == 0 && i < A;
            bounds->low[j] = unseen || x[i] < bounds->low[j] ? x[i] : bounds->low[j];
            bounds->high[j] = unseen || x[i] > bounds->high[j] ? x[i] : bounds->high[j];
        }
    }
    for (int j = 0; j < A; j++) {
        if (bounds->low[j] == bounds->high[j]) {
            st = status_fail(ERR_FORMAT,
                             "%s: 'actions' column %d is %g in every row, which tells no range; "
                             "give the bounds of the actions",
                             src->path, j, (double)bounds->low[j]);
            goto done;
        }
    }
done:
    mem_free(&x);
    return st;
}

static Status check(const ActionBounds *bounds, const Source *src)
{
    for (int j = 0; j < bounds->n; j++) {
        const float low = bounds->low[j];
        const float high = bounds->high[j];
        if (!isfinite(low) || !isfinite(high) || low >= high) {
            return status_fail(ERR_CONFIG,
                               "%s: bounds of action %d are %g and %g; the first must be below "
                               "the second",
                               src->path, j, (double)low, (double)high);
        }
    }
    return OK;
}

Status bounds_resolve(ActionBounds *bounds, Source *src)
{
    Status st = OK;
    const int A = src->act_dim;

    if (bounds->n == 0) {
        return OK;
    }
    if (A > BOUNDS_MAX) {
        return status_fail(ERR_CONFIG, "%s: bounds are for at most %d actions; the file has %d",
                           src->path, (int)BOUNDS_MAX, A);
    }
    if (bounds->n == -1) {
        TRY(measure(bounds, src));
        bounds->n = A;
    }
    if (bounds->n != 1 && bounds->n != A) {
        return status_fail(ERR_CONFIG, "%s: bounds for %d actions; the file has %d: give one or %d",
                           src->path, bounds->n, A, A);
    }
    TRY(check(bounds, src));
    for (int j = bounds->n; j < A; j++) {
        bounds->low[j] = bounds->low[0];
        bounds->high[j] = bounds->high[0];
    }
    bounds->n = A;
done:
    return st;
}

static Status outside(const Source *src, int64_t row, int j, float x, const ActionBounds *bounds)
{
    if (bounds->n == 0) {
        return status_fail(ERR_FORMAT,
                           "%s: 'actions' row %lld column %d is %g; actions lie in [-1, 1]: clip "
                           "them in the file, or say their limits as data.action_low and "
                           "data.action_high",
                           src->path, (long long)row, j, (double)x);
    }
    return status_fail(ERR_FORMAT,
                       "%s: 'actions' row %lld column %d is %g; its bounds are %g and %g: give "
                       "those of the task that the file was recorded with",
                       src->path, (long long)row, j, (double)x, (double)bounds->low[j],
                       (double)bounds->high[j]);
}

/* Exactly x for bounds -1 and 1. */
static float map(float x, float low, float high)
{
    const double sum = (double)low + (double)high;
    return (float)((2 * (double)x - sum) / ((double)high - (double)low));
}

static bool all_inside(const float *x, int64_t n)
{
    unsigned over = 0;
    for (int64_t i = 0; i < n; i++) { /* without a way out: many at once */
        over |= fabsf(x[i]) > 1.0F ? 1U : 0U;
    }
    return over == 0;
}

Status bounds_apply(const ActionBounds *bounds, const Source *src, int64_t first, int64_t count,
                    float *x)
{
    const int A = src->act_dim;

    if (bounds->n == 0 && all_inside(x, count * A)) {
        return OK;
    }
    for (int64_t i = 0; i < count * A; i++) {
        const int j = (int)(i % A);
        const float y = bounds->n == 0 ? x[i] : map(x[i], bounds->low[j], bounds->high[j]);
        if (fabsf(y) > 1.0F + slack) {
            return outside(src, first + i / A, j, x[i], bounds);
        }
        x[i] = y > 1.0F ? 1.0F : y < -1.0F ? -1.0F : y;
    }
    return OK;
}

void bounds_describe(const ActionBounds *bounds, char *text, size_t size)
{
    bool same = true;

    for (int j = 1; j < bounds->n; j++) {
        same = same && bounds->low[j] == bounds->low[0] && bounds->high[j] == bounds->high[0];
    }
    text[0] = '\0';
    if (bounds->n > 0 && same) {
        (void)snprintf(text, size, "; actions mapped from [%g, %g] to [-1, 1]",
                       (double)bounds->low[0], (double)bounds->high[0]);
    } else if (bounds->n > 0) {
        (void)snprintf(text, size, "; actions mapped from a range per column to [-1, 1]");
    }
}
