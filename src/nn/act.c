#include "nn/act.h"

#include "base/vmath.h"
#include "base/wide.h"

/* d: unused, but the table's type. NOLINTNEXTLINE(readability-non-const-parameter) */
WIDE static void relu_row(float *restrict h, const float *restrict bias, int cols, float *d)
{
    (void)d;
    for (int j = 0; j < cols; j++) {
        const float z = h[j] + bias[j];
        h[j] = z < 0.0F ? 0.0F : z; /* keeps NaN */
    }
}

WIDE static void silu_row_alone(float *restrict h, const float *restrict bias, int cols)
{
    for (int j = 0; j < cols; j++) {
        const float z = h[j] + bias[j];
        h[j] = z * vm_sigmoid(z);
    }
}

WIDE static void silu_row_both(float *restrict h, const float *restrict bias, int cols,
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

static void silu_row(float *h, const float *bias, int cols, float *d)
{
    if (d == NULL) {
        silu_row_alone(h, bias, cols);
    } else {
        silu_row_both(h, bias, cols, d);
    }
}

/* NOLINTNEXTLINE(readability-non-const-parameter) */
WIDE static void tanh_row(float *restrict h, const float *restrict bias, int cols, float *d)
{
    (void)d;
    for (int j = 0; j < cols; j++) {
        h[j] = vm_tanh(h[j] + bias[j]);
    }
}

WIDE static void relu_back(const float *restrict h, const float *d, size_t n, float *restrict dh)
{
    (void)d;
    for (size_t i = 0; i < n; i++) {
        dh[i] = h[i] > 0.0F ? dh[i] : 0.0F;
    }
}

WIDE static void silu_back(const float *h, const float *restrict d, size_t n, float *restrict dh)
{
    (void)h;
    for (size_t i = 0; i < n; i++) {
        dh[i] *= d[i];
    }
}

WIDE static void tanh_back(const float *restrict h, const float *d, size_t n, float *restrict dh)
{
    (void)d;
    for (size_t i = 0; i < n; i++) {
        dh[i] *= 1.0F - h[i] * h[i];
    }
}

static const struct {
    void (*row)(float *h, const float *bias, int cols, float *d);
    void (*back)(const float *h, const float *d, size_t n, float *dh);
    bool keeps;
} kinds[] = {
    [ACT_RELU] = {relu_row, relu_back, false},
    [ACT_SILU] = {silu_row, silu_back, true},
    [ACT_TANH] = {tanh_row, tanh_back, false},
};

void act_forward(Act act, float *h, const float *bias, int rows, int cols, int ld, float *d)
{
    for (size_t i = 0; i < (size_t)rows; i++) {
        const size_t at = i * (size_t)ld;
        kinds[act].row(h + at, bias, cols, d == NULL ? NULL : d + at);
    }
}

bool act_keeps(Act act)
{
    return kinds[act].keeps;
}

void act_backward(Act act, const float *h, const float *d, size_t n, float *dh)
{
    kinds[act].back(h, d, n, dh);
}
