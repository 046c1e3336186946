#include "data/normalizer.h"

#include <math.h>

Status normalizer_init(Normalizer *norm, int dim)
{
    *norm = (Normalizer){0};
    if (dim < 1 || dim > NORMALIZER_MAX) {
        return status_fail(ERR_ARG, "%d columns cannot be normalized; 1 to %d are allowed", dim,
                           (int)NORMALIZER_MAX);
    }
    norm->dim = dim;
    for (int j = 0; j < dim; j++) {
        norm->std[j] = 1;
        norm->inv_std[j] = 1;
    }
    return OK;
}

static const float *row_at(const float *rows, size_t stride, const int64_t *index, int64_t i)
{
    return rows + (size_t)(index != NULL ? index[i] : i) * stride;
}

/* Two passes: the textbook's one-pass form cancels where the mean is large. */
static void moments(const float *rows, size_t stride, const int64_t *index, int64_t n, int first,
                    int dim, double *mean, double *var)
{
    for (int64_t i = 0; i < n; i++) {
        const float *x = row_at(rows, stride, index, i) + first;
        for (int j = 0; j < dim; j++) {
            mean[j] += (double)x[j];
        }
    }
    for (int j = 0; j < dim; j++) {
        mean[j] /= (double)n;
    }
    for (int64_t i = 0; i < n; i++) {
        const float *x = row_at(rows, stride, index, i) + first;
        for (int j = 0; j < dim; j++) {
            const double d = (double)x[j] - mean[j];
            var[j] += d * d;
        }
    }
    for (int j = 0; j < dim; j++) {
        var[j] /= (double)n;
    }
}

Status normalizer_fit(Normalizer *norm, const float *rows, size_t stride, const int64_t *index,
                      int64_t n, int first, int dim)
{
    Status st = OK;
    double mean[NORMALIZER_MAX] = {0};
    double var[NORMALIZER_MAX] = {0};

    TRY(normalizer_init(norm, dim));
    if (n < 1) {
        return status_fail(ERR_ARG, "a mean needs at least one row, got %lld", (long long)n);
    }
    moments(rows, stride, index, n, first, dim, mean, var);
    for (int j = 0; j < dim; j++) {
        const double std = sqrt(var[j]);
        if (!isfinite(mean[j]) || !isfinite(std)) {
            return status_fail(ERR_NUMERIC, "input column %d has mean %g and deviation %g", j,
                               mean[j], std);
        }
        const double unit = std < 1e-12 ? 1.0 : std;
        norm->mean[j] = (float)mean[j];
        norm->std[j] = (float)unit;
        norm->inv_std[j] = (float)(1 / unit);
    }
done:
    return st;
}

void normalizer_apply(const Normalizer *norm, const float *x, int rows, int ldx, float *out)
{
    const int dim = norm->dim;
    for (int b = 0; b < rows; b++) {
        const float *from = x + (size_t)b * (size_t)ldx;
        float *to = out + (size_t)b * (size_t)dim;
        for (int j = 0; j < dim; j++) {
            to[j] = (from[j] - norm->mean[j]) * norm->inv_std[j];
        }
    }
}
