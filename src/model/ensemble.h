/* Ensemble of E probabilistic dynamics models: MOPO section 4.3 and appendix C.2; released code,
 * mopo/models/bnn.py.
 *
 *   member i:  p_i(r, s' - s | s, a) = N(mean_i, diag(std_i^2)),  i = 0 .. E-1
 *   loss_i = mean over rows and outputs of (mean - y)^2 exp(-lv) + lv          (nn/gauss.h)
 *          + sum over layers of decay_l |W_l|^2 / 2 + reg (sum M - sum m)
 *
 * Letters: B rows, S state, A action, D = S + A inputs, Y = 1 + S outputs, reward first; row major.
 * Inputs are z-scored inside; targets are raw or z-scored (cfg.zscore_targets), predictions always
 * in the task's units. With cfg.spectral_norm the weights on the path to the mean (hidden layers and
 * the mean half of the head) are divided by their largest singular value (nn/spectral.h), per member
 * and layer. Local to this rank.
 */
#ifndef MODEL_ENSEMBLE_H
#define MODEL_ENSEMBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slab.h"
#include "base/status.h"
#include "nn/mlp.h"

enum { ENSEMBLE_MAX = 32, ENSEMBLE_DIM_MAX = 256, ENSEMBLE_SLABS_MAX = 8 };

typedef struct {
    int members, elites;    /* E trained, the best `elites` used by rollouts; paper: 7, 5 */
    int state_dim, act_dim; /* S, A */
    int hidden, layers;     /* paper: 200, 4 */
    bool spectral_norm;
    bool spectral_is_bound; /* false: W c / sigma; true: W / max(1, sigma / c) */
    float spectral_c;
    bool zscore_targets;
    float logvar_max, logvar_min; /* start of the bounds M and m */
    float logvar_reg;             /* reg above */
    float decay_first, decay_second, decay_hidden, decay_head;
} EnsembleConfig;

typedef struct {
    EnsembleConfig cfg; /* fixed after init */
    Mlp net;            /* of one member, output 2 Y: [ mean | raw log variance ] */
    size_t trained;     /* floats that Adam moves: net.count + 2 Y bounds */
    size_t stride;      /* floats per member: trained + spectral vectors, padded */
    float *params; /* (E, stride) owned: [ weights | bounds M, m | spectral u of each layer ] */
    /* Scales, set by ensemble_fit_scales: x = (sa - in_mean) * in_inv, y = (target - out_mean) / out_std */
    float *scales; /* owned, (2 D + 2 Y): in_mean, in_inv, out_mean, out_std */
    float *in_mean, *in_inv, *out_mean, *out_std; /* into scales */
    int64_t elite[ENSEMBLE_MAX];                  /* member numbers, lowest holdout error first */
    double holdout[ENSEMBLE_MAX]; /* MSE of each member on the holdout rows, raw units */
    /* All members side by side with their effective weights, for prediction: ensemble_freeze. */
    Mlp joint;
    float *frozen; /* (joint.count) owned, then the columns of nn/gauss.h, (4, E, Y) */
    Arena scratch; /* owned, of ensemble_freeze, which cannot fail; empty without spectral_norm */
} Ensemble;

/* Allocate and draw weights from stream (seed, RNG_MODEL_INIT, member); scales are identity. Errors:
 * ERR_ARG, ERR_NOMEM. *ens may be uninitialized before; after an error it is safe to release. */
NODISCARD Status ensemble_init(Ensemble *ens, const EnsembleConfig *cfg, uint64_t seed);
void ensemble_release(Ensemble *ens);

static inline float *ensemble_member(const Ensemble *ens, int member)
{
    return ens->params + (size_t)member * ens->stride;
}

/* Loss of one member on B rows of scaled inputs x (B, D) and targets y (B, Y); grad (trained) is
 * overwritten. With spectral_norm the member's u advances by one power iteration first.
 * Error: ERR_NUMERIC when loss or gradient is not finite. */
NODISCARD Status ensemble_loss_grad(Ensemble *ens, int member, const float *x, const float *y,
                                    int rows, Arena *tmp, double *loss, float *grad);
size_t ensemble_loss_cost(const Ensemble *ens, int rows); /* bytes of arena */

/* Its parts, for a batch in shards (base/reduce.h): begin, each shard's own gradient, their sum, end.
 * Scratch of all: ensemble_loss_cost of the largest shard. */
typedef struct {
    float sigma;
    float *v;
} EnsembleSigma;
typedef struct {
    int member;
    const float *used; /* (net.count) weights as the network applies them; the member's or scaled */
    EnsembleSigma sigma[MLP_LAYERS_MAX]; /* where spectral_norm */
} EnsembleStep;
/* What it makes lies in `tmp` until the caller's arena_reset. */
EnsembleStep ensemble_step_begin(Ensemble *ens, int member, Arena *tmp);
/* The likelihood's part over B >= 0 rows of a batch of `total`, divided by total: its loss is returned,
 * its gradient overwrites grad (trained). */
double ensemble_step_shard(const Ensemble *ens, const EnsembleStep *step, const float *x,
                           const float *y, int rows, int total, Arena *tmp, float *grad);
/* From the sums over shards to loss and gradient of ensemble_loss_grad, whose error it has. */
NODISCARD Status ensemble_step_end(const Ensemble *ens, const EnsembleStep *step, double *loss,
                                   float *grad);

/* Mean over rows and outputs of (mean - target)^2 in raw units. */
double ensemble_mse(const Ensemble *ens, int member, const float *x, const float *y, int rows,
                    Arena *tmp);
size_t ensemble_mse_cost(const Ensemble *ens, int rows);

/* Order members by ens->holdout and set elites. */
void ensemble_choose_elites(Ensemble *ens);
/* Gather effective weights of all members for ensemble_predict; after every change of params
 * or scales. */
void ensemble_freeze(Ensemble *ens);
/* All members at B rows sa (B, D), raw units. mean, std: (B, E, Y); mean holds r, s' (not s' - s).
 * Scratch: ensemble_predict_cost bytes. */
void ensemble_predict(const Ensemble *ens, const float *sa, int rows, Arena *tmp, float *mean,
                      float *std);
size_t ensemble_predict_cost(const Ensemble *ens, int rows);

/* What of a prediction somebody reads: everything; the means of drawn members only; these means and
 * their deviations only. The least work comes last. */
typedef enum { PREDICT_ALL, PREDICT_STDS, PREDICT_DRAWN } Predict;

/* ensemble_predict where row b is about to be drawn from member drawn[b]: entries of mean and std that
 * `what` leaves out are not touched. Scratch: ensemble_predict_cost. */
void ensemble_predict_what(const Ensemble *ens, const float *sa, int rows, const int32_t *drawn,
                           Predict what, Arena *tmp, float *mean, float *std);

/* Everything that a saved model consists of; returns how many. */
int ensemble_slabs(const Ensemble *ens, Slab slabs[ENSEMBLE_SLABS_MAX]);

#endif
