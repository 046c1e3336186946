/* seed_group: which cells of a sweep differ in seed alone, and what they reached together. */
#include "support/check.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "support/temp_dir.h"
#include "sweep/seed_group.h"

static char dir[TEMP_PATH_MAX];
static StatusReport report;
static SeedGroup *groups;
static int count;

static int make_dir(void **state)
{
    return temp_dir_setup(state, dir);
}

static int remove_dir(void **state)
{
    mem_free(&groups);
    status_release(&report);
    return temp_dir_teardown(state, dir);
}

/* A run that is done, after 4 epochs, with this last evaluation; NaN: it has made 2 of them. */
static void put_run(const char *name, double reached)
{
    const bool ends = !isnan(reached);

    CHECK_OK(file_make_dirs(temp_path(dir, "%s/ckpt", name)));
    temp_write(temp_path(dir, "%s/used.yaml", name), "train:\n  epochs: 4\n");
    temp_write(temp_path(dir, "%s/ckpt/LATEST", name),
               ends ? "policy-000004\n" : "policy-000002\n");
    temp_write(temp_path(dir, "%s/log.txt", name), "    0.00  run\n");
    temp_write(temp_path(dir, "%s/manifest.json", name),
               ends ? "{\"results\": {\"policy.h5\": \"\"}}" : "{}");
    char line[128];
    (void)snprintf(line, sizeof line, "{\"epoch\": %d, \"return_mean\": %.17g, \"score\": null}\n",
                   ends ? 4 : 2, ends ? reached : 1000.0);
    temp_write(temp_path(dir, "%s/metrics.jsonl", name), line);
}

static void look(const char *cells)
{
    char list[4096];

    (void)snprintf(list, sizeof list, "# mopo sweep g.yaml\n%s", cells);
    temp_write(temp_path(dir, "cells.tsv"), list);
    CHECK_OK(status_look(&report, dir));
    CHECK_OK(seed_groups(&report, &groups, &count));
}

static const char *table(void)
{
    static char data[4096];
    Text text = text_over(data, sizeof data);

    seed_groups_add_table(groups, count, &text);
    assert_false(text.cut);
    return data;
}

static void cells_that_differ_in_seed_alone_are_a_group(void **state)
{
    (void)state;
    put_run("a-seed0", 1);
    put_run("a-seed1", 2);
    put_run("a-seed10", 6);
    put_run("b-seed0", -4);
    look("cell\ta-seed0\trun/a-seed0\t-\t-\ttrain\tx.yaml\tpenalty.lambda=1\tseed=0\trun_dir=run/"
         "a-seed0\n"
         "cell\tb-seed0\trun/b-seed0\t-\t-\ttrain\tx.yaml\tpenalty.lambda=2\tseed=0\trun_dir=run/"
         "b-seed0\n"
         "cell\ta-seed1\trun/a-seed1\t-\t-\ttrain\tx.yaml\tpenalty.lambda=1\tseed=1\tmodel.seed=3"
         "\trun_dir=run/a-seed1\n"
         "cell\ta-seed10\trun/a-seed10\t-\t-\ttrain\tx.yaml\tpenalty.lambda=1\tseed=10"
         "\trun_dir=run/a-seed10\n");
    assert_int_equal(count, 2);
    assert_string_equal(groups[0].name, "a-seed*");
    assert_int_equal(groups[0].cells, 3);
    assert_int_equal(groups[0].done, 3);
    CHECK_NEAR(groups[0].value[SEED_RETURN].mean, 3, 0, 1e-12);
    CHECK_NEAR(groups[0].value[SEED_RETURN].deviation, sqrt((4 + 1 + 9) / 2.0), 0, 1e-12);
    CHECK_NEAR(groups[0].value[SEED_RETURN].low, 1, 0, 0);
    CHECK_NEAR(groups[0].value[SEED_RETURN].high, 6, 0, 0);
    assert_int_equal(groups[0].value[SEED_SCORE].count, 0);
    assert_string_equal(groups[1].name, "b-seed0"); /* no other seed */
    assert_true(isnan(groups[1].value[SEED_RETURN].deviation));
    assert_string_equal(
        table(), "cells     done          return       std    score     std     lowest    highest\n"
                 "a-seed*   3 of 3          3.00      2.65        -       -       1.00       6.00\n"
                 "b-seed0   1 of 1         -4.00         -        -       -      -4.00      -4.00\n"
                 "last evaluations of the cells that are done; std: of the sample, by n - 1\n");
}

static void what_is_not_done_does_not_count(void **state)
{
    (void)state;
    put_run("seed0", 5);
    put_run("seed1", (double)NAN);
    look(
        "cell\tseed0\trun/seed0\t-\t-\ttrain\tseed=0\ncell\tseed1\trun/seed1\t-\t-\ttrain\tseed=1\n"
        "cell\tseed2\trun/seed2\t-\t-\ttrain\tseed=2\n");
    assert_int_equal(count, 1);
    assert_string_equal(groups[0].name, "seed*");
    assert_int_equal(groups[0].cells, 3);
    assert_int_equal(groups[0].done, 1);
    CHECK_NEAR(groups[0].value[SEED_RETURN].mean, 5, 0, 0);
}

/* The part of the name goes wherever it stands, and only a whole part with this value. */
static void a_name_is_a_pattern_of_its_cells(void **state)
{
    (void)state;
    static const char *const names[][3] = {{"seed1-x", "seed2-x", "seed*-x"},
                                           {"x-seed1-y", "x-seed2-y", "x-seed*-y"},
                                           {"oneseed1", "oneseed2", "oneseed1"},
                                           {"x-seed11-seed1", "x-seed11-seed2", "x-seed11-seed*"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char cells[512];
        (void)snprintf(cells, sizeof cells,
                       "cell\t%s\tr/1\t-\t-\ttrain\tk=%zu\tseed=1\ncell\t%s\tr/"
                       "2\t-\t-\ttrain\tk=%zu\tseed=2\n",
                       names[i][0], i, names[i][1], i);
        look(cells);
        assert_int_equal(count, 1);
        assert_string_equal(groups[0].name, names[i][2]);
        mem_free(&groups);
    }
}

static void the_json_says_the_same(void **state)
{
    (void)state;
    put_run("seed0", 5);
    put_run("seed1", 7);
    look("cell\tseed0\trun/seed0\t-\t-\ttrain\tseed=0\ncell\tseed1\trun/"
         "seed1\t-\t-\ttrain\tseed=1\n");
    json_t *list = seed_groups_json(groups, count);
    assert_int_equal(json_array_size(list), 1);
    const json_t *one = json_array_get(list, 0);
    const json_t *reached = json_object_get(one, "return");
    assert_int_equal(json_integer_value(json_object_get(one, "of")), 2);
    assert_int_equal(json_integer_value(json_object_get(one, "done")), 2);
    CHECK_NEAR(json_real_value(json_object_get(reached, "mean")), 6, 0, 0);
    CHECK_NEAR(json_real_value(json_object_get(reached, "std")), sqrt(2), 0, 1e-12);
    assert_true(json_is_null(json_object_get(json_object_get(one, "score"), "mean")));
    json_decref(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cells_that_differ_in_seed_alone_are_a_group, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(what_is_not_done_does_not_count, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_name_is_a_pattern_of_its_cells, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(the_json_says_the_same, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
