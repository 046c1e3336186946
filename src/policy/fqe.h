/* Fitted Q evaluation: what a policy is worth, from data alone (Le, Voloshin and Yue 2019, section
 * 4.1; with a slowly moving target network as Voloshin et al. 2021).
 *   y = r + gamma cont Q_target(s', a'),  Q <- a step down mean (Q(s, a) - y)^2
 *   value = mean over start states s0 of Q(s0, a0): the expected discounted return, without time limit
 * a' = pi(s') and a0 = pi(s0), the mean action. Without a policy they are the recorded actions, of
 * the rows whose next row follows: the worth of whoever made the data, to compare with. It
 * extrapolates where the policy leaves the data: do not trust it far outside.
 * Letters: N rows, n start states. Local.
 */
#ifndef POLICY_FQE_H
#define POLICY_FQE_H

#include <stdint.h>

#include "base/status.h"
#include "data/record.h"
#include "nn/mlp.h"
#include "nn/squash.h"

typedef struct {
    int hidden, layers, updates, batch;
    double lr;
    float gamma, tau;
    uint64_t seed;
} FqeConfig;

/* The data and the policy, all borrowed. */
typedef struct {
    Record rec;
    const float *records; /* (N, stride) */
    int64_t rows;
    const int64_t *starts; /* (n) rows whose s is a start state; n >= 1 */
    int64_t n_starts;
    const Mlp *actor; /* NULL: the recorded actions; the next two are then not looked at */
    const Squash *squash;
    const float *params;
} FqeIn;

typedef struct {
    double value, std; /* mean and deviation of Q(s0, pi(s0)) over the start states */
    double loss;       /* mean (Q - y)^2 of the last tenth of the updates */
} FqeResult;

/* Errors: ERR_NOMEM; ERR_NUMERIC: it diverged, which says that the data do not cover the policy;
 * ERR_FORMAT: without a policy, and no row is followed by the next one. */
NODISCARD Status fqe_run(const FqeConfig *cfg, const FqeIn *in, FqeResult *result);

#endif
