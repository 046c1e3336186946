/* Adam (Kingma and Ba 2015, algorithm 1) over a flat vector; beta 0.9 and 0.999, epsilon 1e-8.
 *   m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2,
 *   p -= lr m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps)
 */
#ifndef NN_ADAM_H
#define NN_ADAM_H

#include <stddef.h>
#include <stdint.h>

/* Step t = 1, 2, ... with gradient g; p, m, v, g are (n). */
void adam_step(float *p, const float *g, float *m, float *v, size_t n, double lr, int64_t t);

#endif
