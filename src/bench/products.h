/* The floor of everything that is matrix products: the same products alone. Local. */
#ifndef BENCH_PRODUCTS_H
#define BENCH_PRODUCTS_H

#include "bench/measure.h"
#include "nn/gemm.h"

/* The matrix products of one call, to be run alone: shapes and leading dimensions as they were, in the
 * same order, on buffers that are warm (the floor is what BLAS can do, not what memory allows). */
typedef struct {
    GemmCall *calls; /* (count) owned */
    int count;
    float *A, *B, *C; /* owned, each large enough for every call */
    double flops;     /* 2 M N K, summed */
} Products;

/* Do the work once and note its products. Errors: those of the work, ERR_NOMEM, ERR_ARG (too many
 * products). *p is safe to release afterwards. */
NODISCARD Status products_record(Products *p, Work work);
/* A Run: all of them once. products: a Products *. */
Status products_run(void *products);
void products_release(Products *p);

#endif
