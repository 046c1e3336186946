/* progress.csv comes back as it was written; a damaged one is told by its line. */
#include "support/check.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "run/online_state.h"
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

static const OnlineEval evals[] = {{.step = 5000,
                                    .episodes = 7,
                                    .mean = 1.0 / 3,
                                    .min = -1e-300,
                                    .max = 12345.678,
                                    .length = 999.9,
                                    .score = -0.1},
                                   {.step = 10000,
                                    .episodes = 15,
                                    .mean = -2,
                                    .min = -3,
                                    .max = 4,
                                    .length = 1000,
                                    .score = (double)NAN}};

static void evaluations_come_back_exactly(void **state)
{
    (void)state;
    const int64_t blocks = mem_count();
    OnlineEval *back = NULL;
    int64_t count = 0;

    for (int64_t n = 0; n <= 2; n++) {
        CHECK_OK(online_write_progress(dir, evals, n));
        CHECK_OK(online_read_progress(dir, &back, &count));
        assert_int_equal(count, n);
        for (int64_t i = 0; i < n; i++) {
            assert_memory_equal(&back[i], &evals[i], offsetof(OnlineEval, score));
            assert_true(back[i].score == evals[i].score ||
                        (isnan(back[i].score) && isnan(evals[i].score)));
        }
        mem_free(&back);
    }
    assert_int_equal(mem_count(), blocks);
}

static void the_file_is_a_table_with_a_header(void **state)
{
    (void)state;
    const OnlineEval e = {.step = 200,
                          .episodes = 2,
                          .mean = 0.5,
                          .min = -1,
                          .max = 2,
                          .length = 100,
                          .score = (double)NAN};

    CHECK_OK(online_write_progress(dir, &e, 1));
    assert_string_equal(temp_read(temp_path(dir, "progress.csv")),
                        "step,episodes,return_mean,return_min,return_max,length_mean,score\n"
                        "200,2,0.5,-1,2,100,\n");
}

static void a_damaged_file_is_told_by_its_line(void **state)
{
    (void)state;
    static const char header[] =
        "step,episodes,return_mean,return_min,return_max,length_mean,score\n";
    static const struct {
        const char *text, *line;
    } cases[] = {{"", "line 1 "},
                 {"step\n", "line 1 "},
                 {"1,2,3,4,5,6,7\n8,9\n", "line 3 "},
                 {"1,2,3,4,5,6,7,8\n", "line 2 "},
                 {"1,2,x,4,5,6,7\n", "line 2 "},
                 {"1,2,nan,4,5,6,7\n", "line 2 "},
                 {",2,3,4,5,6,7\n", "line 2 "},
                 {"1,2,3,4,5,6,7", "line 1 "}};
    OnlineEval *back = NULL;
    int64_t count = 0;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "%s%s", i < 2 ? "" : header, cases[i].text);
        temp_write(temp_path(dir, "progress.csv"), text);
        assert_int_equal(online_read_progress(dir, &back, &count), ERR_FORMAT);
        assert_non_null(strstr(status_reason(), cases[i].line));
        assert_null(back);
        assert_int_equal(count, 0);
    }
}

static void every_failure_is_reported(void **state)
{
    (void)state;
    const int64_t blocks = mem_count();
    OnlineEval *back = NULL;
    int64_t count = 0;

    CHECK_OK(online_write_progress(dir, evals, 2));
    mem_fail_at(1);
    assert_int_equal(online_write_progress(dir, evals, 1), ERR_NOMEM);
    mem_fail_at(0);
    file_fail_at(1, ENOSPC);
    assert_int_equal(online_write_progress(dir, evals, 1), ERR_IO);
    file_fail_at(1, EIO);
    assert_int_equal(online_read_progress(dir, &back, &count), ERR_IO);
    file_fail_at(0, 0);
    for (int k = 1; k <= 2; k++) {
        mem_fail_at(k);
        assert_int_equal(online_read_progress(dir, &back, &count), ERR_NOMEM);
        assert_null(back);
    }
    mem_fail_at(0);
    CHECK_OK(online_read_progress(dir, &back, &count)); /* as it was before the failures */
    assert_int_equal(count, 2);
    mem_free(&back);
    assert_int_equal(mem_count(), blocks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(evaluations_come_back_exactly, setup, teardown),
        cmocka_unit_test_setup_teardown(the_file_is_a_table_with_a_header, setup, teardown),
        cmocka_unit_test_setup_teardown(a_damaged_file_is_told_by_its_line, setup, teardown),
        cmocka_unit_test_setup_teardown(every_failure_is_reported, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
