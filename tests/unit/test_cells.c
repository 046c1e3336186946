/* sweep/cells, sweep/build, sweep/launch: jobs and their file, what cells share, and starting programs. */
#include "support/check.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "base/file.h"
#include "base/mem.h"
#include "run/tables.h"
#include "support/temp_dir.h"
#include "sweep/build.h"
#include "sweep/launch.h"
#include "sweep/select.h"
#include "sweep/sweep_report.h"

static char dir[TEMP_PATH_MAX];

static int setup(void **state)
{
    tables_register();
    return temp_dir_setup(state, dir);
}

static int teardown(void **state)
{
    return temp_dir_teardown(state, dir);
}

static void add(JobList *jobs, JobKind kind, const char *name, const char *path, const char *word)
{
    char verb[] = "train";
    char text[64];
    char *words[] = {verb, text};

    (void)snprintf(text, sizeof text, "%s", word);
    CHECK_OK(jobs_add(jobs, kind, name, path, 2, words));
}

static void jobs_are_written_and_read_again(void **state)
{
    (void)state;
    JobList jobs;
    JobList again;
    const char *path = temp_path(dir, "cells.tsv");
    static const int last[] = {2, 1};

    CHECK_OK(jobs_init(&jobs, "grids/my grid.yaml"));
    add(&jobs, JOB_DATA, "data", "a b.hdf5", "x=1 2");
    add(&jobs, JOB_MODEL, "model", "m", "x='\"$(");
    for (int i = 0; i < 100; i++) { /* more than there is room for at first */
        char name[32];
        (void)snprintf(name, sizeof name, "cell%d", i);
        add(&jobs, JOB_CELL, name, "c", "");
        jobs.jobs[2 + i].data = 0;
        jobs.jobs[2 + i].model = 1;
    }
    jobs.jobs[1].data = 0;
    CHECK_OK(jobs_write(&jobs, path, NULL, jobs.count));
    assert_memory_equal(
        temp_read(path),
        "# mopo sweep grids/my grid.yaml\ndata\tdata\ta b.hdf5\t-\t-\ttrain\tx=1 2\n"
        "model\tmodel\tm\ta b.hdf5\t-\ttrain\tx='\"$(\ncell\tcell0\tc\ta b.hdf5\tm\ttrain\t\n",
        136);
    CHECK_OK(jobs_write(&jobs, path, NULL, jobs.count)); /* the same bytes are left alone */
    CHECK_OK(jobs_read(&again, path));
    assert_int_equal(again.count, jobs.count);
    assert_string_equal(again.grid, jobs.grid);
    for (int i = 0; i < jobs.count; i++) {
        assert_int_equal(again.jobs[i].kind, jobs.jobs[i].kind);
        assert_string_equal(again.jobs[i].name, jobs.jobs[i].name);
        assert_string_equal(again.jobs[i].dir, jobs.jobs[i].dir);
        assert_int_equal(again.jobs[i].count, 2);
        assert_string_equal(again.jobs[i].words[1], jobs.jobs[i].words[1]);
        assert_null(again.jobs[i].words[2]);
        assert_int_equal(again.jobs[i].data, jobs.jobs[i].data);
        assert_int_equal(again.jobs[i].model, jobs.jobs[i].model);
    }
    assert_int_equal(jobs_find(&again, "cell7"), 9);
    assert_int_equal(jobs_find(&again, "cell"), -1);
    CHECK_OK(jobs_write(&jobs, path, last, 2));
    assert_string_equal(temp_read(path),
                        "# mopo sweep grids/my grid.yaml\ncell\tcell0\tc\ta b.hdf5\tm\ttrain\t\n"
                        "model\tmodel\tm\ta b.hdf5\t-\ttrain\tx='\"$(\n");
    jobs_release(&again);
    jobs_release(&jobs);
}

static void what_is_no_list_of_jobs_is_refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "cells.tsv: no complete list"},
        {"# mopo", "cells.tsv: no complete list"},
        {"# mopo sweep g", "cells.tsv: no complete list"},
        {"# other\n", "cells.tsv: no complete list"},
        {"# mopo sweep g\ncell\ta\tb\tc", "cells.tsv: no complete list"},
        {"# mopo sweep g\n\n", "cells.tsv:2: does not begin with data, model or cell"},
        {"# mopo sweep g\ncall\ta\tb\tc\n", "cells.tsv:2: does not begin with"},
        {"# mopo sweep g\ncell\ta\tb\t-\t-\tc\ncell\ta\tb\t-\t-\n",
         "cells.tsv:3: a kind, a name, three paths"},
        {"# mopo sweep g\ncell\t\tb\t-\t-\tc\n", "cells.tsv:2: the name of a job"},
        {"# mopo sweep g\ncell\ta/b\tb\t-\t-\tc\n", "cells.tsv:2: the name of a job"},
        {"# mopo sweep g\ncell\ta\t\t-\t-\tc\n", "cells.tsv:2: a: the path of its files"},
        {"# mopo sweep g\ncell\ta\tb\t-\t-\tc\x01\n",
         "cells.tsv:2: c? contains a control character"},
    };
    JobList jobs;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(jobs_parse(&jobs, "cells.tsv", cases[i][0], strlen(cases[i][0])),
                         ERR_FORMAT);
        assert_null(jobs.jobs);
        if (strncmp(status_reason(), cases[i][1], strlen(cases[i][1])) != 0) {
            fail_msg("%s\nsays:     %s\nexpected: %s", cases[i][0], status_reason(), cases[i][1]);
        }
    }
}

/* ---- from a grid to its jobs ---- */

static void build(Sweep *sweep, const char *text)
{
    Grid *grid = NULL;
    CHECK_OK(grid_parse(&grid, "g.yaml", text, strlen(text)));
    CHECK_OK(sweep_build(sweep, grid, "g.yaml"));
    grid_close(&grid);
}

static void refused(const char *text, const char *part)
{
    Grid *grid = NULL;
    Sweep sweep;
    CHECK_OK(grid_parse(&grid, "g.yaml", text, strlen(text)));
    assert_int_equal(sweep_build(&sweep, grid, "g.yaml"), ERR_CONFIG);
    if (strstr(status_reason(), part) == NULL) {
        fail_msg("%s does not say %s", status_reason(), part);
    }
    sweep_release(&sweep);
    grid_close(&grid);
}

#define ROWS "set: {task: pointmass, dataset: none.hdf5, collect.rows: 100}\n"

static void cells_share_datasets_and_models(void **state)
{
    (void)state;
    Sweep sweep;

    build(&sweep,
          "out: o\n" ROWS "grid: {penalty.lambda: [1, 2], model.layers: [2, 3], seed: [4]}\n"
          "cells: {sac: {algo: sac, seed: 5}}\n");
    const Job *jobs = sweep.jobs.jobs;
    assert_int_equal(sweep.jobs.count, 1 + 2 + 5);
    assert_int_equal(sweep.count[JOB_DATA], 1);
    assert_int_equal(sweep.count[JOB_MODEL], 2);
    assert_int_equal(sweep.alone, 1);
    assert_string_equal(sweep.missing, "");
    /* the first cell's seed */
    static const char *const collect[] = {"collect", "none.hdf5", "task=pointmass",
                                          "seed=4",  "--rows",    "100"};
    assert_string_equal(jobs[0].name, "data-none");
    assert_string_equal(jobs[0].dir, "none.hdf5");
    assert_int_equal(jobs[0].count, 6);
    for (int i = 0; i < 6; i++) {
        assert_string_equal(jobs[0].words[i], collect[i]);
    }
    assert_string_equal(jobs[1].words[0], "model");
    assert_string_equal(jobs[1].words[1], "fit");
    assert_string_equal(jobs[1].words[jobs[1].count - 1], "model.share=o/models");
    assert_memory_equal(jobs[1].name, "model-", 6);
    assert_memory_equal(jobs[1].dir, "o/models/", 9);
    assert_string_equal(jobs[1].dir + 9, jobs[1].name + 6);
    const int model[] = {1, 2, 1, 2, -1};
    for (int i = 0; i < 5; i++) {
        assert_int_equal(jobs[3 + i].data, 0);
        assert_int_equal(jobs[3 + i].model, model[i]);
    }
    assert_string_equal(jobs[3].words[jobs[3].count - 2], "run_dir=o/lambda1-layers2-seed4");
    assert_string_equal(jobs[7].words[jobs[7].count - 1],
                        "run_dir=o/sac"); /* no model, none shared */
    sweep_release(&sweep);
}

/* As names of files and in messages, also where two begin the same. */
static void names_of_datasets_are_plain_and_short(void **state)
{
    (void)state;
    Sweep sweep;
    char text[1024];
    char stem[221] = "";

    memset(stem, 'd', sizeof stem - 1);
    (void)snprintf(
        text, sizeof text,
        "set: {collect.rows: 100}\ncells: {a: {dataset: 'a/%s.hdf5'}, b: {dataset: 'b/%s.hdf5'}, "
        "c: {dataset: 'x[1]*.hdf5'}}\n",
        stem, stem);
    build(&sweep, text);
    assert_string_not_equal(sweep.jobs.jobs[0].name, sweep.jobs.jobs[1].name);
    assert_string_equal(sweep.jobs.jobs[2].name, "data-x_1__");
    sweep_release(&sweep);
}

static void jobs_that_cannot_be_are_refused(void **state)
{
    (void)state;
    Sweep sweep;
    char text[1024];

    refused("grid: {seed: [1, 1]}\n", "g.yaml: two cells would be called seed1");
    refused("grid: {seed: [1]}\ncells: {seed1: {seed: 2}}\n",
            "one with seed=1 and one with seed=2");
    refused("grid: {seed: [1]}\nexclude: [{seed: 1}]\n", "`exclude` leaves no cell");
    refused("set: {dataset: \"\", collect.rows: 0}\ngrid: {seed: [1]}\n",
            "cell seed1: dataset: none is given");
    refused(ROWS "cells: {a: {seed: 1}, b: {collect.rows: 200}}\n",
            "cell b: another cell would collect other rows");
    (void)snprintf(text, sizeof text, "out: x%0500d\ngrid: {seed: [1], model.max_epochs: [2]}\n",
                   0);
    refused(text, "cell seed1-max_epochs2: its run directory would have a path of 519 bytes");
    /* a dataset that nobody can make is no mistake in the grid */
    build(&sweep,
          "grid: {seed: [1]}\nset: {task: pointmass, dataset: none.hdf5, collect.rows: 0}\n");
    assert_string_equal(sweep.missing, "cell seed1: dataset: none.hdf5 is not there");
    assert_int_equal(sweep.count[JOB_DATA], 0);
    sweep_release(&sweep);
}

static void a_part_brings_what_it_needs(void **state)
{
    (void)state;
    Sweep sweep;
    bool wanted[8];

    build(&sweep, ROWS "grid: {model.layers: [2, 3], seed: [4]}\ncells: {sac: {algo: sac}}\n");
    CHECK_OK(select_jobs(&sweep.jobs, NULL, wanted));
    assert_true(wanted[0] && wanted[1] && wanted[2] && wanted[3] && wanted[4] && wanted[5]);
    CHECK_OK(select_jobs(&sweep.jobs, "*layers3*", wanted));
    assert_true(wanted[0] && !wanted[1] && wanted[2] && !wanted[3] && wanted[4] && !wanted[5]);
    CHECK_OK(select_jobs(&sweep.jobs, "sac", wanted));
    assert_true(wanted[0] && !wanted[1] && !wanted[2] && !wanted[3] && !wanted[4] && wanted[5]);
    CHECK_OK(select_jobs(&sweep.jobs, "data-*", wanted));
    assert_true(wanted[0] && !wanted[1] && !wanted[3]);
    assert_int_equal(select_jobs(&sweep.jobs, "what", wanted), ERR_USAGE);
    sweep_release(&sweep);
}

/* Two hours on two ranks for a cell, one of them for its model. */
static void what_sharing_saves_is_told(void **state)
{
    (void)state;
    Sweep sweep;
    Estimate est[8];
    Estimates estimates = {.job = est, .kinds = 1, .recommended = 4};
    static char data[1 << 15];
    Text text = text_over(data, sizeof data);

    build(&sweep, "out: o\nset: {task: pointmass, dataset: no rows.hdf5, collect.rows: 100}\n"
                  "grid: {penalty.lambda: [1, 2], model.layers: [2, 3], seed: [4]}\ncells: {sac: "
                  "{algo: sac}}\n");
    for (int i = 0; i < sweep.jobs.count; i++) {
        const JobKind kind = sweep.jobs.jobs[i].kind;
        est[i] =
            (Estimate){.total = kind == JOB_DATA ? 0 : 3600, .fit = kind == JOB_CELL ? 3600 : -1};
    }
    const SweepReport report = {
        .sweep = &sweep, .out = "o", .est = &estimates, .ranks = 2, .cores = 4};
    sweep_report_text(&report, &text);
    assert_false(text.cut);
    assert_true(text.used < sweep_report_room(&report));
    static const char *const lines[] = {
        "5 cells of g.yaml, in o, each on 2 ranks\n",
        "  lambda1-layers2-seed4          2.00  1 h 00 min  o/lambda1-layers2-seed4\n",
        "\n2 models for 4 cells: sharing saves 2 fits, 4.00 core-hours\n",
        "\nall together 14.00 core-hours; on this machine (4 cores) about 3 h 30 min\n",
        "\n`mopo plan` recommends 4 ranks for the first cell\n",
        "\nmpirun -n 2 mopo collect 'no rows.hdf5' task=pointmass seed=4 --rows 100\n",
        ("\nmpirun -n 2 mopo train task=pointmass 'dataset=no rows.hdf5' collect.rows=100 algo=sac "
         "run_dir=o/sac\n")};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (strstr(data, lines[i]) == NULL) {
            fail_msg("not in the report: %s\n%s", lines[i], data);
        }
    }
    est[7].total = -1; /* the last cell could not be measured */
    text = text_over(data, sizeof data);
    sweep_report_text(&report, &text);
    assert_non_null(strstr(data, "all together at least 12.00 core-hours"));
    json_t *all = sweep_report_json(&report);
    assert_non_null(all);
    assert_true(json_is_false(json_object_get(all, "core_hours_known")));
    const json_t *last = json_array_get(json_object_get(all, "jobs"), 7);
    assert_true(json_is_null(json_object_get(last, "core_hours")));
    assert_string_equal(json_string_value(json_array_get(json_object_get(last, "words"), 2)),
                        "dataset=no rows.hdf5");
    json_decref(all);
    sweep_release(&sweep);
}

static void memory_that_is_refused_is_an_error(void **state)
{
    (void)state;
    const char *text = ROWS "grid: {penalty.lambda: [1, 2]}\n";
    Status st = ERR_NOMEM;

    for (int64_t k = 1; st != OK; k++) {
        Grid *grid = NULL;
        Sweep sweep;
        const int64_t before = mem_count();
        CHECK_OK(grid_parse(&grid, "g.yaml", text, strlen(text)));
        mem_fail_at(k);
        st = sweep_build(&sweep, grid, "g.yaml");
        mem_fail_at(0);
        assert_true(st == OK || st == ERR_NOMEM);
        sweep_release(&sweep);
        grid_close(&grid);
        assert_int_equal(mem_count(), before);
    }
}

/* ---- starting ---- */

static void a_program_gets_its_words_and_no_shell(void **state)
{
    (void)state;
    static char words[][16] = {"printf", "%s|", "a b", "$(x)", "*"};
    char *argv[] = {words[0], words[1], words[2], words[3], words[4], NULL};
    char *text = NULL;
    size_t size = 0;
    int code = -1;

    CHECK_OK(launch_read(argv, 100, &text, &size, &code));
    assert_string_equal(text, "a b|$(x)|*|");
    assert_int_equal(code, 0);
    mem_free(&text);
    assert_int_equal(launch_read(argv, 5, &text, &size, &code), ERR_FORMAT);
    assert_null(text);
    (void)snprintf(words[0], sizeof words[0], "no-such-one");
    assert_int_equal(launch_read(argv, 5, &text, &size, &code), ERR_IO);
    assert_non_null(strstr(status_reason(), "no-such-one: cannot be started"));
}

static void how_a_program_ended_is_told(void **state)
{
    (void)state;
    static char words[][16] = {"sh", "-c", "exit 76"};
    static char sleeper[][16] = {"sleep", "60"};
    char *argv[] = {words[0], words[1], words[2], NULL};
    char *slow[] = {sleeper[0], sleeper[1], NULL};
    char *text = NULL;
    size_t size = 0;
    int code = -1;
    pid_t pid = 0;
    int status = 0;

    CHECK_OK(launch_read(argv, 5, &text, &size, &code));
    assert_int_equal(code, 76);
    mem_free(&text);
    CHECK_OK(launch_start(slow, STDERR_FILENO, &pid));
    assert_int_equal(getpgid(pid),
                     pid); /* a group of its own: a signal reaches all that it starts */
    assert_int_equal(kill(-pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(launch_code(status), 128 + SIGKILL);
}

static void ranks_are_started_by_mpirun_or_what_is_said(void **state)
{
    (void)state;
    static char word[] = "train";
    char *words[] = {word};
    static LaunchLine line;

    (void)unsetenv("MOPO_MPIRUN");
    CHECK_OK(launch_command(&line, 1, 1, words));
    assert_int_equal(line.count, 2);
    assert_string_equal(line.argv[0], line.self);
    CHECK_OK(launch_command(&line, 3, 1, words));
    assert_int_equal(line.count, 5);
    assert_string_equal(line.argv[0], "mpirun");
    assert_string_equal(line.argv[2], "3");
    assert_string_equal(line.argv[4], "train");
    (void)setenv("MOPO_MPIRUN", "my-run  -x A", 1);
    CHECK_OK(launch_command(&line, 3, 1, words));
    assert_int_equal(line.count, 7);
    assert_string_equal(line.argv[0], "my-run");
    assert_string_equal(line.argv[2], "A");
    assert_null(line.argv[7]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_are_written_and_read_again),
        cmocka_unit_test(what_is_no_list_of_jobs_is_refused),
        cmocka_unit_test(cells_share_datasets_and_models),
        cmocka_unit_test(names_of_datasets_are_plain_and_short),
        cmocka_unit_test(jobs_that_cannot_be_are_refused),
        cmocka_unit_test(a_part_brings_what_it_needs),
        cmocka_unit_test(what_sharing_saves_is_told),
        cmocka_unit_test(memory_that_is_refused_is_an_error),
        cmocka_unit_test(a_program_gets_its_words_and_no_shell),
        cmocka_unit_test(how_a_program_ended_is_told),
        cmocka_unit_test(ranks_are_started_by_mpirun_or_what_is_said),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
