/* Fitted Q evaluation: what a policy is worth, from data alone (Le, Voloshin and Yue 2019, section
 * 4.1; with a slowly moving target network as Voloshin et al. 2021).
 *   y = r + gamma cont Q_target(s', pi(s')),  Q <- a step down mean (Q(s, a) - y)^2
 *   value = mean over start states s0 of Q(s0, pi(s0)): the expected discounted return
 * pi is the mean action. It extrapolates where the policy leaves the data: compare it with the value
 * of the data itself, and do not trust it far outside. Letters: N rows, n start states. Local.
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
    const int64_t *starts; /* (n) rows whose s is a start state */
    int64_t n_starts;
    const Mlp *actor;
    const Squash *squash;
    const float *params;
} FqeIn;

typedef struct {
    double value, std; /* mean and deviation of Q(s0, pi(s0)) over the start states */
    double loss;       /* mean (Q - y)^2 of the last tenth of the updates */
} FqeResult;

/* Errors: ERR_NOMEM; ERR_NUMERIC: it diverged, which says that the data do not cover the policy. */
NODISCARD Status fqe_run(const FqeConfig *cfg, const FqeIn *in, FqeResult *result);

#endif
