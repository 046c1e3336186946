/* status_report: which jobs there are below a folder, the table, the JSON, the exit code. */
#include "support/check.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "support/temp_dir.h"
#include "sweep/status_report.h"

static char dir[TEMP_PATH_MAX];
static StatusReport report;
static const bool all[JOB_STATE_COUNT] = {true, true, true, true, true};

static int make_dir(void **state)
{
    return temp_dir_setup(state, dir);
}

static int remove_dir(void **state)
{
    status_release(&report);
    return temp_dir_teardown(state, dir);
}

/* A run of 4 epochs that has made `epochs` of them; 4: it is done. */
static void put_run(const char *name, int epochs)
{
    char line[64];

    CHECK_OK(file_make_dirs(temp_path(dir, "%s/ckpt", name)));
    temp_write(temp_path(dir, "%s/used.yaml", name), "train:\n  epochs: 4\n");
    (void)snprintf(line, sizeof line, "policy-%06d\n", epochs);
    temp_write(temp_path(dir, "%s/ckpt/LATEST", name), line);
    temp_write(temp_path(dir, "%s/log.txt", name), "    0.00  run\n");
    temp_write(temp_path(dir, "%s/manifest.json", name),
               epochs == 4 ? "{\"results\": {\"policy.h5\": \"\"}, \"machine\": {\"ranks\": 2}}"
                           : "{\"machine\": {\"ranks\": 2}}");
}

static void fail_run(const char *name, const char *reason)
{
    char line[1024];

    put_run(name, 1);
    (void)snprintf(line, sizeof line, "    1.00  error: %s\n", reason);
    temp_write(temp_path(dir, "%s/log.txt", name), line);
}

static const char *table(const bool wanted[JOB_STATE_COUNT], int lines)
{
    static char data[1 << 16];
    Text text = text_over(data, sizeof data);

    status_add_table(&report, wanted, lines, &text);
    assert_false(text.cut);
    return data;
}

static const char *summary(void)
{
    static char data[512];
    Text text = text_over(data, sizeof data);

    status_add_summary(&report, &text);
    return data;
}

static void check_in(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        print_error("no '%s' in:\n%s\n", part, text);
        fail();
    }
}

static int row_of(const char *name)
{
    for (int i = 0; i < report.count; i++) {
        if (strcmp(report.row[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

static void runs_are_found_three_levels_below_and_no_deeper(void **state)
{
    (void)state;
    put_run("a", 4);
    put_run("b/c", 4);
    put_run("b/d/e", 1);
    put_run("b/d/f/g", 4);
    put_run("a/below-a-run", 4);
    temp_write(temp_path(dir, "file"), "");
    CHECK_OK(status_look(&report, dir));
    assert_int_equal(report.count, 3);
    assert_string_equal(report.row[0].name, "a");
    assert_string_equal(report.row[1].name, "b/c");
    assert_string_equal(report.row[2].name, "b/d/e");
    assert_string_equal(summary(), "3 runs: 2 done, 1 waiting");
    assert_int_equal(status_code(&report), 75);
    assert_true(status_goes_on(&report));
}

static void a_shared_model_is_no_run(void **state)
{
    (void)state;
    put_run("runs/0123456789abcdef", 1); /* a run may have such a name */
    put_run("models/fedcba9876543210", 1);
    temp_write(temp_path(dir, "models/fedcba9876543210/used.yaml"),
               "seed: 1\nrun_dir: \"\"\ntrain:\n  epochs: 4\n");
    temp_write(temp_path(dir, "models/fedcba9876543210/model.h5"), "");
    CHECK_OK(status_look(&report, dir));
    assert_int_equal(report.states[JOB_MODEL][JOB_DONE], 1);
    assert_string_equal(summary(), "1 run: 1 waiting");
    check_in(table(all, 0), "models: 1 of 1 fitted\nrun ");
    CHECK_OK(status_look(&report, temp_path(dir, "models")));
    assert_string_equal(table(all, 0), "models: 1 of 1 fitted\n0 runs\n");
    assert_int_equal(status_code(&report), 0);
    assert_int_equal(unlink(temp_path(dir, "models/fedcba9876543210/model.h5")), 0);
    CHECK_OK(status_look(&report, temp_path(dir, "models")));
    assert_int_equal(status_code(&report), 75);
}

static void one_run_is_named_as_it_was_given(void **state)
{
    (void)state;
    char path[TEMP_PATH_MAX + 16];

    put_run("a", 4);
    (void)snprintf(path, sizeof path, "%s/a//", dir);
    CHECK_OK(status_look(&report, path));
    assert_int_equal(report.count, 1);
    path[strlen(path) - 2] = '\0';
    assert_string_equal(report.row[0].name, path);
    assert_string_equal(summary(), "1 run: 1 done");
    assert_int_equal(status_code(&report), 0);
    assert_false(status_goes_on(&report));
}

static void where_nothing_is_it_says_so(void **state)
{
    (void)state;
    assert_int_equal(status_look(&report, dir), ERR_USAGE);
    check_in(status_reason(), "no sweep (cells.tsv), no run (used.yaml)");
    assert_int_equal(status_look(&report, temp_path(dir, "nowhere")), ERR_USAGE);
    check_in(status_reason(), "there is no such folder");
    assert_int_equal(status_look(&report, ""), ERR_USAGE);
    assert_int_equal(report.count, 0);
}

/* A sweep begun in `dir`, in runs/s: a dataset, a model, three cells. */
static const char *put_sweep(void)
{
    CHECK_OK(file_make_dirs(temp_path(dir, "runs/s/logs")));
    CHECK_OK(file_make_dirs(temp_path(dir, "data")));
    CHECK_OK(file_make_dirs(temp_path(dir, "runs/s/models/0123456789abcdef")));
    temp_write(temp_path(dir, "runs/s/cells.tsv"),
               "# mopo sweep grids/my grid.yaml\n"
               "data\tdata-rows\tdata/rows.hdf5\t-\t-\tcollect\tdata/rows.hdf5\n"
               "model\tmodel-0123\truns/s/models/0123456789abcdef\t-\t-\tmodel\tfit\n"
               "cell\tone\truns/s/one\t-\t-\ttrain\trun_dir=runs/s/one\n"
               "cell\ttwo\truns/s/two\t-\t-\ttrain\ttrain.epochs=9\ttrain.epochs=6\n"
               "cell\tthree\truns/s/three\t-\t-\ttrain\n");
    temp_write(temp_path(dir, "data/rows.hdf5"), "rows");
    temp_write(temp_path(dir, "runs/s/models/0123456789abcdef/model.h5"), "model");
    put_run("runs/s/one", 4);
    put_run("runs/s/two", 4);
    temp_write(temp_path(dir, "runs/s/logs/three.txt"),
               "# start 2026-11-28T12:00:00Z host n1 job -\n"
               "# end 2 failed 2026-11-28T12:00:01Z mopo train: no such key\n");
    return temp_path(dir, "runs/s");
}

static void a_sweep_is_read_from_its_list_wherever_one_stands(void **state)
{
    (void)state;
    CHECK_OK(status_look(&report, put_sweep()));
    assert_int_equal(report.count, 5);
    assert_int_equal(report.row[row_of("data-rows")].now.state, JOB_DONE);
    assert_int_equal(report.row[row_of("model-0123")].now.state, JOB_DONE);
    assert_int_equal(report.row[row_of("one")].now.state, JOB_DONE);
    assert_int_equal(report.row[row_of("two")].now.state, JOB_WAITING);
    assert_int_equal(report.row[row_of("two")].now.of, 6); /* as its words say */
    assert_int_equal(report.row[row_of("three")].now.state, JOB_FAILED);
    assert_string_equal(summary(), "3 cells: 1 done, 1 waiting, 1 failed");
    assert_int_equal(status_code(&report), 1);
    const char *text = table(all, 0);
    check_in(text, "datasets: 1 of 1 made\nmodels: 1 of 1 fitted\ncell ");
    check_in(text, "two       waiting  epoch 4/6 ");
    check_in(text,
             "    mopo train: no such key\n"
             "    again: mopo sweep 'grids/my grid.yaml' --local 2 --retry failed --only three\n");
}

static void a_failed_model_is_shown_with_its_command(void **state)
{
    (void)state;
    const char *out = put_sweep();

    assert_int_equal(unlink(temp_path(dir, "runs/s/models/0123456789abcdef/model.h5")), 0);
    temp_write(temp_path(dir, "runs/s/logs/model-0123.txt"),
               "# end 76 failed 2026-11-28T12:00:01Z rows.hdf5: damaged\n");
    CHECK_OK(status_look(&report, out));
    check_in(table(all, 0), "models: 0 of 1 fitted, 1 failed\nmodel-0123  failed ");
    check_in(table(all, 0), "    rows.hdf5: damaged\n    again: mopo sweep 'grids/my grid.yaml' "
                            "--local 2 --retry failed --only model-0123\n");
}

static void why_a_cell_could_not_begin_is_told(void **state)
{
    (void)state;
    const char *out = put_sweep();

    temp_write(temp_path(dir, "runs/s/logs/three.txt"),
               "# end 1 again 2026-11-28T12:00:01Z its dataset is not there\n");
    CHECK_OK(status_look(&report, out));
    check_in(table(all, 0), "its dataset is not there\n");
}

static void a_failed_run_tells_how_to_start_it_again(void **state)
{
    (void)state;
    fail_run("it's", "the disk is full");
    CHECK_OK(status_look(&report, dir));
    const char *text = table(all, 0);
    check_in(text, "    the disk is full\n    again: mpirun -n 2 mopo train '");
    check_in(text, "/it'\\''s/used.yaml' 'run_dir=");
    assert_int_equal(status_code(&report), 1);
    assert_false(status_goes_on(&report));
}

static void lines_fit_the_width_but_for_commands(void **state)
{
    (void)state;
    char reason[600];
    char name[200];

    memset(reason, 'r', sizeof reason - 1);
    for (size_t i = 7; i < sizeof reason - 1; i += 13) {
        reason[i] = ' ';
    }
    reason[480] = '\0';
    memset(name, 'n', sizeof name);
    (void)snprintf(name + 150, 50, "-seed0");
    fail_run(name, reason);
    fail_run("x", "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
                  "yyyyyyyyyyyy"
                  "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy");
    CHECK_OK(status_look(&report, dir));
    int letters = 0;
    for (const char *line = table(all, 0); *line != '\0'; line = strchr(line, '\n') + 1) {
        const int n = (int)(strchr(line, '\n') - line);
        assert_true(n <= 100 || strncmp(line, "    again: ", 11) == 0);
        for (int i = 0; i < n && strncmp(line, "    r", 5) == 0; i++) {
            letters += line[i] == 'r' ? 1 : 0;
        }
    }
    int want = 0;
    for (const char *c = reason; *c != '\0'; c++) {
        want += *c == 'r' ? 1 : 0;
    }
    assert_int_equal(letters, want); /* nothing of the reason is lost */
    check_in(table(all, 0), "nnnn-seed0  failed");
}

/* Names, reasons and lines of letters of three bytes, cut at every byte of one. */
static void no_letter_is_cut_in_two(void **state)
{
    (void)state;
    for (int shift = 0; shift < 3; shift++) {
        char name[200] = "";
        char reason[512] = "";
        char plain[1 << 14];
        memset(name, 'n', (size_t)shift);
        memset(reason, 'r', (size_t)shift);
        for (int i = 0; i < 40; i++) {
            (void)strcat(name, "\u2026");
        }
        for (int i = 0; i < 100; i++) {
            (void)strcat(reason, "\u2026");
        }
        fail_run(name, reason);
        CHECK_OK(status_look(&report, dir));
        (void)snprintf(plain, sizeof plain, "%s", table(all, 0));
        for (char *c = plain; *c != '\0'; c++) {
            *c = (char)(*c == '\n' ? ' ' : *c);
        }
        assert_null(text_flaw(plain, strlen(plain)));
    }
}

static void states_and_lines_that_are_not_wanted_are_left_out(void **state)
{
    (void)state;
    const bool failed[JOB_STATE_COUNT] = {[JOB_FAILED] = true};

    put_run("a", 4);
    put_run("b", 1);
    fail_run("c", "because");
    CHECK_OK(status_look(&report, dir));
    assert_null(strstr(table(failed, 0), "\nb "));
    check_in(table(failed, 0), "\nc ");
    check_in(table(failed, 0), "3 runs: 1 done, 1 waiting, 1 failed\n");
    check_in(table(all, 2), "\na ");
    check_in(table(all, 2), ".. 2 more; --only STATE shows fewer\n3 runs");
}

static void what_was_seen_before_is_remembered(void **state)
{
    (void)state;
    put_run("a", 1);
    put_run("b", 1);
    CHECK_OK(status_look(&report, dir));
    report.row[row_of("b")].now.life.beat = 77;
    report.row[row_of("b")].now.life.seen = 78;
    put_run("ab", 1); /* a new one in between */
    CHECK_OK(status_look(&report, dir));
    assert_int_equal(report.count, 3);
    CHECK_NEAR(report.row[row_of("b")].now.life.seen, 78, 0, 0);
    CHECK_NEAR(report.row[row_of("ab")].now.life.seen, 0, 0, 0);
}

static void the_json_has_what_the_table_has(void **state)
{
    (void)state;
    const bool failed[JOB_STATE_COUNT] = {[JOB_FAILED] = true};

    CHECK_OK(status_look(&report, put_sweep()));
    json_t *said = status_json(&report, all);
    assert_non_null(said);
    assert_int_equal(json_integer_value(json_object_get(said, "status_format")), 1);
    assert_string_equal(json_string_value(json_object_get(said, "grid")), "grids/my grid.yaml");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(said, "cells"), "failed")),
                     1);
    const json_t *jobs = json_object_get(said, "jobs");
    assert_int_equal(json_array_size(jobs), 5);
    const json_t *three = json_array_get(jobs, 4);
    assert_string_equal(json_string_value(json_object_get(three, "state")), "failed");
    assert_string_equal(json_string_value(json_object_get(three, "reason")),
                        "mopo train: no such key");
    assert_true(json_is_null(json_object_get(three, "return")));
    json_decref(said);
    said = status_json(&report, failed);
    assert_int_equal(json_array_size(json_object_get(said, "jobs")), 1);
    json_decref(said);
}

static void names_that_are_no_text_are_shown_all_the_same(void **state)
{
    (void)state;
    put_run("bad\xff\033name", 1);
    CHECK_OK(status_look(&report, dir));
    check_in(table(all, 0), "bad??name");
    json_t *said = status_json(&report, all);
    assert_non_null(said);
    json_decref(said);
}

static void refused_memory_is_told_and_given_back(void **state)
{
    (void)state;
    char out[TEMP_PATH_MAX + 16];
    const int64_t blocks = mem_count();
    Status st = ERR_NOMEM;

    (void)snprintf(out, sizeof out, "%s", put_sweep());
    for (int k = 1; st == ERR_NOMEM; k++) {
        mem_fail_at(k);
        st = status_look(&report, out);
        mem_fail_at(0);
        assert_true(k < 100);
        assert_true(st == OK || (st == ERR_NOMEM && mem_count() == blocks));
    }
    CHECK_OK(st);
    status_release(&report);
    assert_int_equal(mem_count(), blocks);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        TEST(runs_are_found_three_levels_below_and_no_deeper),
        TEST(a_shared_model_is_no_run),
        TEST(one_run_is_named_as_it_was_given),
        TEST(where_nothing_is_it_says_so),
        TEST(a_sweep_is_read_from_its_list_wherever_one_stands),
        TEST(a_failed_model_is_shown_with_its_command),
        TEST(why_a_cell_could_not_begin_is_told),
        TEST(a_failed_run_tells_how_to_start_it_again),
        TEST(lines_fit_the_width_but_for_commands),
        TEST(no_letter_is_cut_in_two),
        TEST(states_and_lines_that_are_not_wanted_are_left_out),
        TEST(what_was_seen_before_is_remembered),
        TEST(the_json_has_what_the_table_has),
        TEST(names_that_are_no_text_are_shown_all_the_same),
        TEST(refused_memory_is_told_and_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
