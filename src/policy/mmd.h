/* Maximum mean discrepancy of two sets of actions: BEAR and BRAC. The estimator is the biased one, with
 * the terms i = j:
 *
 *   MMD^2 = mean_ij k(x_i, x_j) + mean_ij k(y_i, y_j) - 2 mean_ij k(x_i, y_j)
 *   k(x, y) = exp(-|x - y|_1 / (2 sigma))  or  exp(-|x - y|_2^2 / (2 sigma)), sigma not squared
 *
 * BEAR takes sqrt(MMD^2 + 1e-6), BRAC MMD^2 itself. Kumar et al. 2019; Wu et al. 2019; as in
 * rail-berkeley/d4rl_evaluations.
 */
#ifndef POLICY_MMD_H
#define POLICY_MMD_H

#include <stdbool.h>

typedef enum { KERNEL_LAPLACIAN, KERNEL_GAUSSIAN } Kernel;

typedef struct {
    Kernel kernel;
    float sigma;
    bool root; /* sqrt(MMD^2 + 1e-6) */
    int A;
} Mmd;

/* For each of `rows` states: value (rows) between x (rows, n, A) and y (rows, m, A); dx (rows, n, A),
 * where not NULL, is overwritten with d value / d x, y held constant. */
void mmd_rows(const Mmd *kind, const float *x, int n, const float *y, int m, int rows, float *value,
              float *dx);

#endif
