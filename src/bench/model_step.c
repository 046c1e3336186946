/* Fitting one member of the ensemble: gather a batch, loss, gradient, Adam. A pass of a few steps is
 * measured, as member_fit_pass makes it. */
#include "base/mem.h"
#include "bench/parts.h"
#include "model/ensemble_fit.h"

enum { BATCH = 256, STEPS = 4, ROWS = 100000 };

typedef struct {
    Ensemble ens;
    FitData data;
    MemberFit fit;
    Arena tmp;
    float *records; /* (ROWS, stride) owned */
    int64_t pass;
} Fit;

static Status fit_open(Fit *f, int S, int A, bool spectral_norm, int shards)
{
    Status st = OK;
    const EnsembleConfig cfg = paper_ensemble(S, A, spectral_norm);
    const Record rec = record_make(S, A);

    *f = (Fit){0};
    TRY(random_floats(&f->records, ROWS * rec.stride, -1.0F, 1.0F));
    TRY(ensemble_init(&f->ens, &cfg, 1));
    TRY(fit_data_init(&f->data, &rec, f->records, ROWS, 1.0, ROWS - BATCH * STEPS, 1));
    TRY(fit_data_scales(&f->data, &f->ens));
    const Reduce reduce = reduce_local(shards);
    TRY(member_fit_init(&f->fit, &f->ens, &f->data, 0, &reduce, NULL, 1));
    TRY(arena_init(&f->tmp, member_fit_cost(&f->ens, &f->data, BATCH)));
done:
    return st;
}

static void fit_close(Fit *f)
{
    member_fit_release(&f->fit);
    fit_data_release(&f->data);
    ensemble_release(&f->ens);
    arena_release(&f->tmp);
    mem_free(&f->records);
}

static Status pass_run(void *ctx)
{
    Fit *f = ctx;
    double loss = 0;
    return member_fit_pass(&f->fit, &f->ens, &f->data, f->pass++, BATCH, 1e-3, 1, &f->tmp, &loss);
}

static Status add_step(Report *report, const char *name, int S, int A, bool spectral_norm,
                       int shards)
{
    Status st = OK;
    Fit f = {0};

    if (report_wants(report, name)) {
        TRY(fit_open(&f, S, A, spectral_norm, shards));
        TRY(part_add_products(report, name,
                              &(Pair){.unit = "step", .units = STEPS, .thing = {pass_run, &f}}));
    }
done:
    fit_close(&f);
    return st;
}

Status bench_model_step(Report *report)
{
    Status st = OK;
    const int shards = paper_config().model.shards;

    TRY(add_step(report, "ensemble step 17/6", 17, 6, false, shards));
    TRY(add_step(report, "ensemble step 17/6, 1 shard", 17, 6, false, 1));
    TRY(add_step(report, "ensemble step 17/6, spectral norm", 17, 6, true, shards));
done:
    return st;
}
