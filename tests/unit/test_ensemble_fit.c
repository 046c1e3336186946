/* ensemble_fit: split and scales against plain sums, the bootstrap, passes, the rule of what is kept, and a
 * linear system that must be learned. */
#include "support/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/reduce.h"
#include "base/rng.h"
#include "model/ensemble_fit.h"
#include "support/member_bench.h"

static void the_split_is_complete_and_as_large_as_promised(void **state)
{
    (void)state;
    static const struct {
        int64_t rows;
        double ratio;
        int64_t most, held;
    } cases[] = {
        {2, 0.2, 1000, 1}, /* at least one */
        {10, 0.2, 1000, 2},      {99, 0.2, 1000, 19}, {5000, 0.2, 1000, 1000},
        {9000, 0.2, 1000, 1000}, {100, 0.5, 30, 30},
    };
    const Record rec = record_make(S, A);
    static uint8_t seen[9000];
    static float records[9000 * STRIDE];

    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        FitData data;
        const int64_t n = cases[k].rows;
        CHECK_OK(fit_data_init(&data, &rec, records, n, cases[k].ratio, cases[k].most, SEED));
        assert_int_equal(data.n_hold, cases[k].held);
        assert_int_equal(data.n_train + data.n_hold, n);
        memset(seen, 0, sizeof seen);
        for (int64_t i = 0; i < n; i++) {
            assert_true(data.order[i] < n && seen[data.order[i]] == 0);
            seen[data.order[i]] = 1;
        }
        fit_data_release(&data);
    }
    FitData data;
    assert_int_equal(fit_data_init(&data, &rec, records, 1, 0.2, 1000, SEED), ERR_ARG);
    assert_non_null(strstr(status_reason(), "the dataset has 1"));
}

static void the_split_depends_on_the_seed(void **state)
{
    (void)state;
    enum { N = 1000 };
    const Record rec = record_make(S, A);
    static float records[N * STRIDE];
    FitData data[3];
    int moved = 0;

    for (int k = 0; k < 3; k++) {
        CHECK_OK(fit_data_init(&data[k], &rec, records, N, 0.2, 1000, k < 2 ? 1 : 2));
    }
    assert_memory_equal(data[0].order, data[1].order, N * sizeof(uint32_t));
    for (int i = 0; i < N; i++) {
        moved += data[0].order[i] != data[2].order[i] ? 1 : 0;
    }
    assert_true(moved > N - 20); /* a random permutation has one fixed point on average */
    for (int k = 0; k < 3; k++) {
        fit_data_release(&data[k]);
    }
}

/* Value of input column j (j < D), or of target column j - D: reward, then s' - s. */
static double column(const float *row, int j)
{
    const Record rec = record_make(S, A);
    if (j < D) {
        return (double)row[j];
    }
    return j == D ? (double)row[rec.r]
                  : (double)row[rec.s2 + (size_t)(j - D - 1)] - (double)row[j - D - 1];
}

/* Mean and deviation over the training rows only, in double. */
static void scales_are_those_of_the_training_rows(void **state)
{
    (void)state;
    for (int zscore = 0; zscore < 2; zscore++) {
        Bench b = bench_make(400, 0.2, 1000, zscore != 0);
        for (int j = 0; j < D + Y; j++) {
            double mean = 0;
            double var = 0;
            for (int pass_no = 0; pass_no < 2; pass_no++) {
                for (int64_t i = 0; i < b.data.n_train; i++) {
                    const double v = column(b.records + b.data.order[i] * STRIDE, j);
                    mean += pass_no == 0 ? v / (double)b.data.n_train : 0;
                    var += pass_no == 1 ? (v - mean) * (v - mean) / (double)b.data.n_train : 0;
                }
            }
            const double std = j == 1 ? 1 : sqrt(var); /* the constant column keeps its unit */
            if (j < D) {
                CHECK_NEAR(b.ens.in_mean[j], mean, 1e-6, 1e-7);
                CHECK_NEAR(b.ens.in_inv[j], 1 / std, 1e-6, 0);
            } else { /* float32 differences of s' and s */
                CHECK_NEAR(b.ens.out_mean[j - D], zscore != 0 ? mean : 0, 1e-5, 1e-6);
                CHECK_NEAR(b.ens.out_std[j - D], zscore != 0 ? std : 1, 1e-5, 0);
            }
        }
        for (int64_t i = 0; i < b.data.n_hold; i++) { /* the held-out rows, in these units */
            const float *row = b.records + b.data.order[b.data.n_train + i] * STRIDE;
            for (int j = 0; j < D; j++) {
                const double x =
                    (column(row, j) - (double)b.ens.in_mean[j]) * (double)b.ens.in_inv[j];
                CHECK_NEAR(b.data.hold_x[i * D + j], x, 1e-6, 1e-6);
            }
            for (int j = 0; j < Y; j++) {
                const double y =
                    (column(row, D + j) - (double)b.ens.out_mean[j]) / (double)b.ens.out_std[j];
                CHECK_NEAR(b.data.hold_y[i * Y + j], y, 1e-5, 1e-5);
            }
        }
        bench_free(&b);
    }
}

static void a_column_without_a_scale_is_refused(void **state)
{
    (void)state;
    Bench b = bench_make(50, 0.2, 1000, false);
    for (int i = 0; i < 50; i++) {
        b.records[i * STRIDE + 4] = (float)INFINITY;
    }
    assert_int_equal(fit_data_scales(&b.data, &b.ens), ERR_NUMERIC);
    assert_non_null(strstr(status_reason(), "input column 4"));
    bench_free(&b);
}

static int compare(const void *a, const void *b)
{
    const uint32_t *x = a;
    const uint32_t *y = b;
    return (*x > *y) - (*x < *y);
}

/* n draws with replacement of n: 1 - 1/e of the rows on average, with deviation 0.31 sqrt(n). */
static void the_bootstrap_draws_training_rows_with_replacement(void **state)
{
    (void)state;
    Bench b = bench_make(2500, 0.2, 500, false);
    const size_t n = (size_t)b.data.n_train;
    static uint8_t trains[2500];
    uint32_t *first = NULL;

    CHECK_OK(mem_alloc(&first, n, sizeof *first, "test"));
    for (size_t i = 0; i < n; i++) {
        trains[b.data.order[i]] = 1;
    }
    for (int member = 0; member < 2; member++) {
        MemberFit fit = fit_make(&b, member);
        size_t distinct = 1;
        qsort(fit.sample, n, sizeof *fit.sample, compare);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(trains[fit.sample[i]], 1);
            distinct += i > 0 && fit.sample[i] != fit.sample[i - 1] ? 1 : 0;
        }
        CHECK_NEAR(distinct, (1 - exp(-1)) * (double)n, 0, 5 * 0.31 * sqrt((double)n));
        if (member == 0) {
            memcpy(first, fit.sample, n * sizeof *first);
        } else {
            assert_memory_not_equal(first, fit.sample, n * sizeof *first);
        }
        member_fit_release(&fit);
    }
    mem_free(&first);
    bench_free(&b);
}

static void passes_use_the_same_rows_in_another_order(void **state)
{
    (void)state;
    Bench b = bench_make(300, 0.2, 1000, false);
    const size_t n = (size_t)b.data.n_train;
    const size_t bytes = n * sizeof(uint32_t);
    uint32_t sorted[240];
    uint32_t before[240];
    MemberFit fit = fit_make(&b, 1);

    assert_int_equal(n, 240);
    memcpy(sorted, fit.sample, bytes);
    qsort(sorted, n, sizeof *sorted, compare);
    memcpy(before, fit.sample, bytes);
    for (int64_t p = 0; p < 3; p++) {
        (void)pass(&b, &fit, p, 64, 1e-3);
        assert_memory_not_equal(fit.queue, before, bytes);
        memcpy(before, fit.queue, bytes);
        qsort(fit.queue, n, sizeof *fit.queue, compare);
        assert_memory_equal(fit.queue, sorted, bytes);
    }
    (void)pass(&b, &fit, 2, 64, 1e-3); /* the order is a function of the pass */
    assert_memory_equal(fit.queue, before, bytes);
    member_fit_release(&fit);
    bench_free(&b);
}

/* Without steps (lr 0), the mean over batches, the last of 40 rows, is the loss of all rows at once. */
static void the_last_batch_counts_by_its_rows(void **state)
{
    (void)state;
    Bench b = bench_make(300, 0.2, 1000, false);
    MemberFit fit = fit_make(&b, 0);
    const size_t bytes = b.ens.stride * sizeof(float);
    float *weights = ensemble_member(&b.ens, 0);
    float *copy = NULL;

    CHECK_OK(mem_alloc(&copy, b.ens.stride, sizeof *copy, "test"));
    memcpy(copy, weights, bytes);
    const double whole = pass(&b, &fit, 0, 240, 0);
    assert_int_equal(fit.steps, 1);
    const double parts = pass(&b, &fit, 0, 100, 0);
    assert_int_equal(fit.steps, 1 + 3);
    assert_memory_equal(weights, copy, bytes);
    CHECK_NEAR(parts, whole, 1e-5, 0);
    const double larger = pass(&b, &fit, 0, 256, 0); /* a batch beyond the data is the data */
    CHECK_NEAR(larger, whole, 0, 0);
    (void)pass(&b, &fit, 1, 100, 1e-3);
    assert_memory_not_equal(weights, copy, bytes);
    mem_free(&copy);
    member_fit_release(&fit);
    bench_free(&b);
}

/* 700 rows are two pieces. The prediction for users gives the same error. */
static void the_holdout_error_is_that_of_predictions(void **state)
{
    (void)state;
    for (int zscore = 0; zscore < 2; zscore++) {
        Bench b = bench_make(1400, 0.5, 1000, zscore != 0);
        const int n = (int)b.data.n_hold;
        MemberFit fit = fit_make(&b, 1);
        static float sa[700 * D];
        static float mean[700 * 2 * Y];
        static float std[700 * 2 * Y];
        double sum = 0;

        assert_int_equal(n, 700);
        (void)pass(&b, &fit, 0, 64, 1e-3);
        for (int i = 0; i < n; i++) {
            memcpy(sa + (size_t)i * D, b.records + b.data.order[b.data.n_train + i] * STRIDE,
                   D * sizeof *sa);
        }
        ensemble_freeze(&b.ens);
        ensemble_predict(&b.ens, sa, n, &b.tmp, mean, std);
        for (int i = 0; i < n; i++) {
            const float *row = b.records + b.data.order[b.data.n_train + i] * STRIDE;
            for (int y = 0; y < Y; y++) {
                const double got = (double)mean[(i * 2 + 1) * Y + y] -
                                   (y == 0 ? 0 : (double)row[y - 1]); /* s' - s */
                const double off = got - column(row, D + y);
                sum += off * off / n / Y;
            }
        }
        CHECK_NEAR(holdout(&b, 1), sum, 1e-4, 0);
        member_fit_release(&fit);
        bench_free(&b);
    }
}

/* Released code: gain = (best - mse) / best > 0.01, best = 1e10 before the first pass. */
static void only_a_gain_is_kept(void **state)
{
    (void)state;
    static const struct {
        double mse;
        bool kept;
    } passes[] = {
        {(double)NAN, false}, {(double)INFINITY, false}, {1e10, false}, {500, true}, {500, false},
        {495.1, false}, /* 0.98 % */
        {494.9, true},  /* 1.02 % of 500 */
        {490.2, false},       {(double)NAN, false},      {600, false},  {0, true},   {0, false},
    };
    Bench b = bench_make(50, 0.2, 1000, false);
    MemberFit fit = fit_make(&b, 1);
    float *weights = ensemble_member(&b.ens, 1);
    float want = 0;

    assert_int_equal(member_fit_restore(&fit, &b.ens), ERR_NUMERIC);
    assert_non_null(strstr(status_reason(), "member 1 never had a finite holdout error"));
    for (int i = 0; i < (int)(sizeof passes / sizeof *passes); i++) {
        weights[0] = (float)i;
        weights[b.ens.stride - 1] = (float)i;
        assert_true(member_fit_judge(&fit, &b.ens, passes[i].mse, 0.01) == passes[i].kept);
        want = passes[i].kept ? (float)i : want;
        if (i >= 3) { /* after the first good one */
            Ensemble *ens = &b.ens;
            CHECK_OK(member_fit_restore(&fit, ens));
            assert_true(weights[0] == want && weights[ens->stride - 1] == want);
        }
    }
    CHECK_NEAR(fit.best, 0, 0, 0);
    member_fit_release(&fit);
    bench_free(&b);
}

/* Nothing outside of member 0 changes. */
static void members_are_fitted_apart(void **state)
{
    (void)state;
    Bench b = bench_make(200, 0.2, 1000, false);
    MemberFit fit = fit_make(&b, 0);
    float *other = NULL;

    CHECK_OK(mem_alloc(&other, b.ens.stride, sizeof *other, "test"));
    memcpy(other, ensemble_member(&b.ens, 1), b.ens.stride * sizeof *other);
    (void)pass(&b, &fit, 0, 32, 1e-2);
    assert_memory_equal(other, ensemble_member(&b.ens, 1), b.ens.stride * sizeof *other);
    mem_free(&other);
    member_fit_release(&fit);
    bench_free(&b);
}

static void divergence_is_an_error(void **state)
{
    (void)state;
    Bench b = bench_make(200, 0.2, 1000, false);
    MemberFit fit = fit_make(&b, 0);
    double loss = 0;

    ensemble_member(&b.ens, 0)[0] = (float)NAN;
    assert_int_equal(member_fit_pass(&fit, &b.ens, &b.data, 0, 32, 1e-3, SEED, &b.tmp, &loss),
                     ERR_NUMERIC);
    assert_int_equal(b.tmp.used, 0);
    member_fit_release(&fit);
    bench_free(&b);
}

/* The targets' variance is about 4; noise there is none. */
static void a_linear_system_is_learned(void **state)
{
    (void)state;
    for (int zscore = 0; zscore < 2; zscore++) {
        Bench b = bench_make(1500, 0.2, 1000, zscore != 0);
        MemberFit fit = fit_make(&b, 0);
        const double start = holdout(&b, 0);
        double first = 0;
        double last = 0;
        for (int64_t p = 0; p < 30; p++) {
            last = pass(&b, &fit, p, 32, 3e-3);
            first = p == 0 ? last : first;
            (void)member_fit_judge(&fit, &b.ens, holdout(&b, 0), 0.01);
        }
        CHECK_OK(member_fit_restore(&fit, &b.ens));
        CHECK_NEAR(holdout(&b, 0), fit.best, 0, 0);
        assert_true(start > 1);
        assert_true(fit.best < 0.02);
        assert_true(last < first - 2); /* mean of the log-variances: it knows that it knows */
        member_fit_release(&fit);
        bench_free(&b);
    }
}

static void memory_may_run_out(void **state)
{
    (void)state;
    const Record rec = record_make(S, A);
    float records[20 * STRIDE] = {0};
    FitData data;
    Bench b = bench_make(20, 0.2, 10, false);
    const int64_t before = mem_count();

    for (int64_t k = 1; k <= 3; k++) {
        const Reduce reduce = reduce_local(2);
        MemberFit fit;
        mem_fail_at(k);
        assert_int_equal(fit_data_init(&data, &rec, records, 20, 0.2, 10, 1), ERR_NOMEM);
        mem_fail_at(k);
        assert_int_equal(member_fit_init(&fit, &b.ens, &b.data, 0, &reduce, NULL, 1), ERR_NOMEM);
        mem_fail_at(0);
        assert_int_equal(mem_count(), before);
    }
    bench_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_split_is_complete_and_as_large_as_promised),
        cmocka_unit_test(the_split_depends_on_the_seed),
        cmocka_unit_test(scales_are_those_of_the_training_rows),
        cmocka_unit_test(a_column_without_a_scale_is_refused),
        cmocka_unit_test(the_bootstrap_draws_training_rows_with_replacement),
        cmocka_unit_test(passes_use_the_same_rows_in_another_order),
        cmocka_unit_test(the_last_batch_counts_by_its_rows),
        cmocka_unit_test(the_holdout_error_is_that_of_predictions),
        cmocka_unit_test(only_a_gain_is_kept),
        cmocka_unit_test(members_are_fitted_apart),
        cmocka_unit_test(divergence_is_an_error),
        cmocka_unit_test(a_linear_system_is_learned),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
