#include "run/data_info.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

/* Two passes: the second sum is of small numbers whatever the mean. */
static ColumnInfo column(const double *x, int64_t rows, int cols, int j)
{
    ColumnInfo c = {.min = (double)INFINITY, .max = -(double)INFINITY};
    int64_t n = 0;
    double squares = 0;

    for (int64_t i = 0; i < rows; i++) {
        const double v = x[i * cols + j];
        if (isfinite(v)) {
            c.min = fmin(c.min, v);
            c.max = fmax(c.max, v);
            c.mean += v;
            n++;
        }
    }
    if (n == 0) {
        return (ColumnInfo){0};
    }
    c.mean /= (double)n;
    for (int64_t i = 0; i < rows; i++) {
        const double d = x[i * cols + j] - c.mean;
        squares += isfinite(d) ? d * d : 0;
    }
    c.std = sqrt(squares / (double)n);
    return c;
}

static Status columns(const double *x, int64_t rows, int cols, ColumnInfo **out)
{
    const Status st = mem_alloc(out, (size_t)cols, sizeof **out, "column statistics");
    for (int j = 0; st == OK && j < cols; j++) {
        (*out)[j] = column(x, rows, cols, j);
    }
    return st;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Value at share q of sorted values, between neighbors where it falls between them. */
static double quantile(const double *sorted, int64_t n, double q)
{
    const double at = q * (double)(n - 1);
    const int64_t i = (int64_t)at;
    const int64_t j = i + 1 < n ? i + 1 : i;
    return sorted[i] + (at - (double)i) * (sorted[j] - sorted[i]);
}

/* Sorts the values. */
static Spread spread(double *values, int64_t n)
{
    if (n == 0) {
        return (Spread){0};
    }
    const ColumnInfo c = column(values, n, 1, 0);
    qsort(values, (size_t)n, sizeof *values, compare);
    return (Spread){.mean = c.mean,
                    .std = c.std,
                    .min = values[0],
                    .low = quantile(values, n, 0.25),
                    .middle = quantile(values, n, 0.5),
                    .high = quantile(values, n, 0.75),
                    .max = values[n - 1]};
}

static bool ended(const Recording *rec, int64_t last, bool is_last, int64_t length, int horizon)
{
    if (!is_last || rec->terminals[last] != 0) {
        return true;
    }
    return rec->timeouts != NULL ? rec->timeouts[last] != 0 : length == horizon;
}

static Status episodes(DataInfo *out, const Recording *rec, int horizon)
{
    Status st = OK;
    int64_t *starts = NULL;
    double *lengths = NULL;
    double *totals = NULL;
    int64_t finite = 0;

    TRY(mem_alloc(&starts, (size_t)rec->rows + 1, sizeof *starts, "starts of episodes"));
    const int64_t n = recording_episodes(rec, horizon, starts);
    TRY(mem_alloc(&lengths, (size_t)n + 1, sizeof *lengths, "lengths of episodes"));
    TRY(mem_alloc(&totals, (size_t)n + 1, sizeof *totals, "returns of episodes"));
    for (int64_t e = 0; e < n; e++) {
        const int64_t length = starts[e + 1] - starts[e];
        if (!ended(rec, starts[e + 1] - 1, e + 1 == n, length, horizon)) {
            out->open_rows = length;
            continue;
        }
        double total = 0;
        for (int64_t i = starts[e]; i < starts[e + 1]; i++) {
            total += rec->rewards[i];
        }
        totals[finite] = total;
        finite += isfinite(total) ? 1 : 0;
        lengths[out->episodes++] = (double)length;
    }
    out->length = spread(lengths, out->episodes);
    out->total = spread(totals, finite);
done:
    mem_free(&starts);
    mem_free(&lengths);
    mem_free(&totals);
    return st;
}

Status data_info(DataInfo *out, const Recording *rec, int horizon)
{
    Status st = OK;

    *out = (DataInfo){.rows = rec->rows};
    for (int64_t i = 0; i < rec->rows; i++) {
        out->terminals += rec->terminals[i] != 0;
        out->timeouts += rec->timeouts != NULL && rec->timeouts[i] != 0;
    }
    TRY(episodes(out, rec, horizon));
    out->reward = column(rec->rewards, rec->rows, 1, 0);
    TRY(columns(rec->observations, rec->rows, rec->state_dim, &out->states));
    TRY(columns(rec->actions, rec->rows, rec->act_dim, &out->actions));
done:
    if (st != OK) {
        data_info_release(out);
    }
    return st;
}

void data_info_release(DataInfo *info)
{
    mem_free(&info->states);
    mem_free(&info->actions);
    *info = (DataInfo){0};
}
