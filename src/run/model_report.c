#include "run/model_report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/panic.h"
#include "base/timer.h"
#include "model/ensemble_fit.h"
#include "run/model_report_numbers.h"
#include "run/model_report_paths.h"
#include "run/model_report_truth.h"

enum { PIECE = 500 }; /* held-out rows of one product: part of the result, like a batch size */

typedef struct {
    const Session *s;
    const FitData *data;
    int held;       /* rows looked at */
    HeldSums *sums; /* (pieces) owned */
    Arena tmp;
} Held;

static const float *held_row(const Held *h, int i)
{
    return h->data->records + (size_t)h->data->order[h->data->n_train + i] * h->data->rec.stride;
}

/* Deviation of each target, r and s' - s, over the held-out rows; 0 where all are equal but for the
 * rounding of what they are the difference of (a clock that ticks evenly). */
static void target_deviations(const Held *h, ModelReport *report)
{
    const Record *rec = &h->data->rec;

    for (int y = 0; y < report->outs; y++) {
        double mean = 0;
        double squares = 0;
        double size = 0;
        for (int pass = 0; pass < 2; pass++) {
            for (int i = 0; i < h->held; i++) {
                const float *row = held_row(h, i);
                const double x = y == 0 ? (double)row[rec->r]
                                        : (double)(row[rec->s2 + (size_t)y - 1] - row[y - 1]);
                size =
                    fmax(size, fabs((double)(y == 0 ? row[rec->r] : row[rec->s2 + (size_t)y - 1])));
                mean += pass == 0 ? x / h->held : 0;
                squares += pass == 1 ? (x - mean) * (x - mean) : 0;
            }
        }
        const double deviation = sqrt(squares / h->held);
        report->outputs[y].deviation = deviation > 1e-6 * size ? deviation : 0;
    }
}

static void sum_piece(Held *h, int first, int rows, HeldSums *sums)
{
    const Ensemble *ens = &h->s->ens;
    const Record *rec = &h->data->rec;
    const size_t mark = h->tmp.used;
    const size_t B = (size_t)rows;
    const size_t Y = (size_t)rec->S + 1;
    const size_t D = (size_t)rec->S + (size_t)rec->A;
    float *sa = arena_floats(&h->tmp, B * D);
    float *target = arena_floats(&h->tmp, B * Y);
    float *mean = arena_floats(&h->tmp, B * Y * (size_t)ens->cfg.members);
    float *std = arena_floats(&h->tmp, B * Y * (size_t)ens->cfg.members);

    for (int i = 0; i < rows; i++) {
        const float *row = held_row(h, first + i);
        memcpy(sa + (size_t)i * D, row, D * sizeof *sa);
        memcpy(target + (size_t)i * Y, row + rec->r,
               Y * sizeof *target); /* r and s' stand together */
    }
    ensemble_predict(ens, sa, rows, &h->tmp, mean, std);
    const HeldBatch batch = {.mean = mean,
                             .std = std,
                             .target = target,
                             .elite = ens->elite,
                             .rows = rows,
                             .members = ens->cfg.members,
                             .elites = ens->cfg.elites,
                             .outs = (int)Y};
    held_sums(&batch, sums);
    arena_reset(&h->tmp, mark);
}

static size_t piece_cost(const Session *s)
{
    const size_t Y = (size_t)s->data.rec.S + 1;
    const size_t outs = (size_t)PIECE * Y * (size_t)s->ens.cfg.members;
    return arena_cost((size_t)PIECE * (size_t)(s->data.rec.S + s->data.rec.A)) +
           arena_cost((size_t)PIECE * Y) + 2 * arena_cost(outs) +
           ensemble_predict_cost(&s->ens, PIECE);
}

static Status measure_held(const Session *s, const FitData *data, ModelReport *report)
{
    Status st = OK;
    Held h = {.s = s, .data = data, .held = (int)report->held};
    const int pieces = (h.held + PIECE - 1) / PIECE;

    st = mem_alloc(&h.sums, (size_t)pieces, sizeof *h.sums, "sums over held-out rows");
    st = st != OK ? st : arena_init(&h.tmp, piece_cost(s));
    TRY(comm_agree(st));
    for (int u = comm_rank(); u < pieces; u += comm_size()) {
        const int left = h.held - u * PIECE;
        sum_piece(&h, u * PIECE, left < PIECE ? left : PIECE, &h.sums[u]);
    }
    for (int u = 0; u < pieces; u++) { /* each filled by one rank: exact */
        coll_sum(&h.sums[u].output[0].squares, HELD_SUMS);
    }
    target_deviations(&h, report);
    held_finish(h.sums, pieces, report);
done:
    mem_free(&h.sums);
    arena_release(&h.tmp);
    return st;
}

static void describe(const Session *s, const FitData *data, ModelReport *report)
{
    *report = (ModelReport){.rows = s->data.rows,
                            .held = data->n_hold < REPORT_HELD ? data->n_hold : REPORT_HELD,
                            .held_all = data->n_hold,
                            .members = s->ens.cfg.members,
                            .elites = s->ens.cfg.elites,
                            .outs = s->data.rec.S + 1,
                            .rollout_horizon = s->cfg.rollout.horizon};
    (void)snprintf(report->task, sizeof report->task, "%s", s->env->name);
    (void)snprintf(report->algo, sizeof report->algo, "%s", s->cfg.top.algo);
    report->seed = (int64_t)session_model_seed(&s->cfg);
    (void)snprintf(report->digest, sizeof report->digest, "%s", s->data.digest);
    for (int k = 0; k < s->ens.cfg.elites; k++) {
        report->member[s->ens.elite[k]].place = k + 1;
    }
}

Status model_report_make(const Session *s, ModelReport *report)
{
    Status st = OK;
    FitData data = {0};
    const Config *c = &s->cfg;

    TRY(comm_agree(fit_data_init(&data, &s->data.rec, s->data.records, s->data.rows,
                                 c->model.holdout_ratio, c->model.holdout_max,
                                 session_model_seed(c))));
    describe(s, &data, report);
    TRY(measure_held(s, &data, report));
    TRY(model_report_paths(s, &data, report));
    TRY(model_report_truth(s, report));
done:
    fit_data_release(&data);
    return st;
}

static Status write_one(const char *dir, const char *name, size_t size,
                        void (*form)(const ModelReport *, Text *), const ModelReport *report)
{
    Status st = OK;
    char path[RUNDIR_PATH_MAX];
    char *data = NULL;

    const int length = snprintf(path, sizeof path, "%s/%s", dir, name);
    if (length < 0 || (size_t)length >= sizeof path) {
        return status_fail(ERR_IO, "%.40s...: the path is too long for %s", dir, name);
    }
    TRY(mem_alloc(&data, size, 1, "the model report"));
    Text text = text_over(data, size);
    form(report, &text);
    REQUIRE(!text.cut); /* sizes are for the largest ensembles */
    TRY(file_write(path, text.data, text.used));
done:
    mem_free(&data);
    return st;
}

Status model_report_write(const ModelReport *report, const char *dir)
{
    Status st = OK;

    TRY(write_one(dir, "model-report.txt", REPORT_TEXT_MAX, model_report_text, report));
    TRY(write_one(dir, "model-report.svg", REPORT_SVG_MAX, model_report_svg, report));
done:
    return status_while(st, "model report");
}

/* A line for the log: means would hide one bad output, and too narrow beside too wide. */
static void log_report(const ModelReport *r, double seconds)
{
    double r2[REPORT_OUTS];
    char worst[32] = "reward";
    double least = HUGE_VAL;
    int right = 0;
    int n = 0;

    for (int y = 0; y < r->outs; y++) {
        const OutputQuality *q = &r->outputs[y];
        if (!(q->deviation > 0)) {
            continue;
        }
        if (q->r2 < least && y > 0) {
            (void)snprintf(worst, sizeof worst, "state %d", y - 1);
        }
        least = fmin(least, q->r2);
        r2[n++] = q->r2;
        right += strcmp(coverage_verdict(q->coverage.own, (double)r->held), "about right") == 0;
    }
    sort_values(r2, n);
    log_info(
        "model report: R2 of outputs %.3f (median), worst %.3f (%s); deviations about right for "
        "%d of %d outputs; %.1f s; model-report.txt",
        quantile(r2, n, 0.5), least, worst, right, n, seconds);
}

Status model_report_in_run(const Session *s, const RunDir *dir)
{
    Status st = OK;
    ModelReport *report = NULL;
    const double start = timer_now();
    char path[RUNDIR_PATH_MAX];
    int there = 0;

    if (comm_rank() == 0) {
        there = file_exists(rundir_file(dir, "model-report.svg", path)) &&
                        file_exists(rundir_file(dir, "model-report.txt", path))
                    ? 1
                    : 0;
    }
    coll_bcast(&there, sizeof there, 0);
    if (there != 0) {
        return OK;
    }
    TRY(comm_agree(mem_alloc(&report, 1, sizeof *report, "the model report")));
    TRY(model_report_make(s, report));
    TRY(comm_agree(comm_rank() == 0 ? model_report_write(report, dir->path) : OK));
    log_report(report, timer_now() - start);
done:
    mem_free(&report);
    return st;
}
