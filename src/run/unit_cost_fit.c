/* The model fit of one member: the run's rows, permutation and batches, but short passes. */
#include <math.h>

#include "base/mem.h"
#include "base/timer.h"
#include "model/ensemble_fit.h"
#include "run/unit_cost.h"

enum { STEPS = 48 }; /* of a pass */

typedef struct {
    Session *s;
    FitData data;
    MemberFit whole, part; /* all shards of a batch, one of them */
    Arena tmp;
    int64_t pass;
} Fit;

static Status pass_by(Fit *f, MemberFit *member, double *units)
{
    const Config *c = &f->s->cfg;
    double loss = 0;

    *units = ceil((double)f->data.n_train / c->model.batch);
    return member_fit_pass(member, &f->s->ens, &f->data, f->pass++, c->model.batch, c->model.lr, 1,
                           &f->tmp, &loss);
}

static Status whole_run(void *ctx, double *units)
{
    Fit *f = ctx;
    return pass_by(f, &f->whole, units);
}

static Status part_run(void *ctx, double *units)
{
    Fit *f = ctx;
    return pass_by(f, &f->part, units);
}

static Status holdout_run(void *ctx, double *units)
{
    Fit *f = ctx;
    *units = (double)f->data.n_hold;
    (void)member_fit_holdout(&f->s->ens, &f->data, 0, &f->tmp);
    return OK;
}

static Status open(Fit *f, UnitCost *cost)
{
    Session *s = f->s;
    const Config *c = &s->cfg;
    Status st = OK;
    const Reduce all = reduce_local(c->model.shards);
    Reduce one = all;
    const double start = timer_now();

    one.count = 1;
    TRY(fit_data_init(&f->data, &s->data.rec, s->data.records, s->data.rows, c->model.holdout_ratio,
                      c->model.holdout_max, session_model_seed(c)));
    TRY(fit_data_scales(&f->data, &s->ens));
    const double opened = timer_now();
    TRY(member_fit_init(&f->whole, &s->ens, &f->data, 0, &all, NULL, 1));
    cost->fit_open = opened - start;
    cost->fit_member = timer_now() - opened;
    TRY(member_fit_init(&f->part, &s->ens, &f->data, 0, &one, NULL, 1));
    TRY(arena_init(&f->tmp, member_fit_cost(&s->ens, &f->data, c->model.batch)));
    /* a bootstrap is drawn from all rows: its first ones are a short pass from anywhere in the data */
    const int64_t few = (int64_t)STEPS * c->model.batch;
    f->data.n_train = f->data.n_train < few ? f->data.n_train : few;
done:
    return st;
}

Status unit_cost_fit(Session *s, UnitCost *cost)
{
    Status st = OK;
    Fit f = {.s = s};
    const int V = s->cfg.model.shards;
    const CostPiece pieces[] = {{whole_run, &f}, {part_run, &f}};
    double each[2] = {0};

    TRY(open(&f, cost));
    TRY(unit_cost_typical(pieces, V > 1 ? 2 : 1, 1.5, each));
    cost->fit_step = cost->fit_step_fixed = each[0];
    if (V > 1) {
        cost->fit_step_fixed = fmax(0, each[1] - (each[0] - each[1]) / (V - 1));
    }
    TRY(unit_cost_typical(&(CostPiece){holdout_run, &f}, 1, 0.1, &cost->holdout));
done:
    member_fit_release(&f.whole);
    member_fit_release(&f.part);
    fit_data_release(&f.data);
    arena_release(&f.tmp);
    return st;
}
