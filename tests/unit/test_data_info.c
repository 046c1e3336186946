/* run/data_info: numbers worked out by hand. */
#include "support/check.h"

#include <math.h>

#include "base/mem.h"
#include "run/data_info.h"

enum { ROWS = 8 };

static void numbers_are_those_worked_out_by_hand(void **state)
{
    (void)state;
    double s[ROWS] = {0, 1, 2, 3, 4, 5, 6, (double)NAN};
    double a[ROWS * 2] = {-1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1};
    double r[ROWS] = {1, 1, 3, 4, 5, 9, 7, 100};
    uint8_t terminals[ROWS] = {0, 1, 0, 0, 0, 0, 0, 0};
    uint8_t timeouts[ROWS] = {0, 0, 1, 0, 1, 1, 1, 0};
    Recording rec = {.state_dim = 1,
                     .act_dim = 2,
                     .rows = ROWS,
                     .observations = s,
                     .actions = a,
                     .rewards = r,
                     .terminals = terminals,
                     .timeouts = timeouts};
    const int64_t blocks = mem_count();
    DataInfo info;

    CHECK_OK(data_info(&info, &rec, 1000));
    assert_int_equal(info.rows, ROWS);
    assert_int_equal(info.terminals, 1);
    assert_int_equal(info.timeouts, 4);
    assert_int_equal(info.episodes, 5); /* of 2, 1, 2, 1, 1 steps; returns 2, 3, 9, 9, 7 */
    assert_int_equal(info.open_rows, 1);
    CHECK_NEAR(info.length.mean, 1.4, 1e-12, 0);
    CHECK_NEAR(info.total.mean, 6, 1e-12, 0);
    CHECK_NEAR(info.total.std, sqrt((16 + 9 + 9 + 9 + 1) / 5.0), 1e-12, 0);
    CHECK_NEAR(info.total.min, 2, 0, 0);
    CHECK_NEAR(info.total.low, 3, 0, 0);
    CHECK_NEAR(info.total.middle, 7, 0, 0);
    CHECK_NEAR(info.total.high, 9, 0, 0);
    CHECK_NEAR(info.total.max, 9, 0, 0);
    CHECK_NEAR(info.reward.max, 100, 0, 0);
    CHECK_NEAR(info.states[0].max, 6, 0, 0); /* without the NaN */
    CHECK_NEAR(info.states[0].mean, 3, 0, 0);
    CHECK_NEAR(info.states[0].std, 2, 1e-12, 0);
    CHECK_NEAR(info.actions[1].min, 1, 0, 0);
    data_info_release(&info);

    rec.timeouts = NULL; /* episodes end after 3 steps: 2, 3, 3 */
    CHECK_OK(data_info(&info, &rec, 3));
    assert_int_equal(info.episodes, 3);
    assert_int_equal(info.open_rows, 0);
    data_info_release(&info);
    r[7] = (double)NAN; /* of the last one: returns 2, 12 and none */
    CHECK_OK(data_info(&info, &rec, 3));
    assert_int_equal(info.episodes, 3);
    CHECK_NEAR(info.total.mean, 7, 1e-12, 0);
    CHECK_NEAR(info.total.max, 12, 0, 0);
    data_info_release(&info);
    for (int k = 1; k <= 5; k++) {
        mem_fail_at(k);
        assert_int_equal(data_info(&info, &rec, 3), ERR_NOMEM);
        mem_fail_at(0);
    }
    assert_int_equal(mem_count(), blocks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_those_worked_out_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
