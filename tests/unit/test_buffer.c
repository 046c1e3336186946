/* data: the ring of records against a plain list, uniform sampling. */
#include "support/check.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "data/buffer.h"

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
    buffer_clear(&buffer); /* the next rows stand in order from the front on */
    assert_int_equal(buffer.rows, 0);
    buffer_push(&buffer, rows, 3);
    assert_int_equal(buffer.rows, 3);
    assert_memory_equal(buffer.records, rows, 3 * STRIDE * sizeof *rows);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_rows_stay_in_order),
        cmocka_unit_test(only_written_rows_are_drawn_and_each_as_often),
        cmocka_unit_test(draws_depend_on_the_youngest_rows_not_on_their_slots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
