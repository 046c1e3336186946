/* shared_model: the name of a shared ensemble follows all that its fit depends on, and nothing else. */
#include "support/check.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "config/config_key.h"
#include "run/session.h"
#include "run/shared_model.h"
#include "run/tables.h"

static Config plain;
static char name[SHARED_NAME_MAX];
static char other[SHARED_NAME_MAX];

static int defaults(void **state)
{
    (void)state;
    config_default(&plain);
    return 0;
}

/* Another value than it has, in or out of range. */
static void change(Config *config, const ConfigKey *key)
{
    char *field = (char *)config + key->offset;

    switch (key->kind) {
    case KEY_INT:
        *(int *)(void *)field += 7;
        break;
    case KEY_REAL:
        *(double *)(void *)field += 0.125;
        break;
    case KEY_BOOL:
        *(bool *)(void *)field = !*(bool *)(void *)field;
        break;
    case KEY_TEXT:
    case KEY_ENUM:
        (void)snprintf(field, CONFIG_TEXT_MAX, "another");
        break;
    }
}

static bool starts_with(const char *text, const char *head)
{
    return strncmp(text, head, strlen(head)) == 0;
}

static bool is_part(const char *key, bool collects)
{
    static const char *const sections[] = {"env.", "data.", "model."};

    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        if (starts_with(key, sections[i])) {
            return strcmp(key, "model.share") != 0;
        }
    }
    return strcmp(key, "task") == 0 || strcmp(key, "dataset") == 0 || strcmp(key, "seed") == 0 ||
           (collects && strcmp(key, "collect.rows") == 0);
}

static void each_key_is_part_of_the_name_or_not(void **state)
{
    (void)state;
    for (int collects = 0; collects <= 1; collects++) {
        plain.collect.rows = 1000 * collects;
        CHECK_OK(shared_model_name(&plain, name));
        for (int i = 0; i < CONFIG_KEYS; i++) {
            Config c = plain;
            if (strcmp(config_keys[i].name, "collect.rows") == 0 && collects == 0) {
                continue; /* another value means another case */
            }
            change(&c, &config_keys[i]);
            CHECK_OK(shared_model_name(&c, other));
            if ((strcmp(name, other) != 0) != is_part(config_keys[i].name, collects != 0)) {
                fail_msg("%s: %s the name", config_keys[i].name,
                         strcmp(name, other) != 0 ? "changes" : "does not change");
            }
        }
    }
}

static void cells_of_a_grid_have_one_name(void **state)
{
    (void)state;
    static const char *const words[][2] = {{"algo=mbpo", "seed=0"},
                                           {"penalty.lambda=5", "seed=0"},
                                           {"rollout.horizon=1", "seed=0"},
                                           {"ranks.learners=2", "run_dir=elsewhere"},
                                           {"train.epochs=1", "train.agent=sac"},
                                           {"model.share=models", "model.seed=0"}};

    tables_register();
    CHECK_OK(shared_model_name(&plain, name));
    assert_int_equal(strlen(name), 16);
    assert_int_equal(strspn(name, "0123456789abcdef"), 16);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        Config c;
        char copy[2][64];
        char *both[2] = {copy[0], copy[1]};
        (void)snprintf(copy[0], sizeof copy[0], "%s", words[i][0]);
        (void)snprintf(copy[1], sizeof copy[1], "%s", words[i][1]);
        CHECK_OK(
            config_load(&c, NULL, MOPO_SOURCE_DIR "/configs/paper/hopper-medium.yaml", 2, both));
        CHECK_OK(shared_model_name(&c, i == 0 ? name : other));
        if (i > 0) {
            assert_string_equal(name, other);
        }
    }
}

static void the_seed_of_the_run_is_the_models_where_it_has_none(void **state)
{
    (void)state;
    Config c = plain;

    c.top.seed = 3;
    assert_int_equal(session_model_seed(&c), 3);
    CHECK_OK(shared_model_name(&c, name));
    c.top.seed = 0;
    c.model.seed = 3;
    assert_int_equal(session_model_seed(&c), 3);
    CHECK_OK(shared_model_name(&c, other));
    assert_string_equal(name, other);
    c.top.seed = 9;
    CHECK_OK(shared_model_name(&c, other));
    assert_string_equal(name, other);
    c.collect.rows = 100; /* other seeds collect other rows */
    CHECK_OK(shared_model_name(&c, name));
    c.top.seed = 0;
    CHECK_OK(shared_model_name(&c, other));
    assert_string_not_equal(name, other);
}

static void results_do_not_depend_on_where_models_are_shared(void **state)
{
    (void)state;
    Config c = plain;
    char a[SLAB_DIGEST_MAX];
    char b[SLAB_DIGEST_MAX];

    CHECK_OK(session_settings_digest(&plain, a));
    (void)snprintf(c.model.share, sizeof c.model.share, "models");
    CHECK_OK(session_settings_digest(&c, b));
    assert_string_equal(a, b);
    c.model.seed = 4;
    CHECK_OK(session_settings_digest(&c, b));
    assert_string_not_equal(a, b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_key_is_part_of_the_name_or_not, defaults),
        cmocka_unit_test_setup(cells_of_a_grid_have_one_name, defaults),
        cmocka_unit_test_setup(the_seed_of_the_run_is_the_models_where_it_has_none, defaults),
        cmocka_unit_test_setup(results_do_not_depend_on_where_models_are_shared, defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
