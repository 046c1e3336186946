/* config: presets by name, alone and over the files of configs/paper; the files of the paper's Table 3. */
#include "support/check.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config/preset.h"
#include "run/session.h"
#include "run/tables.h"

static void load(Config *c, const char *file, const char *word)
{
    char path[512];
    char text[64];
    char *words[] = {text};

    (void)snprintf(path, sizeof path, "%s/configs/paper/%s.yaml", MOPO_SOURCE_DIR, file);
    (void)snprintf(text, sizeof text, "%s", word != NULL ? word : "");
    CHECK_OK(config_load(c, NULL, path, word != NULL ? 1 : 0, words));
    CHECK_OK(config_check(c));
}

static void with_preset(Config *c, const char *file, const char *preset)
{
    char word[64];
    (void)snprintf(word, sizeof word, "algo=%s", preset);
    load(c, file, word);
}

/* What the preset changes, and nothing else: every word is a setting that counts. */
static void every_preset_passes_the_checks(void **state)
{
    (void)state;
    Config plain;
    Config c;

    load(&plain, "hopper-medium", NULL);
    for (int i = 0; preset_row(i) != NULL; i++) {
        const Preset *preset = preset_row(i);
        char diff[1024];
        int words = 0;
        assert_ptr_equal(preset_find(preset->name), preset);
        assert_true(strlen(preset->source) > 0);
        with_preset(&c, "hopper-medium", preset->name);
        assert_string_equal(c.top.algo, preset->name);
        for (; preset->words[words] != NULL; words++) {
            assert_true(words < PRESET_WORDS_MAX - 1);
        }
        const int changed = config_diff(&plain, &c, NULL, diff, sizeof diff);
        if (changed > words + 1) { /* and the name of the preset */
            fail_msg("%s: %d words, but: %s", preset->name, words, diff);
        }
        assert_string_equal(c.top.dataset, "hopper-medium-v0"); /* what is the task's stays */
    }
    assert_null(preset_row(-1));
    assert_null(preset_find("mop"));
}

/* Table 3 of Yu et al. 2020; "Lip" as src/config/preset.c has it. */
static void ablations_hold_table_3(void **state)
{
    (void)state;
    static const struct {
        const char *preset, *penalty;
        bool lipschitz;
        int members;
    } rows[] = {
        {"mopo-lip", "max_std", true, 7},       {"mopo", "max_std", false, 7},
        {"mopo-ens-lip", "mean_gap", true, 7},  {"mopo-ens", "mean_gap", false, 7},
        {"mopo-no-penalty", "none", true, 7},   {"mbpo", "none", false, 7},
        {"mbpo-no-ensemble", "none", false, 1}, {"mopo-oracle-lip", "oracle", true, 7},
        {"mopo-oracle", "oracle", false, 7},
    };
    static const char *const datasets[] = {"halfcheetah-mixed", "halfcheetah-jump"};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t k = 0; k < 2; k++) {
            char name[128];
            char diff[1024];
            Config want; /* the file of Table 4 or section 5.2, with these settings */
            Config by_word;
            Config c;
            load(&want, datasets[k], NULL);
            (void)snprintf(want.top.algo, sizeof want.top.algo, "%s", rows[i].preset);
            (void)snprintf(want.penalty.type, sizeof want.penalty.type, "%s", rows[i].penalty);
            if (rows[i].lipschitz) {
                want.model.spectral_norm = true;
                (void)snprintf(want.model.spectral_form, sizeof want.model.spectral_form, "bound");
                want.model.spectral_bound = 3;
            }
            if (rows[i].members == 1) {
                want.model.members = want.model.elites = 1;
            }
            (void)snprintf(name, sizeof name, "ablation/%s-%s", datasets[k], rows[i].preset);
            load(&c, name, NULL);
            with_preset(&by_word, datasets[k], rows[i].preset);
            (void)config_diff(&want, &c, NULL, diff, sizeof diff);
            assert_string_equal(diff, "");
            (void)config_diff(&want, &by_word, NULL, diff, sizeof diff); /* one word is enough */
            assert_string_equal(diff, "");
        }
    }
}

static void the_folder_of_ablations_has_no_other_file(void **state)
{
    (void)state;
    int files = 0;
    DIR *dir = opendir(MOPO_SOURCE_DIR "/configs/paper/ablation");

    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        files += strstr(entry->d_name, ".yaml") != NULL;
    }
    assert_int_equal(closedir(dir), 0);
    assert_int_equal(files, 2 * 9);
}

/* Table 4 has a column of MBPO's own horizons; three differ from MOPO's. */
static void mbpo_has_its_own_horizons(void **state)
{
    (void)state;
    static const struct {
        const char *dataset;
        int mopo, mbpo;
    } rows[] = {
        {"halfcheetah-random", 5, 5}, {"halfcheetah-medium", 1, 5},
        {"halfcheetah-mixed", 5, 5},  {"halfcheetah-medium-expert", 5, 5},
        {"hopper-random", 5, 5},      {"hopper-medium", 5, 5},
        {"hopper-mixed", 1, 5},       {"hopper-medium-expert", 5, 5},
        {"walker2d-random", 1, 5},    {"walker2d-medium", 5, 5},
        {"walker2d-mixed", 1, 1},     {"walker2d-medium-expert", 1, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Config mopo;
        Config mbpo;
        char own[128];
        char diff[1024];
        load(&mopo, rows[i].dataset, NULL);
        with_preset(&mbpo, rows[i].dataset, "mbpo");
        assert_int_equal(mopo.rollout.horizon, rows[i].mopo);
        if (rows[i].mopo != rows[i].mbpo) {
            Config file;
            (void)snprintf(own, sizeof own, "%s-mbpo", rows[i].dataset);
            load(&file, own, NULL);
            mbpo.rollout.horizon = rows[i].mbpo;
            mbpo.penalty.lambda = file.penalty.lambda; /* of nothing */
            (void)config_diff(&mbpo, &file, NULL, diff, sizeof diff);
            assert_string_equal(diff, "");
        }
        assert_int_equal(mbpo.rollout.horizon, rows[i].mbpo);
        assert_string_equal(mbpo.penalty.type, "none");
    }
}

/* README of rail-berkeley/d4rl_evaluations. */
static void the_kernel_of_bear_is_that_of_its_robot(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        Kernel kernel;
    } rows[] = {{"hopper-mixed", KERNEL_LAPLACIAN},
                {"walker2d-random", KERNEL_LAPLACIAN},
                {"halfcheetah-medium", KERNEL_GAUSSIAN},
                {"halfcheetah-jump", KERNEL_GAUSSIAN}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Config c;
        EnvKind task;
        with_preset(&c, rows[i].file, "bear");
        CHECK_OK(session_task(&c, &task));
        assert_int_equal(session_agent_config(&c, &task).bear.kernel, rows[i].kernel);
        (void)snprintf(c.bear.kernel, sizeof c.bear.kernel, "laplacian");
        assert_int_equal(session_agent_config(&c, &task).bear.kernel, KERNEL_LAPLACIAN);
        (void)snprintf(c.bear.kernel, sizeof c.bear.kernel, "gaussian");
        assert_int_equal(session_agent_config(&c, &task).bear.kernel, KERNEL_GAUSSIAN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_preset_passes_the_checks),
        cmocka_unit_test(ablations_hold_table_3),
        cmocka_unit_test(the_folder_of_ablations_has_no_other_file),
        cmocka_unit_test(mbpo_has_its_own_horizons),
        cmocka_unit_test(the_kernel_of_bear_is_that_of_its_robot),
    };
    tables_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
