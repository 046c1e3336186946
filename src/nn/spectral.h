/* Spectral normalization of one weight matrix (Miyato et al. 2018): W is (rows, cols; ld), inputs x
 * outputs; u (cols) is the persistent estimate of the right singular vector.
 *
 *   v = W u / |W u|,  u = W^T v / |W^T v|,  sigma = v^T W u
 *   exact: W~ = c W / sigma        bound: W~ = W / max(1, sigma / c)
 *   dLoss/dW = k (G - (<G, W> / sigma) v u^T), k = c / sigma, G = dLoss/dW~, u and v held constant;
 *   where the form is bound and sigma <= c: W~ = W and dLoss/dW = G.
 */
#ifndef NN_SPECTRAL_H
#define NN_SPECTRAL_H

#include <stdbool.h>

typedef struct {
    int rows, cols, ld;
} SpectralShape;

/* Improve u by `iterations` >= 1 power iterations, give v (rows); returns sigma (>= 1e-12). */
float spectral_sigma(const SpectralShape *shape, const float *W, float *u, float *v,
                     int iterations);
/* The factor k by which W is multiplied. */
float spectral_factor(float sigma, float c, bool bound);
/* G (same shape and ld) becomes dLoss/dW; W the unscaled weights; sigma, u, v of the same call. */
void spectral_backward(const SpectralShape *shape, const float *W, const float *u, const float *v,
                       float sigma, float c, bool bound, float *G);

#endif
