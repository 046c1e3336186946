#include "nn/spectral.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/panic.h"
#include "nn/gemm.h"
#include "nn/vec.h"

static const float tiny = 1e-12F;

static void normalize(float *x, int n)
{
    const float norm = (float)sqrt(vec_dot(x, x, (size_t)n));
    const float scale = 1.0F / (norm > tiny ? norm : tiny);
    for (int i = 0; i < n; i++) {
        x[i] *= scale;
    }
}

float spectral_sigma(const SpectralShape *shape, const float *W, float *u, float *v, int iterations)
{
    double sigma = 0;

    REQUIRE(iterations >= 1);
    for (int k = 0; k < iterations; k++) {
        gemm_nn(shape->rows, 1, shape->cols, W, shape->ld, u, 1, 0.0F, v, 1);
        normalize(v, shape->rows);
        gemm_tn(shape->cols, 1, shape->rows, W, shape->ld, v, 1, 0.0F, u, 1);
        sigma = sqrt(vec_dot(u, u, (size_t)shape->cols)); /* |W^T v| = v^T W u for the new u */
        normalize(u, shape->cols);
    }
    return sigma > (double)tiny ? (float)sigma : tiny;
}

float spectral_factor(float sigma, float c, bool bound)
{
    return bound && sigma <= c ? 1.0F : c / sigma;
}

void spectral_backward(const SpectralShape *shape, const float *W, const float *u, const float *v,
                       float sigma, float c, bool bound, float *G)
{
    const size_t cols = (size_t)shape->cols;
    const size_t ld = (size_t)shape->ld;
    const float factor = spectral_factor(sigma, c, bound);
    double inner = 0;

    if (bound && sigma <= c) {
        return;
    }
    for (size_t i = 0; i < (size_t)shape->rows; i++) {
        inner += vec_dot(G + i * ld, W + i * ld, cols);
    }
    const float along = (float)(inner / (double)sigma);
    for (size_t i = 0; i < (size_t)shape->rows; i++) {
        float *restrict g = G + i * ld;
        const float vi = along * v[i];
        for (size_t j = 0; j < cols; j++) {
            g[j] = factor * (g[j] - vi * u[j]);
        }
    }
}
