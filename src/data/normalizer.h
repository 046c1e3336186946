/* Mean and standard deviation of input columns, and the map x -> (x - mean) / std.
 *   std = sqrt(mean (x - mean)^2), the population form; a column with std < 1e-12 gets 1.
 * Source: tianheyu927/mopo, models/utils.py (TensorStandardScaler.fit). Plain value, owns nothing.
 */
#ifndef DATA_NORMALIZER_H
#define DATA_NORMALIZER_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { NORMALIZER_MAX = 256 }; /* columns at most */

typedef struct {
    int dim;
    float mean[NORMALIZER_MAX], std[NORMALIZER_MAX], inv_std[NORMALIZER_MAX];
} Normalizer;

/* mean 0, std 1: changes nothing. Error: ERR_ARG when dim is not in 1 .. NORMALIZER_MAX. */
NODISCARD Status normalizer_init(Normalizer *norm, int dim);
/* Fit over n rows, row i at rows + index[i] * stride (index NULL: all of 0 .. n - 1), columns
 * first .. first + dim - 1; sums in double. Errors: ERR_ARG (dim, n < 1), ERR_NUMERIC (a column's
 * mean or std is not finite). */
NODISCARD Status normalizer_fit(Normalizer *norm, const float *rows, size_t stride,
                                const int64_t *index, int64_t n, int first, int dim);
/* x: `rows` rows of at least dim floats, ldx apart; out: (rows, dim), may be x if ldx is dim. */
void normalizer_apply(const Normalizer *norm, const float *x, int rows, int ldx, float *out);

#endif
