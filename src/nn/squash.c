#include "nn/squash.h"

#include <stddef.h>
#include <string.h>

#include "base/vmath.h"
#include "base/wide.h"

/* Numbers that are handled together: dimensions of as many rows as fit, or part of one row. They are copied
 * side by side, filled up to whole vectors with what does no harm, and go through loops of a known form. */
enum { BLOCK = 256, LANES = 16 };

/* Numbers k of a block: row `row` + k / width, dimension `from` + k % width. */
typedef struct {
    size_t row, rows, from, width, n; /* n = rows * width */
    float mean[BLOCK], raw[BLOCK], eps[BLOCK];
    float log_std[BLOCK], slope[BLOCK]; /* slope: of log_std by raw */
    float u[BLOCK], a[BLOCK], term[BLOCK];
} Block;

static const float log_2 = 0.693147181F;
static const float half_log_2pi = 0.918938533F;

static float clip(const Squash *kind, float raw)
{
    const float x = raw < kind->low ? kind->low : raw;
    return x > kind->high ? kind->high : x;
}

static size_t whole_vectors(size_t n)
{
    return (n + LANES - 1) / LANES * LANES;
}

/* log std of n raw outputs, and where `slope` is not NULL its derivative by them. */
WIDE static void log_std_block(const Squash *kind, const float *restrict raw, size_t n,
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

static size_t block_width(size_t left)
{
    return left < BLOCK ? left : BLOCK;
}

WIDE static void sample_tanh(Block *b)
{
    const size_t n = whole_vectors(b->n);
    for (size_t j = 0; j < n; j++) {
        const float eps = b->eps[j];
        const float u = b->mean[j] + vm_exp(b->log_std[j]) * eps;
        b->u[j] = u;
        b->a[j] = vm_tanh(u);
        b->term[j] = -0.5F * eps * eps - b->log_std[j] - half_log_2pi -
                     2.0F * (log_2 - u - vm_softplus(-2.0F * u));
    }
}

WIDE static void sample_linear(Block *b)
{
    const size_t n = whole_vectors(b->n);
    for (size_t j = 0; j < n; j++) {
        const float eps = b->eps[j];
        b->u[j] = b->mean[j] + vm_exp(b->log_std[j]) * eps;
        b->a[j] = b->u[j];
        b->term[j] = -0.5F * eps * eps - b->log_std[j] - half_log_2pi;
    }
}

/* The block that begins at dimension `from` of row `row`; rows are `draws` of each head. */
static void block_load(const Squash *kind, const float *head, const float *eps, size_t rows,
                       size_t draws, size_t row, size_t from, Block *b)
{
    const size_t A = (size_t)kind->A;
    size_t k = 0;

    b->row = row;
    b->from = from;
    b->width = block_width(A - from);
    b->rows = from > 0 || A >= BLOCK ? 1 : BLOCK / A;
    b->rows = b->rows < rows - row ? b->rows : rows - row;
    b->n = b->rows * b->width;
    for (size_t i = row; i < row + b->rows; i++) {
        const float *mean = head + i / draws * 2 * A + from;
        for (size_t j = 0; j < b->width; j++, k++) {
            b->mean[k] = mean[j];
            b->raw[k] = mean[A + j];
            b->eps[k] = eps[i * A + from + j];
        }
    }
    for (; k < whole_vectors(b->n); k++) {
        b->mean[k] = 0.0F;
        b->raw[k] = 0.0F;
        b->eps[k] = 0.0F;
    }
}

/* The place behind a block. */
static void block_next(const Block *b, size_t A, size_t *row, size_t *from)
{
    *from = *from + b->width < A ? *from + b->width : 0;
    *row += *from == 0 ? b->rows : 0;
}

/* `draws` samples of each head: rows in all. u and logp may be NULL. */
static void sample(const Squash *kind, const float *head, const float *eps, size_t rows,
                   size_t draws, float *u, float *a, size_t lda, float *logp)
{
    const size_t A = (size_t)kind->A;
    Block b = {0};

    for (size_t row = 0, from = 0; row < rows;) {
        block_load(kind, head, eps, rows, draws, row, from, &b);
        log_std_block(kind, b.raw, whole_vectors(b.n), b.log_std, NULL);
        (kind->linear ? sample_linear : sample_tanh)(&b);
        for (size_t i = 0; i < b.rows; i++) {
            const size_t k = i * b.width;
            float sum = from == 0 || logp == NULL ? 0.0F : logp[row + i];
            for (size_t j = 0; j < b.width; j++) {
                sum += b.term[k + j];
            }
            if (logp != NULL) {
                logp[row + i] = sum;
            }
            if (u != NULL) {
                memcpy(u + (row + i) * A + from, b.u + k, b.width * sizeof *u);
            }
            memcpy(a + (row + i) * lda + from, b.a + k, b.width * sizeof *a);
        }
        block_next(&b, A, &row, &from);
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

    if (eps != NULL) {
        sample(kind, head, eps, (size_t)rows, 1, NULL, a, (size_t)lda, logp);
        return;
    }
    for (size_t i = 0; i < (size_t)rows; i++) {
        mean_row(kind, head + i * 2 * A, a + i * (size_t)lda);
    }
}

/* u - mean */
WIDE static void find_spread(Block *b)
{
    const size_t n = whole_vectors(b->n);
    for (size_t j = 0; j < n; j++) {
        b->u[j] = vm_exp(b->log_std[j]) * b->eps[j];
    }
}

void squash_backward(const Squash *kind, const float *head, const float *eps, const float *a,
                     int lda, int rows, float weight, const float *dq, float *dhead)
{
    const size_t A = (size_t)kind->A;
    Block b = {0};

    for (size_t row = 0, from = 0; row < (size_t)rows;) {
        block_load(kind, head, eps, (size_t)rows, 1, row, from, &b);
        log_std_block(kind, b.raw, whole_vectors(b.n), b.log_std, b.slope);
        find_spread(&b);
        for (size_t k = 0; k < b.n; k++) {
            const size_t i = row + k / b.width;
            const size_t j = from + k % b.width;
            const float action = a[i * (size_t)lda + j];
            const float slope = dq[i * A + j];
            /* d/du of weight logp - q */
            const float du =
                kind->linear ? -slope : weight * 2.0F * action - slope * (1.0F - action * action);
            dhead[i * 2 * A + j] = du;
            dhead[i * 2 * A + A + j] = b.slope[k] * (du * b.u[k] - weight);
        }
        block_next(&b, A, &row, &from);
    }
}

void squash_draws(const Squash *kind, const float *head, const float *eps, int rows, int draws,
                  float *u, float *a, float *logp)
{
    const size_t n = (size_t)rows * (size_t)draws;
    sample(kind, head, eps, n, (size_t)draws, u, a, (size_t)kind->A, logp);
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
