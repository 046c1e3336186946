#include "run/model_report_numbers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const double report_levels[REPORT_LEVELS] = {0.5, 0.8, 0.95};
const int report_steps[REPORT_STEPS] = {1, 2, 5, 10, 20, 50};

/* Quantiles of the standard normal at (1 + level) / 2. */
static const double half_widths[REPORT_LEVELS] = {0.67448975019608174, 1.2815515655446004,
                                                  1.9599639845400545};
static const double half_log_2pi = 0.91893853320467274;

/* ---- held-out rows ---- */

double normal_nll(double y, double mean, double std)
{
    const double z = (y - mean) / std;
    return half_log_2pi + log(std) + 0.5 * z * z;
}

static void count_inside(double off, double std, double *inside)
{
    for (int k = 0; k < REPORT_LEVELS; k++) {
        inside[k] += fabs(off) <= half_widths[k] * std ? 1.0 : 0.0; /* NaN is outside */
    }
}

/* Output y of one row; mean and std are those of member 0, `outs` apart. */
static void add_output(const HeldBatch *in, const float *mean, const float *std, int y,
                       double target, HeldSums *sums)
{
    double center = 0;
    double second = 0;
    const double share = 1.0 / in->elites;

    for (int k = 0; k < in->elites; k++) {
        const size_t at = (size_t)in->elite[k] * (size_t)in->outs + (size_t)y;
        center += share * (double)mean[at];
    }
    for (int k = 0; k < in->elites; k++) {
        const size_t at = (size_t)in->elite[k] * (size_t)in->outs + (size_t)y;
        const double off = (double)mean[at] - center;
        second += share * ((double)std[at] * (double)std[at] + off * off);
        count_inside(target - (double)mean[at], (double)std[at], sums->output[y].own);
    }
    sums->output[y].squares += (target - center) * (target - center);
    sums->output[y].nll += normal_nll(target, center, sqrt(second));
    count_inside(target - center, sqrt(second), sums->output[y].mixed);
}

void held_sums(const HeldBatch *in, HeldSums *sums)
{
    const size_t E = (size_t)in->members;
    const size_t Y = (size_t)in->outs;

    memset(sums, 0, sizeof *sums);
    for (size_t b = 0; b < (size_t)in->rows; b++) {
        const float *mean = in->mean + b * E * Y;
        const float *std = in->std + b * E * Y;
        const float *target = in->target + b * Y;
        for (size_t y = 0; y < Y; y++) {
            const double t = (double)target[y];
            add_output(in, mean, std, (int)y, t, sums);
            for (size_t i = 0; i < E; i++) {
                const double off = t - (double)mean[i * Y + y];
                sums->cell[i][y].squares += off * off;
                sums->cell[i][y].nll +=
                    normal_nll(t, (double)mean[i * Y + y], (double)std[i * Y + y]);
            }
        }
    }
}

static void add_to_first(HeldSums *sums, int count)
{
    double *to = &sums->output[0].squares; /* the struct is an array of doubles */

    for (int u = 1; u < count; u++) {
        const double *from = &sums[u].output[0].squares;
        for (int i = 0; i < HELD_SUMS; i++) {
            to[i] += from[i];
        }
    }
}

static void finish_output(const HeldSums *sums, int y, ModelReport *r)
{
    OutputQuality *q = &r->outputs[y];
    const double n = (double)r->held;

    q->rmse = sqrt(sums->output[y].squares / n);
    q->nll = sums->output[y].nll / n;
    q->r2 =
        q->deviation > 0 ? 1 - (q->rmse / q->deviation) * (q->rmse / q->deviation) : (double)NAN;
    for (int k = 0; k < REPORT_LEVELS; k++) {
        q->coverage.own[k] = sums->output[y].own[k] / (n * r->elites);
        q->coverage.mixed[k] = sums->output[y].mixed[k] / n;
    }
}

/* Means over the outputs that vary: a target that is always the same is no test. Over all where none does. */
static void finish_means(ModelReport *r)
{
    const int count = r->varying > 0 ? r->varying : r->outs;

    r->coverage = (Coverage){0};
    r->mean_nll = 0;
    r->mean_r2 = r->varying > 0 ? 0 : (double)NAN;
    for (int y = 0; y < r->outs; y++) {
        const OutputQuality *q = &r->outputs[y];
        if (r->varying > 0 && !(q->deviation > 0)) {
            continue;
        }
        r->mean_r2 += q->r2 / count;
        r->mean_nll += q->nll / count;
        for (int k = 0; k < REPORT_LEVELS; k++) {
            r->coverage.own[k] += q->coverage.own[k] / count;
            r->coverage.mixed[k] += q->coverage.mixed[k] / count;
        }
    }
}

static void finish_member(const HeldSums *total, int i, ModelReport *r)
{
    const double n = (double)r->held;

    r->member[i].mse = 0;
    r->member[i].nll = 0;
    for (int y = 0; y < r->outs; y++) {
        const double mse = total->cell[i][y].squares / n;
        const double nll = total->cell[i][y].nll / n;
        r->cell[i][y] = (CellQuality){.rmse = sqrt(mse), .nll = nll};
        r->member[i].mse += mse / r->outs;
        r->member[i].nll += nll / r->outs;
    }
}

void held_finish(HeldSums *sums, int count, ModelReport *report)
{
    const HeldSums *total = sums;

    add_to_first(sums, count);
    report->varying = 0;
    for (int y = 0; y < report->outs; y++) {
        finish_output(total, y, report);
        report->varying += report->outputs[y].deviation > 0 ? 1 : 0;
    }
    finish_means(report);
    for (int i = 0; i < report->members; i++) {
        finish_member(total, i, report);
    }
}

/* ---- calibration ---- */

double coverage_slack(double level, double n)
{
    return fmax(0.05, 3 * sqrt(level * (1 - level) / n));
}

const char *coverage_verdict(const double shares[REPORT_LEVELS], double n)
{
    bool few = false;
    bool many = false;

    for (int k = 0; k < REPORT_LEVELS; k++) {
        const double slack = coverage_slack(report_levels[k], n);
        few = few || shares[k] < report_levels[k] - slack;
        many = many || shares[k] > report_levels[k] + slack;
    }
    if (few && many) {
        return "mixed";
    }
    return few ? "overconfident" : many ? "too wide" : "about right";
}

/* ---- correlation, quantiles ---- */

double correlation_pearson(const double *x, const double *y, int n)
{
    double mx = 0;
    double my = 0;
    double xx = 0;
    double yy = 0;
    double xy = 0;

    for (int i = 0; i < n; i++) {
        mx += x[i] / n;
        my += y[i] / n;
    }
    for (int i = 0; i < n; i++) {
        xx += (x[i] - mx) * (x[i] - mx);
        yy += (y[i] - my) * (y[i] - my);
        xy += (x[i] - mx) * (y[i] - my);
    }
    /* rounding of the mean alone: constant */
    const bool flat = xx <= 1e-24 * n * mx * mx || yy <= 1e-24 * n * my * my;
    return n < 2 || flat ? (double)NAN : xy / sqrt(xx) / sqrt(yy);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* pairs: (2 n), value and place. */
static void mean_ranks(const double *x, size_t n, double *pairs, double *rank)
{
    for (size_t i = 0; i < n; i++) {
        pairs[2 * i] = x[i];
        pairs[2 * i + 1] = (double)i;
    }
    qsort(pairs, n, 2 * sizeof *pairs, compare);
    for (size_t i = 0; i < n;) {
        size_t last = i;
        while (last + 1 < n && pairs[2 * (last + 1)] <= pairs[2 * i]) {
            last++;
        }
        for (size_t k = i; k <= last; k++) {
            rank[(size_t)pairs[2 * k + 1]] = 0.5 * (double)(i + last);
        }
        i = last + 1;
    }
}

double correlation_spearman(const double *x, const double *y, int n, double *tmp)
{
    double *rank_x = tmp + 2 * (size_t)n;
    double *rank_y = rank_x + n;

    mean_ranks(x, (size_t)n, tmp, rank_x);
    mean_ranks(y, (size_t)n, tmp, rank_y);
    return correlation_pearson(rank_x, rank_y, n);
}

void sort_values(double *x, int n)
{
    if (n > 0) {
        qsort(x, (size_t)n, sizeof *x, compare);
    }
}

double quantile(const double *sorted, int n, double share)
{
    if (n == 0) {
        return (double)NAN;
    }
    const double at = share * (n - 1);
    const int low = (int)at;
    const int high = low + 1 < n ? low + 1 : low;
    const double part = at - low;
    return part > 0 ? (1 - part) * sorted[low] + part * sorted[high] : sorted[low];
}
