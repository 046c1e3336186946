#include "run/penalty_survey.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/panic.h"
#include "base/rng.h"
#include "run/diverged.h"

enum {
    PIECE = 500
}; /* rows of one prediction; part of the result, as the shapes of products are */

/* What is drawn for a piece. */
typedef enum { DRAW_ACTION, DRAW_MEMBER, DRAW_NOISE, DRAWS } Draw;

/* Arrays of one piece. */
typedef struct {
    Session *s;
    int64_t total; /* rows looked at: all of the dataset, or evenly spaced ones */
    Arena tmp;
    float *sa;         /* (PIECE, D) */
    float *mean, *std; /* (PIECE, E, Y) */
    float *sample;     /* (PIECE, Y) */
    float *truth;      /* (PIECE, S) NULL: not wanted */
    float *u;          /* (PIECE) */
    int32_t *drawn;    /* (PIECE) */
} Look;

static Status look_open(Look *look, Session *s, int64_t total, bool wants_truth)
{
    Status st = OK;
    const size_t D = (size_t)s->data.rec.S + (size_t)s->data.rec.A;
    const size_t S = (size_t)s->data.rec.S;
    const size_t outs = PIECE * (size_t)s->ens.cfg.members * (S + 1);

    *look = (Look){.s = s, .total = total};
    TRY(arena_init(&look->tmp, arena_cost(PIECE * D) + 2 * arena_cost(outs) +
                                   arena_cost(PIECE * (S + 1)) + arena_cost(PIECE * S) +
                                   2 * arena_cost(PIECE) + ensemble_predict_cost(&s->ens, PIECE)));
    look->sa = arena_floats(&look->tmp, PIECE * D);
    look->mean = arena_floats(&look->tmp, outs);
    look->std = arena_floats(&look->tmp, outs);
    look->sample = arena_floats(&look->tmp, PIECE * (S + 1));
    look->truth = wants_truth ? arena_floats(&look->tmp, PIECE * S) : NULL;
    look->u = arena_floats(&look->tmp, PIECE);
    look->drawn = arena_bytes(&look->tmp, PIECE * sizeof *look->drawn);
done:
    return st;
}

static void look_close(Look *look)
{
    arena_release(&look->tmp);
}

static int64_t pieces(int64_t total)
{
    return (total + PIECE - 1) / PIECE;
}

static int piece_rows(int64_t total, int64_t piece)
{
    const int64_t left = total - piece * PIECE;
    return left < PIECE ? (int)left : PIECE;
}

/* Row k of those looked at: all, or evenly spaced. */
static const float *row_of(const Look *look, int64_t k)
{
    const Dataset *data = &look->s->data;
    return data->records + (size_t)(k * data->rows / look->total) * data->rec.stride;
}

static Rng stream(const Look *look, SurveyActions actions, Draw draw, int64_t piece)
{
    return rng_make((uint64_t)look->s->cfg.top.seed, RNG_PENALTY_SURVEY,
                    (uint64_t)actions * DRAWS + (uint64_t)draw, (uint32_t)piece);
}

static void fill_rows(Look *look, SurveyActions actions, int64_t piece, int rows)
{
    const Record *rec = &look->s->data.rec;
    const size_t D = (size_t)rec->S + (size_t)rec->A;
    Rng rng = stream(look, actions, DRAW_ACTION, piece);

    for (size_t i = 0; i < (size_t)rows; i++) {
        float *sa = look->sa + i * D;
        memcpy(sa, row_of(look, piece * PIECE + (int64_t)i), D * sizeof *sa);
        for (size_t j = (size_t)rec->S; actions == SURVEY_RANDOM && j < D; j++) {
            sa[j] = (float)(2 * rng_uniform(&rng) - 1);
        }
    }
}

/* As rollouts do: an elite for each row, its sample, the truth. */
static PenaltyIn look_at(Look *look, SurveyActions actions, int64_t piece)
{
    const Ensemble *ens = &look->s->ens;
    const size_t E = (size_t)ens->cfg.members;
    const size_t Y = (size_t)look->s->data.rec.S + 1;
    const int rows = piece_rows(look->total, piece);
    Rng member = stream(look, actions, DRAW_MEMBER, piece);
    Rng noise = stream(look, actions, DRAW_NOISE, piece);

    fill_rows(look, actions, piece, rows);
    ensemble_predict(ens, look->sa, rows, &look->tmp, look->mean, look->std);
    rng_fill_normal(&noise, look->sample, (size_t)rows * Y);
    for (size_t i = 0; i < (size_t)rows; i++) {
        look->drawn[i] = (int32_t)ens->elite[rng_below(&member, (uint32_t)ens->cfg.elites)];
        const size_t at = (i * E + (size_t)look->drawn[i]) * Y;
        for (size_t j = 0; j < Y; j++) {
            float *x = &look->sample[i * Y + j];
            *x = look->mean[at + j] + look->std[at + j] * *x;
        }
    }
    if (look->truth != NULL) {
        look->s->truth.next(look->s->truth.ctx, look->sa, rows, look->truth);
    }
    return (PenaltyIn){.mean = look->mean,
                       .std = look->std,
                       .sample = look->sample,
                       .drawn = look->drawn,
                       .truth = look->truth,
                       .rows = rows,
                       .members = ens->cfg.members,
                       .outs = (int)Y};
}

/* ---- the survey ---- */

bool survey_measured(const Session *s, const Penalty *penalty)
{
    return penalty->unit[0] != '\0' && penalty->members <= s->ens.cfg.members &&
           (!penalty->needs_truth || s->truth.next != NULL);
}

static double *numbers(const Survey *survey, SurveyActions actions, int i)
{
    return survey->all + ((int64_t)actions * survey->penalties + i) * survey->rows;
}

/* This rank's pieces into survey->all. */
static void measure(Survey *survey, Look *look)
{
    for (int64_t p = comm_rank(); p < pieces(survey->rows); p += comm_size()) {
        const int n = piece_rows(survey->rows, p);
        for (SurveyActions actions = SURVEY_DATA; actions < SURVEY_ACTIONS; actions++) {
            const PenaltyIn in = look_at(look, actions, p);
            for (int i = 0; i < survey->penalties; i++) {
                double *to = numbers(survey, actions, i) + p * PIECE;
                if (survey_measured(look->s, penalty_row(i))) {
                    penalty_row(i)->eval(&in, look->u);
                    for (int k = 0; k < n; k++) {
                        to[k] = (double)look->u[k];
                    }
                }
            }
        }
    }
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* In place. The sums are over ascending numbers, so they have one order. */
static Sorted sort(double *x, int64_t n)
{
    Sorted out = {.x = x, .mean = (double)NAN, .std = (double)NAN, .max = (double)NAN};
    double sum = 0;
    double squares = 0;

    for (int64_t k = 0; k < n; k++) {
        if (isfinite(x[k])) {
            x[out.n++] = x[k];
        }
    }
    if (out.n == 0) {
        return out;
    }
    qsort(x, (size_t)out.n, sizeof *x, compare);
    for (int64_t k = 0; k < out.n; k++) {
        sum += x[k];
    }
    out.mean = sum / (double)out.n;
    for (int64_t k = 0; k < out.n; k++) {
        squares += (x[k] - out.mean) * (x[k] - out.mean);
    }
    out.std = sqrt(squares / (double)out.n);
    out.max = x[out.n - 1];
    return out;
}

Status survey_make(Survey *survey, Session *s)
{
    Status st = OK;
    Look look = {0};

    *survey = (Survey){.rows = s->data.rows < SURVEY_ROWS_MAX ? s->data.rows : SURVEY_ROWS_MAX};
    while (penalty_row(survey->penalties) != NULL) {
        survey->penalties++;
    }
    const int lists = SURVEY_ACTIONS * survey->penalties;
    const size_t n = (size_t)survey->rows;
    st = mem_alloc(&survey->all, ((size_t)lists + 1) * n, sizeof(double), "a survey of penalties");
    if (st == OK) {
        st = mem_alloc(&survey->u, (size_t)lists, sizeof *survey->u, "a survey of penalties");
    }
    if (st == OK) {
        st = look_open(&look, s, survey->rows, s->truth.next != NULL);
    }
    TRY(comm_agree(st));
    REQUIRE(look.s != NULL && look.u != NULL);
    measure(survey, &look);
    for (int i = 0; i < lists; i++) { /* each slot was filled by one rank */
        coll_sum(survey->all + (size_t)i * n, (int)n);
        const bool measured = survey_measured(s, penalty_row(i % survey->penalties));
        survey->u[i] = sort(survey->all + (size_t)i * n, measured ? survey->rows : 0);
    }
    double *rewards = survey->all + (size_t)lists * n;
    for (int64_t k = 0; k < survey->rows; k++) {
        rewards[k] = (double)row_of(&look, k)[s->data.rec.r];
    }
    survey->reward = sort(rewards, survey->rows);
done:
    look_close(&look);
    if (st != OK) {
        survey_release(survey);
    }
    return st;
}

void survey_release(Survey *survey)
{
    mem_free(&survey->all);
    mem_free(&survey->u);
    *survey = (Survey){0};
}

double sorted_quantile(const Sorted *sorted, double q)
{
    if (sorted->n == 0) {
        return (double)NAN;
    }
    const double at = q * (double)(sorted->n - 1);
    const int64_t low = (int64_t)at;
    const int64_t high = low + 1 < sorted->n ? low + 1 : low;
    return sorted->x[low] + (at - (double)low) * (sorted->x[high] - sorted->x[low]);
}

double sorted_above(const Sorted *sorted, double x)
{
    int64_t n = 0;
    for (int64_t k = 0; k < sorted->n; k++) {
        n += sorted->x[k] > x ? 1 : 0;
    }
    return sorted->n > 0 ? (double)n / (double)sorted->n : (double)NAN;
}

/* ---- the threshold ---- */

/* Over this rank's pieces: the largest finite u, and how many are not. */
static void largest_of_mine(Look *look, double *most, double *lost)
{
    const Penalty *penalty = look->s->roll.penalty;

    for (int64_t p = comm_rank(); p < pieces(look->total); p += comm_size()) {
        const PenaltyIn in = look_at(look, SURVEY_DATA, p);
        penalty->eval(&in, look->u);
        for (int k = 0; k < in.rows; k++) {
            if (isfinite(look->u[k])) {
                *most = fmax(*most, (double)look->u[k]);
            } else {
                *lost += 1;
            }
        }
    }
}

static Status take_threshold(Session *s, double most, double lost)
{
    const double pessimism = s->cfg.penalty.halt_pessimism;

    if (lost >= (double)s->data.rows) {
        const Status st = status_fail(
            ERR_NUMERIC,
            "penalty %s is finite on no row of the dataset, so the data give no threshold: the "
            "model has diverged and must be fitted anew",
            s->roll.penalty->name);
        return diverged_cures(st, s, DIVERGED_MODEL);
    }
    if (lost > 0) {
        log_warn("penalty %s is not finite on %.0f of %lld rows of the dataset",
                 s->roll.penalty->name, lost, (long long)s->data.rows);
    }
    s->roll.halt.threshold = (float)(most / pessimism);
    log_info(
        "penalty %s: the largest u of the data is %.4g, by penalty.halt_pessimism %g: rollouts "
        "halt above %.9g", /* all of a float: a run that goes on must find the same */
        s->roll.penalty->name, most, pessimism, (double)s->roll.halt.threshold);
    return OK;
}

Status survey_threshold(Session *s)
{
    Status st = OK;
    Look look = {0};
    double *most = NULL; /* (ranks) each fills its own: a sum of one number and zeros is exact */
    double lost = 0;

    if (!s->roll.penalty->halts || s->cfg.penalty.halt_threshold > 0) {
        return OK;
    }
    st = mem_alloc(&most, (size_t)comm_size(), sizeof *most, "a threshold");
    if (st == OK) {
        st = look_open(&look, s, s->data.rows, s->roll.penalty->needs_truth);
    }
    TRY(comm_agree(st));
    REQUIRE(look.s != NULL && look.u != NULL);
    largest_of_mine(&look, &most[comm_rank()], &lost);
    coll_sum(most, comm_size());
    coll_sum(&lost, 1);
    for (int r = 1; r < comm_size(); r++) {
        most[0] = fmax(most[0], most[r]);
    }
    st = take_threshold(s, most[0], lost); /* the same on all ranks */
done:
    look_close(&look);
    mem_free(&most);
    return st;
}
