/* mmd: values and gradients against PyTorch, and what holds for any such distance. */
#include "support/check.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "policy/mmd.h"
#include "support/golden.h"

enum { ROWS = 5, N = 4, M = 3, A = 2 };

static const char *const names[] = {"laplacian", "gaussian"};

/* All four: kernel k, with and without the root. */
static Mmd variant(int i)
{
    return (Mmd){.kernel = i / 2 == 0 ? KERNEL_LAPLACIAN : KERNEL_GAUSSIAN,
                 .sigma = 0.7F,
                 .root = i % 2 != 0,
                 .A = A};
}

static void draw(float *x, size_t n, uint64_t step)
{
    Rng rng = rng_make(7, RNG_TEST, step, 0);
    rng_fill_normal(&rng, x, n);
}

/* The file has ties, equal actions and sets that are far apart. Three means of numbers up to 1, each
 * kernel off by 1e-7; a row's gradient is compared as a whole. */
static void agrees_with_pytorch(void **state)
{
    (void)state;
    Golden *g = golden_open("mmd");
    const float *sizes = golden_array(g, 4, "sizes");
    const float *x = golden_array(g, ROWS * N * A, "x");
    const float *y = golden_array(g, ROWS * M * A, "y");

    assert_true(sizes[0] == ROWS && sizes[1] == N && sizes[2] == M && sizes[3] == A);
    for (int i = 0; i < 4; i++) {
        const char *name = names[i / 2];
        const char *form = i % 2 != 0 ? "root" : "square";
        float value[ROWS];
        float dx[ROWS * N * A];
        Mmd kind = variant(i);
        kind.sigma = *golden_array(g, 1, "%s.sigma", name);
        mmd_rows(&kind, x, N, y, M, ROWS, value, dx);
        const float *want = golden_array(g, ROWS, "%s.%s.value", name, form);
        const float *want_dx = golden_array(g, ROWS * N * A, "%s.%s.dx", name, form);
        for (size_t row = 0; row < ROWS; row++) {
            CHECK_NEAR(value[row], want[row], 1e-6, 0);
            CHECK_CLOSE(dx + row * N * A, want_dx + row * N * A, N * A, 2e-6, 0);
        }
        float again[ROWS];
        mmd_rows(&kind, x, N, y, M, ROWS, again, NULL);
        assert_memory_equal(value, again, sizeof value);
    }
    golden_close(g);
}

/* MMD^2 of equal sets: 1 - 1, so off by no more than rounding. */
static void equal_sets_are_not_apart(void **state)
{
    (void)state;
    float x[ROWS * N * A];
    float y[ROWS * N * A];

    draw(x, ROWS * N * A, 0);
    for (size_t i = 0; i < ROWS * N; i++) { /* in another order */
        const size_t from = i / N * N + (i + 1) % N;
        memcpy(y + i * A, x + from * A, A * sizeof *x);
    }
    for (int i = 0; i < 4; i++) {
        const Mmd kind = variant(i);
        float value[ROWS];
        float dx[ROWS * N * A];
        mmd_rows(&kind, x, N, y, N, ROWS, value, dx);
        for (int row = 0; row < ROWS; row++) {
            /* the root has a slope of 500 there */
            CHECK_NEAR(value[row], kind.root ? 1e-3 : 0, 0, kind.root ? 1.5e-4 : 3e-7);
        }
        for (int k = 0; k < ROWS * N * A; k++) {
            assert_true(isfinite(dx[k]));
        }
    }
}

static void is_symmetric_and_not_negative(void **state)
{
    (void)state;
    float x[ROWS * N * A];
    float y[ROWS * M * A];

    draw(x, ROWS * N * A, 1);
    draw(y, ROWS * M * A, 2);
    for (int i = 0; i < 4; i++) {
        const Mmd kind = variant(i);
        float there[ROWS];
        float back[ROWS];
        mmd_rows(&kind, x, N, y, M, ROWS, there, NULL);
        mmd_rows(&kind, y, M, x, N, ROWS, back, NULL);
        for (int row = 0; row < ROWS; row++) {
            assert_true(there[row] > 0);
            CHECK_NEAR(there[row], back[row], 1e-6, 0);
        }
    }
}

/* Every state by itself: the value of a row does not depend on the rows beside it. */
static void rows_do_not_mix(void **state)
{
    (void)state;
    float x[ROWS * N * A];
    float y[ROWS * M * A];

    draw(x, ROWS * N * A, 3);
    draw(y, ROWS * M * A, 4);
    for (int i = 0; i < 4; i++) {
        const Mmd kind = variant(i);
        float value[ROWS];
        float dx[ROWS * N * A];
        mmd_rows(&kind, x, N, y, M, ROWS, value, dx);
        for (size_t row = 0; row < ROWS; row++) {
            float one;
            float slope[N * A];
            mmd_rows(&kind, x + row * N * A, N, y + row * M * A, M, 1, &one, slope);
            assert_true(one == value[row]);
            assert_memory_equal(slope, dx + row * N * A, sizeof slope);
        }
    }
}

/* Coordinates of n actions, from number `first` on, with no two within 0.07 in a row of up to 14: the
 * Laplacian kernel has a kink where two are equal. */
static void spread(float *x, size_t n, size_t first)
{
    for (size_t k = 0; k < ROWS * n * A; k++) {
        const double scale = 2 + 0.3 * (double)(k / (n * A));
        const double turn = 0.618033988749895 * (double)(first * A + k % (n * A));
        x[k] = (float)(scale * (turn - floor(turn) - 0.5));
    }
}

/* Central differences with step h: h^2 f''' / 6, about 2e-5, and rounding 1e-7 / h. */
static void gradient_is_the_slope(void **state)
{
    (void)state;
    const float h = 0.01F;
    float x[ROWS * N * A];
    float y[ROWS * M * A];

    spread(x, N, 0);
    spread(y, M, N);
    for (int i = 0; i < 4; i++) {
        const Mmd kind = variant(i);
        float value[2][ROWS];
        float dx[ROWS * N * A];
        mmd_rows(&kind, x, N, y, M, ROWS, value[0], dx);
        for (size_t k = 0; k < ROWS * N * A; k++) {
            const float at = x[k];
            const size_t row = k / ((size_t)N * A);
            x[k] = at + h;
            mmd_rows(&kind, x, N, y, M, ROWS, value[1], NULL);
            x[k] = at - h;
            mmd_rows(&kind, x, N, y, M, ROWS, value[0], NULL);
            x[k] = at;
            const double slope = ((double)value[1][row] - (double)value[0][row]) / (2 * (double)h);
            CHECK_NEAR(dx[k], slope, 0, 1e-4);
        }
    }
}

/* y is x moved away: farther, and farther still; at the end no kernel reaches across. */
static void grows_as_the_sets_part(void **state)
{
    (void)state;
    float x[ROWS * N * A];
    float y[ROWS * N * A];

    draw(x, ROWS * N * A, 5);
    for (int i = 0; i < 4; i++) {
        const Mmd kind = variant(i);
        float last[ROWS] = {0};
        for (int step = 1; step <= 5; step++) {
            float value[ROWS];
            for (int k = 0; k < ROWS * N * A; k++) {
                y[k] = x[k] + 0.4F * (float)step;
            }
            mmd_rows(&kind, x, N, y, N, ROWS, value, NULL);
            for (int row = 0; row < ROWS; row++) {
                assert_true(value[row] > last[row]);
            }
            memcpy(last, value, sizeof last);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_pytorch),           cmocka_unit_test(equal_sets_are_not_apart),
        cmocka_unit_test(is_symmetric_and_not_negative), cmocka_unit_test(rows_do_not_mix),
        cmocka_unit_test(gradient_is_the_slope),         cmocka_unit_test(grows_as_the_sets_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
