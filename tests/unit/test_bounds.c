/* data/bounds: actions of any range arrive in [-1, 1], as worked out by hand; impossible bounds are
 * refused. */
#include "support/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "data/dataset.h"
#include "data/h5.h"
#include "support/temp_dir.h"

enum { N = 6 };

static char dir[TEMP_PATH_MAX];
static char path[TEMP_PATH_MAX + 10]; /* of the dataset in it */

static int setup(void **state)
{
    (void)state;
    temp_dir_make(dir);
    (void)snprintf(path, sizeof path, "%s/d.hdf5", dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    temp_dir_remove(dir);
    return 0;
}

/* A file of one state and `cols` actions (N, cols); all rows are kept. */
static void write_actions(const float *actions, int cols)
{
    const float x[N] = {1, 2, 3, 4, 5, 6};
    const uint8_t flags[N] = {0};
    const H5Item items[] = {
        {.name = "observations", .data = x, .rank = 1, .dims = {N}},
        {.name = "actions", .data = actions, .rank = 2, .dims = {N, cols}},
        {.name = "rewards", .data = x, .rank = 1, .dims = {N}},
        {.name = "terminals", .data = flags, .rank = 1, .dims = {N}, .flags = true},
        {.name = "timeouts", .data = flags, .rank = 1, .dims = {N}, .flags = true},
        {.name = "next_observations", .data = x, .rank = 1, .dims = {N}},
    };
    CHECK_OK(h5_write(path, items, 6, NULL, 0));
}

/* The first action of each row under these bounds. */
static void map(const ActionBounds *bounds, float out[N])
{
    Dataset set;

    CHECK_OK(dataset_read(&set, path, &(DatasetOptions){.bounds = bounds}));
    assert_int_equal(set.rows, N);
    for (int i = 0; i < N; i++) {
        out[i] = set.records[(size_t)i * set.rec.stride + set.rec.a];
    }
    dataset_release(&set);
}

static const float wide[N] = {0, 0.4F, 0.8F, 1.2F, 1.6F, 2};

static void given_bounds_map_linearly(void **state)
{
    (void)state;
    const ActionBounds bounds = {.n = 1, .low = {-1}, .high = {3}};
    float got[N];
    Dataset set;

    write_actions(wide, 1);
    map(&bounds, got);
    for (int i = 0; i < N; i++) { /* (x - 1) / 2 */
        CHECK_NEAR(got[i], 0.2 * i - 0.5, 1e-6, 0);
    }
    CHECK_OK(dataset_read(&set, path, &(DatasetOptions){.bounds = &bounds}));
    assert_true(set.bounds.n == 1 && set.bounds.high[0] == 3.0F);
    assert_string_equal(set.rule,
                        "s' from next_observations; actions mapped from [-1, 3] to [-1, 1]");
    dataset_release(&set);
}

static void bounds_are_found_in_the_file(void **state)
{
    (void)state;
    const ActionBounds bounds = {.n = -1};
    float got[N];

    write_actions(wide, 1);
    map(&bounds, got);
    for (int i = 0; i < N; i++) {
        CHECK_NEAR(got[i], 0.4 * i - 1, 1e-6, 0);
    }
}

/* Bounds of -1 and 1 are no bounds, to the bit. */
static void each_action_has_its_own(void **state)
{
    (void)state;
    const float actions[N][2] = {{-0.3F, 5},  {0.1F, 7.5F},  {1, 10},
                                 {-1, 6.25F}, {0.7F, 8.75F}, {1e-8F, 5}};
    const float second[N] = {-1, 0, 1, -0.5F, 0.5F, -1};
    const ActionBounds bounds = {.n = 2, .low = {-1, 5}, .high = {1, 10}};
    Dataset set;

    write_actions(actions[0], 2);
    CHECK_OK(dataset_read(&set, path, &(DatasetOptions){.bounds = &bounds}));
    for (int i = 0; i < N; i++) {
        const float want[2] = {actions[i][0], second[i]};
        assert_memory_equal(set.records + (size_t)i * set.rec.stride + set.rec.a, want,
                            sizeof want);
    }
    assert_non_null(strstr(set.rule, "; actions mapped from a range per column to [-1, 1]"));
    dataset_release(&set);
}

static void refuse(const ActionBounds *bounds, Status want, const char *words)
{
    const int64_t blocks = mem_count();
    Dataset set;
    const Status got = dataset_read(&set, path, &(DatasetOptions){.bounds = bounds});
    if (got != want || strstr(status_reason(), words) == NULL) {
        fail_msg("got %s: %s", status_name(got), status_reason());
    }
    assert_true(set.rows == 0 && set.records == NULL && mem_count() == blocks);
}

static void little_is_clipped_and_more_is_refused(void **state)
{
    (void)state;
    ActionBounds bounds = {.n = 1, .low = {-1}, .high = {1.999F}};
    float got[N];

    write_actions(wide, 1);
    map(&bounds, got);
    CHECK_NEAR(got[5], 1, 0, 0); /* was 1.0007 */
    bounds.high[0] = 1.998F;     /* 1.0013 */
    refuse(&bounds, ERR_FORMAT, "'actions' row 5 column 0 is 2; its bounds are -1 and 1.998");
}

static void impossible_bounds_are_refused(void **state)
{
    (void)state;
    const float same[N] = {0.25F, 0.25F, 0.25F, 0.25F, 0.25F, 0.25F};
    const float odd[N] = {0, 1, (float)NAN, 0, 0, 0};
    float many[N * 65] = {0};

    write_actions(wide, 1);
    refuse(&(ActionBounds){.n = 1, .low = {-1}, .high = {-1}}, ERR_CONFIG,
           "bounds of action 0 are -1 and -1");
    refuse(&(ActionBounds){.n = 1, .high = {(float)INFINITY}}, ERR_CONFIG,
           "bounds of action 0 are 0 and inf");
    refuse(&(ActionBounds){.n = 2}, ERR_CONFIG, "bounds for 2 actions; the file has 1");
    write_actions(same, 1);
    refuse(&(ActionBounds){.n = -1}, ERR_FORMAT, "'actions' column 0 is 0.25 in every row");
    write_actions(odd, 1);
    refuse(&(ActionBounds){.n = -1}, ERR_FORMAT, "'actions' row 2 column 0 is nan");
    write_actions(many, 65);
    refuse(&(ActionBounds){.n = 1}, ERR_CONFIG, "at most 64 actions; the file has 65");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(given_bounds_map_linearly, setup, teardown),
        cmocka_unit_test_setup_teardown(bounds_are_found_in_the_file, setup, teardown),
        cmocka_unit_test_setup_teardown(each_action_has_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(little_is_clipped_and_more_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(impossible_bounds_are_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
