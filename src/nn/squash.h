/* Gaussian policy heads. tanh-Gaussian (Haarnoja et al. 2018): the network gives head (rows, 2 A) =
 * [ mean | raw log std ]; log std is clipped to [low, high] (zero gradient outside), and
 *
 *   u = mean + std eps,  a = tanh(u),
 *   log pi = sum_j  -eps^2 / 2 - log std - log(2 pi) / 2 - 2 (log 2 - u - softplus(-2 u))
 *
 * computed from u, never from a. Linear: a = u, and log pi without the last term. Smooth: instead of
 * the clip, log std = low + (high - low) (tanh(raw) + 1) / 2, as BRAC's released code has it.
 */
#ifndef NN_SQUASH_H
#define NN_SQUASH_H

#include <stdbool.h>

typedef struct {
    int A;
    float low, high; /* of the log deviation */
    bool linear;     /* the action is u itself */
    bool smooth;     /* the log deviation goes smoothly to low and high, not clipped */
} Squash;

/* The smooth head of BRAC: log deviations in (-5, 0). */
static inline Squash squash_smooth(int A)
{
    return (Squash){.A = A, .low = -5.0F, .high = 0.0F, .smooth = true};
}

/* eps (rows, A) standard normals -> a (rows, A; lda), logp (rows; NULL: not wanted). eps NULL: the
 * mean action, u = mean, and logp is not touched. */
void squash_forward(const Squash *kind, const float *head, const float *eps, int rows, float *a,
                    int lda, float *logp);
/* Gradient of  sum over rows of (weight logp - q(a))  where dq (rows, A) = dq/da: fills
 * dhead (rows, 2 A). a (rows, A; lda) as given by squash_forward. */
void squash_backward(const Squash *kind, const float *head, const float *eps, const float *a,
                     int lda, int rows, float weight, const float *dq, float *dhead);

/* The same with `draws` samples of each of `rows` heads: eps, u, a (rows, draws, A), logp (rows,
 * draws). u, logp: NULL where not wanted; u is before tanh. */
void squash_draws(const Squash *kind, const float *head, const float *eps, int rows, int draws,
                  float *u, float *a, float *logp);
/* Backward of squash_draws: of any loss with dlogp (rows, draws) = dL/dlogp, da and du (rows, draws,
 * A) = dL/da and dL/du through them directly (each NULL: zero), fills dhead (rows, 2 A). */
void squash_draws_backward(const Squash *kind, const float *head, const float *eps, const float *a,
                           int rows, int draws, const float *dlogp, const float *da,
                           const float *du, float *dhead);

/* log pi of given actions: a (rows, draws, A) inside (-1, 1) unless linear; logp (rows, draws). */
void squash_density(const Squash *kind, const float *head, const float *a, int rows, int draws,
                    float *logp);
/* Backward of squash_density: dlogp (rows, draws) = dL/dlogp. dhead (rows, 2 A) and da (rows, draws,
 * A) are overwritten; each NULL: not wanted. */
void squash_density_backward(const Squash *kind, const float *head, const float *a, int rows,
                             int draws, const float *dlogp, float *dhead, float *da);

#endif
