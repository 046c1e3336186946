/* A member of an ensemble and rows of a linear system that it has to learn, for tests of the fit. */
#ifndef SUPPORT_MEMBER_BENCH_H
#define SUPPORT_MEMBER_BENCH_H

#include "base/reduce.h"
#include "model/ensemble_fit.h"

enum { S = 3, A = 2, D = S + A, Y = S + 1, STRIDE = 2 * S + A + 2, SEED = 31 };

typedef struct {
    float *records;
    FitData data;
    Ensemble ens;
    Arena tmp;
} Bench;

/* `rows` of them, `ratio` held out but at most `most`; zscore: of the targets. */
Bench bench_make(int64_t rows, double ratio, int64_t most, bool zscore);
void bench_free(Bench *b);
MemberFit fit_in_shards(const Bench *b, int member, const Reduce *reduce);
MemberFit fit_make(const Bench *b, int member);
/* Pass `number`; returns its loss. */
double pass(Bench *b, MemberFit *fit, int64_t number, int batch, double lr);
/* Holdout error. */
double holdout(Bench *b, int member);

#endif
