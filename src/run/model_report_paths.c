#include "run/model_report_paths.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "run/model_report_numbers.h"

enum { PIECE = 32 }; /* starts of one product: part of the result, like a batch size */

static int longest(void)
{
    return report_steps[REPORT_STEPS - 1];
}

/* Whether row i ends an episode and has the next one's first state for s' (data.next = d4rl). */
static bool is_reset(const Paths *paths, int64_t i)
{
    const Record *rec = &paths->rec;
    const float *row = paths->records + (size_t)i * rec->stride;

    return row[rec->cont] == 0.0F && i + 1 < paths->rows &&
           memcmp(row + rec->s2, row + rec->stride, (size_t)rec->S * sizeof *row) == 0;
}

int paths_length(const Paths *paths, int64_t start, int most)
{
    const Record *rec = &paths->rec;
    int length = 1;

    while (length < most && start + length < paths->rows) {
        const float *row = paths->records + (size_t)(start + length) * rec->stride;
        const float *before = row - rec->stride;
        if (before[rec->cont] == 0.0F ||
            memcmp(before + rec->s2, row, (size_t)rec->S * sizeof *row) != 0) {
            break;
        }
        length++;
    }
    return is_reset(paths, start + length - 1) ? length - 1 : length;
}

int paths_scales(const Record *rec, const float *records, int64_t rows, double *inverse)
{
    double mean[ENSEMBLE_DIM_MAX] = {0};
    double squares[ENSEMBLE_DIM_MAX] = {0};
    int varying = 0;

    for (int64_t i = 0; i < rows; i++) {
        for (int j = 0; j < rec->S; j++) {
            mean[j] += (double)records[(size_t)i * rec->stride + (size_t)j] / (double)rows;
        }
    }
    for (int64_t i = 0; i < rows; i++) {
        for (int j = 0; j < rec->S; j++) {
            const double off = (double)records[(size_t)i * rec->stride + (size_t)j] - mean[j];
            squares[j] += off * off / (double)rows;
        }
    }
    for (int j = 0; j < rec->S; j++) {
        const bool varies = squares[j] > 1e-18 * (1 + mean[j] * mean[j]); /* beyond rounding */
        inverse[j] = varies ? 1 / sqrt(squares[j]) : 0.0;
        varying += varies ? 1 : 0;
    }
    return varying;
}

static double distance(const Paths *paths, const float *state, const float *truth)
{
    double sum = 0;

    for (int j = 0; j < paths->rec.S; j++) {
        const double off = ((double)state[j] - (double)truth[j]) * paths->inverse[j];
        sum += off * off;
    }
    return isfinite(sum) ? sqrt(sum / paths->dims) : HUGE_VAL;
}

/* sa (count, S + A): the states that are there, with the actions recorded `step` rows behind the starts;
 * behind the end of a stretch they do not matter. */
static void take_actions(const Paths *paths, int first, int count, const int *length, int step,
                         float *sa)
{
    const size_t S = (size_t)paths->rec.S;
    const size_t A = (size_t)paths->rec.A;

    for (int i = 0; i < count; i++) {
        const int at = step < length[i] ? step : 0;
        const float *row =
            paths->records + (size_t)(paths->start[first + i] + at) * paths->rec.stride;
        memcpy(sa + (size_t)i * (S + A) + S, row + paths->rec.a, A * sizeof *sa);
    }
}

static void advance(const Paths *paths, const Ensemble *member, int count, Arena *tmp, float *sa)
{
    const size_t mark = tmp->used;
    const size_t S = (size_t)paths->rec.S;
    const size_t A = (size_t)paths->rec.A;
    float *mean = arena_floats(tmp, (size_t)count * (S + 1));
    float *std = arena_floats(tmp, (size_t)count * (S + 1));

    ensemble_predict(member, sa, count, tmp, mean, std);
    for (size_t i = 0; i < (size_t)count; i++) {
        memcpy(sa + i * (S + A), mean + i * (S + 1) + 1, S * sizeof *sa);
    }
    arena_reset(tmp, mark);
}

void paths_errors(const Paths *paths, const Ensemble *member, int first, int count, Arena *tmp,
                  double *error)
{
    const size_t mark = tmp->used;
    const size_t S = (size_t)paths->rec.S;
    const size_t D = S + (size_t)paths->rec.A;
    float *sa = arena_floats(tmp, (size_t)count * D);
    int *length = arena_bytes(tmp, (size_t)count * sizeof *length);
    int k = 0; /* of report_steps */

    memset(error, 0, (size_t)count * REPORT_STEPS * sizeof *error);
    for (int i = 0; i < count; i++) {
        const float *row = paths->records + (size_t)paths->start[first + i] * paths->rec.stride;
        memcpy(sa + (size_t)i * D, row, S * sizeof *sa);
        length[i] = paths_length(paths, paths->start[first + i], longest());
    }
    for (int step = 0; step < longest(); step++) {
        if (member != NULL) {
            take_actions(paths, first, count, length, step, sa);
            advance(paths, member, count, tmp, sa);
        }
        if (step + 1 != report_steps[k]) {
            continue;
        }
        for (int i = 0; i < count; i++) {
            const float *row =
                paths->records + (size_t)(paths->start[first + i] + step) * paths->rec.stride;
            if (step < length[i]) {
                error[i * REPORT_STEPS + k] =
                    distance(paths, sa + (size_t)i * D, row + paths->rec.s2);
            }
        }
        k++;
    }
    arena_reset(tmp, mark);
}

size_t paths_cost(const Paths *paths, const Ensemble *member, int count)
{
    const size_t rows = (size_t)count;
    const size_t S = (size_t)paths->rec.S;
    return arena_cost(rows * (S + (size_t)paths->rec.A)) + arena_cost(rows) +
           2 * arena_cost(rows * (S + 1)) + ensemble_predict_cost(member, count);
}

/* ---- a session's ensemble ---- */

/* One member as an ensemble of its own: a fifth of the work where only its own path matters. */
static Status take_member(const Ensemble *ens, int64_t number, Ensemble *alone)
{
    EnsembleConfig cfg = ens->cfg;
    const size_t scales = 2 * (size_t)(cfg.state_dim + cfg.act_dim + cfg.state_dim + 1);
    Status st = OK;

    cfg.members = cfg.elites = 1;
    TRY(ensemble_init(alone, &cfg, 0));
    memcpy(alone->params, ensemble_member(ens, (int)number), ens->stride * sizeof *alone->params);
    memcpy(alone->scales, ens->scales, scales * sizeof *alone->scales);
    ensemble_freeze(alone);
done:
    return st;
}

typedef struct {
    double
        *errors; /* (1 + elites, starts, REPORT_STEPS) owned: of the state staying, of the elites */
    double *sorted; /* (elites, starts) owned */
    int64_t *start; /* (starts) owned */
    Paths paths;
    Arena tmp;
} Work;

/* Error cells of this rank's pieces; the others stay 0. */
static Status fill_errors(Work *w, const Ensemble *ens)
{
    Status st = OK;
    Ensemble alone = {0};
    int unit = 0;

    for (int e = -1; e < ens->cfg.elites; e++) {
        ensemble_release(&alone);
        TRY(take_member(ens, ens->elite[e < 0 ? 0 : e], &alone));
        if (w->tmp.block == NULL) {
            TRY(arena_init(&w->tmp, paths_cost(&w->paths, &alone, PIECE)));
        }
        for (int first = 0; first < w->paths.starts; first += PIECE, unit++) {
            const int left = w->paths.starts - first;
            const size_t at = (size_t)(e + 1) * (size_t)w->paths.starts + (size_t)first;
            if (unit % comm_size() == comm_rank()) {
                paths_errors(&w->paths, e < 0 ? NULL : &alone, first, left < PIECE ? left : PIECE,
                             &w->tmp, w->errors + at * REPORT_STEPS);
            }
        }
    }
done:
    ensemble_release(&alone);
    return st;
}

/* Median and ninth decile at report_steps[k], of blocks from .. to - 1 of errors. */
static int gather_step(const Work *w, int k, int from, int to, double *median, double *high)
{
    int n = 0;

    for (int b = from; b < to; b++) {
        for (int i = 0; i < w->paths.starts; i++) {
            const size_t at = (size_t)b * (size_t)w->paths.starts + (size_t)i;
            if (paths_length(&w->paths, w->start[i], report_steps[k]) == report_steps[k]) {
                w->sorted[n++] = w->errors[at * REPORT_STEPS + (size_t)k];
            }
        }
    }
    sort_values(w->sorted, n);
    *median = quantile(w->sorted, n, 0.5);
    *high = quantile(w->sorted, n, 0.9);
    return n;
}

static Status work_open(Work *w, const Session *s, const FitData *data, const double *inverse)
{
    Status st = OK;
    const int64_t most = data->n_hold < REPORT_STARTS ? data->n_hold : REPORT_STARTS;
    const size_t blocks = (size_t)s->ens.cfg.elites + 1;

    TRY(mem_alloc(&w->start, (size_t)most, sizeof *w->start, "open-loop starts"));
    TRY(mem_alloc(&w->errors, blocks * (size_t)most * REPORT_STEPS, sizeof *w->errors,
                  "open-loop errors"));
    TRY(mem_alloc(&w->sorted, blocks * (size_t)most, sizeof *w->sorted, "open-loop errors"));
    for (int64_t i = 0; i < most; i++) { /* the order is random already */
        w->start[i] = data->order[data->n_train + i];
    }
    w->paths = (Paths){.rec = s->data.rec,
                       .records = s->data.records,
                       .rows = s->data.rows,
                       .inverse = inverse,
                       .start = w->start,
                       .starts = (int)most};
done:
    return st;
}

Status model_report_paths(const Session *s, const FitData *data, ModelReport *report)
{
    Status st = OK;
    Work w = {0};
    double inverse[ENSEMBLE_DIM_MAX];
    const int elites = s->ens.cfg.elites;

    report->path_dims = paths_scales(&s->data.rec, s->data.records, s->data.rows, inverse);
    TRY(comm_agree(work_open(&w, s, data, inverse)));
    w.paths.dims = report->path_dims > 0 ? report->path_dims : 1;
    TRY(comm_agree(fill_errors(&w, &s->ens)));
    coll_sum(w.errors, (elites + 1) * w.paths.starts * REPORT_STEPS);
    for (int k = 0; k < REPORT_STEPS; k++) {
        HorizonQuality *h = &report->horizon[k];
        h->starts = gather_step(&w, k, 0, 1, &h->still_median, &h->still_high);
        (void)gather_step(&w, k, 1, elites + 1, &h->median, &h->high);
    }
done:
    mem_free(&w.start);
    mem_free(&w.errors);
    mem_free(&w.sorted);
    arena_release(&w.tmp);
    return st;
}
