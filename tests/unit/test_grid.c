/* sweep/grid: products, lists that walk together, ranges, names, what is left out, and what is said to mistakes. */
#include "support/check.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "run/tables.h"
#include "sweep/grid.h"

static Grid *parsed(const char *text)
{
    Grid *grid = NULL;
    CHECK_OK(grid_parse(&grid, "g/a.yaml", text, strlen(text)));
    return grid;
}

/* "name: word word; " of all cells that stay, in order. */
static const char *cells_of(const char *text)
{
    static char all[1 << 14];
    static GridCell cell;
    size_t used = 0;
    Grid *grid = parsed(text);

    all[0] = '\0';
    for (int i = 0; i < grid_size(grid); i++) {
        Config config;
        bool excluded = false;
        CHECK_OK(grid_cell(grid, i, &cell));
        CHECK_OK(grid_config(grid, i, &cell, &config, &excluded));
        if (excluded) {
            continue;
        }
        used += (size_t)snprintf(all + used, sizeof all - used, "%s:", cell.name);
        for (int k = 0; k < cell.count; k++) {
            used += (size_t)snprintf(all + used, sizeof all - used, " %s", cell.words[k]);
        }
        used += (size_t)snprintf(all + used, sizeof all - used, "; ");
    }
    grid_close(&grid);
    assert_null(grid);
    return all;
}

static const char *names_of(const char *text)
{
    static char names[1 << 14];
    const char *all = cells_of(text);
    size_t used = 0;

    names[0] = '\0';
    for (const char *at = all; *at != '\0'; at = strstr(at, "; ") + 2) {
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%.*s", used > 0 ? " " : "",
                                 (int)strcspn(at, ":"), at);
    }
    return names;
}

static void a_grid_is_every_combination(void **state)
{
    (void)state;
    assert_string_equal(
        cells_of("set: {train.epochs: 9}\ngrid:\n  penalty.lambda: [0, 0.5]\n  seed: 0..1\n"),
        "lambda0-seed0: train.epochs=9 penalty.lambda=0 seed=0; "
        "lambda0-seed1: train.epochs=9 penalty.lambda=0 seed=1; "
        "lambda0.5-seed0: train.epochs=9 penalty.lambda=0.5 seed=0; "
        "lambda0.5-seed1: train.epochs=9 penalty.lambda=0.5 seed=1; ");
}

static void keys_may_be_nested(void **state)
{
    (void)state;
    static char dotted[1 << 12];
    (void)snprintf(dotted, sizeof dotted, "%s",
                   cells_of("grid: {penalty.lambda: [1], penalty.type: none, rollout.horizon: 1}"));
    assert_string_equal(
        cells_of("grid:\n  penalty:\n    lambda: [1]\n    type: none\n  rollout: {horizon: 1}\n"),
        dotted);
}

static void a_range_counts_up_and_may_stand_in_a_list(void **state)
{
    (void)state;
    assert_string_equal(names_of("grid: {seed: 8..11}"), "seed8 seed9 seed10 seed11");
    assert_string_equal(names_of("grid: {seed: [5, 0..1, 7]}"), "seed5 seed0 seed1 seed7");
    assert_string_equal(names_of("grid: {dataset: [0..1, a]}"), "0..1 a"); /* text has no ranges */
}

static void lists_of_a_zip_walk_together(void **state)
{
    (void)state;
    assert_string_equal(cells_of("zip:\n  task: [hopper, walker2d]\n  dataset: [h-v2, w-v2]\n"
                                 "grid: {seed: [3]}\n"),
                        "hopper-seed3: task=hopper dataset=h-v2 seed=3; "
                        "walker2d-seed3: task=walker2d dataset=w-v2 seed=3; ");
    /* the order of the file, two axes, and a first key that does not tell the places apart */
    assert_string_equal(names_of("grid: {seed: [3]}\nzip:\n"
                                 "  - {task: [hopper, hopper], dataset: [a/b.hdf5, c]}\n"
                                 "  - {penalty.lambda: [1, 2], rollout.horizon: [5, 10]}\n"),
                        "seed3-hopper-b-lambda1 seed3-hopper-b-lambda2 seed3-hopper-c-lambda1 "
                        "seed3-hopper-c-lambda2");
}

static void excluded_combinations_are_left_out(void **state)
{
    (void)state;
    const char *grid = "grid: {penalty.lambda: [0.0, 1], rollout.horizon: [1, 5], seed: 0..1}\n";
    char text[512];

    (void)snprintf(text, sizeof text, "%sexclude:\n  - {penalty.lambda: 0, rollout.horizon: 5}\n",
                   grid);
    assert_string_equal(names_of(text), "lambda0.0-horizon1-seed0 lambda0.0-horizon1-seed1 "
                                        "lambda1-horizon1-seed0 lambda1-horizon1-seed1 "
                                        "lambda1-horizon5-seed0 lambda1-horizon5-seed1");
    (void)snprintf(
        text, sizeof text,
        "%sexclude:\n  - penalty: {lambda: [0, 1]}\n    seed: 0\n  - {rollout.horizon: 1}\n", grid);
    assert_string_equal(names_of(text), "lambda0.0-horizon5-seed1 lambda1-horizon5-seed1");
    /* settings that do not go together, but are left out, are no mistake */
    assert_string_equal(names_of("grid: {model.elites: [2, 9]}\nexclude: [{model.elites: 9}]\n"),
                        "elites2");
    /* a cell with a name is wanted */
    assert_string_equal(names_of("cells: {a: {seed: 1}}\nexclude: [{seed: 1}]\n"), "a");
}

static void idle_exclusions_are_found(void **state)
{
    static const struct {
        const char *text;
        int line; /* 0: all of them held */
    } cases[] = {
        {"grid: {seed: 0..2}\n", 0},
        {"grid: {seed: 0..2}\nexclude:\n  - {seed: 1}\n  - {seed: [1, 2]}\n", 0},
        {"grid: {seed: 0..2}\nexclude:\n  - {seed: 1}\n  - {seed: 3}\n", 4},
        {"grid: {seed: 0..2}\nexclude:\n  - {seed: 1, sac.tau: 0.5}\n", 3},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Grid *grid = parsed(cases[i].text);
        YamlPlace at = {0};
        for (int k = 0; k < grid_size(grid); k++) {
            static GridCell cell;
            Config config;
            bool excluded = false;
            CHECK_OK(grid_cell(grid, k, &cell));
            CHECK_OK(grid_config(grid, k, &cell, &config, &excluded));
        }
        assert_int_equal(grid_idle_exclude(grid, &at), cases[i].line > 0);
        assert_int_equal(at.line, cases[i].line);
        grid_close(&grid);
    }
}

static void cells_have_names_and_lists(void **state)
{
    (void)state;
    assert_string_equal(cells_of("set: {train.epochs: 9, seed: 5}\n"
                                 "cells:\n  best: {penalty.lambda: 2, seed: 0..1}\n  plain:\n"),
                        "best-seed0: train.epochs=9 penalty.lambda=2 seed=0; "
                        "best-seed1: train.epochs=9 penalty.lambda=2 seed=1; "
                        "plain: train.epochs=9 seed=5; ");
}

static void names_stay_when_lists_grow(void **state)
{
    (void)state;
    char few[256];

    (void)snprintf(few, sizeof few, "%s", names_of("grid: {penalty.lambda: [1], seed: 0..0}"));
    assert_string_equal(few, "lambda1-seed0");
    assert_string_equal(names_of("grid: {penalty.lambda: [1, 2], seed: 0..1}"),
                        "lambda1-seed0 lambda1-seed1 lambda2-seed0 lambda2-seed1");
    (void)snprintf(few, sizeof few, "%s", names_of("cells: {a: {seed: 0..0}}"));
    assert_string_equal(few, "a-seed0");
    assert_string_equal(names_of("cells: {a: {seed: 0..1}}"), "a-seed0 a-seed1");
}

static void names_are_words_of_the_settings(void **state)
{
    (void)state;
    assert_string_equal(names_of("grid: {algo: [bear, brac-v], model.spectral_norm: [true]}"),
                        "bear-spectral_normtrue brac-v-spectral_normtrue");
    assert_string_equal(names_of("grid: {model.hidden: [64], sac.hidden: [32]}"),
                        "model.hidden64-sac.hidden32");
    assert_string_equal(names_of("grid: {dataset: [data/my rows.hdf5, mujoco/hopper/expert-v0]}"),
                        "my_rows mujoco_hopper_expert-v0");
    assert_string_equal(names_of("grid: {sac.alpha: [1e-3], model.logvar_min: [-9]}"),
                        "alpha1e-3-logvar_min-9");
}

static void mistakes_are_located(void **state)
{
    (void)state;
    static const struct {
        const char *text, *reason; /* how it begins */
    } cases[] = {
        {"", "g/a.yaml: no cells"},
        {"set: {seed: 1}\n", "g/a.yaml: no cells"},
        {"grid: {}\nzip: []\n", "g/a.yaml: no cells"},
        {"grdi: {seed: 1}\n", "g/a.yaml:1:1: unknown key grdi; did you mean grid?"},
        {"settings: 1\n", "g/a.yaml:1:1: unknown key settings; a grid file has base"},
        {"grid:\n  penalty.lamda: [1]\n",
         "g/a.yaml:2:3: unknown key penalty.lamda; did you mean penalty.lambda?"},
        {"grid:\n  penalty:\n    lamda: [1]\n",
         "g/a.yaml:3:5: unknown key penalty.lamda; did you mean penalty.lambda?"},
        {"grid:\n  penalty: [1]\n", "g/a.yaml:2:3: penalty is a section; set one of its keys"},
        {"grid: {seed: [1, x]}\n", "g/a.yaml:1:18: seed: found x, allowed is a whole number"},
        {"grid: {seed: [\"1\"]}\n", "g/a.yaml:1:15: seed: found text in quotes"},
        {"grid: {seed: [[1]]}\n", "g/a.yaml:1:15: a list of seed holds values, found a list"},
        {"grid: {seed: []}\n", "g/a.yaml:1:8: the list of seed is empty"},
        {"grid: {seed: 2..0}\n", "g/a.yaml:1:14: the range 2..0 of seed must go up"},
        {"grid: {seed: 0..10000}\n", "g/a.yaml:1:14: the range 0..10000 of seed must go up"},
        {"grid: {rollout.horizon: 0..2}\n", "g/a.yaml:1:25: rollout.horizon: found 0, allowed is"},
        {"grid: {seed: 0..999, sac.tau: [1], collect.rows: 1..11}\n",
         "g/a.yaml:1:36: more than 10000 cells"},
        {"cells:\n  a: {seed: 0..9998}\n  b: {seed: 0..9}\n",
         "g/a.yaml:3:3: more than 10000 cells"},
        {"grid: [seed]\n", "g/a.yaml:1:7: grid holds settings"},
        {"grid: seed\n", "g/a.yaml:1:7: grid holds settings"},
        {"set: {seed: [1]}\n", "g/a.yaml:1:7: set gives every cell the same value"},
        {"set: {seed: 0..1}\n", "g/a.yaml:1:7: set gives every cell the same value"},
        {"set: {seed: 1}\ngrid: {seed: [2]}\n",
         "g/a.yaml:2:8: seed is set at 1:7 already; keep one"},
        {"grid: {seed: [2]}\nzip: {seed: [1]}\n",
         "g/a.yaml:2:7: seed is set at 1:8 already; keep one"},
        {"grid:\n  sac: {tau: 1}\n  sac.tau: 1\n", "g/a.yaml:3:3: grid.sac.tau stands twice"},
        {"zip: {seed: [1, 2], sac.tau: [1]}\n",
         "g/a.yaml:1:21: sac.tau has 1 value and seed has 2"},
        {"zip: [seed]\n", "g/a.yaml:1:7: zip[0] holds settings"},
        {"grid: {seed: 1}\nexclude: {seed: 1}\n", "g/a.yaml:2:10: exclude is a list"},
        {"grid: {seed: 1}\nexclude: [{}]\n", "g/a.yaml:2:11: an empty condition"},
        {"grid: {seed: 1}\nexclude: [{sed: 1}]\n",
         "g/a.yaml:2:12: unknown key sed; did you mean seed?"},
        {"grid: {run_dir: [a]}\n", "g/a.yaml:1:8: run_dir is chosen by the sweep"},
        {"seed: 1\n", "g/a.yaml:1:1: seed is a setting; settings stand below set, grid"},
        {"train: {epochs: 3}\n", "g/a.yaml:1:1: train is a setting"},
        {"cells: [a]\n", "g/a.yaml:1:8: cells holds settings"},
        {"cells: {a: 5}\n", "g/a.yaml:1:12: cells.a holds settings"},
        {"base: [a]\n", "g/a.yaml:1:7: base takes a path"},
        {"out: \"\"\n", "g/a.yaml:1:6: out takes a path"},
        {"grid: {seed: *a}\n", "g/a.yaml:1:14: aliases (*) are not allowed"},
        {"grid: {seed: &a [1]}\n", "g/a.yaml:1:14: tags (!) and anchors (&) are not allowed"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Grid *grid = NULL;
        assert_int_equal(grid_parse(&grid, "g/a.yaml", cases[i].text, strlen(cases[i].text)),
                         ERR_CONFIG);
        assert_null(grid);
        if (strncmp(status_reason(), cases[i].reason, strlen(cases[i].reason)) != 0) {
            fail_msg("%s\nsays:     %s\nexpected: %s", cases[i].text, status_reason(),
                     cases[i].reason);
        }
    }
}

static void cells_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"cells: {logs: {seed: 1}}\n", "g/a.yaml:1:9: a cell cannot be called logs"},
        {"cells: {.a: {seed: 1}}\n", "g/a.yaml:1:9: a cell cannot be called '.a'"},
        {"grid: {dataset: [..]}\n", "g/a.yaml:1:1: a cell cannot be called '..'"},
        {"grid: {model.elites: [2, 9]}\n",
         "g/a.yaml:1:1: cell elites9: model.elites (9) is more than"},
        {"base: none.yaml\ngrid: {seed: 1}\n", "g/a.yaml:2:1: cell seed1: g/none.yaml: no such"},
    };
    static GridCell cell;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Grid *grid = parsed(cases[i].text);
        const int last = grid_size(grid) - 1;
        Config config;
        bool excluded = false;
        Status st = grid_cell(grid, last, &cell);
        st = st != OK ? st : grid_config(grid, last, &cell, &config, &excluded);
        assert_int_equal(st, ERR_CONFIG);
        if (strncmp(status_reason(), cases[i].reason, strlen(cases[i].reason)) != 0) {
            fail_msg("%s\nsays:     %s\nexpected: %s", cases[i].text, status_reason(),
                     cases[i].reason);
        }
        grid_close(&grid);
    }
}

static void a_name_has_an_end(void **state)
{
    (void)state;
    char text[512];
    static GridCell cell;

    (void)snprintf(text, sizeof text, "grid: {dataset: [%0200d]}", 7);
    Grid *grid = parsed(text);
    assert_int_equal(grid_cell(grid, 0, &cell), ERR_CONFIG);
    assert_non_null(strstr(status_reason(), "longer than 199 characters"));
    grid_close(&grid);
}

static void paths_are_relative_to_the_file(void **state)
{
    (void)state;
    Grid *grid = parsed("base: ../x.yaml\ncells: {a: {seed: 1}}\n");
    assert_string_equal(grid_base(grid), "g/../x.yaml");
    assert_string_equal(grid_out(grid), "runs/a");
    grid_close(&grid);
    grid = parsed("out: here/there//\ncells: {a: {seed: 1}}\n");
    assert_null(grid_base(grid));
    assert_string_equal(grid_out(grid), "here/there");
    grid_close(&grid);
    /* tidy where that is the same file */
    const char *text = "base: ../smoke.yaml\ncells: {a: {seed: 1}}\n";
    CHECK_OK(
        grid_parse(&grid, MOPO_SOURCE_DIR "/configs/./paper/../paper/a.yaml", text, strlen(text)));
    assert_string_equal(grid_base(grid), MOPO_SOURCE_DIR "/configs/smoke.yaml");
    grid_close(&grid);
}

static void the_grids_that_are_shipped_can_be_read(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int cells;
    } files[] = {{"lambda-horizon", 36}, {"smoke", 5}};
    static GridCell cell;

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[256];
        Grid *grid = NULL;
        (void)snprintf(path, sizeof path, "%s/configs/grid/%s.yaml", MOPO_SOURCE_DIR,
                       files[i].name);
        CHECK_OK(grid_read(&grid, path));
        assert_int_equal(grid_size(grid), files[i].cells);
        for (int k = 0; k < files[i].cells; k++) {
            Config config;
            bool excluded = false;
            CHECK_OK(grid_cell(grid, k, &cell));
            CHECK_OK(grid_config(grid, k, &cell, &config, &excluded));
        }
        grid_close(&grid);
    }
}

static void memory_that_is_refused_is_an_error(void **state)
{
    (void)state;
    const char *text = "grid: {seed: 0..3}";
    Status st = ERR_NOMEM;

    for (int64_t k = 1; st != OK; k++) {
        Grid *grid = NULL;
        const int64_t before = mem_count();
        mem_fail_at(k);
        st = grid_parse(&grid, "a", text, strlen(text));
        mem_fail_at(0);
        assert_true(st == OK || st == ERR_NOMEM);
        grid_close(&grid);
        assert_int_equal(mem_count(), before);
    }
}

static int setup(void **state)
{
    (void)state;
    tables_register();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grid_is_every_combination),
        cmocka_unit_test(keys_may_be_nested),
        cmocka_unit_test(a_range_counts_up_and_may_stand_in_a_list),
        cmocka_unit_test(lists_of_a_zip_walk_together),
        cmocka_unit_test(excluded_combinations_are_left_out),
        cmocka_unit_test(idle_exclusions_are_found),
        cmocka_unit_test(cells_have_names_and_lists),
        cmocka_unit_test(names_stay_when_lists_grow),
        cmocka_unit_test(names_are_words_of_the_settings),
        cmocka_unit_test(mistakes_are_located),
        cmocka_unit_test(cells_that_cannot_be_are_refused),
        cmocka_unit_test(a_name_has_an_end),
        cmocka_unit_test(paths_are_relative_to_the_file),
        cmocka_unit_test(the_grids_that_are_shipped_can_be_read),
        cmocka_unit_test(memory_that_is_refused_is_an_error),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
