#include "bench/products.h"

#include <stddef.h>

#include "base/mem.h"
#include "bench/parts.h"

enum { CALLS_MAX = 4096 };

static size_t larger(size_t a, int rows, int ld)
{
    const size_t b = (size_t)rows * (size_t)ld;
    return a > b ? a : b;
}

static Status trace(Products *p, Work work)
{
    gemm_trace_start(p->calls, CALLS_MAX);
    const Status st = work.run(work.ctx);
    p->count = gemm_trace_stop();
    if (st == OK && p->count > CALLS_MAX) {
        return status_fail(ERR_ARG, "%d products in one call; at most %d are noted", p->count,
                           CALLS_MAX);
    }
    return st;
}

Status products_record(Products *p, Work work)
{
    Status st = OK;
    size_t a = 0;
    size_t b = 0;
    size_t c = 0;

    *p = (Products){0};
    TRY(mem_alloc(&p->calls, CALLS_MAX, sizeof *p->calls, "a list of products"));
    TRY(trace(p, work));
    for (int i = 0; i < p->count; i++) {
        const GemmCall *g = &p->calls[i];
        a = larger(a, g->product == gemm_tn ? g->K : g->M, g->lda);
        b = larger(b, g->product == gemm_nt ? g->N : g->K, g->ldb);
        c = larger(c, g->M, g->ldc);
        p->flops += 2.0 * g->M * g->N * g->K;
    }
    TRY(random_floats(&p->A, a, -1.0F, 1.0F));
    TRY(random_floats(&p->B, b, -1.0F, 1.0F));
    TRY(random_floats(&p->C, c, -1.0F, 1.0F));
done:
    return st;
}

Status products_run(void *products)
{
    const Products *p = products;
    for (int i = 0; i < p->count; i++) {
        const GemmCall *g = &p->calls[i];
        g->product(g->M, g->N, g->K, p->A, g->lda, p->B, g->ldb, 0.0F, p->C, g->ldc);
    }
    return OK;
}

void products_release(Products *p)
{
    mem_free(&p->calls);
    mem_free(&p->A);
    mem_free(&p->B);
    mem_free(&p->C);
}
