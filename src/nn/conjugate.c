#include "nn/conjugate.h"

#include <string.h>

#include "nn/vec.h"

static const double small = 1e-10; /* of the squared residual, relative to that at the start */

size_t conjugate_cost(size_t n)
{
    return 3 * arena_cost(n);
}

Status conjugate_gradients(Product product, void *ctx, const float *b, size_t n, int iterations,
                           Arena *tmp, float *x)
{
    Status st = OK;
    const size_t mark = tmp->used;
    float *r = arena_floats(tmp, n); /* b - M x */
    float *p = arena_floats(tmp, n); /* direction */
    float *mp = arena_floats(tmp, n);
    const double first = vec_dot(b, b, n);
    double rr = first;

    memset(x, 0, n * sizeof *x);
    memcpy(r, b, n * sizeof *r);
    memcpy(p, b, n * sizeof *p);
    for (int i = 0; i < iterations && rr > small * first; i++) {
        TRY(product(ctx, p, mp));
        const double curve = vec_dot(p, mp, n);
        if (!(curve > 0)) { /* rounding: the direction is spent */
            break;
        }
        const float alpha = (float)(rr / curve);
        vec_axpy(x, alpha, p, n);
        vec_axpy(r, -alpha, mp, n);
        const double next = vec_dot(r, r, n);
        const float beta = (float)(next / rr);
        for (size_t j = 0; j < n; j++) {
            p[j] = r[j] + beta * p[j];
        }
        rr = next;
    }
done:
    arena_reset(tmp, mark);
    return st;
}
