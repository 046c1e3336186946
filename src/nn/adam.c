#include "nn/adam.h"

#include <math.h>

void adam_step(float *restrict p, const float *restrict g, float *restrict m, float *restrict v,
               size_t n, double lr, int64_t t)
{
    const double b1 = 0.9;
    const double b2 = 0.999;
    const float step = (float)(lr / (1.0 - pow(b1, (double)t)));
    const float correct = (float)(1.0 / sqrt(1.0 - pow(b2, (double)t)));
    const float keep1 = (float)b1;
    const float take1 = (float)(1.0 - b1);
    const float keep2 = (float)b2;
    const float take2 = (float)(1.0 - b2);
    const float eps = 1e-8F;

    for (size_t i = 0; i < n; i++) {
        m[i] = keep1 * m[i] + take1 * g[i];
        v[i] = keep2 * v[i] + take2 * (g[i] * g[i]);
        p[i] -= step * m[i] / (sqrtf(v[i]) * correct + eps);
    }
}
