/* means: which cells are one group, what they are called, mean and deviation of what is done. */
#include "support/check.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "support/temp_dir.h"
#include "sweep/means.h"

static char dir[TEMP_PATH_MAX];
static StatusReport report;
static Means means;

static int make_dir(void **state)
{
    return temp_dir_setup(state, dir);
}

static int remove_dir(void **state)
{
    means_release(&means);
    status_release(&report);
    return temp_dir_teardown(state, dir);
}

/* A run that is done, with this return in the end; score: NULL, none. */
static void put_run(const char *name, const char *result, const char *score)
{
    char line[256];

    CHECK_OK(file_make_dirs(temp_path(dir, "%s/ckpt", name)));
    temp_write(temp_path(dir, "%s/used.yaml", name), "train:\n  epochs: 4\n");
    temp_write(temp_path(dir, "%s/ckpt/LATEST", name), "policy-000004\n");
    temp_write(temp_path(dir, "%s/log.txt", name), "    0.00  run\n");
    temp_write(temp_path(dir, "%s/manifest.json", name), "{\"results\": {\"policy.h5\": \"\"}}");
    (void)snprintf(line, sizeof line, "{\"epoch\": 4, \"return_mean\": %s%s%s}\n", result,
                   score != NULL ? ", \"score\": " : "", score != NULL ? score : "");
    temp_write(temp_path(dir, "%s/metrics.jsonl", name), line);
}

/* Cells of these names with these words behind `train`, all in `dir`. */
static void put_list(const char *const cells[][2], int count)
{
    char text[4096];
    Text all = text_over(text, sizeof text);

    text_add(&all, "# mopo sweep grid.yaml\n");
    for (int i = 0; i < count; i++) {
        text_add(&all, "cell\t%s\t%s/%s\ttrain\t%s\trun_dir=%s/%s\n", cells[i][0], dir, cells[i][0],
                 cells[i][1], dir, cells[i][0]);
    }
    assert_false(all.cut);
    temp_write(temp_path(dir, "%s", "cells.tsv"), text);
}

static void test_groups(void **state)
{
    static const char *const cells[][2] = {
        {"lambda1-seed0", "penalty.lambda=1\tseed=0"},
        {"lambda1-seed1", "penalty.lambda=1\tseed=1"},
        {"lambda10-seed0", "penalty.lambda=10\tseed=0"},
        {"lambda1-seed10", "penalty.lambda=1\tseed=10"},
        {"lambda1-seed11", "penalty.lambda=1\tseed=11"},
        {"best", "penalty.lambda=2\tseed=7"},
    };
    (void)state;
    put_list(cells, 6);
    put_run("lambda1-seed0", "1.0", "10.0");
    put_run("lambda1-seed1", "2.0", "20.0");
    put_run("lambda1-seed10", "6.0", "60.0");
    put_run("lambda10-seed0", "5.0", NULL);
    CHECK_OK(status_look(&report, dir));
    CHECK_OK(means_find(&means, &report));

    assert_int_equal(means.count, 3);
    assert_string_equal(means.group[0].name, "lambda1-seed*");
    assert_int_equal(means.group[0].cells, 4);
    assert_int_equal(means.group[0].done, 3);
    CHECK_NEAR(means.group[0].result.mean, 3.0, 1e-12, 0);
    CHECK_NEAR(means.group[0].result.deviation, sqrt(7.0), 1e-12, 0);
    CHECK_NEAR(means.group[0].score.mean, 30.0, 1e-12, 0);
    CHECK_NEAR(means.group[0].score.deviation, 10 * sqrt(7.0), 1e-12, 0);
    assert_string_equal(means.group[1].name, "lambda10-seed0"); /* alone: its own name */
    CHECK_NEAR(means.group[1].result.mean, 5.0, 0, 0);
    assert_true(isnan(means.group[1].result.deviation) && isnan(means.group[1].score.mean));
    assert_string_equal(means.group[2].name, "best");
    assert_int_equal(means.group[2].done, 0);
    assert_true(isnan(means.group[2].result.mean));

    json_t *json = means_json(&means, &report);
    const json_t *rows = json_object_get(json, "means");
    assert_int_equal(json_array_size(rows), 3);
    CHECK_NEAR(json_real_value(json_object_get(json_array_get(rows, 0), "return")), 3, 0, 0);
    assert_true(json_is_null(json_object_get(json_array_get(rows, 2), "score_deviation")));
    json_decref(json);
}

static void test_part_of_name(void **state)
{
    static const char *const cells[][2] = {
        {"myseed1-seed1-h5", "seed=1\trollout.horizon=5"},
        {"myseed1-seed2-h5", "seed=2\trollout.horizon=5"},
        {"a", "seed=1"},
        {"b", "seed=2"},
    };
    (void)state;
    put_list(cells, 4);
    CHECK_OK(status_look(&report, dir));
    CHECK_OK(means_find(&means, &report));
    assert_int_equal(means.count, 2);
    assert_string_equal(means.group[0].name, "myseed1-seed*-h5");
    assert_string_equal(means.group[1].name, "a"); /* names of one's own say nothing of seeds */
    assert_int_equal(means.group[1].cells, 2);
}

static void test_refused(void **state)
{
    static const char *const one[][2] = {{"a", "seed=1"}};
    static const char *const other[][2] = {{"b", "seed=1"}};
    (void)state;
    put_run("run", "1.0", NULL);
    CHECK_OK(status_look(&report, dir));
    assert_int_equal(means_find(&means, &report), ERR_USAGE);
    assert_non_null(strstr(status_reason(), "--means needs the folder of a sweep"));
    put_list(one, 1);
    CHECK_OK(status_look(&report, dir));
    put_list(other, 1);
    assert_int_equal(means_find(&means, &report), ERR_USAGE);
    assert_non_null(strstr(status_reason(), "has just changed; look again"));
    assert_null(means.group);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_groups, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_part_of_name, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_refused, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
