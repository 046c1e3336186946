#include "nn/act.h"

#include "base/vmath.h"

static void relu_row(float *restrict h, const float *restrict bias, int cols)
{
    for (int j = 0; j < cols; j++) {
        const float z = h[j] + bias[j];
        h[j] = z < 0.0F ? 0.0F : z; /* keeps NaN */
    }
}

static void silu_row(float *restrict h, const float *restrict bias, int cols)
{
    for (int j = 0; j < cols; j++) {
        const float z = h[j] + bias[j];
        h[j] = z * vm_sigmoid(z);
    }
}

static void silu_row_both(float *restrict h, const float *restrict bias, int cols,
                          float *restrict d)
{
    for (int j = 0; j < cols; j++) {
        const float z = h[j] + bias[j];
        const float s = vm_sigmoid(z);
        const float f = z * s;
        h[j] = f;
        d[j] = fmaf(f, 1.0F - s, s); /* s (1 + z (1 - s)) */
    }
}

void act_forward(Act act, float *h, const float *bias, int rows, int cols, int ld, float *d)
{
    for (size_t i = 0; i < (size_t)rows; i++) {
        float *row = h + i * (size_t)ld;
        if (act == ACT_RELU) {
            relu_row(row, bias, cols);
        } else if (d == NULL) {
            silu_row(row, bias, cols);
        } else {
            silu_row_both(row, bias, cols, d + i * (size_t)ld);
        }
    }
}

void act_backward(Act act, const float *restrict h, const float *restrict d, size_t n,
                  float *restrict dh)
{
    if (act == ACT_RELU) {
        for (size_t i = 0; i < n; i++) {
            dh[i] = h[i] > 0.0F ? dh[i] : 0.0F;
        }
    } else {
        for (size_t i = 0; i < n; i++) {
            dh[i] *= d[i];
        }
    }
}
