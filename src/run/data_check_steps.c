/* Steps from row to row: how large they usually are, which lead to the next row, which ones the task
 * makes. What the checks of order build on. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "run/data_check_internal.h"

/* A file may hold observations and next_observations in different precision; a step is larger. */
static const double same_slack = 1e-5;
/* In typical changes. A step that most columns make at ten times their usual pace is taken for a reset.
 * A guess, used only where the simulator cannot be asked. */
static const double large_step = 10;
/* A hard landing may multiply the rounding of a state up to 2e-2 (HalfCheetah recorded with MuJoCo
 * 1.50); a reset changes velocities by 1 and more. */
static const double reset_error = 0.1;

enum { STEPS_TO_TYPICAL = 4096, CHANGE_MAX = 20, SPREAD = 7919 };

bool same_state(const double *a, const double *b, int n)
{
    bool same = true;
    for (int j = 0; j < n && same; j++) {
        same = fabs(a[j] - b[j]) <= same_slack * (1 + fabs(b[j]));
    }
    return same;
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

double median_of(double *values, int64_t n)
{
    if (n < 1) {
        return 0;
    }
    qsort(values, (size_t)n, sizeof *values, compare_doubles);
    return values[n / 2];
}

double step_size(const Check *c, int64_t row)
{
    const int S = c->rec->state_dim;
    const double *s = row_of(c->rec->observations, row, S);
    double sum = 0;
    int columns = 0;

    for (int j = 0; j < S; j++) {
        if (c->typical[j] > 0) {
            sum += fmin(fabs(s[S + j] - s[j]) / c->typical[j], CHANGE_MAX);
            columns++;
        }
    }
    return columns > 0 ? sum / columns : 0;
}

/* Median change of column j from a row to the next one, or to a row anywhere, over rows spread evenly. */
static double typical_change(const Check *c, int j, bool anywhere, double *values)
{
    const Recording *rec = c->rec;
    const int64_t pairs = rec->rows - 1;
    const int64_t n = pairs < STEPS_TO_TYPICAL ? pairs : STEPS_TO_TYPICAL;
    int64_t count = 0;

    for (int64_t k = 0; k < n; k++) {
        const int64_t i = (int64_t)((double)k * (double)pairs / (double)n);
        const int64_t other = anywhere ? (i + 1 + k * SPREAD % pairs) % rec->rows : i + 1;
        if (c->finite[i] != 0 && c->finite[other] != 0) {
            values[count++] = fabs(row_of(rec->observations, other, rec->state_dim)[j] -
                                   row_of(rec->observations, i, rec->state_dim)[j]);
        }
    }
    return median_of(values, count);
}

/* ---- preparation ---- */

static bool is_linked(const Check *c, int64_t i, int shift)
{
    const Recording *rec = c->rec;
    const int S = rec->state_dim;
    return same_state(row_of(rec->next_observations, i, S), row_of(rec->observations, i + shift, S),
                      S);
}

/* Of the rows inside episodes, how many have the state of row i + shift as their s'. */
static double share_linked(const Check *c, int shift)
{
    int64_t tried = 0;
    int64_t linked = 0;

    for (int64_t i = 1; i + 3 < c->rec->rows; i++) {
        if (c->finite[i] != 0 && c->finite[i + shift] != 0) {
            tried++;
            linked += is_linked(c, i, shift);
        }
    }
    return tried > 0 ? (double)linked / (double)tried : 0;
}

static void find_links(Check *c)
{
    const Recording *rec = c->rec;

    for (int64_t i = 0; i < rec->rows; i++) {
        const bool known = i + 1 < rec->rows && c->finite[i] != 0 && c->finite[i + 1] != 0;
        c->linked[i] = !known || rec->next_observations == NULL || is_linked(c, i, 1);
        if (known && c->end[i] == 0) {
            c->inside++;
            c->inside_linked += c->linked[i];
        }
    }
}

/* Neighbors in time resemble each other more than rows from anywhere do: positions always, velocities
 * not if the robot thrashes about. So the column that changes least decides. */
static Status is_shuffled(Check *c)
{
    Status st = OK;
    double *values = NULL;
    double least = 1;

    TRY(mem_alloc(&values, STEPS_TO_TYPICAL, sizeof *values, "column statistics"));
    for (int j = 0; j < c->rec->state_dim; j++) {
        c->typical[j] = typical_change(c, j, false, values);
        const double any = typical_change(c, j, true, values);
        least = any > 0 ? fmin(least, c->typical[j] / any) : least;
    }
    c->shuffled = c->rec->rows >= 100 && least > 0.6;
done:
    mem_free(&values);
    return st;
}

static void find_shift(Check *c)
{
    static const int others[] = {0, 2, -1, 3};

    if (c->rec->next_observations == NULL || c->rec->rows < 8 ||
        (double)c->inside_linked > 0.5 * (double)c->inside) {
        return;
    }
    for (size_t k = 0; k < sizeof others / sizeof *others; k++) {
        if (share_linked(c, others[k]) > 0.8) {
            c->shift = others[k];
            return;
        }
    }
}

Status check_order_prepare(Check *c)
{
    Status st = OK;

    if (c->rec->rows < 2) {
        c->linked[0] = 1;
        return OK;
    }
    TRY(is_shuffled(c));
    find_links(c);
    find_shift(c);
    if (c->rec->next_observations != NULL) { /* surer than the size of steps */
        c->shuffled = c->shift == 1 && c->rec->rows >= 100 &&
                      (double)c->inside_linked < 0.1 * (double)c->inside;
    }
done:
    return st;
}

Status likely_steps(Check *c, const int64_t *rows, int64_t n, uint8_t *likely)
{
    Status st = OK;
    Replay replay = {0};

    for (int64_t k = 0; k < n; k++) {
        likely[k] = step_size(c, rows[k]) <= large_step;
    }
    if (c->trusted) {
        TRY(replay_rows(&replay, c->replayer, rows, n, REPLAY_FORCED, NULL));
        for (int64_t k = 0; k < n; k++) {
            if (replay_usable(c->rec, rows[k])) {
                likely[k] = replay.rows[k].off <= reset_error;
            }
        }
    }
done:
    replay_release(&replay);
    return st;
}

/* Size of the step that `ask` others exceed. */
static Status threshold(const Check *c, int64_t ask, double *size)
{
    Status st = OK;
    double *sizes = NULL;
    const int64_t n = c->rec->rows - 1;

    *size = 0;
    TRY(mem_alloc(&sizes, (size_t)n, sizeof *sizes, "sizes of steps"));
    for (int64_t i = 0; i < n; i++) {
        sizes[i] = step_size(c, i);
    }
    qsort(sizes, (size_t)n, sizeof *sizes, compare_doubles);
    *size = n > ask ? sizes[n - ask - 1] : -1;
done:
    mem_free(&sizes);
    return st;
}

/* Without next_observations the largest steps are doubted. */
Status check_order_confirm(Check *c)
{
    Status st = OK;
    int64_t *rows = NULL;
    uint8_t *likely = NULL;
    double least = 0;
    int64_t n = 0;
    const int64_t ask = c->ask;

    if (c->rec->next_observations != NULL || c->rec->rows < 2) {
        return OK;
    }
    c->shuffled = c->shuffled && !c->trusted;
    if (c->shuffled) {
        return OK;
    }
    TRY(threshold(c, ask, &least));
    TRY(mem_alloc(&rows, (size_t)ask, sizeof *rows, "steps"));
    TRY(mem_alloc(&likely, (size_t)ask, 1, "steps"));
    for (int64_t i = 0; i + 1 < c->rec->rows && n < ask; i++) {
        if (c->finite[i] != 0 && c->finite[i + 1] != 0 && step_size(c, i) > least) {
            rows[n++] = i;
        }
    }
    TRY(likely_steps(c, rows, n, likely));
    for (int64_t k = 0; k < n; k++) {
        c->linked[rows[k]] = likely[k];
    }
done:
    mem_free(&rows);
    mem_free(&likely);
    return st;
}
