/* Inside model/ only: what the penalties share. */
#ifndef MODEL_PENALTY_MATH_H
#define MODEL_PENALTY_MATH_H

#include <math.h>
#include <stddef.h>

#include "model/ensemble.h"
#include "model/penalty.h"

enum { PENALTY_OUTS_MAX = ENSEMBLE_DIM_MAX + 1 };

/* The larger one; once it is NaN it stays NaN. */
static inline float penalty_larger(float so_far, float x)
{
    return x > so_far || isnan(x) ? x : so_far;
}

/* |x - base - off|^2 over n numbers, off NULL: 0; in a fixed order that vectors can follow. */
static inline float penalty_distance2(const float *x, const float *base, const float *off, size_t n)
{
    enum { LANES = 8 };
    float lane[LANES] = {0};
    size_t j = 0;

    for (; j + LANES <= n; j += LANES) {
        for (size_t k = 0; k < LANES; k++) {
            const float d = x[j + k] - base[j + k] - (off != NULL ? off[j + k] : 0);
            lane[k] += d * d;
        }
    }
    for (size_t k = 0; j < n; j++, k++) {
        const float d = x[j] - base[j] - (off != NULL ? off[j] : 0);
        lane[k] += d * d;
    }
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) +
           ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

/* The mean of the members' rows x (E, stride), but for number `skip` (-1: none) where others are left, is
 * base + off (n): off is set, base returned. In two parts, because what counts are distances from it:
 * equal members have none, and a small one keeps its digits beside large means. */
static inline const float *penalty_center(const float *x, int members, int skip, size_t stride,
                                          size_t n, float *off)
{
    const float *base = x + (skip == 0 ? stride : 0);
    const float share = 1.0F / (float)(skip < 0 ? members : members - 1);

    for (size_t j = 0; j < n; j++) {
        off[j] = 0;
    }
    for (int i = 0; i < members; i++) {
        const float *row = x + (size_t)i * stride;
        for (size_t j = 0; i != skip && j < n; j++) {
            off[j] += row[j] - base[j];
        }
    }
    for (size_t j = 0; j < n; j++) {
        off[j] *= share;
    }
    return base;
}

#endif
