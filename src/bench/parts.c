#include "bench/parts.h"

#include <math.h>

#include "base/mem.h"
#include "base/rng.h"
#include "bench/products.h"
#include "run/session.h"

Config paper_config(void)
{
    Config config;
    config_default(&config);
    return config;
}

AgentConfig paper_agent(int S, int A)
{
    const Config config = paper_config();
    const EnvKind task = {.state_dim = S, .act_dim = A};
    return session_agent_config(&config, &task);
}

EnsembleConfig paper_ensemble(int S, int A, bool spectral_norm)
{
    const Config config = paper_config();
    const EnvKind task = {.state_dim = S, .act_dim = A};
    EnsembleConfig ensemble = session_ensemble_config(&config, &task);
    ensemble.spectral_norm = spectral_norm;
    return ensemble;
}

Status random_floats(float **x, size_t n, float low, float high)
{
    Rng rng = rng_make(1, RNG_TEST, 0, 0);
    const Status st = mem_alloc(x, n, sizeof **x, "numbers to work on");
    if (st == OK) {
        rng_fill_uniform(&rng, low, high, *x, n);
    }
    return st;
}

/* Seconds that a row may take; a --quick one is only to be seen running. */
static double budget(const Report *report)
{
    return report->quick ? 0.0 : 1.0;
}

static Status add(Report *report, const char *name, const Pair *pair, double flops)
{
    Status st = OK;
    const Work work[2] = {pair->thing, pair->floor};
    double least[2];

    TRY(measure_in_turn(work, 2, budget(report), least));
    report_add(report, name, pair->unit, pair->floor_is,
               &(RowTimes){.seconds = least[0] / pair->units,
                           .floor = least[1] / pair->units,
                           .flops = flops / pair->units});
done:
    return status_while(st, "measuring %s", name);
}

Status part_add(Report *report, const char *name, const Pair *pair)
{
    return report_wants(report, name) ? add(report, name, pair, 0) : OK;
}

Status part_add_products(Report *report, const char *name, const Pair *pair)
{
    Status st = OK;
    Pair both = *pair;
    Products products = {0};

    if (!report_wants(report, name)) {
        return OK;
    }
    TRY(products_record(&products, pair->thing));
    both.floor = (Work){products_run, &products};
    both.floor_is = "products alone";
    TRY(add(report, name, &both, products.flops));
done:
    products_release(&products);
    return st;
}

enum { LARGE = REPORT_LARGE };

static Status large_run(void *ctx)
{
    float *const *x = ctx;
    gemm_nn(LARGE, LARGE, LARGE, x[0], LARGE, x[1], LARGE, 0.0F, x[2], LARGE);
    return OK;
}

Status part_large_product(Report *report)
{
    Status st = OK;
    const size_t n = (size_t)LARGE * LARGE;
    float *x[3] = {NULL};
    const Work work = {large_run, x};
    double least = 0;

    for (int i = 0; i < 3; i++) {
        TRY(random_floats(&x[i], n, -1.0F, 1.0F));
    }
    TRY(measure_in_turn(&work, 1, budget(report) / 2, &least));
    report->large = fmax(report->large, 2.0 * (double)n * LARGE / least);
done:
    for (int i = 0; i < 3; i++) {
        mem_free(&x[i]);
    }
    return st;
}
