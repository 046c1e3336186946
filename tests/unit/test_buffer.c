/* data: the ring of records against a plain list, uniform sampling, the normalizer. */
#include "support/check.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "data/buffer.h"
#include "data/normalizer.h"

enum { STRIDE = 2 * 2 + 1 + 2 };

/* Row `id`, recognizable in every float. */
static void fill(float *row, int id)
{
    for (int j = 0; j < STRIDE; j++) {
        row[j] = (float)(id * 100 + j);
    }
}

/* Pushes of every size from 0 to beyond the capacity; the buffer holds the newest rows in order. */
static void the_newest_rows_stay_in_order(void **state)
{
    (void)state;
    enum { CAPACITY = 7, LONGEST = 16 };
    Buffer buffer;
    float rows[LONGEST * STRIDE];
    int pushed = 0;

    CHECK_OK(buffer_init(&buffer, record_make(2, 1), CAPACITY));
    assert_int_equal(buffer.rec.stride, STRIDE);
    for (int round = 0; round < 40; round++) {
        const int n = (round * 5) % (LONGEST + 1);
        for (int i = 0; i < n; i++) {
            fill(rows + (size_t)i * STRIDE, pushed + i);
        }
        buffer_push(&buffer, rows, n);
        pushed += n;
        assert_int_equal(buffer.rows, pushed < CAPACITY ? pushed : CAPACITY);
        for (int64_t i = 0; i < buffer.rows; i++) {
            float want[STRIDE];
            fill(want, pushed - (int)buffer.rows + (int)i);
            assert_memory_equal(buffer_row(&buffer, i), want, sizeof want);
        }
    }
    buffer_release(&buffer);
    assert_null(buffer.records);
    assert_int_equal(buffer_init(&buffer, record_make(2, 1), 0), ERR_ARG);
    mem_fail_at(1);
    assert_int_equal(buffer_init(&buffer, record_make(2, 1), 5), ERR_NOMEM);
    mem_fail_at(0);
    assert_int_equal(buffer.capacity, 0);
}

static void only_written_rows_are_drawn_and_each_as_often(void **state)
{
    (void)state;
    enum { ROWS = 8, DRAWS = 80000 };
    Buffer buffer;
    float row[STRIDE];
    int hits[ROWS] = {0};
    float *out = NULL;
    Rng rng = rng_make(1, RNG_TEST, 0, 0);

    CHECK_OK(buffer_init(&buffer, record_make(2, 1), 100));
    for (int i = 0; i < ROWS; i++) {
        fill(row, i);
        buffer_push(&buffer, row, 1);
    }
    CHECK_OK(mem_alloc(&out, (size_t)DRAWS * STRIDE, sizeof *out, "test"));
    buffer_gather(&buffer, &rng, DRAWS, out);
    for (int i = 0; i < DRAWS; i++) {
        const float *drawn = out + (size_t)i * STRIDE;
        const int id = (int)drawn[0] / 100;
        assert_true(id >= 0 && id < ROWS);
        fill(row, id);
        assert_memory_equal(drawn, row, sizeof row); /* whole rows, nothing mixed */
        hits[id]++;
    }
    double chi2 = 0; /* 7 degrees of freedom: above 30 once in 10000 */
    for (int i = 0; i < ROWS; i++) {
        const double d = hits[i] - (double)DRAWS / ROWS;
        chi2 += d * d / ((double)DRAWS / ROWS);
    }
    assert_true(chi2 < 30);
    mem_free(&out);
    buffer_release(&buffer);
}

/* A resumed run fills its ring again, from slot 0. */
static void draws_depend_on_the_youngest_rows_not_on_their_slots(void **state)
{
    (void)state;
    enum { CAPACITY = 7, PUSHED = 24, DRAWS = 50 };
    Buffer old;
    Buffer fresh;
    float row[STRIDE];
    float a[DRAWS * STRIDE];
    float b[DRAWS * STRIDE];

    CHECK_OK(buffer_init(&old, record_make(2, 1), CAPACITY));
    CHECK_OK(buffer_init(&fresh, record_make(2, 1), CAPACITY));
    for (int i = 0; i < PUSHED; i++) {
        fill(row, i);
        buffer_push(&old, row, 1);
        if (i >= PUSHED - CAPACITY - 2) {
            buffer_push(&fresh, row, 1);
        }
    }
    assert_int_not_equal(old.head, fresh.head);
    Rng rng = rng_make(1, RNG_TEST, 0, 1);
    Rng same = rng;
    buffer_gather(&old, &rng, DRAWS, a);
    buffer_gather(&fresh, &same, DRAWS, b);
    assert_memory_equal(a, b, sizeof a);
    buffer_release(&old);
    buffer_release(&fresh);
}

/* Columns 1 and 2 of rows 0, 2, 3: (1, 5), (3, 5), (8, 5): mean 4, variance (9 + 1 + 16) / 3. */
static void columns_are_centered_and_scaled(void **state)
{
    (void)state;
    const float rows[4][4] = {{9, 1, 5, 9}, {9, 99, 99, 9}, {9, 3, 5, 9}, {9, 8, 5, 9}};
    const int64_t index[3] = {0, 2, 3};
    const float x[2][3] = {{4, 6, -1}, {8, 5, -1}};
    float out[4];
    Normalizer norm;

    CHECK_OK(normalizer_fit(&norm, rows[0], 4, index, 3, 1, 2));
    assert_int_equal(norm.dim, 2);
    CHECK_NEAR(norm.mean[0], 4, 0, 0);
    CHECK_NEAR(norm.mean[1], 5, 0, 0);
    CHECK_NEAR(norm.std[0], sqrt(26.0 / 3), 1e-7, 0);
    CHECK_NEAR(norm.inv_std[0], 1 / sqrt(26.0 / 3), 1e-7, 0);
    CHECK_NEAR(norm.std[1], 1, 0, 0); /* constant column */
    normalizer_apply(&norm, x[0], 2, 3, out);
    const float want[4] = {0, 1, (float)(4 / sqrt(26.0 / 3)), 0};
    CHECK_CLOSE(out, want, 4, 1e-7, 0);
}

/* A mean of 1e4 with deviation 1: a one-pass sum in single precision would lose the deviation. */
static void a_large_mean_does_not_hide_the_deviation(void **state)
{
    (void)state;
    enum { N = 20000 };
    float *x = NULL;
    Normalizer norm;
    Rng rng = rng_make(2, RNG_TEST, 0, 0);

    CHECK_OK(mem_alloc(&x, N, sizeof *x, "test"));
    rng_fill_normal(&rng, x, N);
    for (int i = 0; i < N; i++) {
        x[i] += 1e4F;
    }
    CHECK_OK(normalizer_fit(&norm, x, 1, NULL, N, 0, 1));
    CHECK_NEAR(norm.mean[0], 1e4, 0, 0.03);
    CHECK_NEAR(norm.std[0], 1, 0, 0.03); /* 5 / sqrt(2 N) */
    mem_free(&x);
}

static void what_cannot_be_fitted_is_refused(void **state)
{
    (void)state;
    Normalizer norm;
    const float bad[2] = {1, (float)NAN};
    assert_int_equal(normalizer_fit(&norm, bad, 1, NULL, 2, 0, 1), ERR_NUMERIC);
    assert_non_null(strstr(status_reason(), "input column 0"));
    assert_int_equal(normalizer_fit(&norm, bad, 1, NULL, 0, 0, 1), ERR_ARG);
    assert_int_equal(normalizer_fit(&norm, bad, 1, NULL, 1, 0, NORMALIZER_MAX + 1), ERR_ARG);
    assert_int_equal(normalizer_init(&norm, 0), ERR_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_rows_stay_in_order),
        cmocka_unit_test(only_written_rows_are_drawn_and_each_as_often),
        cmocka_unit_test(draws_depend_on_the_youngest_rows_not_on_their_slots),
        cmocka_unit_test(columns_are_centered_and_scaled),
        cmocka_unit_test(a_large_mean_does_not_hide_the_deviation),
        cmocka_unit_test(what_cannot_be_fitted_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
