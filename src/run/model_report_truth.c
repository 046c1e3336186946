#include "run/model_report_truth.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/panic.h"
#include "run/model_report_numbers.h"
#include "run/oracle.h"

enum { PIECE = 100 }; /* states of one product: part of the result, like a batch size */

/* Steps of the stream RNG_REPORT; its item is case and piece. */
enum { DRAW_ACTION, DRAW_SAMPLE };

typedef struct {
    const Session *s;
    Oracle oracle;
    int states, penalties;
    double *table; /* (REPORT_CASES, 1 + penalties, states) owned: error, then each u */
    double *pairs; /* (6, states) owned: error, u, scratch */
    Arena tmp;
} Work;

static double *column(const Work *w, int which, int c)
{
    const size_t at = (size_t)which * (size_t)(1 + w->penalties) + (size_t)c;
    return w->table + at * (size_t)w->states;
}

void truth_errors(const float *mean, const float *truth, const int64_t *elite, int elites,
                  int members, int outs, int rows, double *error)
{
    const size_t Y = (size_t)outs;

    for (size_t b = 0; b < (size_t)rows; b++) {
        error[b] = 0;
        for (int k = 0; k < elites; k++) {
            const float *at = mean + (b * (size_t)members + (size_t)elite[k]) * Y + 1;
            double sum = 0;
            for (size_t j = 0; j + 1 < Y; j++) {
                const double off = (double)at[j] - (double)truth[b * (Y - 1) + j];
                sum += off * off;
            }
            error[b] += sqrt(sum) / elites;
        }
    }
}

/* States spread evenly over the dataset; actions of the dataset or uniform ones. */
static void fill_inputs(const Work *w, int which, int first, int rows, uint32_t item, float *sa)
{
    const Session *s = w->s;
    const size_t S = (size_t)s->data.rec.S;
    const size_t A = (size_t)s->data.rec.A;
    float *action = sa;
    Rng rng = rng_make(session_model_seed(&s->cfg), RNG_REPORT, DRAW_ACTION, item);

    for (int i = 0; i < rows; i++, action += S + A) {
        const int64_t at = (int64_t)(first + i) * s->data.rows / w->states;
        memcpy(action, s->data.records + (size_t)at * s->data.rec.stride, (S + A) * sizeof *sa);
        for (size_t j = 0; which == 1 && j < A; j++) {
            action[S + j] = (float)(2 * rng_uniform(&rng) - 1);
        }
    }
}

/* One transition of a random elite for each row, as a rollout draws it. */
static void draw_samples(const Work *w, uint32_t item, PenaltyIn *in, float *sample, int32_t *drawn)
{
    const Session *s = w->s;
    const size_t Y = (size_t)in->outs;
    Rng rng = rng_make(session_model_seed(&s->cfg), RNG_REPORT, DRAW_SAMPLE, item);

    for (size_t b = 0; b < (size_t)in->rows; b++) {
        drawn[b] = (int32_t)s->ens.elite[rng_below(&rng, (uint32_t)s->ens.cfg.elites)];
        const size_t at = (b * (size_t)in->members + (size_t)drawn[b]) * Y;
        for (size_t y = 0; y < Y; y++) {
            sample[b * Y + y] =
                (float)((double)in->mean[at + y] + (double)in->std[at + y] * rng_normal(&rng));
        }
    }
    in->sample = sample;
    in->drawn = drawn;
}

static void measure_piece(Work *w, int which, int first, int rows)
{
    const Session *s = w->s;
    const size_t mark = w->tmp.used;
    const size_t B = (size_t)rows;
    const size_t S = (size_t)s->data.rec.S;
    const size_t cells = B * (size_t)s->ens.cfg.members * (S + 1);
    const uint32_t item = (uint32_t)(which * w->states + first);
    float *sa = arena_floats(&w->tmp, B * (S + (size_t)s->data.rec.A));
    float *mean = arena_floats(&w->tmp, cells);
    float *std = arena_floats(&w->tmp, cells);
    float *truth = arena_floats(&w->tmp, B * S);
    float *sample = arena_floats(&w->tmp, B * (S + 1));
    float *u = arena_floats(&w->tmp, B);
    int32_t *drawn = arena_bytes(&w->tmp, B * sizeof *drawn);

    fill_inputs(w, which, first, rows, item, sa);
    oracle_next(&w->oracle, sa, rows, truth);
    ensemble_predict(&s->ens, sa, rows, &w->tmp, mean, std);
    PenaltyIn in = {.mean = mean,
                    .std = std,
                    .truth = truth,
                    .rows = rows,
                    .members = s->ens.cfg.members,
                    .outs = (int)S + 1};
    draw_samples(w, item, &in, sample, drawn);
    truth_errors(mean, truth, s->ens.elite, s->ens.cfg.elites, in.members, in.outs, rows,
                 column(w, which, 0) + first);
    for (int p = 0; p < w->penalties; p++) {
        double *to = column(w, which, 1 + p) + first;
        if (penalty_row(p)->members > in.members) {
            continue; /* stays constant, which has no correlation */
        }
        penalty_row(p)->eval(&in, u);
        for (int i = 0; i < rows; i++) {
            to[i] = (double)u[i];
        }
    }
    arena_reset(&w->tmp, mark);
}

static size_t piece_cost(const Session *s)
{
    const size_t S = (size_t)s->data.rec.S;
    const size_t outs = (size_t)PIECE * (S + 1);
    return arena_cost((size_t)PIECE * (S + (size_t)s->data.rec.A)) +
           2 * arena_cost(outs * (size_t)s->ens.cfg.members) + 2 * arena_cost(outs) +
           2 * arena_cost(PIECE) + ensemble_predict_cost(&s->ens, PIECE);
}

static Status work_open(Work *w)
{
    Status st = OK;
    const size_t n = (size_t)w->states;

    TRY(mem_alloc(&w->table, REPORT_CASES * (size_t)(1 + w->penalties) * n, sizeof *w->table,
                  "penalties"));
    TRY(mem_alloc(&w->pairs, 6 * n, sizeof *w->pairs, "penalties"));
    TRY(arena_init(&w->tmp, piece_cost(w->s)));
    TRY(oracle_open(&w->oracle, w->s->env, "the model report"));
done:
    return st;
}

static void work_close(Work *w)
{
    oracle_close(&w->oracle);
    mem_free(&w->table);
    mem_free(&w->pairs);
    arena_release(&w->tmp);
}

/* Rows where both numbers are finite. */
static int finite_pairs(const Work *w, const double *error, const double *u)
{
    int n = 0;

    for (int i = 0; i < w->states; i++) {
        if (isfinite(error[i]) && isfinite(u[i])) {
            w->pairs[n] = error[i];
            w->pairs[w->states + n++] = u[i];
        }
    }
    return n;
}

static void correlate(const Work *w, ModelReport *report)
{
    double *tmp = w->pairs + 2 * (size_t)w->states;

    for (int c = 0; c < REPORT_CASES; c++) {
        const double *error = column(w, c, 0);
        for (int p = 0; p < w->penalties; p++) {
            PenaltyQuality *q = &report->penalty[p];
            const int n = finite_pairs(w, error, column(w, c, 1 + p));
            q->name = penalty_row(p)->name;
            q->oracle = penalty_row(p)->needs_truth;
            q->pearson[c] = correlation_pearson(w->pairs, w->pairs + w->states, n);
            q->spearman[c] = correlation_spearman(w->pairs, w->pairs + w->states, n, tmp);
        }
        report->states[c] = finite_pairs(w, error, error);
        sort_values(w->pairs, report->states[c]);
        report->error[c] = quantile(w->pairs, report->states[c], 0.5);
    }
}

Status model_report_truth(const Session *s, ModelReport *report)
{
    Status st = OK;
    const int64_t most = s->data.rows < REPORT_STATES ? s->data.rows : REPORT_STATES;
    Work w = {.s = s, .states = (int)most};
    int unit = 0;

    if (!oracle_possible(s->env)) {
        return OK;
    }
    while (penalty_row(w.penalties) != NULL) {
        w.penalties++;
    }
    REQUIRE(w.penalties <= REPORT_PENALTIES);
    TRY(comm_agree(work_open(&w)));
    for (int c = 0; c < REPORT_CASES; c++) {
        for (int first = 0; first < w.states; first += PIECE, unit++) {
            const int left = w.states - first;
            if (unit % comm_size() == comm_rank()) {
                measure_piece(&w, c, first, left < PIECE ? left : PIECE);
            }
        }
    }
    coll_sum(w.table, REPORT_CASES * (1 + w.penalties) * w.states);
    report->simulated = true;
    report->penalties = w.penalties;
    correlate(&w, report);
done:
    work_close(&w);
    return st;
}
