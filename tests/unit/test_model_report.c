/* The numbers of the model report, against values worked out by hand or from the normal distribution. */
#include "support/check.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "run/model_report_numbers.h"
#include "run/model_report_paths.h"
#include "run/model_report_truth.h"
#include "support/temp_dir.h"

/* ---- held-out rows ---- */

enum { N = 4000 };

/* Where the standard normal has `share` of its mass below, by halving. */
static double normal_quantile(double share)
{
    double low = -10;
    double high = 10;

    for (int i = 0; i < 80; i++) {
        const double middle = 0.5 * (low + high);
        *(0.5 * erfc(-middle / sqrt(2)) < share ? &low : &high) = middle;
    }
    return 0.5 * (low + high);
}

/* N targets that are the quantiles of N(1, 2^2), two elites around `gap` from its mean with deviation
 * 2 width, and a third member that does not count. */
static ModelReport *normal_report(double gap, double width)
{
    static float mean[N * 3];
    static float std[N * 3];
    static float target[N];
    static const int64_t elite[] = {2, 0};
    const HeldBatch in = {.mean = mean,
                          .std = std,
                          .target = target,
                          .elite = elite,
                          .rows = N,
                          .members = 3,
                          .elites = 2,
                          .outs = 1};
    static HeldSums sums;
    ModelReport *r = NULL;

    CHECK_OK(mem_alloc(&r, 1, sizeof *r, "test"));
    for (int i = 0; i < N; i++) {
        target[i] = (float)(1 + 2 * normal_quantile((i + 0.5) / N));
        mean[3 * i] = (float)(1 + gap);
        mean[3 * i + 1] = 77;
        mean[3 * i + 2] = (float)(1 - gap);
        std[3 * i] = std[3 * i + 2] = (float)(2 * width);
        std[3 * i + 1] = 0.125F;
    }
    held_sums(&in, &sums);
    *r = (ModelReport){.held = N, .members = 3, .elites = 2, .outs = 1};
    r->outputs[0].deviation = 2;
    held_finish(&sums, 1, r);
    return r;
}

/* The quantiles fill an interval of mass p with p N of them, but for the one at each edge. */
static void coverage_of_the_true_distribution_is_nominal(void **state)
{
    (void)state;
    ModelReport *r = normal_report(0, 1);

    for (int k = 0; k < REPORT_LEVELS; k++) {
        CHECK_NEAR(r->coverage.own[k], report_levels[k], 0, 2.0 / N);
        CHECK_NEAR(r->coverage.mixed[k], report_levels[k], 0, 2.0 / N);
    }
    assert_string_equal(coverage_verdict(r->coverage.own, N), "about right");
    CHECK_NEAR(r->outputs[0].rmse, 2, 1e-3, 0); /* the quantiles lack the outermost tails */
    CHECK_NEAR(r->outputs[0].r2, 0, 0, 2e-3);
    CHECK_NEAR(r->mean_nll, 0.5 * log(2 * 3.14159265358979 * 4) + 0.5, 1e-3, 0); /* the entropy */
    mem_free(&r);
}

static void wrong_deviations_get_their_word(void **state)
{
    (void)state;
    ModelReport *wide = normal_report(0, 2);
    ModelReport *narrow = normal_report(0, 0.5);

    for (int k = 0; k < REPORT_LEVELS; k++) {
        const double z = normal_quantile(0.5 + report_levels[k] / 2);
        CHECK_NEAR(wide->coverage.own[k], erf(2 * z / sqrt(2)), 0, 2.0 / N);
        CHECK_NEAR(narrow->coverage.own[k], erf(z / 2 / sqrt(2)), 0, 2.0 / N);
    }
    assert_string_equal(coverage_verdict(wide->coverage.own, N), "too wide");
    assert_string_equal(coverage_verdict(narrow->coverage.own, N), "overconfident");
    assert_string_equal(coverage_verdict((const double[]){0.6, 0.8, 0.89}, N), "mixed");
    assert_string_equal(coverage_verdict((const double[]){0.545, 0.755, 0.99}, N), "about right");
    assert_string_equal(coverage_verdict((const double[]){0.9, 0.9, 0.9}, 4), "about right");
    CHECK_NEAR(coverage_slack(0.5, 100), 0.15, 1e-12, 0);
    CHECK_NEAR(coverage_slack(0.95, 1000), 0.05, 1e-12, 0);
    mem_free(&wide);
    mem_free(&narrow);
}

/* Elites at 1 - 2 and 1 + 2 with deviation 2: the mixture has variance 4 + 4. */
static void the_mixture_adds_the_spread_of_the_means(void **state)
{
    (void)state;
    ModelReport *r = normal_report(2, 1);

    for (int k = 0; k < REPORT_LEVELS; k++) {
        const double z = normal_quantile(0.5 + report_levels[k] / 2);
        CHECK_NEAR(r->coverage.mixed[k], erf(z), 0, 2.0 / N); /* z sqrt(8) / 2 deviations */
        const double own =
            0.5 * (erf((z + 1) / sqrt(2)) + erf((z - 1) / sqrt(2))); /* off by one deviation */
        CHECK_NEAR(r->coverage.own[k], own, 0, 2.0 / N);
    }
    CHECK_NEAR(r->outputs[0].rmse, 2, 1e-3, 0); /* the mean of the elites is right */
    mem_free(&r);
}

static void held_out_numbers_are_those_worked_out_by_hand(void **state)
{
    (void)state;
    static const float target[] = {1, 5, 3, 5};                       /* two rows of r, s' */
    static const float mean[] = {0, 5, 9, 9, 2, 7, 3, 5, 9, 9, 5, 5}; /* members 0 1 2 of each */
    static const float std[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    static const int64_t elite[] = {2, 0};
    const HeldBatch in = {.mean = mean,
                          .std = std,
                          .target = target,
                          .elite = elite,
                          .rows = 2,
                          .members = 3,
                          .elites = 2,
                          .outs = 2};
    static HeldSums sums[2];
    static ModelReport r = {.held = 4, .members = 3, .elites = 2, .outs = 2};

    /* elites' means: 1, 6 and 4, 5; off by 0, -1 and -1, 0 */
    held_sums(&in, &sums[0]);
    sums[1] = sums[0]; /* the same rows again: the same means */
    r.outputs[0].deviation = 1;
    held_finish(sums, 2, &r);
    CHECK_NEAR(r.outputs[0].rmse, sqrt(0.5), 1e-12, 0);
    CHECK_NEAR(r.outputs[1].rmse, sqrt(0.5), 1e-12, 0);
    CHECK_NEAR(r.outputs[0].r2, 0.5, 1e-12, 0);
    assert_true(isnan(r.outputs[1].r2)); /* constant: no deviation */
    CHECK_NEAR(r.mean_r2, 0.5, 1e-12, 0);
    /* reward: variances 1 + 1 in both rows */
    CHECK_NEAR(r.outputs[0].nll, normal_nll(0, 0, sqrt(2)) + 0.5 * 0.5 / 2, 1e-12, 0);
    CHECK_NEAR(r.member[0].mse, 0.25, 1e-12, 0);        /* 1 0 0 0 */
    CHECK_NEAR(r.cell[0][0].rmse, sqrt(0.5), 1e-12, 0); /* the 1 is in r, of one row of two */
    CHECK_NEAR(r.cell[0][0].nll, normal_nll(0, 0, 1) + 0.25, 1e-12, 0);
    CHECK_NEAR(r.cell[0][1].rmse, 0, 0, 1e-12);
    CHECK_NEAR(r.member[1].mse, (64 + 16 + 36 + 16) / 4.0, 1e-12, 0);
    CHECK_NEAR(r.member[2].mse, (1 + 4 + 4 + 0) / 4.0, 1e-12, 0);
    CHECK_NEAR(r.member[2].nll, normal_nll(0, 0, 1) + 9 / 8.0, 1e-12, 0);
    /* the two elites are off by 1 2, 1 0 in r and by 2 0, 0 0 in s', in deviations */
    CHECK_NEAR(r.outputs[0].coverage.own[0], 0.25, 1e-12, 0);
    CHECK_NEAR(r.outputs[0].coverage.own[1], 0.75, 1e-12, 0);
    CHECK_NEAR(r.outputs[1].coverage.own[1], 0.75, 1e-12, 0);
    CHECK_NEAR(r.coverage.own[2], 0.75, 1e-12, 0);
}

static void likelihood_has_all_its_terms(void **state)
{
    (void)state;
    CHECK_NEAR(normal_nll(1, 0, 2), 0.918938533204673 + 0.693147180559945 + 0.125, 1e-14, 0);
    CHECK_NEAR(normal_nll(-3, -3, 1), 0.918938533204673, 1e-14, 0);
    CHECK_NEAR(normal_nll(0, 0, 0.1), 0.918938533204673 - 2.302585092994046, 1e-14, 0);
}

/* ---- correlation, quantiles ---- */

static void correlations_are_the_textbooks(void **state)
{
    (void)state;
    double tmp[4 * 5];
    const double x[] = {1, 2, 2, 3};
    const double y[] = {1, 3, 2, 4};
    const double line[] = {5, 3, 1, -1, -3};
    const double curve[] = {1, 8, 27, 64, 125};
    const double flat[] = {0.1, 0.1, 0.1, 0.1};

    CHECK_NEAR(correlation_spearman(x, y, 4, tmp), 4.5 / sqrt(22.5), 1e-12, 0); /* mean ranks */
    CHECK_NEAR(correlation_pearson(x, y, 4), 3 / sqrt(2 * 5), 1e-12, 0);
    CHECK_NEAR(correlation_spearman(line, curve, 5, tmp), -1, 1e-12, 0);
    /* cubes: mean 45; sums of (2 - i) (i + 1)^3 and of squares */
    CHECK_NEAR(correlation_pearson(line, curve, 5),
               -304 / sqrt(10 * (44 * 44 + 37 * 37 + 18 * 18 + 19 * 19 + 80 * 80)), 1e-12, 0);
    assert_true(isnan(correlation_pearson(flat, y, 4)));
    assert_true(isnan(correlation_spearman(x, flat, 4, tmp)));
    assert_true(isnan(correlation_spearman(x, y, 1, tmp)));
    assert_true(isnan(correlation_spearman(x, y, 0, tmp)));
}

static void quantiles_lie_between_values(void **state)
{
    (void)state;
    double x[] = {HUGE_VAL, 3, 1, 2, HUGE_VAL};

    sort_values(x, 5);
    CHECK_NEAR(x[0], 1, 0, 0);
    CHECK_NEAR(quantile(x, 5, 0.5), 3, 0, 0);
    CHECK_NEAR(quantile(x, 3, 0.25), 1.5, 1e-12, 0);
    assert_true(isinf(quantile(x, 5, 0.9)));
    assert_true(isnan(quantile(x, 0, 0.5)));
}

/* ---- open loop ---- */

enum { S = 3, A = 1, STRIDE = 2 * S + A + 2, ROWS = 120 };

typedef struct {
    Ensemble member;
    Paths paths;
    double inverse[S];
    int64_t start[3];
    float records[ROWS * STRIDE];
    double error[3 * REPORT_STEPS];
    Arena tmp;
} Walk;

/* The first number goes up by 0.25 a row, the second down by 0.5, the third stays: rows 0 .. 99, and again
 * from 100 on from another place; row 109 ends the task. All numbers are exact. */
static Walk *walk_make(void)
{
    static const EnsembleConfig cfg = {.members = 1,
                                       .elites = 1,
                                       .state_dim = S,
                                       .act_dim = A,
                                       .hidden = 4,
                                       .layers = 1,
                                       .logvar_max = 0.5F,
                                       .logvar_min = -10};
    const Record rec = record_make(S, A);
    Walk *w = NULL;

    CHECK_OK(mem_alloc(&w, 1, sizeof *w, "test"));
    for (int i = 0; i < ROWS; i++) {
        float *row = w->records + i * STRIDE;
        const float t = (float)(i < 100 ? i : i + 50);
        row[0] = 0.25F * t;
        row[1] = -0.5F * t;
        row[2] = row[rec.s2 + 2] = 7;
        row[rec.s2] = row[0] + 0.25F;
        row[rec.s2 + 1] = row[1] - 0.5F;
        row[rec.cont] = i == 109 ? 0.0F : 1.0F;
    }
    CHECK_OK(ensemble_init(&w->member, &cfg, 1));
    w->paths = (Paths){.rec = rec,
                       .records = w->records,
                       .rows = ROWS,
                       .inverse = w->inverse,
                       .start = w->start,
                       .starts = 3};
    w->start[1] = 60;
    w->start[2] = 108;
    w->paths.dims = paths_scales(&rec, w->records, ROWS, w->inverse);
    CHECK_OK(arena_init(&w->tmp, paths_cost(&w->paths, &w->member, 3)));
    return w;
}

static void walk_free(Walk *w)
{
    ensemble_release(&w->member);
    arena_release(&w->tmp);
    mem_free(&w);
}

/* The member predicts s' = s + step. */
static void walk_by(Walk *w, const float step[S])
{
    float *p = ensemble_member(&w->member, 0);

    memset(p, 0, w->member.net.count * sizeof *p);
    memcpy(p + mlp_matrix(&w->member.net, 1, 0).bias + 1, step, S * sizeof *p);
    ensemble_freeze(&w->member);
    paths_errors(&w->paths, &w->member, 0, 3, &w->tmp, w->error);
    assert_int_equal(w->tmp.used, 0);
}

static void stretches_end_with_their_episode(void **state)
{
    (void)state;
    Walk *w = walk_make();

    assert_int_equal(paths_length(&w->paths, 0, 50), 50);
    assert_int_equal(paths_length(&w->paths, 60, 50), 40); /* row 100 is elsewhere */
    assert_int_equal(paths_length(&w->paths, 108, 50),
                     1);                       /* row 109 ended; its s' is a new start */
    w->records[109 * STRIDE + S + A + 1] = 77; /* now it is not */
    assert_int_equal(paths_length(&w->paths, 108, 50), 2);
    assert_int_equal(paths_length(&w->paths, 109, 50), 1);
    assert_int_equal(paths_length(&w->paths, 115, 50), 5); /* there are no more rows */
    assert_int_equal(w->paths.dims, 2);                    /* the third number stays */
    CHECK_NEAR(w->inverse[2], 0, 0, 0);
    CHECK_NEAR(w->inverse[0], 2 * w->inverse[1], 1e-12, 0);
    walk_free(w);
}

static void a_perfect_model_has_no_open_loop_error(void **state)
{
    (void)state;
    Walk *w = walk_make();

    walk_by(w, (const float[]){0.25F, -0.5F, 0});
    for (int i = 0; i < 3 * REPORT_STEPS; i++) {
        CHECK_NEAR(w->error[i], 0, 0, 0);
    }
    walk_by(w, (const float[]){0.25F, -0.5F, 9}); /* what does not vary does not count */
    CHECK_NEAR(w->error[REPORT_STEPS - 1], 0, 0, 0);
    walk_free(w);
}

/* Off by a quarter of the true step each time: h / 4 steps, in both numbers the same in deviations. */
static void a_drift_adds_up_with_the_horizon(void **state)
{
    (void)state;
    Walk *w = walk_make();

    walk_by(w, (const float[]){0.3125F, -0.625F, 0});
    for (int k = 0; k < REPORT_STEPS; k++) {
        const int h = report_steps[k];
        const double want = 0.0625 * h * w->inverse[0];
        CHECK_NEAR(w->error[k], want, 1e-12, 0);
        CHECK_NEAR(w->error[REPORT_STEPS + k], h <= 40 ? want : 0, 1e-12, 0);
        CHECK_NEAR(w->error[2 * REPORT_STEPS + k], h <= 1 ? want : 0, 1e-12, 0);
    }
    paths_errors(&w->paths, NULL, 0, 3, &w->tmp, w->error); /* it stays: off by h steps */
    for (int k = 0; k < REPORT_STEPS; k++) {
        CHECK_NEAR(w->error[k], 0.25 * report_steps[k] * w->inverse[0], 1e-12, 0);
    }
    walk_free(w);
}

static void a_path_that_explodes_is_infinitely_wrong(void **state)
{
    (void)state;
    Walk *w = walk_make();

    walk_by(w, (const float[]){3e38F, 0, 0});
    assert_true(isinf(w->error[1])); /* the sum of two is beyond what a float holds */
    assert_true(isinf(w->error[REPORT_STEPS - 1]));
    walk_free(w);
}

/* ---- truth, forms ---- */

static void true_error_is_the_distance_of_the_elites(void **state)
{
    (void)state;
    static const float mean[] = {9, 3, 4, 9, 1, 1, 9, 0, 0, /* row 0: members 0 1 2 of r, s' */
                                 9, 1, 1, 9, 1, 1, 9, 1, 1};
    static const float truth[] = {0, 0, 1, (float)NAN};
    static const int64_t elite[] = {0, 2};
    double error[2];

    truth_errors(mean, truth, elite, 2, 3, 3, 2, error);
    CHECK_NEAR(error[0], 2.5, 1e-12, 0);
    assert_true(isnan(error[1]));
}

/* As large as settings allow, with numbers that are long or none. */
static ModelReport *largest_report(void)
{
    ModelReport *r = NULL;

    CHECK_OK(mem_alloc(&r, 1, sizeof *r, "test"));
    *r = (ModelReport){.rows = INT64_MAX,
                       .held = REPORT_HELD,
                       .held_all = INT64_MAX,
                       .members = ENSEMBLE_MAX,
                       .elites = ENSEMBLE_MAX,
                       .outs = REPORT_OUTS,
                       .rollout_horizon = 1000,
                       .path_dims = ENSEMBLE_DIM_MAX,
                       .simulated = true,
                       .penalties = REPORT_PENALTIES};
    memset(r->task, '<', sizeof r->task - 1);
    memset(r->digest, 'f', sizeof r->digest - 1);
    for (int y = 0; y < r->outs; y++) {
        r->outputs[y] = (OutputQuality){.rmse = -1.234e-100,
                                        .deviation = y % 2 == 0 ? -1.234e-100 : (double)NAN,
                                        .r2 = y % 3 == 0 ? (double)NAN : -1.234e100,
                                        .nll = y % 5 == 0 ? -HUGE_VAL : -1.234e-100};
    }
    for (int i = 0; i < r->members; i++) {
        r->member[i] = (MemberQuality){.mse = (double)NAN, .nll = -1.234e-100, .place = i + 1};
    }
    for (int k = 0; k < REPORT_STEPS; k++) {
        r->horizon[k] = (HorizonQuality){.starts = 100 - 20 * k,
                                         .median = k == 0 ? 0 : 1.234e-100,
                                         .high = HUGE_VAL,
                                         .still_median = 1.234e100,
                                         .still_high = (double)NAN};
    }
    for (int p = 0; p < r->penalties; p++) {
        r->penalty[p] = (PenaltyQuality){.name = "a_penalty_with_a_long_name",
                                         .oracle = true,
                                         .spearman = {-0.123, p % 2 == 0 ? 0.5 : (double)NAN},
                                         .pearson = {(double)NAN, -1}};
    }
    return r;
}

static void the_largest_report_fits_and_shows_no_nan(void **state)
{
    (void)state;
    ModelReport *r = largest_report();
    char *data = NULL;

    CHECK_OK(mem_alloc(&data, REPORT_SVG_MAX, 1, "test"));
    Text text = text_over(data, REPORT_TEXT_MAX);
    model_report_text(r, &text);
    assert_false(text.cut);
    assert_null(strstr(data, "nan"));
    text = text_over(data, REPORT_SVG_MAX);
    model_report_svg(r, &text);
    assert_false(text.cut);
    assert_null(strstr(data, "nan"));
    assert_null(strstr(data, "inf"));
    assert_non_null(strstr(data, "&lt;&lt;"));
    mem_free(&data);
    mem_free(&r);
}

static void a_failed_write_is_told(void **state)
{
    (void)state;
    char folder[TEMP_PATH_MAX];
    ModelReport *r = largest_report();
    const int64_t blocks = mem_count();
    int64_t k = 1;

    temp_dir_make(folder);
    for (;; k++) {
        file_fail_at(k, ENOSPC);
        const Status st = model_report_write(r, folder);
        file_fail_at(0, 0);
        if (st == OK) {
            break;
        }
        assert_int_equal(st, ERR_IO);
        assert_non_null(strstr(status_reason(), "model report: "));
        assert_int_equal(mem_count(), blocks);
    }
    assert_true(k > 8); /* two files: open, write, sync, rename each */
    for (k = 1;; k++) {
        mem_fail_at(k);
        const Status st = model_report_write(r, folder);
        mem_fail_at(0);
        if (st == OK) {
            break;
        }
        assert_int_equal(st, ERR_NOMEM);
        assert_int_equal(mem_count(), blocks);
    }
    temp_dir_remove(folder);
    mem_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coverage_of_the_true_distribution_is_nominal),
        cmocka_unit_test(wrong_deviations_get_their_word),
        cmocka_unit_test(the_mixture_adds_the_spread_of_the_means),
        cmocka_unit_test(held_out_numbers_are_those_worked_out_by_hand),
        cmocka_unit_test(likelihood_has_all_its_terms),
        cmocka_unit_test(correlations_are_the_textbooks),
        cmocka_unit_test(quantiles_lie_between_values),
        cmocka_unit_test(stretches_end_with_their_episode),
        cmocka_unit_test(a_perfect_model_has_no_open_loop_error),
        cmocka_unit_test(a_drift_adds_up_with_the_horizon),
        cmocka_unit_test(a_path_that_explodes_is_infinitely_wrong),
        cmocka_unit_test(true_error_is_the_distance_of_the_elites),
        cmocka_unit_test(the_largest_report_fits_and_shows_no_nan),
        cmocka_unit_test(a_failed_write_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
