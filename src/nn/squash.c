#include "nn/squash.h"

#include <stddef.h>

#include "base/vmath.h"

static float clip(const Squash *kind, float raw)
{
    const float x = raw < kind->low ? kind->low : raw;
    return x > kind->high ? kind->high : x;
}

void squash_forward(const Squash *head_kind, const float *head, const float *eps, int rows,
                    float *a, int lda, float *logp)
{
    const float log_2 = 0.693147181F;
    const float half_log_2pi = 0.918938533F;
    const size_t A = (size_t)head_kind->A;

    for (size_t i = 0; i < (size_t)rows; i++) {
        const float *mean = head + i * 2 * A;
        float *out = a + i * (size_t)lda;
        float sum = 0.0F;
        for (size_t j = 0; j < A; j++) {
            if (eps == NULL) {
                out[j] = vm_tanh(mean[j]);
                continue;
            }
            const float e = eps[i * A + j];
            const float log_std = clip(head_kind, mean[A + j]);
            const float u = mean[j] + vm_exp(log_std) * e;
            out[j] = vm_tanh(u);
            sum += -0.5F * e * e - log_std - half_log_2pi -
                   2.0F * (log_2 - u - vm_softplus(-2.0F * u));
        }
        if (eps != NULL) {
            logp[i] = sum;
        }
    }
}

void squash_backward(const Squash *head_kind, const float *head, const float *eps, const float *a,
                     int lda, int rows, float weight, const float *dq, float *dhead)
{
    const size_t A = (size_t)head_kind->A;

    for (size_t i = 0; i < (size_t)rows; i++) {
        const float *mean = head + i * 2 * A;
        float *out = dhead + i * 2 * A;
        for (size_t j = 0; j < A; j++) {
            const float raw = mean[A + j];
            const float spread = vm_exp(clip(head_kind, raw)) * eps[i * A + j];
            const float action = a[i * (size_t)lda + j];
            /* d/du of weight logp - q */
            const float du = weight * 2.0F * action - dq[i * A + j] * (1.0F - action * action);
            const float inside = raw >= head_kind->low && raw <= head_kind->high ? 1.0F : 0.0F;
            out[j] = du;
            out[A + j] = inside * (du * spread - weight);
        }
    }
}
