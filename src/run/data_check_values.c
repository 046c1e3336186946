/* Checks of single numbers and rows, without any task. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/slab.h"
#include "run/data_check_internal.h"

static const double action_slack = 1e-3; /* as dataset_fill, which clips smaller excess */

Status check_finite(Check *c)
{
    RowList rows = {0};

    for (int64_t i = 0; i < c->rec->rows; i++) {
        if (c->finite[i] == 0) {
            rowlist_add(&rows, i);
        }
    }
    if (rows.count > 0) {
        rowlist_give(&rows, found(c, SEVERITY_ERROR,
                                  "a number of these rows is infinite or NaN; training refuses "
                                  "the file: write it again without them"));
    }
    return OK;
}

Status check_flags(Check *c)
{
    if (c->rec->odd_flags > 0) {
        (void)found(c, SEVERITY_ERROR,
                    "%lld of the terminals and timeouts are neither 0 nor 1; training refuses the "
                    "file: write flags, not counts or probabilities",
                    (long long)c->rec->odd_flags);
    }
    return OK;
}

static bool all_zero(const double *x, int n)
{
    bool yes = true;
    for (int j = 0; j < n && yes; j++) {
        yes = x[j] == 0.0;
    }
    return yes;
}

static bool is_blank(const Recording *rec, int64_t i)
{
    return rec->rewards[i] == 0.0 &&
           all_zero(row_of(rec->actions, i, rec->act_dim), rec->act_dim) &&
           all_zero(row_of(rec->observations, i, rec->state_dim), rec->state_dim);
}

Status check_blank_rows(Check *c)
{
    const Recording *rec = c->rec;
    RowList rows = {0};
    int64_t tail = 0;

    for (int64_t i = 0; i < rec->rows; i++) {
        const bool blank = is_blank(rec, i);
        tail = blank ? tail + 1 : 0;
        if (blank) {
            rowlist_add(&rows, i);
        }
    }
    if (rows.count > 0) {
        rowlist_give(&rows, found(c, SEVERITY_ERROR,
                                  "state, action and reward are all zero, in %lld rows at the end "
                                  "of the file: an array that was not filled? write the file "
                                  "again without these rows",
                                  (long long)tail));
    }
    return OK;
}

/* How many of the columns are constant; *first gets the first of them. */
static int constant_columns(const double *x, int64_t rows, int cols, int *first)
{
    int count = 0;

    for (int j = cols - 1; j >= 0; j--) {
        bool constant = true;
        for (int64_t i = 1; i < rows && constant; i++) {
            constant = x[i * cols + j] == x[j];
        }
        if (constant) {
            count++;
            *first = j;
        }
    }
    return count;
}

/* Contact forces of Ant are zeros in D4RL: known, and not judged. */
Status check_constant_columns(Check *c)
{
    const Recording *rec = c->rec;
    const EnvKind *task = c->options->task;
    const int forces = task != NULL && task->open != NULL && task->state_dim == rec->state_dim
                           ? task->state_dim - replay_columns(task)
                           : 0;
    int first = 0;

    if (rec->rows < 2) {
        return OK;
    }
    const int states = constant_columns(rec->observations, rec->rows, rec->state_dim, &first);
    if (states > 0 && (states > forces || first < rec->state_dim - forces)) {
        (void)found(c, SEVERITY_WARNING,
                    "%d of %d columns of the observations never change, column %d first: the "
                    "model learns nothing from them; is a sensor missing?",
                    states, rec->state_dim, first);
    }
    const int actions = constant_columns(rec->actions, rec->rows, rec->act_dim, &first);
    if (actions > 0) {
        (void)found(c, SEVERITY_WARNING,
                    "%d of %d columns of the actions never change, column %d first: the data do "
                    "not show what other actions do, and the penalty keeps the policy at them",
                    actions, rec->act_dim, first);
    }
    if (constant_columns(rec->rewards, rec->rows, 1, &first) > 0) {
        (void)found(c, SEVERITY_WARNING,
                    "the reward is %g in every row: there is nothing to learn from it",
                    rec->rewards[0]);
    }
    return OK;
}

static double largest(const double *x, int n)
{
    double most = 0;
    for (int j = 0; j < n; j++) {
        most = fmax(most, fabs(x[j]));
    }
    return most;
}

Status check_action_range(Check *c)
{
    const Recording *rec = c->rec;
    RowList rows = {0};
    double most = 0;

    for (int64_t i = 0; i < rec->rows && !c->options->any_actions; i++) {
        const double a = largest(row_of(rec->actions, i, rec->act_dim), rec->act_dim);
        if (isfinite(a) && a > 1 + action_slack) {
            rowlist_add(&rows, i);
            most = fmax(most, a);
        }
    }
    if (rows.count > 0) {
        rowlist_give(&rows, found(c, SEVERITY_ERROR,
                                  "actions go up to %.4g, and [-1, 1] is allowed; training refuses "
                                  "the file: clip them if the system clipped them, or give their "
                                  "limits as data.action_low and data.action_high",
                                  most));
    }
    return OK;
}

Status check_action_bounds(Check *c)
{
    const Recording *rec = c->rec;
    const int64_t n = rec->rows * rec->act_dim;
    int64_t at = 0;

    for (int64_t i = 0; i < n; i++) {
        at += fabs(fabs(rec->actions[i]) - 1) <= 1e-6;
    }
    if ((double)at >= 0.95 * (double)n) {
        (void)found(c, SEVERITY_WARNING,
                    "%.1f %% of the actions are exactly -1 or 1: a bang-bang controller, or "
                    "actions of another unit that were clipped; the data say little about what "
                    "is between",
                    100 * (double)at / (double)n);
    }
    return OK;
}

/* 16 bits: 10 of the mantissa's 23 are left. */
static bool is_half(double x)
{
    const float f = (float)x;
    uint32_t bits = 0;
    memcpy(&bits, &f, sizeof bits);
    return (bits & 0x1FFFU) == 0;
}

/* Integers, zeros and the like are representable; a file of nothing else is not judged here, so the
 * numbers must differ among themselves. By chance one in 8192 is as round as that. */
Status check_half_precision(Check *c)
{
    const Recording *rec = c->rec;
    int64_t seen = 0;
    int64_t half = 0;

    for (int64_t k = 0; k < c->samples; k++) {
        const double *s = row_of(rec->observations, c->sample[k], rec->state_dim);
        for (int j = 0; j < rec->state_dim; j++) {
            if (s[j] != nearbyint(s[j])) {
                seen++;
                half += is_half(s[j]);
            }
        }
    }
    if (seen >= 100 && (double)half > 0.99 * (double)seen) {
        (void)found(c, SEVERITY_WARNING,
                    "the observations have 16 bits only: changes from step to step, which the "
                    "model learns, are rounded to 0.05 %% of the state; record single precision");
    }
    return OK;
}

/* ---- rows that are there twice ---- */

typedef struct {
    uint64_t hash;
    int64_t row;
} HashedRow;

static int by_hash(const void *a, const void *b)
{
    const HashedRow *x = a;
    const HashedRow *y = b;
    if (x->hash != y->hash) {
        return x->hash < y->hash ? -1 : 1;
    }
    return x->row < y->row ? -1 : x->row > y->row;
}

static uint64_t hash_row(const Recording *rec, int64_t i)
{
    const size_t s = (size_t)rec->state_dim * sizeof(double);
    const uint64_t parts[] = {
        bytes_hash(row_of(rec->observations, i, rec->state_dim), s),
        bytes_hash(row_of(rec->actions, i, rec->act_dim), (size_t)rec->act_dim * sizeof(double)),
        bytes_hash(&rec->rewards[i], sizeof(double)),
    };
    return bytes_hash(parts, sizeof parts);
}

/* twin[i] becomes the first row with the same numbers, i itself where there is none before it. */
static Status find_twins(const Recording *rec, int64_t *twin)
{
    Status st = OK;
    HashedRow *rows = NULL;
    const size_t n = (size_t)rec->rows;

    TRY(mem_alloc(&rows, n, sizeof *rows, "hashes of rows"));
    for (size_t i = 0; i < n; i++) {
        rows[i] = (HashedRow){.hash = hash_row(rec, (int64_t)i), .row = (int64_t)i};
    }
    qsort(rows, n, sizeof *rows, by_hash);
    for (size_t i = 0; i < n; i++) {
        const bool again = i > 0 && rows[i].hash == rows[i - 1].hash;
        twin[rows[i].row] = again ? twin[rows[i - 1].row] : rows[i].row;
    }
done:
    mem_free(&rows);
    return st;
}

enum { BLOCK = 10 }; /* rows in a row that no chance repeats */

Status check_duplicates(Check *c)
{
    Status st = OK;
    const Recording *rec = c->rec;
    int64_t *twin = NULL;
    RowList single = {0};
    RowList block = {0};
    int64_t i = 0;

    TRY(mem_alloc(&twin, (size_t)rec->rows, sizeof *twin, "rows that are equal"));
    TRY(find_twins(rec, twin));
    while (i < rec->rows) {
        int64_t run = 0;
        while (i + run < rec->rows && twin[i + run] == twin[i] + run && twin[i + run] != i + run) {
            run++;
        }
        for (int64_t k = i; k < i + run; k++) {
            if (!is_blank(rec, k)) {
                rowlist_add(run >= BLOCK ? &block : &single, k);
            }
        }
        i += run > 0 ? run : 1;
    }
    if (block.count > 0) {
        rowlist_give(&block,
                     found(c, SEVERITY_ERROR,
                           "blocks of rows repeat earlier ones, row %lld those from %lld on: "
                           "episodes that were appended twice count twice, and the "
                           "holdout rows of the model are not held out",
                           (long long)block.first[0], (long long)twin[block.first[0]]));
    }
    if (single.count > 0) {
        rowlist_give(&single, found(c, SEVERITY_NOTE, "single rows that are there already"));
    }
done:
    mem_free(&twin);
    return st;
}
