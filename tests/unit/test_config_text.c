/* config: canonical text, differences, docs/config.md, and the presets below configs/ against Table 4
 * of Yu et al. 2020. */
#include "support/check.h"

#include <dirent.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "run/tables.h"

enum { TEXT_SIZE = CONFIG_YAML_MAX };
static char text_a[TEXT_SIZE];
static char text_b[TEXT_SIZE];

static void round_trip(const Config *want)
{
    Config got;

    CHECK_OK(config_write(want, NULL, text_a, sizeof text_a));
    CHECK_OK(config_parse(&got, "written", text_a, strlen(text_a)));
    assert_memory_equal(&got, want, sizeof got);
    CHECK_OK(config_write(&got, NULL, text_b, sizeof text_b));
    assert_string_equal(text_a, text_b);
}

static void what_is_written_reads_back_the_same(void **state)
{
    (void)state;
    static const char *const texts[] = {"",       " ",
                                        "a b",    "a: b",
                                        "#x",     "x #y",
                                        "'",      "\"q\"",
                                        "\\n",    "null",
                                        "~",      "yes",
                                        "1e5",    "-",
                                        "[a]",    "{a}",
                                        "*a",     "&a",
                                        "!a",     "%a",
                                        "@a",     "`a",
                                        "a,b",    "/a/b-c_d.e",
                                        "trail ", "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x90\x8E",
                                        "=",      "<<",
                                        "|"};
    Config c;

    config_default(&c);
    round_trip(&c);
    c.sac.tau = 1.0 / 3;
    c.model.lr = 1.2345678901234567e-8;
    c.sac.target_entropy = -6.02214076e2;
    c.rollout.guard = 1e30;
    c.top.seed = 2147483647;
    c.model.spectral_norm = true;
    round_trip(&c);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        memset(c.top.dataset, 0, sizeof c.top.dataset);
        (void)snprintf(c.top.dataset, sizeof c.top.dataset, "%s", texts[i]);
        round_trip(&c);
    }
    assert_int_equal(config_write(&c, NULL, text_a, 200), ERR_ARG);
}

static void everything_fits_into_the_promised_room(void **state)
{
    (void)state;
    enum { NAME = 240 };
    Config c;
    ConfigOrigins *origins = NULL;
    char name[NAME + 8];

    memset(name, 'n', NAME);
    memcpy(name + NAME, ".yaml", 6);
    config_default(&c);
    memset(c.top.dataset, '"', CONFIG_TEXT_MAX - 1);
    memset(c.top.run_dir, '\\', CONFIG_TEXT_MAX - 1);
    memset(c.top.task, '"', CONFIG_TEXT_MAX - 1);
    CHECK_OK(config_write(&c, NULL, text_a, sizeof text_a));
    FILE *file = fopen(name, "wb"); /* has every key, so every origin is the long name */
    assert_non_null(file);
    assert_true(fputs(text_a, file) >= 0);
    assert_int_equal(fclose(file), 0);
    CHECK_OK(config_load(&c, &origins, name, 0, NULL));
    assert_int_equal(unlink(name), 0);
    CHECK_OK(config_write(&c, origins, text_a, sizeof text_a));
    config_origins_free(&origins);
    print_message("longest text: %zu of %d bytes\n", strlen(text_a), CONFIG_YAML_MAX);
}

static bool skip_seed(const char *key)
{
    return strcmp(key, "seed") == 0;
}

static void differences_are_listed(void **state)
{
    (void)state;
    Config a;
    Config b;
    char text[256];

    config_default(&a);
    b = a;
    assert_int_equal(config_diff(&a, &b, NULL, text, sizeof text), 0);
    assert_string_equal(text, "");
    b.top.seed = 4;
    b.rollout.horizon = 1;
    (void)snprintf(b.top.dataset, sizeof b.top.dataset, "my data");
    b.model.spectral_norm = true;
    assert_int_equal(config_diff(&a, &b, NULL, text, sizeof text), 4);
    assert_string_equal(text,
                        "dataset: \"\" -> \"my data\"; seed: 0 -> 4; model.spectral_norm: false "
                        "-> true; rollout.horizon: 5 -> 1");
    assert_int_equal(config_diff(&a, &b, skip_seed, text, sizeof text), 3);
    assert_null(strstr(text, "seed"));
    assert_int_equal(config_diff(&a, &b, NULL, text, 10), 4);
    assert_string_equal(text, "dataset: ");
}

/* What the released code has and the defaults have not. */
static void paper_defaults(Config *paper)
{
    config_default(paper);
    (void)snprintf(paper->data.next, sizeof paper->data.next, "d4rl");
    paper->data.max_rows = 1000000;
    paper->rollout.lag = 0;
    paper->rollout.guard = 0;
}

static void load_preset(Config *c, const char *folder, const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/configs/%s/%s.yaml", MOPO_SOURCE_DIR, folder, name);
    CHECK_OK(config_load(c, NULL, path, 0, NULL));
}

/* Table 4 of Yu et al. 2020, and D4RL's name of each set. */
static void presets_hold_table_4(void **state)
{
    (void)state;
    static const struct {
        const char *preset, *task, *dataset;
        int horizon;
        double lambda;
    } rows[] = {
        {"halfcheetah-random", "halfcheetah", "halfcheetah-random-v0", 5, 0.5},
        {"halfcheetah-medium", "halfcheetah", "halfcheetah-medium-v0", 1, 1},
        {"halfcheetah-mixed", "halfcheetah", "halfcheetah-medium-replay-v0", 5, 1},
        {"halfcheetah-medium-expert", "halfcheetah", "halfcheetah-medium-expert-v0", 5, 5},
        {"hopper-random", "hopper", "hopper-random-v0", 5, 1},
        {"hopper-medium", "hopper", "hopper-medium-v0", 5, 5},
        {"hopper-mixed", "hopper", "hopper-medium-replay-v0", 1, 5},
        {"hopper-medium-expert", "hopper", "hopper-medium-expert-v0", 5, 1},
        {"walker2d-random", "walker2d", "walker2d-random-v0", 1, 1},
        {"walker2d-medium", "walker2d", "walker2d-medium-v0", 5, 5},
        {"walker2d-mixed", "walker2d", "walker2d-medium-replay-v0", 1, 1},
        {"walker2d-medium-expert", "walker2d", "walker2d-medium-expert-v0", 1, 2},
    };
    Config paper;
    Config c;
    char text[512];

    paper_defaults(&paper);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        load_preset(&c, "paper", rows[i].preset);
        (void)snprintf(paper.top.task, sizeof paper.top.task, "%s", rows[i].task);
        (void)snprintf(paper.top.dataset, sizeof paper.top.dataset, "%s", rows[i].dataset);
        paper.rollout.horizon = rows[i].horizon;
        paper.penalty.lambda = rows[i].lambda;
        (void)config_diff(&paper, &c, NULL, text, sizeof text);
        assert_string_equal(text, ""); /* and nothing else */
    }
}

/* Section 5.2 of the paper; the data are not public. */
static void presets_hold_the_two_tasks_out_of_distribution(void **state)
{
    (void)state;
    Config paper;
    Config c;
    char text[512];

    paper_defaults(&paper);
    (void)snprintf(paper.rollout.actions, sizeof paper.rollout.actions, "uniform");
    load_preset(&c, "paper", "halfcheetah-jump");
    (void)config_diff(&paper, &c, NULL, text, sizeof text); /* h = 5, lambda = 1 are the defaults */
    assert_string_equal(text, "task: halfcheetah -> halfcheetah-jump; "
                              "dataset: \"\" -> data/halfcheetah-jump.hdf5");
    assert_true(c.rollout.horizon == 5 && c.penalty.lambda == 1);
    load_preset(&c, "paper", "ant-angle");
    (void)config_diff(&paper, &c, NULL, text, sizeof text);
    assert_string_equal(text,
                        "task: halfcheetah -> ant-angle; dataset: \"\" -> data/ant-angle.hdf5; "
                        "env.ant_observation: auto -> \"27\"; "
                        "rollout.horizon: 5 -> 25; penalty.lambda: 1 -> 2");
}

static int load_folder(const char *folder)
{
    char path[1024];
    Config c;
    int count = 0;
    DIR *dir = opendir(folder);

    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        const char *end = strrchr(entry->d_name, '.');
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (end != NULL && strcmp(end, ".yaml") == 0) {
            CHECK_OK(config_load(&c, NULL, path, 0, NULL));
            CHECK_OK(config_check(&c));
            assert_string_equal(c.env.inertia,
                                "auto"); /* env.gym_version on the command line decides */
            count++;
        }
    }
    assert_int_equal(closedir(dir), 0);
    return count;
}

static void every_preset_loads(void **state)
{
    (void)state;
    assert_true(load_folder(MOPO_SOURCE_DIR "/configs") >= 2);
    assert_true(load_folder(MOPO_SOURCE_DIR "/configs/algo") >= 1);
    assert_true(load_folder(MOPO_SOURCE_DIR "/configs/task") >= 6);
    assert_true(load_folder(MOPO_SOURCE_DIR "/configs/paper") >= 14);
}

static void the_documentation_is_up_to_date(void **state)
{
    (void)state;
    char *want = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&want, &size);
    FILE *file = fopen(MOPO_SOURCE_DIR "/docs/config.md", "rb");

    assert_non_null(out);
    assert_non_null(file);
    config_print_keys(out, true);
    assert_int_equal(fclose(out), 0);
    const size_t got = fread(text_a, 1, sizeof text_a - 1, file);
    text_a[got] = '\0';
    assert_int_equal(fclose(file), 0);
    if (strcmp(text_a, want) != 0) {
        print_error(
            "docs/config.md is out of date: mopo config keys --markdown > docs/config.md\n");
    }
    assert_string_equal(text_a, want);
    free(want);
}

static void a_decimal_comma_changes_nothing(void **state)
{
    (void)state;
    Config c;
    static const char *const comma[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "pl_PL.UTF-8"};
    const char *set = NULL;
    const char *point = "sac:\n  tau: 0.25\n";
    const char *wrong = "sac:\n  tau: 0,25\n";

    for (int i = 0; i < 4 && set == NULL; i++) {
        set = setlocale(LC_NUMERIC, comma[i]);
    }
    if (set == NULL) {
        print_message("no locale with a decimal comma is installed\n");
    }
    CHECK_OK(config_parse(&c, "comma", point, strlen(point)));
    assert_true(c.sac.tau == 0.25);
    round_trip(&c);
    assert_int_equal(config_parse(&c, "comma", wrong, strlen(wrong)), ERR_CONFIG);
    (void)setlocale(LC_NUMERIC, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_reads_back_the_same),
        cmocka_unit_test(everything_fits_into_the_promised_room),
        cmocka_unit_test(differences_are_listed),
        cmocka_unit_test(presets_hold_table_4),
        cmocka_unit_test(presets_hold_the_two_tasks_out_of_distribution),
        cmocka_unit_test(every_preset_loads),
        cmocka_unit_test(the_documentation_is_up_to_date),
        cmocka_unit_test(a_decimal_comma_changes_nothing),
    };
    tables_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
