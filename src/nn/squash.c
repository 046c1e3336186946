#include "nn/squash.h"

#include <stddef.h>
#include <string.h>

#include "base/vmath.h"

static float clip(const Squash *kind, float raw)
{
    const float x = raw < kind->low ? kind->low : raw;
    return x > kind->high ? kind->high : x;
}

/* Action dimensions of one row that are handled together; as in gauss.c, the terms of the sum are kept
 * apart so that the loop becomes vectors. */
enum { BLOCK = 64 };

static void sample_block(const Squash *kind, const float *restrict mean, const float *restrict raw,
                         const float *restrict eps, size_t n, float *restrict a,
                         float *restrict term)
{
    const float log_2 = 0.693147181F;
    const float half_log_2pi = 0.918938533F;

    for (size_t j = 0; j < n; j++) {
        const float log_std = clip(kind, raw[j]);
        const float u = mean[j] + vm_exp(log_std) * eps[j];
        a[j] = vm_tanh(u);
        term[j] = -0.5F * eps[j] * eps[j] - log_std - half_log_2pi -
                  2.0F * (log_2 - u - vm_softplus(-2.0F * u));
    }
}

static void linear_block(const Squash *kind, const float *restrict mean, const float *restrict raw,
                         const float *restrict eps, size_t n, float *restrict a,
                         float *restrict term)
{
    const float half_log_2pi = 0.918938533F;

    for (size_t j = 0; j < n; j++) {
        const float log_std = clip(kind, raw[j]);
        a[j] = mean[j] + vm_exp(log_std) * eps[j];
        term[j] = -0.5F * eps[j] * eps[j] - log_std - half_log_2pi;
    }
}

static void mean_row(const Squash *kind, const float *restrict mean, float *restrict a)
{
    const size_t A = (size_t)kind->A;
    if (kind->linear) {
        memcpy(a, mean, A * sizeof *a);
        return;
    }
    for (size_t j = 0; j < A; j++) {
        a[j] = vm_tanh(mean[j]);
    }
}

void squash_forward(const Squash *kind, const float *head, const float *eps, int rows, float *a,
                    int lda, float *logp)
{
    const size_t A = (size_t)kind->A;

    for (size_t i = 0; i < (size_t)rows; i++) {
        const float *mean = head + i * 2 * A;
        float *out = a + i * (size_t)lda;
        if (eps == NULL) {
            mean_row(kind, mean, out);
            continue;
        }
        float sum = 0.0F;
        for (size_t at = 0; at < A; at += BLOCK) {
            const size_t width = A - at < BLOCK ? A - at : BLOCK;
            float term[BLOCK];
            (kind->linear ? linear_block : sample_block)(kind, mean + at, mean + A + at,
                                                         eps + i * A + at, width, out + at, term);
            for (size_t k = 0; k < width; k++) {
                sum += term[k];
            }
        }
        if (logp != NULL) {
            logp[i] = sum;
        }
    }
}

void squash_backward(const Squash *kind, const float *head, const float *eps, const float *a,
                     int lda, int rows, float weight, const float *dq, float *dhead)
{
    const size_t A = (size_t)kind->A;

    for (size_t i = 0; i < (size_t)rows; i++) {
        const float *mean = head + i * 2 * A;
        float *out = dhead + i * 2 * A;
        for (size_t j = 0; j < A; j++) {
            const float raw = mean[A + j];
            const float spread = vm_exp(clip(kind, raw)) * eps[i * A + j];
            const float action = a[i * (size_t)lda + j];
            /* d/du of weight logp - q */
            const float du =
                kind->linear ? -dq[i * A + j]
                             : weight * 2.0F * action - dq[i * A + j] * (1.0F - action * action);
            const float inside = raw >= kind->low && raw <= kind->high ? 1.0F : 0.0F;
            out[j] = du;
            out[A + j] = inside * (du * spread - weight);
        }
    }
}
