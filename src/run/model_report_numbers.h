/* The arithmetic of run/model_report.h, over plain arrays. Local, cannot fail. */
#ifndef RUN_MODEL_REPORT_NUMBERS_H
#define RUN_MODEL_REPORT_NUMBERS_H

#include "run/model_report.h"

/* Predictions of all members at B rows, and what came. */
typedef struct {
    const float *mean, *std; /* (B, E, Y) as ensemble_predict gives them */
    const float *target;     /* (B, Y): r, s' */
    const int64_t *elite;    /* (elites): member numbers */
    int rows, members, elites, outs;
} HeldBatch;

/* Sums over the rows of a batch. Doubles only, so that it can be summed as an array. */
typedef struct {
    struct {
        double squares, nll, own[REPORT_LEVELS], mixed[REPORT_LEVELS];
    } output[REPORT_OUTS];
    struct {
        double squares, nll;
    } cell[ENSEMBLE_MAX][REPORT_OUTS]; /* (members, outs) */
} HeldSums;

enum { HELD_SUMS = sizeof(HeldSums) / sizeof(double) };

void held_sums(const HeldBatch *in, HeldSums *sums);
/* From the sums of `count` batches, which are added in order to the first, to outputs, members (but their
 * place), cells and what is over outputs, in a report whose `held`, shape and outputs[].deviation are
 * filled. */
void held_finish(HeldSums *sums, int count, ModelReport *report);

/* -log N(y; mean, std^2) = 1/2 log 2 pi + log std + 1/2 ((y - mean) / std)^2 */
double normal_nll(double y, double mean, double std);

/* How far a share may be from its level, of n rows: 0.05, or three standard deviations of such a share
 * where those are more. */
double coverage_slack(double level, double n);
/* "overconfident": too few targets inside at some level; "too wide": too many; "mixed": both, at
 * different levels; else "about right". */
const char *coverage_verdict(const double shares[REPORT_LEVELS], double n);

/* Correlations of x and y (n); NaN where one of them is constant or n < 2. Spearman's is Pearson's of the
 * ranks; equal values get their mean rank. tmp: (4 n). */
double correlation_pearson(const double *x, const double *y, int n);
double correlation_spearman(const double *x, const double *y, int n, double *tmp);

/* Sort x (n); then the value below which `share` of it lies, linear between neighbors; NaN when n = 0.
 * Infinities are values, NaN is not allowed. */
void sort_values(double *x, int n);
double quantile(const double *sorted, int n, double share);

#endif
