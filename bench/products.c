#include <stddef.h>

#include "base/mem.h"
#include "measure.h"

enum { CALLS_MAX = 4096 };

static size_t larger(size_t a, int rows, int ld)
{
    const size_t b = (size_t)rows * (size_t)ld;
    return a > b ? a : b;
}

void products_record(Products *p, Run thing, void *ctx)
{
    size_t a = 0;
    size_t b = 0;
    size_t c = 0;

    *p = (Products){0};
    must(mem_alloc(&p->calls, CALLS_MAX, sizeof *p->calls, "a trace"));
    gemm_trace_start(p->calls, CALLS_MAX);
    thing(ctx);
    p->count = gemm_trace_stop();
    if (p->count > CALLS_MAX) {
        must(status_fail(ERR_ARG, "%d products in one call; at most %d are noted", p->count,
                         CALLS_MAX));
    }
    for (int i = 0; i < p->count; i++) {
        const GemmCall *g = &p->calls[i];
        a = larger(a, g->product == gemm_tn ? g->K : g->M, g->lda);
        b = larger(b, g->product == gemm_nt ? g->N : g->K, g->ldb);
        c = larger(c, g->M, g->ldc);
        p->flops += 2.0 * g->M * g->N * g->K;
    }
    p->A = random_floats(a, -1.0F, 1.0F);
    p->B = random_floats(b, -1.0F, 1.0F);
    p->C = random_floats(c, -1.0F, 1.0F);
}

void products_run(void *products)
{
    const Products *p = products;
    for (int i = 0; i < p->count; i++) {
        const GemmCall *g = &p->calls[i];
        g->product(g->M, g->N, g->K, p->A, g->lda, p->B, g->ldb, 0.0F, p->C, g->ldc);
    }
}

void products_release(Products *p)
{
    mem_free(&p->calls);
    mem_free(&p->A);
    mem_free(&p->B);
    mem_free(&p->C);
}
