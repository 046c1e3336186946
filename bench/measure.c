#include "measure.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/rng.h"

/* CPU time, because others may run on the same core. */
static double cpu_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double seconds_of(Run run, void *ctx)
{
    const double start = cpu_now();
    run(ctx);
    return cpu_now() - start;
}

void must(Status st)
{
    if (st != OK) {
        (void)fprintf(stderr, "bench_mopo: %s\n", status_reason());
        exit(status_exit_code(st));
    }
}

float *random_floats(size_t n, float low, float high)
{
    float *x = NULL;
    Rng rng = rng_make(1, RNG_TEST, 0, 0);
    must(mem_alloc(&x, n, sizeof *x, "numbers to work on"));
    rng_fill_uniform(&rng, low, high, x, n);
    return x;
}

bool report_wants(const Report *report, const char *what)
{
    return report->only == NULL || strstr(what, report->only) != NULL;
}

void report_add(Report *report, const Pair *pair)
{
    const double enough = report->quick ? 0.0 : 1.0;
    double thing = DBL_MAX;
    double floor = pair->floor == NULL ? 0.0 : DBL_MAX;
    double spent = 0;

    if (report->count == RESULTS_MAX || !report_wants(report, pair->what)) {
        return;
    }
    pair->thing(pair->thing_ctx); /* first call: page faults, cold caches */
    for (int k = 0; k < 2 || spent < enough; k++) {
        const double a = seconds_of(pair->thing, pair->thing_ctx);
        const double b = pair->floor == NULL ? 0.0 : seconds_of(pair->floor, pair->floor_ctx);
        thing = fmin(thing, a);
        floor = fmin(floor, b);
        spent += a + b;
    }
    Result *r = &report->result[report->count++];
    *r = (Result){.unit = pair->unit,
                  .time = thing / pair->units,
                  .floor = floor / pair->units,
                  .flops = pair->flops / pair->units};
    (void)snprintf(r->what, sizeof r->what, "%s", pair->what);
}

enum { LARGE = 768 };

void report_large_product(Report *report)
{
    const size_t n = (size_t)LARGE * LARGE;
    float *A = random_floats(n, -1.0F, 1.0F);
    float *B = random_floats(n, -1.0F, 1.0F);
    float *C = random_floats(n, -1.0F, 1.0F);
    double least = DBL_MAX;
    double spent = 0;

    while (spent < (report->quick ? 0.01 : 0.5)) {
        const double start = cpu_now();
        gemm_nn(LARGE, LARGE, LARGE, A, LARGE, B, LARGE, 0.0F, C, LARGE);
        const double t = cpu_now() - start;
        least = fmin(least, t);
        spent += t;
    }
    report->large = 2.0 * (double)n * LARGE / least;
    mem_free(&A);
    mem_free(&B);
    mem_free(&C);
}

static void print_table(const Report *report)
{
    (void)printf(
        "Least CPU time of repetitions in turn; floor and share of the large product (%d^3: "
        "%.1f GFLOP/s, OpenBLAS %s) of this run.\n%-34s %-8s %11s %11s %7s %9s %6s\n",
        LARGE, report->large * 1e-9, gemm_core(), "what", "unit", "time/us", "floor/us", "ratio",
        "GFLOP/s", "share");
    for (int i = 0; i < report->count; i++) {
        const Result *r = &report->result[i];
        (void)printf("%-34s %-8s %11.3f", r->what, r->unit, r->time * 1e6);
        if (r->floor > 0) {
            (void)printf(" %11.3f %7.2f", r->floor * 1e6, r->time / r->floor);
        }
        if (r->flops > 0) {
            (void)printf(" %9.1f %5.0f%%", r->flops / r->time * 1e-9,
                         100 * r->flops / r->time / report->large);
        }
        (void)printf("\n");
    }
}

static void print_json(const Report *report)
{
    (void)printf("{\"blas_core\": \"%s\", \"large_product_flops\": %.6g, \"rows\": [", gemm_core(),
                 report->large);
    for (int i = 0; i < report->count; i++) {
        const Result *r = &report->result[i];
        (void)printf(
            "%s\n  {\"what\": \"%s\", \"unit\": \"%s\", \"seconds\": %.6g, \"floor\": %.6g, "
            "\"flops\": %.6g}",
            i > 0 ? "," : "", r->what, r->unit, r->time, r->floor, r->flops);
    }
    (void)printf("\n]}\n");
}

void report_print(const Report *report, bool json)
{
    if (json) {
        print_json(report);
    } else {
        print_table(report);
    }
}
