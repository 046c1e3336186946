#include "nn/squash.h"

#include <stddef.h>
#include <string.h>

#include "base/vmath.h"

/* Dimensions of one row that are handled together; as in gauss.c, the terms of the sum are kept apart so
 * that the loop becomes vectors. */
enum { BLOCK = 64 };

static const float log_2 = 0.693147181F;
static const float half_log_2pi = 0.918938533F;

static size_t block_width(size_t left)
{
    return left < BLOCK ? left : BLOCK;
}

static float clip(const Squash *kind, float raw)
{
    const float x = raw < kind->low ? kind->low : raw;
    return x > kind->high ? kind->high : x;
}

/* log std of n raw outputs, and where `slope` is not NULL its derivative by them. */
static void log_std_block(const Squash *kind, const float *restrict raw, size_t n,
                          float *restrict log_std, float *restrict slope)
{
    const float half = 0.5F * (kind->high - kind->low);

    for (size_t j = 0; kind->smooth && j < n; j++) {
        const float t = vm_tanh(raw[j]);
        log_std[j] = kind->low + half * (t + 1.0F);
        if (slope != NULL) {
            slope[j] = half * (1.0F - t * t);
        }
    }
    for (size_t j = 0; !kind->smooth && j < n; j++) {
        log_std[j] = clip(kind, raw[j]);
        if (slope != NULL) {
            slope[j] = raw[j] >= kind->low && raw[j] <= kind->high ? 1.0F : 0.0F;
        }
    }
}

static void sample_block(const float *restrict mean, const float *restrict log_std,
                         const float *restrict eps, size_t n, float *restrict u, float *restrict a,
                         float *restrict term)
{
    for (size_t j = 0; j < n; j++) {
        u[j] = mean[j] + vm_exp(log_std[j]) * eps[j];
        a[j] = vm_tanh(u[j]);
        term[j] = -0.5F * eps[j] * eps[j] - log_std[j] - half_log_2pi -
                  2.0F * (log_2 - u[j] - vm_softplus(-2.0F * u[j]));
    }
}

static void linear_block(const float *restrict mean, const float *restrict log_std,
                         const float *restrict eps, size_t n, float *restrict u, float *restrict a,
                         float *restrict term)
{
    for (size_t j = 0; j < n; j++) {
        u[j] = mean[j] + vm_exp(log_std[j]) * eps[j];
        a[j] = u[j];
        term[j] = -0.5F * eps[j] * eps[j] - log_std[j] - half_log_2pi;
    }
}

/* One sample of one head: u (NULL: not wanted), a (A); returns log pi. */
static float sample_row(const Squash *kind, const float *mean, const float *eps, float *u, float *a)
{
    const size_t A = (size_t)kind->A;
    float sum = 0.0F;

    for (size_t at = 0; at < A; at += BLOCK) {
        const size_t width = block_width(A - at);
        float log_std[BLOCK];
        float before[BLOCK];
        float term[BLOCK];
        log_std_block(kind, mean + A + at, width, log_std, NULL);
        (kind->linear ? linear_block : sample_block)(mean + at, log_std, eps + at, width, before,
                                                     a + at, term);
        for (size_t k = 0; k < width; k++) {
            sum += term[k];
        }
        if (u != NULL) {
            memcpy(u + at, before, width * sizeof *u);
        }
    }
    return sum;
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
        const float sum = sample_row(kind, mean, eps + i * A, NULL, out);
        if (logp != NULL) {
            logp[i] = sum;
        }
    }
}

void squash_backward(const Squash *kind, const float *head, const float *eps, const float *a,
                     int lda, int rows, float weight, const float *dq, float *dhead)
{
    const size_t A = (size_t)kind->A;
    float log_std[BLOCK];
    float slope[BLOCK];

    for (size_t i = 0; i < (size_t)rows; i++) {
        const float *mean = head + i * 2 * A;
        float *out = dhead + i * 2 * A;
        for (size_t j = 0; j < A; j++) {
            const size_t k = j % BLOCK;
            if (k == 0) {
                log_std_block(kind, mean + A + j, block_width(A - j), log_std, slope);
            }
            const float spread = vm_exp(log_std[k]) * eps[i * A + j];
            const float action = a[i * (size_t)lda + j];
            /* d/du of weight logp - q */
            const float du =
                kind->linear ? -dq[i * A + j]
                             : weight * 2.0F * action - dq[i * A + j] * (1.0F - action * action);
            out[j] = du;
            out[A + j] = slope[k] * (du * spread - weight);
        }
    }
}

void squash_draws(const Squash *kind, const float *head, const float *eps, int rows, int draws,
                  float *u, float *a, float *logp)
{
    const size_t A = (size_t)kind->A;
    const size_t n = (size_t)rows * (size_t)draws;

    for (size_t i = 0; i < n; i++) {
        const float *mean = head + i / (size_t)draws * 2 * A;
        const float sum =
            sample_row(kind, mean, eps + i * A, u != NULL ? u + i * A : NULL, a + i * A);
        if (logp != NULL) {
            logp[i] = sum;
        }
    }
}

/* Adds one draw's share to the gradient by mean and log std of `n` dimensions. */
static void draw_backward(const Squash *kind, const float *std, const float *eps, const float *a,
                          size_t n, float dlogp, const float *da, const float *du, float *dmean,
                          float *dlog_std)
{
    for (size_t j = 0; j < n; j++) {
        const float through = da != NULL ? da[j] : 0.0F;
        const float direct = du != NULL ? du[j] : 0.0F;
        const float by_u = kind->linear
                               ? through + direct
                               : through * (1.0F - a[j] * a[j]) + direct + dlogp * 2.0F * a[j];
        dmean[j] += by_u;
        dlog_std[j] += by_u * std[j] * eps[j] - dlogp;
    }
}

void squash_draws_backward(const Squash *kind, const float *head, const float *eps, const float *a,
                           int rows, int draws, const float *dlogp, const float *da,
                           const float *du, float *dhead)
{
    const size_t A = (size_t)kind->A;
    const size_t n = (size_t)draws;

    memset(dhead, 0, (size_t)rows * 2 * A * sizeof *dhead);
    for (size_t i = 0; i < (size_t)rows; i++) {
        for (size_t at = 0; at < A; at += BLOCK) {
            const size_t width = block_width(A - at);
            float *dmean = dhead + i * 2 * A + at;
            float std[BLOCK];
            float slope[BLOCK];
            log_std_block(kind, head + i * 2 * A + A + at, width, std, slope);
            for (size_t j = 0; j < width; j++) {
                std[j] = vm_exp(std[j]);
            }
            for (size_t k = i * n; k < (i + 1) * n; k++) {
                draw_backward(kind, std, eps + k * A + at, a + k * A + at, width,
                              dlogp != NULL ? dlogp[k] : 0.0F, da != NULL ? da + k * A + at : NULL,
                              du != NULL ? du + k * A + at : NULL, dmean, dmean + A);
            }
            for (size_t j = 0; j < width; j++) {
                dmean[A + j] *= slope[j];
            }
        }
    }
}

/* z = (u - mean) / std of one dimension of a given action; *inv gets 1 / std. */
static float standardize(const Squash *kind, float mean, float log_std, float a, float *inv)
{
    const float u = kind->linear ? a : 0.5F * (vm_log(1.0F + a) - vm_log(1.0F - a));
    *inv = vm_exp(-log_std);
    return (u - mean) * *inv;
}

void squash_density(const Squash *kind, const float *head, const float *a, int rows, int draws,
                    float *logp)
{
    const size_t A = (size_t)kind->A;
    float log_std[BLOCK];

    for (size_t i = 0; i < (size_t)rows * (size_t)draws; i++) {
        const float *mean = head + i / (size_t)draws * 2 * A;
        float sum = 0.0F;
        for (size_t j = 0; j < A; j++) {
            const size_t k = j % BLOCK;
            const float x = a[i * A + j];
            float inv;
            if (k == 0) {
                log_std_block(kind, mean + A + j, block_width(A - j), log_std, NULL);
            }
            const float z = standardize(kind, mean[j], log_std[k], x, &inv);
            const float slope = kind->linear ? 0.0F : vm_log((1.0F - x) * (1.0F + x));
            sum += -0.5F * z * z - log_std[k] - half_log_2pi - slope;
        }
        logp[i] = sum;
    }
}

void squash_density_backward(const Squash *kind, const float *head, const float *a, int rows,
                             int draws, const float *dlogp, float *dhead, float *da)
{
    const size_t A = (size_t)kind->A;
    float log_std[BLOCK];
    float slope[BLOCK];

    if (dhead != NULL) {
        memset(dhead, 0, (size_t)rows * 2 * A * sizeof *dhead);
    }
    for (size_t i = 0; i < (size_t)rows * (size_t)draws; i++) {
        const size_t row = i / (size_t)draws * 2 * A;
        for (size_t j = 0; j < A; j++) {
            const size_t k = j % BLOCK;
            const float x = a[i * A + j];
            float inv;
            if (k == 0) {
                log_std_block(kind, head + row + A + j, block_width(A - j), log_std, slope);
            }
            const float z = standardize(kind, head[row + j], log_std[k], x, &inv);
            if (dhead != NULL) {
                dhead[row + j] += dlogp[i] * z * inv;
                dhead[row + A + j] += dlogp[i] * (z * z - 1.0F) * slope[k];
            }
            if (da != NULL && kind->linear) {
                da[i * A + j] = -dlogp[i] * z * inv;
            } else if (da != NULL) {
                da[i * A + j] = dlogp[i] * (2.0F * x - z * inv) / ((1.0F - x) * (1.0F + x));
            }
        }
    }
}
