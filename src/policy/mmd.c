#include "policy/mmd.h"

#include <math.h>
#include <string.h>

#include "base/vmath.h"

static float kernel(const Mmd *kind, const float *x, const float *y)
{
    float distance = 0.0F;

    for (int j = 0; j < kind->A; j++) {
        const float off = x[j] - y[j];
        distance += kind->kernel == KERNEL_LAPLACIAN ? fabsf(off) : off * off;
    }
    return vm_exp(-distance / (2.0F * kind->sigma));
}

/* dx += weight dk(x, y) / dx, k being the kernel's value. */
static void kernel_backward(const Mmd *kind, const float *x, const float *y, float k, float weight,
                            float *dx)
{
    const float scale = -weight * k / kind->sigma;

    for (int j = 0; j < kind->A; j++) {
        const float off = x[j] - y[j];
        const float sign = off > 0.0F ? 0.5F : off < 0.0F ? -0.5F : 0.0F;
        dx[j] += scale * (kind->kernel == KERNEL_LAPLACIAN ? sign : off);
    }
}

/* Mean kernel of x (n, A) and y (m, A); dx (n, A; NULL: not wanted) += weight times its derivative by
 * the first argument. */
static double mean_kernel(const Mmd *kind, const float *x, int n, const float *y, int m,
                          double weight, float *dx)
{
    const size_t A = (size_t)kind->A;
    const double pairs = (double)n * (double)m;
    double sum = 0;

    for (size_t i = 0; i < (size_t)n; i++) {
        for (size_t j = 0; j < (size_t)m; j++) {
            const float k = kernel(kind, x + i * A, y + j * A);
            sum += (double)k;
            if (dx != NULL) {
                kernel_backward(kind, x + i * A, y + j * A, k, (float)(weight / pairs), dx + i * A);
            }
        }
    }
    return sum / pairs;
}

void mmd_rows(const Mmd *kind, const float *x, int n, const float *y, int m, int rows, float *value,
              float *dx)
{
    const size_t of_x = (size_t)n * (size_t)kind->A;
    const size_t of_y = (size_t)m * (size_t)kind->A;

    if (dx != NULL) {
        memset(dx, 0, (size_t)rows * of_x * sizeof *dx);
    }
    for (size_t i = 0; i < (size_t)rows; i++) {
        const float *xi = x + i * of_x;
        const float *yi = y + i * of_y;
        float *dxi = dx != NULL ? dx + i * of_x : NULL;
        /* x stands on both sides of the first mean */
        const double squared = mean_kernel(kind, xi, n, xi, n, 2.0, dxi) +
                               mean_kernel(kind, yi, m, yi, m, 0.0, NULL) -
                               2.0 * mean_kernel(kind, xi, n, yi, m, -2.0, dxi);
        if (!kind->root) {
            value[i] = (float)squared;
            continue;
        }
        const double root = sqrt(squared + 1e-6);
        value[i] = (float)root;
        for (size_t j = 0; dxi != NULL && j < of_x; j++) {
            dxi[j] *= (float)(0.5 / root);
        }
    }
}
