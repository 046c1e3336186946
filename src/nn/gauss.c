#include "nn/gauss.h"

#include <stddef.h>
#include <string.h>

#include "base/vmath.h"

/* Columns that are handled together, as one vector. The last piece of a row overlaps the one before
 * it, because a remainder done number by number takes longer than the rest. */
enum { LANES = 8 };

static size_t piece_at(size_t at, size_t n)
{
    return at + LANES <= n ? at : n - LANES;
}

static inline void std_piece(const float *restrict raw, const float *restrict bounds, size_t width,
                             size_t Y, float *restrict std)
{
    for (size_t j = 0; j < width; j++) {
        const float top = bounds[j];
        const float low = bounds[Y + j];
        const float a = top - vm_softplus(top - raw[j]);
        std[j] = vm_exp(0.5F * (low + vm_softplus(a - low)));
    }
}

void gauss_std(const float *out, const float *bounds, int rows, int Y, float *std)
{
    const size_t n = (size_t)Y;
    for (size_t i = 0; i < (size_t)rows; i++) {
        const float *raw = out + i * 2 * n + n;
        for (size_t at = 0; n >= LANES && at < n; at += LANES) {
            const size_t p = piece_at(at, n);
            std_piece(raw + p, bounds + p, LANES, n, std + i * n + p);
        }
        if (n < LANES) {
            std_piece(raw, bounds, n, n, std + i * n);
        }
    }
}

/* What a piece adds to the loss and to the gradient of the bounds, column by column. */
typedef struct {
    float loss[LANES], top[LANES], low[LANES];
} Terms;

/* `width` outputs of one row; out, dout and bounds hold a second half, Y further on. */
static inline void nll_piece(const float *restrict out, const float *restrict bounds,
                             const float *restrict y, size_t width, size_t Y, float scale,
                             float *restrict dout, Terms *restrict terms)
{
    for (size_t j = 0; j < width; j++) {
        const float top = bounds[j];
        const float low = bounds[Y + j];
        const float raw = out[Y + j];
        const float a = top - vm_softplus(top - raw);
        const float lv = low + vm_softplus(a - low);
        const float precision = vm_exp(-lv);
        const float off = out[j] - y[j];
        const float square = off * off * precision;
        const float dlv = (1.0F - square) * scale;
        const float da = vm_sigmoid(a - low);
        const float inside = vm_sigmoid(top - raw);
        dout[j] = 2.0F * off * precision * scale;
        dout[Y + j] = dlv * da * inside;
        terms->loss[j] = square + lv;
        terms->top[j] = dlv * da * (1.0F - inside);
        terms->low[j] = dlv * (1.0F - da);
    }
}

double gauss_nll(const float *out, const float *bounds, const float *y, int rows, int total, int Y,
                 float *dout, float *dbounds)
{
    const size_t n = (size_t)Y;
    const float scale = 1.0F / ((float)total * (float)Y);
    double loss = 0;

    memset(dbounds, 0, 2 * n * sizeof *dbounds);
    for (size_t i = 0; i < (size_t)rows; i++) {
        const float *row = out + i * 2 * n;
        float *drow = dout + i * 2 * n;
        for (size_t at = 0; at < n; at += LANES) {
            Terms t;
            size_t p = 0;
            if (n >= LANES) {
                p = piece_at(at, n);
                nll_piece(row + p, bounds + p, y + i * n + p, LANES, n, scale, drow + p, &t);
            } else {
                nll_piece(row, bounds, y + i * n, n, n, scale, drow, &t);
            }
            for (size_t j = at; j < n && j < at + LANES; j++) { /* each column once */
                loss += (double)t.loss[j - p];
                dbounds[j] += t.top[j - p];
                dbounds[n + j] += t.low[j - p];
            }
        }
    }
    return loss * (double)scale;
}
