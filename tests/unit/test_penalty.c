/* penalty: each row of the table by hand and against PyTorch. */
#include "support/check.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "model/penalty.h"
#include "support/golden.h"

static void eval(const char *name, const PenaltyIn *in, float *u)
{
    const Penalty *penalty = penalty_find(name);
    assert_non_null(penalty);
    penalty->eval(in, u);
}

/* Two rows of two members with two outputs: row 0 has norms 5 and 1; row 1 has 2 and 13. */
static void max_std_is_the_largest_norm(void **state)
{
    (void)state;
    const float std[] = {3, 4, 0, 1, 2, 0, 5, 12};
    const PenaltyIn in = {.mean = NULL, .std = std, .rows = 2, .members = 2, .outs = 2};
    float u[3] = {-1, -1, -1};

    eval("max_std", &in, u);
    CHECK_NEAR(u[0], 5, 1e-7, 0);
    CHECK_NEAR(u[1], 13, 1e-7, 0);
    assert_true(u[2] == -1);
    eval("none", &in, u);
    assert_true(u[0] == 0 && u[1] == 0 && u[2] == -1);
    eval("frobenius", &in, u); /* variances 9, 16 and 25, 144 */
    CHECK_NEAR(u[0], sqrt(81 + 256), 1e-7, 0);
    CHECK_NEAR(u[1], sqrt(625 + 20736), 1e-7, 0);
    assert_true(u[2] == -1);
}

/* Three members at (0, 0), (6, 0), (0, 3): center (2, 1). Rewards differ wildly and do not count. */
static void disagreement_is_of_states(void **state)
{
    (void)state;
    const float mean[] = {1e6F, 0, 0, -1e6F, 6, 0, 3, 0, 3};
    const PenaltyIn in = {.mean = mean, .rows = 1, .members = 3, .outs = 3};
    float u = -1;

    eval("mean_gap", &in, &u);
    CHECK_NEAR(u, sqrt(17), 1e-7, 0); /* (6, 0) - (2, 1) */
    eval("pairwise", &in, &u);
    CHECK_NEAR(u, sqrt(45), 1e-7, 0); /* (6, 0) - (0, 3) */
    eval("halt", &in, &u);
    CHECK_NEAR(u, sqrt(45), 1e-7, 0);
    eval("ensemble_std", &in, &u); /* variances 8 and 2 */
    CHECK_NEAR(u, sqrt(5), 1e-7, 0);
}

/* Two members N(0, 1), N(4, 4) of the reward and N(1, 4), N(1, 1) of the state. */
static void densities_are_those_of_gaussians(void **state)
{
    (void)state;
    const float mean[] = {0, 1, 4, 1};
    const float std[] = {1, 2, 2, 1};
    const float sample[] = {2, 2};
    const int32_t drawn[] = {1};
    const PenaltyIn in = {.mean = mean,
                          .std = std,
                          .sample = sample,
                          .drawn = drawn,
                          .rows = 1,
                          .members = 2,
                          .outs = 2};
    float u = -1;

    eval("mixture_std", &in, &u); /* (1 + 4) / 2 + 4 and (4 + 1) / 2 */
    CHECK_NEAR(u, 3, 1e-7, 0);
    eval("loo_kl", &in, &u); /* of number 1 from number 0, the only other one */
    const double kl = 0.5 * (log(1.0 / 4) + (4 + 16) / 1.0 - 1 + log(4.0) + 1 / 4.0 - 1);
    CHECK_NEAR(u, kl, 3e-7, 0);
    eval("ll_var", &in, &u); /* -2 - 1/8 - log 2 and -1/2 - 1/2 - log 2: they differ by 9/8 */
    CHECK_NEAR(u, 81.0 / 256, 3e-7, 0);
}

static void the_oracle_measures_the_drawn_member(void **state)
{
    (void)state;
    const float mean[] = {9, 1, 1, 9, 4, 5, /* row 1 */ 9, 0, 0, 9, 7, 7};
    const float truth[] = {1, 1, /* row 1 */ NAN, 0};
    const int32_t drawn[] = {1, 0};
    const PenaltyIn in = {
        .mean = mean, .drawn = drawn, .truth = truth, .rows = 2, .members = 2, .outs = 3};
    float u[2] = {-1, -1};

    assert_true(penalty_find("oracle")->needs_truth);
    eval("oracle", &in, u);
    CHECK_NEAR(u[0], 5, 1e-7, 0);
    assert_true(isnan(u[1])); /* nobody knows: the row is dropped */
}

enum { E = 7, Y = 20, ROWS = 8 };

/* The inputs of tests/golden/penalty.txt, in arrays that a test may spoil. */
typedef struct {
    float mean[ROWS * E * Y], std[ROWS * E * Y], sample[ROWS * Y], truth[ROWS * (Y - 1)];
    int32_t drawn[ROWS];
    PenaltyIn in;
} Given;

static void given(const Golden *g, Given *x)
{
    const float *drawn = golden_array(g, ROWS, "drawn");

    memcpy(x->mean, golden_array(g, (size_t)ROWS * E * Y, "mean"), sizeof x->mean);
    memcpy(x->std, golden_array(g, (size_t)ROWS * E * Y, "std"), sizeof x->std);
    memcpy(x->sample, golden_array(g, (size_t)ROWS * Y, "sample"), sizeof x->sample);
    memcpy(x->truth, golden_array(g, (size_t)ROWS * (Y - 1), "truth"), sizeof x->truth);
    for (int b = 0; b < ROWS; b++) {
        x->drawn[b] = (int32_t)drawn[b];
    }
    x->in = (PenaltyIn){.mean = x->mean,
                        .std = x->std,
                        .sample = x->sample,
                        .drawn = x->drawn,
                        .truth = x->truth,
                        .rows = ROWS,
                        .members = E,
                        .outs = Y};
}

/* Sums of at most 140 squares in float32, and a root: 2 ulp. ll_var is a difference of sums of squares
 * of z-scores in float32. loo_kl adds terms that are near zero where members agree. */
static void rows_with_golden_values_agree_with_pytorch(void **state)
{
    (void)state;
    Golden *g = golden_open("penalty");
    Given x;
    int compared = 0;

    given(g, &x);
    for (int i = 0; penalty_row(i) != NULL; i++) {
        const char *name = penalty_row(i)->name;
        const bool density = strcmp(name, "ll_var") == 0;
        float u[ROWS];
        if (!golden_has(g, "%s", name)) {
            print_message("%s: tools/golden/penalty.py has no answers for it\n", name);
            continue;
        }
        const float *want = golden_array(g, ROWS, "%s", name);
        penalty_row(i)->eval(&x.in, u);
        for (int b = 0; b < ROWS; b++) {
            CHECK_NEAR(u[b], want[b], density ? 2e-6 : 3e-7, 0);
        }
        compared++;
    }
    assert_true(compared >= 11);
    golden_close(g);
}

/* One number of row 0 is not finite: that shows, or the penalty does not look at it. */
static void flaws_show(const Penalty *penalty, const Given *x, float *at, size_t n, float u0)
{
    const float bad[] = {NAN, INFINITY, -INFINITY};

    for (size_t k = 0; k < n; k++) {
        for (size_t j = 0; j < 3; j++) {
            const float good = at[k];
            float u[ROWS];
            at[k] = bad[j];
            penalty->eval(&x->in, u);
            at[k] = good;
            if (isfinite(u[0]) && memcmp(&u[0], &u0, sizeof u0) != 0) {
                fail_msg("%s: number %zu is %g, and u is %g", penalty->name, k, (double)bad[j],
                         (double)u[0]);
            }
        }
    }
}

/* What rollouts rely on, for rows to come as well. */
static void every_penalty_keeps_the_contract(void **state)
{
    (void)state;
    Golden *g = golden_open("penalty");
    Given x;

    given(g, &x);
    for (int i = 0; penalty_row(i) != NULL; i++) {
        const Penalty *penalty = penalty_row(i);
        float u[ROWS + 1] = {[ROWS] = -1};
        const int64_t blocks = mem_count();

        penalty->eval(&x.in, u);
        assert_int_equal(mem_count(), blocks);
        assert_true(u[ROWS] == -1);
        for (int b = 0; b < ROWS; b++) { /* a row has the same bits alone */
            const size_t at = (size_t)b * E * Y;
            const PenaltyIn one = {.mean = x.mean + at,
                                   .std = x.std + at,
                                   .sample = x.sample + b * Y,
                                   .drawn = x.drawn + b,
                                   .truth = x.truth + (ptrdiff_t)b * (Y - 1),
                                   .rows = 1,
                                   .members = E,
                                   .outs = Y};
            float alone = -1;
            penalty->eval(&one, &alone);
            assert_true(isfinite(alone) && alone >= 0);
            assert_memory_equal(&alone, &u[b], sizeof alone);
        }
        flaws_show(penalty, &x, x.mean, (size_t)E * Y, u[0]);
        flaws_show(penalty, &x, x.std, (size_t)E * Y, u[0]);
        flaws_show(penalty, &x, x.sample, Y, u[0]);
        flaws_show(penalty, &x, x.truth, Y - 1, u[0]);
    }
    golden_close(g);
}

static void table_is_found_by_name(void **state)
{
    (void)state;
    int n = 0;
    for (; penalty_row(n) != NULL; n++) {
        assert_ptr_equal(penalty_find(penalty_row(n)->name), penalty_row(n));
        assert_true(strlen(penalty_row(n)->source) > 0 && penalty_row(n)->members >= 1);
    }
    assert_true(n >= 2);
    assert_null(penalty_find("max"));
    assert_null(penalty_row(-1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(max_std_is_the_largest_norm),
        cmocka_unit_test(disagreement_is_of_states),
        cmocka_unit_test(densities_are_those_of_gaussians),
        cmocka_unit_test(the_oracle_measures_the_drawn_member),
        cmocka_unit_test(rows_with_golden_values_agree_with_pytorch),
        cmocka_unit_test(every_penalty_keeps_the_contract),
        cmocka_unit_test(table_is_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
