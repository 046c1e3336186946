#include "nn/gauss.h"

#include <math.h>
#include <stddef.h>

#include "base/vmath.h"
#include "base/wide.h"

/* Columns that are handled together, as one vector. The last piece of columns overlaps the one before
 * it, because a remainder done number by number takes longer than the rest. */
enum { LANES = 8, WIDE_LANES = 16 };

static size_t piece_at(size_t at, size_t n, size_t lanes)
{
    return at + lanes <= n ? at : n - lanes;
}

/* `width` columns of one row. */
static inline void std_piece(const float *restrict raw, const GaussColumns *c, size_t at,
                             size_t width, float *restrict std)
{
    for (size_t j = at; j < at + width; j++) {
        const float share = vm_sigmoid(raw[j] - c->top[j]);
        std[j] = sqrtf(fmaf(c->exp_top[j], share, c->exp_low[j])) * c->unit[j];
    }
}

void gauss_columns(const float *bounds, int Y, float *top, float *exp_top, float *exp_low)
{
    for (size_t j = 0; j < (size_t)Y; j++) {
        top[j] = bounds[j];
        exp_top[j] = vm_exp(bounds[j]);
        exp_low[j] = vm_exp(bounds[(size_t)Y + j]);
    }
}

WIDE void gauss_std(const float *raw, const GaussColumns *columns, int rows, int n, float *std)
{
    const size_t cols = (size_t)n;

    for (size_t i = 0; i < (size_t)rows; i++) {
        for (size_t at = 0; cols >= WIDE_LANES && at < cols; at += WIDE_LANES) {
            std_piece(raw + i * cols, columns, piece_at(at, cols, WIDE_LANES), WIDE_LANES,
                      std + i * cols);
        }
        if (cols < WIDE_LANES) {
            std_piece(raw + i * cols, columns, 0, cols, std + i * cols);
        }
    }
}

/* The bounds of a piece of columns: M, exp M, exp m. */
typedef struct {
    float top[LANES], exp_top[LANES], exp_low[LANES];
} Bounds;

static inline Bounds bounds_of(const float *bounds, size_t width, size_t Y)
{
    Bounds b = {0};
    for (size_t j = 0; j < width; j++) {
        b.top[j] = bounds[j];
        b.exp_top[j] = vm_exp(bounds[j]);
        b.exp_low[j] = vm_exp(bounds[Y + j]);
    }
    return b;
}

/* Sums over rows, column by column. */
typedef struct {
    double loss[LANES];
    float top[LANES], low[LANES];
} Sums;

/* `width` columns of all rows. With e = exp(M - raw) the shares of the variance are
 *   v_top = exp(M) / (1 + e),  v_low = exp(m),  dlv/draw = v_top / v e / (1 + e). */
static inline void nll_piece(const float *restrict out, const float *bounds,
                             const float *restrict y, int rows, size_t width, size_t Y, float scale,
                             float *restrict dout, Sums *restrict sums)
{
    const Bounds b = bounds_of(bounds, width, Y);

    *sums = (Sums){0};
    for (size_t i = 0; i < (size_t)rows; i++) {
        const float *restrict row = out + i * 2 * Y;
        float *restrict drow = dout + i * 2 * Y;
        for (size_t j = 0; j < width; j++) {
            const float below = b.top[j] - row[Y + j];
            const float e = vm_exp(vm_select(below > 80.0F, 80.0F, below)); /* e / (1 + e) < inf */
            const float share = 1.0F / (1.0F + e);
            const float v = fmaf(b.exp_top[j], share, b.exp_low[j]);
            const float precision = 1.0F / v;
            const float off = row[j] - y[i * Y + j];
            const float square = off * off * precision;
            const float dlv = (1.0F - square) * scale;
            const float dtop = dlv * (b.exp_top[j] * share * precision);
            drow[j] = 2.0F * off * precision * scale;
            drow[Y + j] = dtop * (e * share);
            sums->loss[j] += (double)(square + vm_log(v));
            sums->top[j] += dtop * share;
            sums->low[j] += dlv * (b.exp_low[j] * precision);
        }
    }
}

double gauss_nll(const float *out, const float *bounds, const float *y, int rows, int total, int Y,
                 float *dout, float *dbounds)
{
    const size_t n = (size_t)Y;
    const float scale = 1.0F / ((float)total * (float)Y);
    double loss = 0;

    for (size_t at = 0; at < n; at += LANES) {
        Sums sums;
        size_t p = 0;
        if (n >= LANES) {
            p = piece_at(at, n, LANES);
            nll_piece(out + p, bounds + p, y + p, rows, LANES, n, scale, dout + p, &sums);
        } else {
            nll_piece(out, bounds, y, rows, n, n, scale, dout, &sums);
        }
        for (size_t j = at; j < n && j < at + LANES; j++) { /* each column once */
            loss += sums.loss[j - p];
            dbounds[j] = sums.top[j - p];
            dbounds[n + j] = sums.low[j - p];
        }
    }
    return loss * (double)scale;
}
