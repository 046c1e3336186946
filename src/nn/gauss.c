#include "nn/gauss.h"

#include <stddef.h>
#include <string.h>

#include "base/vmath.h"

void gauss_std(const float *out, const float *bounds, int rows, int Y, float *std)
{
    const size_t y = (size_t)Y;
    for (size_t i = 0; i < (size_t)rows; i++) {
        const float *raw = out + i * 2 * y + y;
        float *restrict s = std + i * y;
        for (size_t j = 0; j < y; j++) {
            const float top = bounds[j];
            const float low = bounds[y + j];
            const float a = top - vm_softplus(top - raw[j]);
            s[j] = vm_exp(0.5F * (low + vm_softplus(a - low)));
        }
    }
}

/* Outputs of one row that are handled together; the terms of the loss are kept apart and added later,
 * because a sum inside the loop would keep the compiler from using vectors. */
enum { BLOCK = 64 };

/* n <= BLOCK outputs of one row; bounds and their gradients lie Y apart. */
static void nll_block(const float *restrict out, const float *restrict bounds,
                      const float *restrict y, size_t n, size_t Y, float scale,
                      float *restrict dout, float *restrict dbounds, float *restrict term)
{
    for (size_t j = 0; j < n; j++) {
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
        term[j] = square + lv;
        dout[j] = 2.0F * off * precision * scale;
        dout[Y + j] = dlv * da * inside;
        dbounds[j] += dlv * da * (1.0F - inside);
        dbounds[Y + j] += dlv * (1.0F - da);
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
        for (size_t at = 0; at < n; at += BLOCK) {
            const size_t width = n - at < BLOCK ? n - at : BLOCK;
            float term[BLOCK];
            nll_block(out + i * 2 * n + at, bounds + at, y + i * n + at, width, n, scale,
                      dout + i * 2 * n + at, dbounds + at, term);
            for (size_t k = 0; k < width; k++) {
                loss += (double)term[k];
            }
        }
    }
    return loss * (double)scale;
}
