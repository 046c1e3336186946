#include "rollout/rollout.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "base/slab.h"

int rollout_unit_starts(const Rollout *roll, int unit)
{
    const int64_t n = roll->batch;
    const int64_t u = unit;
    return (int)(n * (u + 1) / roll->units - n * u / roll->units);
}

static int most_starts(const Rollout *roll)
{
    return (roll->batch + roll->units - 1) / roll->units;
}

int64_t rollout_unit_most(const Rollout *roll)
{
    return (int64_t)most_starts(roll) * roll->horizon;
}

/* Arrays of one unit; `live` rows are in use. */
typedef struct {
    int live;
    float *s;          /* (rows, S) */
    float *a;          /* (rows, A) */
    float *sa;         /* (rows, D) */
    float *eps;        /* (rows, max(A, Y)) */
    float *mean, *std; /* (rows, E, Y) */
    float *sample;     /* (rows, Y) */
    int32_t *drawn;    /* (rows) */
    float *truth;      /* (rows, S); NULL: not wanted */
    float *u;          /* (rows) */
    uint8_t *done;     /* (rows) */
    int32_t *origin;   /* (rows) number of the trajectory; this and the next NULL: not wanted */
    int32_t *of;       /* (records) trajectory of each record */
    int32_t *begins;   /* (rows + 1) */
} Unit;

/* n numbers that only the order of trajectories needs. */
static int32_t *trace_array(const Rollout *roll, size_t n, Arena *tmp)
{
    return roll->by_trajectory ? arena_bytes(tmp, n * sizeof(int32_t)) : NULL;
}

static size_t trace_cost(const Rollout *roll, size_t rows)
{
    return roll->by_trajectory
               ? 2 * arena_cost(rows + 1) + arena_cost((size_t)rollout_unit_most(roll))
               : 0;
}

static Unit unit_make(const Rollout *roll, Arena *tmp)
{
    const size_t rows = (size_t)most_starts(roll);
    const size_t S = (size_t)roll->rec.S;
    const size_t A = (size_t)roll->rec.A;
    const size_t outs = rows * (size_t)roll->ens->cfg.members * (S + 1);
    return (Unit){.s = arena_floats(tmp, rows * S),
                  .a = arena_floats(tmp, rows * A),
                  .sa = arena_floats(tmp, rows * (S + A)),
                  .eps = arena_floats(tmp, rows * (S + 1 + A)),
                  .mean = arena_floats(tmp, outs),
                  .std = arena_floats(tmp, outs),
                  .sample = arena_floats(tmp, rows * (S + 1)),
                  .drawn = arena_bytes(tmp, rows * sizeof(int32_t)),
                  .truth = roll->penalty->needs_truth ? arena_floats(tmp, rows * S) : NULL,
                  .u = arena_floats(tmp, rows),
                  .done = arena_bytes(tmp, rows),
                  .origin = trace_array(roll, rows, tmp),
                  .of = trace_array(roll, (size_t)rollout_unit_most(roll), tmp),
                  .begins = trace_array(roll, rows + 1, tmp)};
}

size_t rollout_cost(const Rollout *roll)
{
    const int rows = most_starts(roll);
    const size_t n = (size_t)rows;
    const size_t S = (size_t)roll->rec.S;
    const size_t A = (size_t)roll->rec.A;
    const size_t outs = n * (size_t)roll->ens->cfg.members * (S + 1);
    const size_t act = agent_act_cost(roll->agent, rows);
    const size_t predict = ensemble_predict_cost(roll->ens, rows);
    return 6 * arena_cost(n * (S + A + 1)) + 3 * arena_cost(n) + 2 * arena_cost(outs) +
           (act > predict ? act : predict) + termination_cost(&roll->end, rows) +
           trace_cost(roll, n);
}

/* Streams within an epoch are numbered by the model step. */
static uint64_t stream_step(int64_t epoch, int step)
{
    return (uint64_t)epoch << 16 | (uint64_t)(unsigned)step;
}

static void draw_starts(const Rollout *roll, int64_t epoch, int unit, Unit *w)
{
    Rng rng = rng_make(roll->seed, RNG_ROLLOUT_START, (uint64_t)epoch, (uint32_t)unit);
    const size_t S = (size_t)roll->rec.S;
    const int64_t choices = roll->starts != NULL ? roll->n_starts : roll->dataset_rows;

    w->live = rollout_unit_starts(roll, unit);
    for (size_t i = 0; i < (size_t)w->live; i++) {
        const uint32_t k = rng_below(&rng, (uint32_t)choices);
        const size_t row = roll->starts != NULL ? (size_t)roll->starts[k] : (size_t)k;
        memcpy(w->s + i * S, roll->dataset + row * roll->rec.stride, S * sizeof(float));
    }
    for (int i = 0; w->origin != NULL && i < w->live; i++) {
        w->origin[i] = i;
    }
}

static void choose_actions(const Rollout *roll, const float *actor, int64_t epoch, int step,
                           int unit, Arena *tmp, Unit *w)
{
    const size_t S = (size_t)roll->rec.S;
    const size_t A = (size_t)roll->rec.A;
    const size_t n = (size_t)w->live;
    Rng rng = rng_make(roll->seed, RNG_ROLLOUT_ACTION, stream_step(epoch, step), (uint32_t)unit);

    if (roll->uniform_actions) {
        rng_fill_uniform(&rng, -1.0F, 1.0F, w->a, n * A);
    } else {
        rng_fill_normal(&rng, w->eps, n * A);
        agent_act(roll->agent, actor, w->s, w->eps, w->live, tmp, w->a);
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(w->sa + i * (S + A), w->s + i * S, S * sizeof(float));
        memcpy(w->sa + i * (S + A) + S, w->a + i * A, A * sizeof(float));
    }
}

static bool all_finite(const float *x, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        if (!isfinite(x[j])) {
            return false;
        }
    }
    return true;
}

bool rollout_beyond_guard(const Rollout *roll, const float *s)
{
    for (int j = 0; roll->guard > 0.0F && j < roll->rec.S; j++) {
        if (fabsf(s[j]) >= roll->guard) {
            return true;
        }
    }
    return false;
}

/* An elite for each live row. */
static void draw_members(const Rollout *roll, int64_t epoch, int step, int unit, Unit *w)
{
    const uint32_t elites = (uint32_t)roll->ens->cfg.elites;
    Rng rng = rng_make(roll->seed, RNG_ROLLOUT_MEMBER, stream_step(epoch, step), (uint32_t)unit);

    for (size_t i = 0; i < (size_t)w->live; i++) {
        w->drawn[i] = (int32_t)roll->ens->elite[rng_below(&rng, elites)];
    }
}

/* (r, s') of each live row from its elite. */
static void draw_samples(const Rollout *roll, int64_t epoch, int step, int unit, Unit *w)
{
    const size_t Y = (size_t)roll->rec.S + 1;
    const size_t n = (size_t)w->live;
    const size_t E = (size_t)roll->ens->cfg.members;
    Rng noise = rng_make(roll->seed, RNG_ROLLOUT_NOISE, stream_step(epoch, step), (uint32_t)unit);

    rng_fill_normal(&noise, w->eps, n * Y);
    for (size_t i = 0; i < n; i++) {
        const size_t at = (i * E + (size_t)w->drawn[i]) * Y;
        for (size_t j = 0; j < Y; j++) {
            w->sample[i * Y + j] = w->mean[at + j] + w->std[at + j] * w->eps[i * Y + j];
        }
    }
}

static void find_uncertainty(const Rollout *roll, Unit *w)
{
    if (w->truth != NULL) {
        roll->truth->next(roll->truth->ctx, w->sa, w->live, w->truth);
    }
    const PenaltyIn in = {.mean = w->mean,
                          .std = w->std,
                          .sample = w->sample,
                          .drawn = w->drawn,
                          .truth = w->truth,
                          .rows = w->live,
                          .members = roll->ens->cfg.members,
                          .outs = roll->rec.S + 1};
    roll->penalty->eval(&in, w->u);
}

/* Records of all live rows, behind the report's rows; those that are not finite are left out. Returns
 * how many; w->u, w->drawn and w->origin move with them. */
static size_t store_rows(const Rollout *roll, Unit *w, float *records, UnitReport *report)
{
    const Record *rec = &roll->rec;
    const size_t S = (size_t)rec->S;
    const size_t D = S + (size_t)rec->A;
    size_t kept = 0;

    for (size_t i = 0; i < (size_t)w->live; i++) {
        float *row = records + ((size_t)report->rows + kept) * rec->stride;
        const float *sample = w->sample + i * (S + 1);
        if (!all_finite(sample, S + 1) || !isfinite(w->u[i])) {
            report->dropped++;
            continue;
        }
        memcpy(row, w->sa + i * D, D * sizeof *row);
        row[rec->r] = sample[0];
        memcpy(row + rec->s2, sample + 1, S * sizeof *row);
        if (w->origin != NULL) {
            w->origin[kept] = w->origin[i];
        }
        w->u[kept] = w->u[i];
        w->drawn[kept++] = w->drawn[i];
    }
    return kept;
}

static float halted_reward(const Halt *halt, float reward)
{
    switch (halt->form) {
    case HALT_FLOOR:
        return halt->floor - halt->cost;
    case HALT_ABSORBING:
        return reward - halt->gamma * halt->cost / (1.0F - halt->gamma);
    case HALT_CUT:
        break;
    }
    return reward - halt->cost;
}

/* The reward under pessimism; true when the row goes to HALT. */
static bool pessimize(const Rollout *roll, float u, float *reward)
{
    if (!roll->penalty->halts) {
        *reward -= roll->lambda * u;
        return false;
    }
    if (u > roll->halt.threshold) {
        *reward = halted_reward(&roll->halt, *reward);
        return true;
    }
    return false;
}

/* One step of all live rows: records are appended, rows that go on are moved to the front. */
static void step_rows(const Rollout *roll, Arena *tmp, Unit *w, float *records, UnitReport *report)
{
    const Record *rec = &roll->rec;
    const size_t S = (size_t)rec->S;
    const size_t n = store_rows(roll, w, records, report);
    float *rows = records + (size_t)report->rows * rec->stride;
    size_t on = 0;

    termination_mark(&roll->end, roll->env, rec, rows, (int)n, tmp, w->done);
    for (size_t i = 0; i < n; i++) {
        float *row = rows + i * rec->stride;
        const float *s2 = row + rec->s2;
        report->reward_sum += (double)row[rec->r];
        report->penalty_sum += (double)w->u[i];
        report->penalty_max = fmax(report->penalty_max, (double)w->u[i]);
        const bool halted = pessimize(roll, w->u[i], &row[rec->r]);
        const bool done = halted || w->done[i] != 0 || rollout_beyond_guard(roll, s2);
        row[rec->cont] = done ? 0.0F : 1.0F;
        if (w->origin != NULL) {
            w->of[report->rows] = w->origin[i];
        }
        report->rows++;
        report->ended += done ? 1 : 0;
        report->halted += halted ? 1 : 0;
        if (!done) {
            memcpy(w->s + on * S, s2, S * sizeof *row);
            if (w->origin != NULL) {
                w->origin[on] = w->origin[i];
            }
            w->drawn[on++] = w->drawn[i];
        }
    }
    w->live = (int)on;
}

/* Records from step by step to trajectory by trajectory, each in its order. In place: w->of becomes the
 * place of each record, and records are exchanged until all have come home. */
static void order_records(const Rollout *roll, int starts, int64_t n, Unit *w, float *records)
{
    const size_t stride = roll->rec.stride;

    memset(w->begins, 0, ((size_t)starts + 1) * sizeof *w->begins);
    for (int64_t k = 0; k < n; k++) {
        w->begins[w->of[k] + 1]++;
    }
    for (int i = 0; i < starts; i++) {
        w->begins[i + 1] += w->begins[i];
    }
    for (int64_t k = 0; k < n; k++) {
        w->of[k] = w->begins[w->of[k]]++;
    }
    for (int64_t k = 0; k < n; k++) {
        while (w->of[k] != k) {
            const int32_t to = w->of[k];
            float *a = records + (size_t)k * stride;
            float *b = records + (size_t)to * stride;
            for (size_t j = 0; j < stride; j++) {
                const float x = a[j];
                a[j] = b[j];
                b[j] = x;
            }
            w->of[k] = w->of[to];
            w->of[to] = to;
        }
    }
}

void rollout_run(const Rollout *roll, const float *actor, int64_t epoch, int unit, Arena *tmp,
                 float *records, UnitReport *report)
{
    const size_t mark = tmp->used;
    Unit w = unit_make(roll, tmp);

    *report = (UnitReport){0};
    draw_starts(roll, epoch, unit, &w);
    for (int step = 0; step < roll->horizon && w.live > 0; step++) {
        choose_actions(roll, actor, epoch, step, unit, tmp, &w);
        if (step == 0 || !roll->keeps_member) {
            draw_members(roll, epoch, step, unit, &w);
        }
        ensemble_predict_what(roll->ens, w.sa, w.live, w.drawn, roll->penalty->reads, tmp, w.mean,
                              w.std);
        draw_samples(roll, epoch, step, unit, &w);
        find_uncertainty(roll, &w);
        step_rows(roll, tmp, &w, records, report);
    }
    if (w.begins != NULL) {
        order_records(roll, rollout_unit_starts(roll, unit), report->rows, &w, records);
    }
    report->digest = bytes_hash(records, (size_t)report->rows * roll->rec.stride * sizeof *records);
    arena_reset(tmp, mark);
}
