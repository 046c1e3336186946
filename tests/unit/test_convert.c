/* Conversions between layouts, with Minari's metadata beside them. */
#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/file.h"
#include "base/mem.h"
#include "data/dataset.h"
#include "run/convert.h"
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

static const char table[] =
    "episode,observations_0,actions_0,rewards,next_observations_0,terminals\n"
    "0,0.5,0.25,1,0.75,0\n0,0.75,-0.5,2,0.125,1\n1,3,1,3,4,0\n1,4,0,4,5,0\n";

static void check_same(const Recording *a, const Recording *b)
{
    assert_int_equal(a->rows, b->rows);
    const size_t n = (size_t)a->rows;
    assert_memory_equal(a->observations, b->observations, n * sizeof(double));
    assert_memory_equal(a->next_observations, b->next_observations, n * sizeof(double));
    assert_memory_equal(a->actions, b->actions, n * sizeof(double));
    assert_memory_equal(a->rewards, b->rewards, n * sizeof(double));
    assert_memory_equal(a->terminals, b->terminals, n);
    assert_memory_equal(a->timeouts, b->timeouts, n);
}

/* Table to D4RL to Minari to D4RL: the same transitions throughout. */
static void transitions_survive_all_layouts(void **state)
{
    (void)state;
    char csv[TEMP_PATH_MAX];
    char hdf5[TEMP_PATH_MAX];
    char folder[TEMP_PATH_MAX];
    Recording first;
    Recording second;
    Recording third;
    Converted done;

    (void)snprintf(csv, sizeof csv, "%s", temp_path(dir, "rows.csv"));
    (void)snprintf(hdf5, sizeof hdf5, "%s", temp_path(dir, "rows.hdf5"));
    (void)snprintf(folder, sizeof folder, "%s", temp_path(dir, "toy/rows-v0"));
    temp_write(csv, table);
    CHECK_OK(convert_read(&first, csv));
    CHECK_OK(convert_write(hdf5, &first, NULL, &done));
    assert_int_equal(done.rows, 4);
    assert_int_equal(done.episodes, 2);
    CHECK_OK(convert_read(&second, hdf5));
    check_same(&first, &second);
    (void)snprintf(second.algorithm, sizeof second.algorithm, "by hand");
    CHECK_OK(convert_write(folder, &second, NULL, &done));
    assert_int_equal(done.episodes, 2);
    CHECK_OK(convert_read(&third, done.path));
    assert_int_equal(third.layout, LAYOUT_MINARI);
    assert_string_equal(third.algorithm, "by hand");
    check_same(&first, &third);
    recording_release(&first);
    recording_release(&second);
    recording_release(&third);
}

static void minaris_metadata_say_what_there_is(void **state)
{
    (void)state;
    char folder[TEMP_PATH_MAX];
    Recording rec;
    Converted done;

    temp_write(temp_path(dir, "rows.csv"), table);
    CHECK_OK(convert_read(&rec, temp_path(dir, "rows.csv")));
    (void)snprintf(folder, sizeof folder, "%s", temp_path(dir, "mujoco/hopper/toy-v0"));
    assert_int_equal(setenv("MINARI_DATASETS_PATH", dir, 1), 0);
    CHECK_OK(convert_write(folder, &rec, env_find("hopper"), &done));
    assert_int_equal(unsetenv("MINARI_DATASETS_PATH"), 0);
    json_t *all =
        json_load_file(temp_path(dir, "mujoco/hopper/toy-v0/data/metadata.json"), 0, NULL);
    assert_non_null(all);
    assert_int_equal(json_integer_value(json_object_get(all, "total_steps")), 4);
    assert_int_equal(json_integer_value(json_object_get(all, "total_episodes")), 2);
    assert_string_equal(json_string_value(json_object_get(all, "data_format")), "hdf5");
    assert_string_equal(json_string_value(json_object_get(all, "dataset_id")),
                        "mujoco/hopper/toy-v0");
    assert_string_equal(json_string_value(json_object_get(all, "action_space")),
                        "{\"type\": \"Box\", \"dtype\": \"float32\", \"shape\": [1], \"low\": "
                        "[-1.0], \"high\": [1.0]}");
    CHECK_NEAR(json_real_value(json_object_get(all, "ref_max_score")), 3234.3, 1e-12, 0);
    json_decref(all);
    recording_release(&rec);
}

static void metadata_of_another_file_are_noticed(void **state)
{
    (void)state;
    Recording rec;
    Converted done;

    temp_write(temp_path(dir, "rows.csv"), table);
    CHECK_OK(convert_read(&rec, temp_path(dir, "rows.csv")));
    CHECK_OK(convert_write(temp_path(dir, "set"), &rec, NULL, &done));
    recording_release(&rec);
    temp_write(temp_path(dir, "set/data/metadata.json"), "{\"total_steps\": 5}");
    assert_int_equal(convert_read(&rec, done.path), ERR_FORMAT);
    assert_non_null(strstr(status_reason(), "5 steps"));
    temp_write(temp_path(dir, "set/data/metadata.json"), "[1,");
    assert_int_equal(convert_read(&rec, done.path), ERR_FORMAT);
    temp_write(temp_path(dir, "set/data/metadata.json"), "{\"data_format\": \"arrow\"}");
    assert_int_equal(convert_read(&rec, temp_path(dir, "set")), ERR_FORMAT);
    assert_non_null(strstr(status_reason(), "Arrow"));
}

/* Written as 1 they would look like flags. */
static void flags_that_are_none_are_refused(void **state)
{
    (void)state;
    Recording rec;
    Converted done;

    temp_write(temp_path(dir, "odd.csv"),
               "observations,actions,rewards,terminals\n1,0,1,0.5\n2,0,1,1\n");
    CHECK_OK(convert_read(&rec, temp_path(dir, "odd.csv")));
    assert_int_equal(convert_write(temp_path(dir, "odd.hdf5"), &rec, NULL, &done), ERR_FORMAT);
    assert_non_null(strstr(status_reason(), "neither 0 nor 1"));
    assert_false(file_exists(temp_path(dir, "odd.hdf5")));
    recording_release(&rec);
}

/* Where HDF5 is read a table is refused with the command that makes a dataset of it. */
static void a_table_is_no_dataset_yet(void **state)
{
    (void)state;
    Recording rec;
    Dataset set;
    const DatasetOptions options = {0};

    temp_write(temp_path(dir, "rows.csv"), table);
    assert_int_equal(dataset_read(&set, temp_path(dir, "rows.csv"), &options), ERR_FORMAT);
    assert_non_null(strstr(status_reason(), "mopo data convert"));
    assert_int_equal(recording_read(&rec, temp_path(dir, "rows.csv")), ERR_FORMAT);
    assert_non_null(strstr(status_reason(), "rows.hdf5"));
    CHECK_OK(convert_read(&rec, temp_path(dir, "rows.csv")));
    assert_int_equal(rec.layout, LAYOUT_TABLE);
    recording_release(&rec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(transitions_survive_all_layouts, setup, teardown),
        cmocka_unit_test_setup_teardown(minaris_metadata_say_what_there_is, setup, teardown),
        cmocka_unit_test_setup_teardown(flags_that_are_none_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_table_is_no_dataset_yet, setup, teardown),
        cmocka_unit_test_setup_teardown(metadata_of_another_file_are_noticed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
