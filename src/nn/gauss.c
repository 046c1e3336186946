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

double gauss_nll(const float *out, const float *bounds, const float *y, int rows, int total, int Y,
                 float *dout, float *dbounds)
{
    const size_t n = (size_t)Y;
    const float scale = 1.0F / ((float)total * (float)Y);
    double loss = 0;

    memset(dbounds, 0, 2 * n * sizeof *dbounds);
    for (size_t i = 0; i < (size_t)rows; i++) {
        const float *mean = out + i * 2 * n;
        const float *raw = mean + n;
        float *restrict dmean = dout + i * 2 * n;
        float *restrict draw = dmean + n;
        float row = 0;
        for (size_t j = 0; j < n; j++) {
            const float top = bounds[j];
            const float low = bounds[n + j];
            const float a = top - vm_softplus(top - raw[j]);
            const float lv = low + vm_softplus(a - low);
            const float precision = vm_exp(-lv);
            const float off = mean[j] - y[i * n + j];
            const float square = off * off * precision;
            const float dlv = (1.0F - square) * scale;
            const float da = vm_sigmoid(a - low);
            const float inside = vm_sigmoid(top - raw[j]);
            row += square + lv;
            dmean[j] = 2.0F * off * precision * scale;
            draw[j] = dlv * da * inside;
            dbounds[j] += dlv * da * (1.0F - inside);
            dbounds[n + j] += dlv * (1.0F - da);
        }
        loss += (double)row;
    }
    return loss * (double)scale;
}
