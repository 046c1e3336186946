/* Small operations on flat vectors. */
#ifndef NN_VEC_H
#define NN_VEC_H

#include <stdbool.h>
#include <stddef.h>

/* target = tau x + (1 - tau) target */
void vec_polyak(float *target, const float *x, size_t n, float tau);
/* y += a x */
void vec_axpy(float *y, float a, const float *x, size_t n);
/* No NaN and no infinity among n floats. */
bool vec_finite(const float *x, size_t n);
/* Weight decay: g += decay p; returns |p|^2. */
double vec_decay(float *g, float decay, const float *p, size_t n);
double vec_dot(const float *x, const float *y, size_t n);

#endif
