#include <cblas.h>

#include "nn/gemm_library.h"

/* OpenBLAS's own controls; declared here because not every cblas.h has them. */
extern void openblas_set_num_threads(int threads);
extern char *openblas_get_corename(void);

static void one_thread(void)
{
    openblas_set_num_threads(1);
}

static const char *core(void)
{
    return openblas_get_corename();
}

static enum CBLAS_TRANSPOSE op(bool transpose)
{
    return transpose ? CblasTrans : CblasNoTrans;
}

static void product(bool ta, bool tb, int M, int N, int K, const float *A, int lda, const float *B,
                    int ldb, float beta, float *C, int ldc)
{
    cblas_sgemm(CblasRowMajor, op(ta), op(tb), M, N, K, 1.0F, A, lda, B, ldb, beta, C, ldc);
}

static void vector(bool t, int rows, int cols, const float *A, int lda, const float *x, int step_x,
                   float beta, float *y, int step_y)
{
    cblas_sgemv(CblasRowMajor, op(t), rows, cols, 1.0F, A, lda, x, step_x, beta, y, step_y);
}

const GemmLibrary gemm_openblas = {"OpenBLAS", one_thread, core, product, vector};
