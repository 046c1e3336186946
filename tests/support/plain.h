/* Matrix products and networks as the obvious loops, in double: the slow twins of src/nn. Only the
 * layout of parameters (mlp_matrix) is shared with the code under test.
 */
#ifndef SUPPORT_PLAIN_H
#define SUPPORT_PLAIN_H

#include "nn/mlp.h"

typedef enum { PLAIN_NN, PLAIN_NT, PLAIN_TN } PlainForm;

/* C (M, N) = op(A) op(B) + beta C with the shapes of nn/gemm.h. */
void plain_gemm(PlainForm form, int M, int N, int K, const float *A, int lda, const float *B,
                int ldb, double beta, double *C, int ldc);

enum { PLAIN_WIDTH_MAX = 64 };
/* Widths at most PLAIN_WIDTH_MAX. x (rows, in) -> y (rows, G out). */
void plain_forward(const Mlp *net, const float *params, const float *x, int rows, double *y);
/* Gradient of sum(dy * y): grad (count) and dx (rows, in), both overwritten. */
void plain_backward(const Mlp *net, const float *params, const float *x, int rows, const float *dy,
                    double *grad, double *dx);

#endif
