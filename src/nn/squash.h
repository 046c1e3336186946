/* Gaussian policy heads. tanh-Gaussian (Haarnoja et al. 2018): the network gives head (rows, 2 A) =
 * [ mean | raw log std ]; log std is clipped to [low, high] (zero gradient outside), and
 *
 *   u = mean + std eps,  a = tanh(u),
 *   log pi = sum_j  -eps^2 / 2 - log std - log(2 pi) / 2 - 2 (log 2 - u - softplus(-2 u))
 *
 * computed from u, never from a. Linear: a = u, and log pi without the last term.
 */
#ifndef NN_SQUASH_H
#define NN_SQUASH_H

#include <stdbool.h>

typedef struct {
    int A;
    float low, high; /* clip of the log deviation */
    bool linear;     /* the action is u itself */
} Squash;

/* eps (rows, A) standard normals -> a (rows, A; lda), logp (rows; NULL: not wanted). eps NULL: the
 * mean action, u = mean, and logp is not touched. */
void squash_forward(const Squash *kind, const float *head, const float *eps, int rows, float *a,
                    int lda, float *logp);
/* Gradient of  sum over rows of (weight logp - q(a))  where dq (rows, A) = dq/da: fills
 * dhead (rows, 2 A). a (rows, A; lda) as given by squash_forward. */
void squash_backward(const Squash *kind, const float *head, const float *eps, const float *a,
                     int lda, int rows, float weight, const float *dq, float *dhead);

#endif
