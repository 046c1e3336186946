/* oneDNN, which is no BLAS: it has one product, row major, and no product with a vector. */
#include <stdint.h>
#include <stdio.h>

#include "nn/gemm_library.h"

extern void omp_set_num_threads(int threads); /* it runs on OpenMP */
extern int dnnl_sgemm(char ta, char tb, int64_t M, int64_t N, int64_t K, float alpha,
                      const float *A, int64_t lda, const float *B, int64_t ldb, float beta,
                      float *C, int64_t ldc);
extern int dnnl_get_effective_cpu_isa(void);
typedef struct {
    int major, minor, patch; /* and more */
} DnnlVersion;
extern const DnnlVersion *dnnl_version(void);

static const char *version(void)
{
    static char text[32];
    const DnnlVersion *v = dnnl_version();
    (void)snprintf(text, sizeof text, "%d.%d.%d", v->major, v->minor, v->patch);
    return text;
}

static void one_thread(void)
{
    omp_set_num_threads(1);
}

/* The values of dnnl_cpu_isa_t, a set of bits. */
static const char *core(void)
{
    const int isa = dnnl_get_effective_cpu_isa();
    return isa >= 0x27 ? "avx512" : isa >= 0x7 ? "avx2" : "sse41 or avx";
}

static char op(bool transpose)
{
    return transpose ? 'T' : 'N';
}

/* It fails only where sizes are wrong. */
static void product(bool ta, bool tb, int M, int N, int K, const float *A, int lda, const float *B,
                    int ldb, float beta, float *C, int ldc)
{
    (void)dnnl_sgemm(op(ta), op(tb), M, N, K, 1.0F, A, lda, B, ldb, beta, C, ldc);
}

static void vector(bool t, int rows, int cols, const float *A, int lda, const float *x, int step_x,
                   float beta, float *y, int step_y)
{
    product(t, false, t ? cols : rows, 1, t ? rows : cols, A, lda, x, step_x, beta, y, step_y);
}

const GemmLibrary gemm_onednn = {"oneDNN", version, one_thread, core, product, vector, 0};
