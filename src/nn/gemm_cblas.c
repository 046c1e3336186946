/* Products of the libraries that have a CBLAS layer. */
#include <cblas.h>

#include "nn/gemm_library.h"

static enum CBLAS_TRANSPOSE op(bool transpose)
{
    return transpose ? CblasTrans : CblasNoTrans;
}

void gemm_cblas_product(bool ta, bool tb, int M, int N, int K, const float *A, int lda,
                        const float *B, int ldb, float beta, float *C, int ldc)
{
    cblas_sgemm(CblasRowMajor, op(ta), op(tb), M, N, K, 1.0F, A, lda, B, ldb, beta, C, ldc);
}

void gemm_cblas_vector(bool t, int rows, int cols, const float *A, int lda, const float *x,
                       int step_x, float beta, float *y, int step_y)
{
    cblas_sgemv(CblasRowMajor, op(t), rows, cols, 1.0F, A, lda, x, step_x, beta, y, step_y);
}
