#include "nn/vec.h"

#include <math.h>

void vec_polyak(float *restrict target, const float *restrict x, size_t n, float tau)
{
    for (size_t i = 0; i < n; i++) {
        target[i] += tau * (x[i] - target[i]);
    }
}

void vec_axpy(float *restrict y, float a, const float *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        y[i] += a * x[i];
    }
}

bool vec_finite(const float *x, size_t n)
{
    /* x * 0 is 0 for finite x and NaN otherwise: one vector loop without branches */
    float any = 0.0F;
    float lanes[16] = {0};
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        for (size_t j = 0; j < 16; j++) {
            lanes[j] += x[i + j] * 0.0F;
        }
    }
    for (; i < n; i++) {
        any += x[i] * 0.0F;
    }
    for (size_t j = 0; j < 16; j++) {
        any += lanes[j];
    }
    return isfinite(any);
}

double vec_dot(const float *x, const float *y, size_t n)
{
    /* sixteen sums in a fixed order: vectors, and the same bits from every compiler */
    double lanes[16] = {0};
    double sum = 0;
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        for (size_t j = 0; j < 16; j++) {
            lanes[j] += (double)x[i + j] * (double)y[i + j];
        }
    }
    for (; i < n; i++) {
        sum += (double)x[i] * (double)y[i];
    }
    for (size_t j = 0; j < 16; j++) {
        sum += lanes[j];
    }
    return sum;
}

double vec_decay(float *restrict g, float decay, const float *restrict p, size_t n)
{
    double lanes[16] = {0}; /* as in vec_dot */
    double sum = 0;
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        for (size_t j = 0; j < 16; j++) {
            g[i + j] += decay * p[i + j];
            lanes[j] += (double)p[i + j] * (double)p[i + j];
        }
    }
    for (; i < n; i++) {
        g[i] += decay * p[i];
        sum += (double)p[i] * (double)p[i];
    }
    for (size_t j = 0; j < 16; j++) {
        sum += lanes[j];
    }
    return sum;
}
