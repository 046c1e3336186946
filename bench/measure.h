/* Timing a part of mopo beside its floor: the least that any implementation must do, such as the same
 * matrix products alone. Both run in turn (A B A B ...) in one process and the least CPU time of each
 * counts: only ratios within one run mean anything on a shared machine.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "nn/gemm.h"

enum { RESULTS_MAX = 64, WHAT_MAX = 64 };

typedef struct {
    char what[WHAT_MAX];
    const char *unit;   /* what the times are for: "update", "row", "step", "MB" */
    double time, floor; /* seconds for one unit; floor 0: there is none */
    double flops;       /* of one unit, in matrix products; 0: none */
} Result;

typedef struct {
    bool quick;       /* two repetitions of each: does it run at all? */
    const char *only; /* rows whose name has this text; NULL: all */
    double large;     /* FLOP/s of a large product in this run */
    int count;
    Result result[RESULTS_MAX];
} Report;

typedef void (*Run)(void *ctx);

/* Something to be timed. A floor NULL is left out. */
typedef struct {
    char what[WHAT_MAX];
    const char *unit;
    double units; /* in one call */
    double flops; /* of one call */
    Run thing, floor;
    void *thing_ctx, *floor_ctx;
} Pair;

/* False when this row is not asked for. */
bool report_wants(const Report *report, const char *what);
void report_large_product(Report *report);
void report_add(Report *report, const Pair *pair);
void report_print(const Report *report, bool json);

/* The matrix products of one call, to be run alone: shapes and leading dimensions as they were, in the
 * same order, on buffers that are warm (the floor is what BLAS can do, not what memory allows). */
typedef struct {
    GemmCall *calls; /* (count) owned */
    int count;
    float *A, *B, *C; /* owned, each large enough for every call */
    double flops;
} Products;

void products_record(Products *p, Run thing, void *ctx);
void products_run(void *products);
void products_release(Products *p);

/* A benchmark has nothing to rescue: say why and leave. */
void must(Status st);
/* n floats of scratch, freed with mem_free; uniform in [low, high]. */
float *random_floats(size_t n, float low, float high);

#endif
