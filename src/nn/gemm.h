/* The seam under every matrix product: row-major float32 products by the library that the build chose
 * (nn/gemm_library.h; OpenBLAS unless told otherwise), one thread. Shapes: M, N, K as in BLAS; leading dimensions in floats.
 */
#ifndef NN_GEMM_H
#define NN_GEMM_H

#include "base/status.h"

/* Pin the library to one thread; once, before the first product. */
void gemm_setup(void);
/* Let the library take the memory that it keeps, by a first product. Before that OpenBLAS would wait for ever
 * for memory that is refused. Error: ERR_NOMEM. */
NODISCARD Status gemm_reserve(void);
/* "OpenBLAS", "0.3.21", and the kernel set that it chose for this CPU: part of what makes results comparable. */
const char *gemm_name(void);
const char *gemm_version(void);
const char *gemm_core(void);

/* C (M, N) = A (M, K) B (K, N) + beta C */
void gemm_nn(int M, int N, int K, const float *A, int lda, const float *B, int ldb, float beta,
             float *C, int ldc);
/* C (M, N) = A (M, K) B^T + beta C, B is (N, K) */
void gemm_nt(int M, int N, int K, const float *A, int lda, const float *B, int ldb, float beta,
             float *C, int ldc);
/* C (M, N) = A^T B + beta C, A is (K, M), B is (K, N) */
void gemm_tn(int M, int N, int K, const float *A, int lda, const float *B, int ldb, float beta,
             float *C, int ldc);

/* For benchmarks: note each call's shape, so that the same products can be run alone. */
typedef struct {
    void (*product)(int, int, int, const float *, int, const float *, int, float, float *, int);
    int M, N, K, lda, ldb, ldc;
} GemmCall;

/* Record up to `most` calls into `calls` (borrowed) until gemm_trace_stop, which returns how many
 * were made. */
void gemm_trace_start(GemmCall *calls, int most);
int gemm_trace_stop(void);

#endif
