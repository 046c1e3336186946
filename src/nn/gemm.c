#include "nn/gemm.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include "nn/gemm_library.h"

static const GemmLibrary *const library = &MOPO_GEMM;

static GemmCall *trace;
static int trace_most;
static int trace_count;

void gemm_setup(void)
{
    library->one_thread();
}

/* Asked for and given back, without a page of it touched: mem_alloc would fill it with zeros. */
static bool there_is(size_t bytes)
{
    enum { MORE = 1 << 20 }; /* for what lies around it */
    void *volatile block = malloc(bytes + MORE);
    const bool given = block != NULL;
    free(block);
    return given;
}

Status gemm_reserve(void)
{
    enum { N = 64 }; /* small products may do without */
    static float A[N * N];
    static float C[N * N];

    if (library->room > 0 && !there_is(library->room)) {
        return status_fail(ERR_NOMEM, "no memory for the buffer of %s (%zu bytes)", library->name,
                           library->room);
    }
    library->product(false, false, N, N, N, A, N, A, N, 0.0F, C, N);
    return OK;
}

const char *gemm_name(void)
{
    return library->name;
}

const char *gemm_version(void)
{
    return library->version();
}

const char *gemm_core(void)
{
    return library->core();
}

void gemm_trace_start(GemmCall *calls, int most)
{
    trace = calls;
    trace_most = most;
    trace_count = 0;
}

int gemm_trace_stop(void)
{
    trace = NULL;
    return trace_count;
}

static void note(const GemmCall *call)
{
    if (trace != NULL) {
        if (trace_count < trace_most) {
            trace[trace_count] = *call;
        }
        trace_count++;
    }
}

/* Products with one row or column are matrix-vector products: sgemm loses a factor of 5 there. */
void gemm_nn(int M, int N, int K, const float *A, int lda, const float *B, int ldb, float beta,
             float *C, int ldc)
{
    note(&(GemmCall){gemm_nn, M, N, K, lda, ldb, ldc});
    if (N == 1) {
        library->vector(false, M, K, A, lda, B, ldb, beta, C, ldc);
    } else if (M == 1) {
        library->vector(true, K, N, B, ldb, A, 1, beta, C, 1);
    } else {
        library->product(false, false, M, N, K, A, lda, B, ldb, beta, C, ldc);
    }
}

/* K = 1: an outer product, bound by memory; plain loops are the fastest form. */
static void outer(int M, int N, const float *A, int lda, const float *B, int ldb, float beta,
                  float *C, int ldc)
{
    for (int i = 0; i < M; i++) {
        const float a = A[(size_t)i * (size_t)lda];
        float *restrict c = C + (size_t)i * (size_t)ldc;
        for (int j = 0; j < N; j++) {
            const float old = beta == 0.0F ? 0.0F : beta * c[j];
            c[j] = a * B[(size_t)j * (size_t)ldb] + old;
        }
    }
}

void gemm_nt(int M, int N, int K, const float *A, int lda, const float *B, int ldb, float beta,
             float *C, int ldc)
{
    note(&(GemmCall){gemm_nt, M, N, K, lda, ldb, ldc});
    if (K == 1) {
        outer(M, N, A, lda, B, ldb, beta, C, ldc);
    } else {
        library->product(false, true, M, N, K, A, lda, B, ldb, beta, C, ldc);
    }
}

void gemm_tn(int M, int N, int K, const float *A, int lda, const float *B, int ldb, float beta,
             float *C, int ldc)
{
    note(&(GemmCall){gemm_tn, M, N, K, lda, ldb, ldc});
    if (N == 1) {
        library->vector(true, K, M, A, lda, B, ldb, beta, C, ldc);
    } else {
        library->product(true, false, M, N, K, A, lda, B, ldb, beta, C, ldc);
    }
}
