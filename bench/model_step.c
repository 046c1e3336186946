/* Fitting one member of the ensemble: gather a batch, loss, gradient, Adam. A pass of a few steps is
 * measured, as member_fit_pass makes it. */
#include <stdio.h>

#include "base/mem.h"
#include "model/ensemble_fit.h"
#include "parts.h"

enum { BATCH = 256, STEPS = 4, ROWS = 100000 };

typedef struct {
    Ensemble ens;
    FitData data;
    MemberFit fit;
    Arena tmp;
    float *records; /* (ROWS, stride) owned */
    int64_t pass;
} Fit;

static void fit_open(Fit *f, int S, int A, bool spectral_norm)
{
    const EnsembleConfig cfg = paper_ensemble(S, A, spectral_norm);
    const Record rec = record_make(S, A);

    *f = (Fit){0};
    f->records = random_floats(ROWS * rec.stride, -1.0F, 1.0F);
    must(ensemble_init(&f->ens, &cfg, 1));
    must(fit_data_init(&f->data, &rec, f->records, ROWS, 1.0, ROWS - BATCH * STEPS, 1));
    must(fit_data_scales(&f->data, &f->ens));
    must(member_fit_init(&f->fit, &f->ens, &f->data, 0, 1));
    must(arena_init(&f->tmp, member_fit_cost(&f->ens, &f->data, BATCH)));
}

static void fit_close(Fit *f)
{
    member_fit_release(&f->fit);
    fit_data_release(&f->data);
    ensemble_release(&f->ens);
    arena_release(&f->tmp);
    mem_free(&f->records);
}

static void pass_run(void *ctx)
{
    Fit *f = ctx;
    double loss = 0;
    must(member_fit_pass(&f->fit, &f->ens, &f->data, f->pass++, BATCH, 1e-3, 1, &f->tmp, &loss));
}

static void add_step(Report *report, int S, int A, bool spectral_norm)
{
    Pair pair = {.unit = "step", .units = STEPS, .thing = pass_run, .floor = products_run};
    Fit f;
    Products products;

    (void)snprintf(pair.what, sizeof pair.what, "ensemble step %d/%d%s", S, A,
                   spectral_norm ? ", spectral norm" : "");
    if (!report_wants(report, pair.what)) {
        return;
    }
    fit_open(&f, S, A, spectral_norm);
    products_record(&products, pass_run, &f);
    pair.thing_ctx = &f;
    pair.floor_ctx = &products;
    pair.flops = products.flops;
    report_add(report, &pair);
    products_release(&products);
    fit_close(&f);
}

void bench_model_step(Report *report)
{
    add_step(report, 17, 6, false);
    add_step(report, 17, 6, true);
}
