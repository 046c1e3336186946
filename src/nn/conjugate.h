/* Conjugate gradients (Hestenes and Stiefel 1952) for M x = b with a symmetric positive definite M that is
 * known only by its products.
 */
#ifndef NN_CONJUGATE_H
#define NN_CONJUGATE_H

#include <stddef.h>

#include "base/arena.h"
#include "base/status.h"

/* out = M v, both (n). */
typedef Status (*Product)(void *ctx, const float *v, float *out);

/* x (n) from 0, after so many products, or fewer where the residual |b - M x| has come below 1e-5 |b|.
 * Scalar products are added in double, in a fixed order: from equal products come equal bits. Scratch:
 * conjugate_cost bytes. Errors: those of the product. */
NODISCARD Status conjugate_gradients(Product product, void *ctx, const float *b, size_t n,
                                     int iterations, Arena *tmp, float *x);
size_t conjugate_cost(size_t n);

#endif
