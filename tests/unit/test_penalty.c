/* penalty: by hand, and against PyTorch. */
#include "support/check.h"

#include <math.h>
#include <string.h>

#include "model/penalty.h"
#include "support/golden.h"

/* Two rows of two members with two outputs: row 0 has norms 5 and 1; row 1 has 2 and 13. */
static void max_std_is_the_largest_norm(void **state)
{
    (void)state;
    const float std[] = {3, 4, 0, 1, 2, 0, 5, 12};
    const PenaltyIn in = {.mean = NULL, .std = std, .rows = 2, .members = 2, .outs = 2};
    float u[3] = {-1, -1, -1};

    penalty_find("max_std")->eval(&in, u);
    CHECK_NEAR(u[0], 5, 1e-7, 0);
    CHECK_NEAR(u[1], 13, 1e-7, 0);
    assert_true(u[2] == -1);
    penalty_find("none")->eval(&in, u);
    assert_true(u[0] == 0 && u[1] == 0 && u[2] == -1);
}

/* Sum of four squares and a root in float32: 2 ulp. */
static void max_std_agrees_with_pytorch(void **state)
{
    (void)state;
    Golden *g = golden_open("penalty");
    size_t rows = 0;
    const float *want = golden_get(g, &rows, "max_std");
    const PenaltyIn in = {
        .std = golden_array(g, rows * 7 * 4, "std"), .rows = (int)rows, .members = 7, .outs = 4};
    float u[8] = {0};

    assert_true(rows <= 8);
    penalty_find("max_std")->eval(&in, u);
    for (size_t b = 0; b < rows; b++) {
        CHECK_NEAR(u[b], want[b], 2e-7, 0);
    }
    golden_close(g);
}

/* A member that has run away must not look certain, wherever it stands. */
static void non_finite_deviation_shows(void **state)
{
    (void)state;
    const float bad[] = {NAN, INFINITY};
    for (size_t k = 0; k < 2; k++) {
        for (size_t at = 0; at < 6; at++) {
            float std[6] = {1, 2, 3, 4, 5, 6};
            const PenaltyIn in = {.std = std, .rows = 1, .members = 3, .outs = 2};
            float u = 0;
            std[at] = bad[k];
            penalty_find("max_std")->eval(&in, &u);
            assert_true(!isfinite(u));
        }
    }
}

static void table_is_found_by_name(void **state)
{
    (void)state;
    int n = 0;
    for (; penalty_row(n) != NULL; n++) {
        assert_ptr_equal(penalty_find(penalty_row(n)->name), penalty_row(n));
        assert_true(strlen(penalty_row(n)->source) > 0);
    }
    assert_true(n >= 2);
    assert_null(penalty_find("max"));
    assert_null(penalty_row(-1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(max_std_is_the_largest_norm),
        cmocka_unit_test(max_std_agrees_with_pytorch),
        cmocka_unit_test(non_finite_deviation_shows),
        cmocka_unit_test(table_is_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
