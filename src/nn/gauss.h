/* Gaussian output head with soft bounds on the log variance (Chua et al. 2018, appendix A.1; released
 * code of MOPO, bnn.py). The network gives out (rows, 2 Y) = [ mean | raw ]; bounds (2 Y) = [ M | m ].
 *
 *   a = M - softplus(M - raw),  lv = m + softplus(a - m),  variance = exp(lv)
 *   the same in fewer steps: variance = exp(m) + exp(M) / (1 + exp(M - raw)), for |M|, |m| up to 80
 *   NLL = mean over rows and outputs of (mean - y)^2 exp(-lv) + lv
 */
#ifndef NN_GAUSS_H
#define NN_GAUSS_H

/* What std takes of each column, (n) each, borrowed: M, exp M, exp m; unit: a factor of the result. */
typedef struct {
    const float *top, *exp_top, *exp_low, *unit;
} GaussColumns;

/* The first three of one head from its bounds (2 Y); (Y) each. */
void gauss_columns(const float *bounds, int Y, float *top, float *exp_top, float *exp_low);
/* std = unit exp(lv / 2) of raw; both (rows, n), not overlapping. n: Y, or G Y of G heads side by side. */
void gauss_std(const float *raw, const GaussColumns *columns, int rows, int n, float *std);
/* The NLL of y (rows, Y), with dLoss/dout (rows, 2 Y) and dLoss/dbounds (2 Y), both overwritten;
 * `total` is the number of rows that the mean is over (rows of all shards of the batch). */
double gauss_nll(const float *out, const float *bounds, const float *y, int rows, int total, int Y,
                 float *dout, float *dbounds);

#endif
