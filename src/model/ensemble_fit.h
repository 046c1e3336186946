/* Fitting one member of the ensemble: released code, mopo/models/bnn.py, train. Members are
 * independent of each other, so any rank may fit any member, and several may fit one together: a batch
 * is cut into shards, and ranks own shards (base/reduce.h). Local but for that sum; the order of ranks,
 * the stop rule and the checkpoints are in run/fit_model.c.
 */
#ifndef MODEL_ENSEMBLE_FIT_H
#define MODEL_ENSEMBLE_FIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reduce.h"
#include "data/record.h"
#include "model/ensemble.h"

/* Which rows of the dataset are for training and which are held out, the same for all members:
 * n_hold = min(int(ratio N), most) rows of one random permutation. */
typedef struct {
    Record rec;
    const float *records; /* (N, rec.stride) borrowed */
    int64_t n_train, n_hold;
    uint32_t *order;        /* (N) owned: training rows, then held-out rows */
    float *hold_x, *hold_y; /* (n_hold, D), (n_hold, Y) owned, scaled: fit_data_scales fills them */
} FitData;

/* Errors: ERR_ARG when fewer than 2 rows, ERR_NOMEM. */
NODISCARD Status fit_data_init(FitData *data, const Record *rec, const float *records, int64_t rows,
                               double holdout_ratio, int64_t holdout_max, uint64_t seed);
void fit_data_release(FitData *data);
/* Means and deviations of inputs (and of targets, if the ensemble z-scores them) over the training
 * rows, into ens->scales; then the scaled holdout arrays. */
NODISCARD Status fit_data_scales(FitData *data, Ensemble *ens);

typedef struct {
    int member;
    int64_t steps; /* Adam steps done */
    double best;   /* lowest accepted holdout MSE; 1e10 before the first */
    Reduce reduce; /* the shards of a batch, and which are this rank's; ctx is borrowed */
    float *grads;  /* (count, member_fit_stride) owned or borrowed: a shard's gradient and loss */
    float *block;  /* owned: m, v (trained each), snapshot (stride), grads if they are owned */
    float *m, *v, *snapshot;
    uint32_t *sample; /* (n_train) owned: this member's bootstrap, drawn once */
    uint32_t *queue;  /* (n_train) owned: the order of a pass */
} MemberFit;

/* Floats from one shard's gradient to the next: a gradient (trained), its loss, whole cache lines. */
size_t member_fit_stride(const Ensemble *ens);
/* grads: (reduce->count, member_fit_stride) borrowed, such as memory that owners share; NULL: the fit
 * has its own. Error: ERR_NOMEM. */
NODISCARD Status member_fit_init(MemberFit *fit, const Ensemble *ens, const FitData *data,
                                 int member, const Reduce *reduce, float *grads, uint64_t seed);
void member_fit_release(MemberFit *fit);

/* One pass over the bootstrap in a fresh order, in batches of `batch` rows (the last may be
 * shorter, even than its shards are many); *loss gets the mean training loss. Collective over the owners
 * of the shards, who all end with the same weights. Errors: ERR_NUMERIC, on all of them alike; ERR_MPI. */
NODISCARD Status member_fit_pass(MemberFit *fit, Ensemble *ens, const FitData *data, int64_t pass,
                                 int batch, double lr, uint64_t seed, Arena *tmp, double *loss);
size_t member_fit_cost(const Ensemble *ens, const FitData *data, int batch); /* arena bytes */

/* Holdout MSE in raw units, in pieces of fixed size. */
double member_fit_holdout(const Ensemble *ens, const FitData *data, int member, Arena *tmp);
/* Keep the weights if mse is better than the best by more than `gain` of it; true if kept. A NaN is
 * never better. */
bool member_fit_judge(MemberFit *fit, const Ensemble *ens, double mse, double gain);
/* ERR_NUMERIC when the holdout error, or some float of the member and its optimizer, is not finite. */
NODISCARD Status member_fit_check(const MemberFit *fit, const Ensemble *ens, double mse);
/* Put the member back to its snapshot. ERR_NUMERIC when there is none (it diverged at once). */
NODISCARD Status member_fit_restore(const MemberFit *fit, Ensemble *ens);

#endif
