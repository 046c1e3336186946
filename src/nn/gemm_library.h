/* Inside nn/ only: what gemm.c asks of a matrix library. A row is one object in a file gemm_<library>.c; the
 * build names one of them (CMake: -DMOPO_GEMM=openblas, blis or onednn), and only that one is linked. The
 * files declare what they call themselves, so that each compiles where its library is not installed.
 */
#ifndef NN_GEMM_LIBRARY_H
#define NN_GEMM_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *name;
    const char *(*version)(void);
    void (*one_thread)(void);
    const char *(*core)(void); /* its kernels for this CPU; bits are those of this core */
    /* C (M, N) = op(A) op(B) + beta C, row major; ta: A is (K, M); tb: B is (N, K). */
    void (*product)(bool ta, bool tb, int M, int N, int K, const float *A, int lda, const float *B,
                    int ldb, float beta, float *C, int ldc);
    /* y = op(A) x + beta y, A (rows, cols) row major; x and y in steps. */
    void (*vector)(bool t, int rows, int cols, const float *A, int lda, const float *x, int step_x,
                   float beta, float *y, int step_y);
    size_t room; /* bytes that it takes at its first product and keeps, and cannot do without */
} GemmLibrary;

/* `product` and `vector` through CBLAS, for the libraries that have it. */
void gemm_cblas_product(bool ta, bool tb, int M, int N, int K, const float *A, int lda,
                        const float *B, int ldb, float beta, float *C, int ldc);
void gemm_cblas_vector(bool t, int rows, int cols, const float *A, int lda, const float *x,
                       int step_x, float beta, float *y, int step_y);

extern const GemmLibrary gemm_openblas, gemm_blis, gemm_onednn;

#endif
