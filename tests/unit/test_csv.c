/* Tables of comma-separated numbers as recordings. */
#include "support/check.h"

#include <string.h>

#include "base/file.h"
#include "data/csv.h"
#include "support/temp_dir.h"

static char dir[TEMP_PATH_MAX];

static int setup(void **state)
{
    return temp_dir_setup(state, dir);
}

static int teardown(void **state)
{
    return temp_dir_teardown(state, dir);
}

static Status read_text(Recording *rec, const char *text)
{
    const char *path = temp_path(dir, "table.csv");
    temp_write(path, text);
    return csv_read(rec, path);
}

static void columns_are_found_by_name(void **state)
{
    (void)state;
    Recording rec;

    CHECK_OK(read_text(&rec, "rewards, observations_1,observations_0,\"actions_0\",terminals\r\n"
                             "1,11,10,-0.5,0\r\n"
                             "\r\n"
                             "2,21,20,5e-1,1\r\n"
                             "3,nan,30, 1 ,False"));
    assert_int_equal(rec.rows, 3);
    assert_int_equal(rec.state_dim, 2);
    assert_int_equal(rec.act_dim, 1);
    CHECK_NEAR(rec.observations[2], 20, 0, 0);
    CHECK_NEAR(rec.observations[3], 21, 0, 0);
    assert_true(rec.observations[5] != rec.observations[5]);
    CHECK_NEAR(rec.actions[1], 0.5, 0, 0);
    CHECK_NEAR(rec.rewards[2], 3, 0, 0);
    assert_int_equal(rec.terminals[1], 1);
    assert_int_equal(rec.terminals[2], 0);
    assert_null(rec.timeouts);
    assert_null(rec.next_observations);
    assert_int_equal(rec.odd_flags, 0);
    recording_release(&rec);
}

static void episodes_give_timeouts(void **state)
{
    (void)state;
    static const uint8_t want[] = {0, 1, 0, 1};
    Recording rec;

    CHECK_OK(read_text(&rec, "episode,observations,actions,rewards,next_observations,terminals\n"
                             "7,0,0,0,1,0\n7,1,0,0,2,0\n3,5,0,0,6,1\n4,8,0,0,9,0\n"));
    assert_memory_equal(rec.timeouts, want, sizeof want);
    CHECK_NEAR(rec.next_observations[3], 9, 0, 0);
    recording_release(&rec);
}

static void a_byte_order_mark_is_no_name(void **state)
{
    (void)state;
    Recording rec;

    CHECK_OK(read_text(&rec, "\xEF\xBB\xBFobservations,actions,rewards\r\n1,2,3\r\n"));
    assert_int_equal(rec.rows, 1);
    CHECK_NEAR(rec.observations[0], 1, 0, 0);
    recording_release(&rec);
}

static void errors_name_line_and_column(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"", ":1: column 0"},
        {"observations_0,actions_0,reward\n1,2,3\n", "'reward'"},
        {"observations_0,observations_2,actions_0,rewards\n", "observations_1 is there 0 times"},
        {"observations_0,observations_0,actions_0,rewards\n", "observations_0 is there 2 times"},
        {"observations_0,rewards\n1,2\n", "at least"},
        {"observations_0,actions_0,rewards\n", "no row"},
        {"observations_0,actions_0,rewards\n1,2\n", ":2: column 1"},
        {"observations_0,actions_0,rewards\n1,2,3\n\n1,2,3,4\n", ":4: column 2"},
        {"observations_0,actions_0,rewards\n1,x,3\n", "'x,3'"},
        {"observations_0,actions_0,rewards\n1,,3\n", ":2: column 1"},
        {"observations_0,actions_0,rewards\n1,2,\n3\n", ":2: column 2"},
        {"observations_0,actions_0,rewards,timeouts,episode\n", "not both"},
        {"observations_0,actions_0,rewards,next_observations_0,next_observations_1\n", "2 columns"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Recording rec;
        assert_int_equal(read_text(&rec, cases[i].text), ERR_FORMAT);
        if (strstr(status_reason(), cases[i].part) == NULL) {
            fail_msg("case %zu: no '%s' in: %s", i, cases[i].part, status_reason());
        }
        assert_null(rec.observations);
    }
    Recording rec;
    assert_int_equal(csv_read(&rec, "/nowhere/table.csv"), ERR_IO);
}

static void flags_are_read_and_odd_ones_counted(void **state)
{
    (void)state;
    Recording rec;

    CHECK_OK(read_text(&rec, "observations_0,actions_0,rewards,terminals,timeouts\n"
                             "1,2,3,0,0\n1,2,3,0,1\n1,2,3,1,0\n1,2,3,0.5,7\n"));
    assert_int_equal(rec.rows, 4);
    assert_memory_equal(rec.terminals, ((const uint8_t[]){0, 0, 1, 1}), 4);
    assert_memory_equal(rec.timeouts, ((const uint8_t[]){0, 1, 0, 1}), 4);
    assert_int_equal(rec.odd_flags, 2);
    recording_release(&rec);
}

static void a_zero_byte_is_no_text(void **state)
{
    (void)state;
    static const char text[] = "observations_0,actions_0,rewards\n1,2,3\n\0\n";
    const char *path = temp_path(dir, "table.csv");
    Recording rec;

    CHECK_OK(file_write(path, text, sizeof text - 1));
    assert_int_equal(csv_read(&rec, path), ERR_FORMAT);
    assert_non_null(strstr(status_reason(), "there is a zero byte in it"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(columns_are_found_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(episodes_give_timeouts, setup, teardown),
        cmocka_unit_test_setup_teardown(a_byte_order_mark_is_no_name, setup, teardown),
        cmocka_unit_test_setup_teardown(flags_are_read_and_odd_ones_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(a_zero_byte_is_no_text, setup, teardown),
        cmocka_unit_test_setup_teardown(errors_name_line_and_column, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
