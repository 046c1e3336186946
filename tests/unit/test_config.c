/* config: defaults, precedence, base, origins, every kind of error with its exact place. */
#include "support/check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/config.h"
#include "config/yaml.h"
#include "run/tables.h"

static char text_a[CONFIG_YAML_MAX];

static void put_bytes(const char *name, const char *text, size_t size)
{
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void put(const char *name, const char *text)
{
    put_bytes(name, text, strlen(text));
}

/* Load a.yaml (with this text) and up to two words. */
static Status load(Config *config, const char *text, const char *word, const char *word2)
{
    char words[2][256];
    char *list[2] = {words[0], words[1]};
    const int count = (word != NULL ? 1 : 0) + (word2 != NULL ? 1 : 0);

    (void)snprintf(words[0], sizeof words[0], "%s", word != NULL ? word : "");
    (void)snprintf(words[1], sizeof words[1], "%s", word2 != NULL ? word2 : "");
    put("a.yaml", text);
    return config_load(config, NULL, "a.yaml", count, list);
}

static void refused(const char *text, const char *reason)
{
    Config config;
    assert_int_equal(load(&config, text, NULL, NULL), ERR_CONFIG);
    assert_string_equal(status_reason(), reason);
}

/* Behind these words come the rows of a table, whatever they are. */
static void row_refused(const char *text, const char *beginning)
{
    Config config;
    assert_int_equal(load(&config, text, NULL, NULL), ERR_CONFIG);
    if (strncmp(status_reason(), beginning, strlen(beginning)) != 0) {
        assert_string_equal(status_reason(), beginning);
    }
}

static void word_refused(const char *word, const char *reason)
{
    Config config;
    assert_int_equal(load(&config, "", word, NULL), ERR_CONFIG);
    assert_string_equal(status_reason(), reason);
}

static void empty_files_give_the_defaults(void **state)
{
    (void)state;
    static const char *const empty[] = {"",
                                        "\n\n",
                                        "# only a comment\n",
                                        "---\n",
                                        "\xEF\xBB\xBF",
                                        "rollout:\nsac:\n  # gamma: 1\n",
                                        "rollout: {}\n"};
    Config want;
    Config got;

    config_default(&want);
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        CHECK_OK(load(&got, empty[i], NULL, NULL));
        assert_memory_equal(&got, &want, sizeof want);
    }
    /* appendix C.2 and the released code, as algorithms.md section 3.9 lists them */
    assert_int_equal(want.model.members, 7);
    assert_int_equal(want.model.elites, 5);
    assert_int_equal(want.rollout.batch, 50000);
    assert_true(want.train.real_ratio == 0.05);
    assert_true(want.sac.target_entropy == -3);
    assert_string_equal(want.penalty.type, "max_std");
    assert_false(want.model.spectral_norm);
}

static void a_preset_stands_where_it_is_named(void **state)
{
    (void)state;
    Config c;

    /* in the file: the file's own keys win, whatever their order */
    CHECK_OK(load(&c, "model: {elites: 1}\npenalty: {type: max_std}\nalgo: mbpo-no-ensemble\n",
                  NULL, NULL));
    assert_string_equal(c.penalty.type, "max_std");
    assert_int_equal(c.model.members, 1);
    /* on the command line: it wins over the file, other words win over it */
    CHECK_OK(load(&c, "penalty: {type: max_std, lambda: 3}\nalgo: sac\n", "algo=mbpo", "seed=1"));
    assert_string_equal(c.top.algo, "mbpo");
    assert_string_equal(c.penalty.type, "none");
    assert_true(c.penalty.lambda == 3 && c.train.real_ratio == 0.05); /* nothing is left of sac */
    CHECK_OK(load(&c, "seed: 2\n", "penalty.type=max_std", "algo=mbpo"));
    assert_string_equal(c.penalty.type, "max_std");
    row_refused("algo: mpo\n", "a.yaml:1:7: algo: found mpo, allowed is mopo, ");
}

static void values_of_every_kind_are_read(void **state)
{
    (void)state;
    Config c;

    CHECK_OK(load(&c,
                  "seed: 12\n"
                  "dataset: 'it''s #1.hdf5' # a comment\n"
                  "rollout.horizon: 1e1\n"
                  "model: {lr: 2.5e-4, spectral_norm: Yes}\n"
                  "sac:\n"
                  "  target_entropy: -6\n"
                  "  gamma: .5\n"
                  "penalty:\n"
                  "  type: none\n",
                  NULL, NULL));
    assert_int_equal(c.top.seed, 12);
    assert_string_equal(c.top.dataset, "it's #1.hdf5");
    assert_int_equal(c.rollout.horizon, 10);
    assert_true(c.model.lr == 2.5e-4 && c.model.spectral_norm);
    assert_true(c.sac.target_entropy == -6 && c.sac.gamma == 0.5);
    assert_string_equal(c.penalty.type, "none");
    CHECK_OK(load(&c, "dataset: 5\nrun_dir: \"null\"\n", NULL, NULL));
    assert_string_equal(c.top.dataset, "5");
    assert_string_equal(c.top.run_dir, "null");
    static const char *const off[] = {"false", "no", "off", "OFF"};
    for (int i = 0; i < 4; i++) {
        char word[64];
        (void)snprintf(word, sizeof word, "model.spectral_norm=%s", off[i]);
        CHECK_OK(load(&c, "model:\n  spectral_norm: on\n", word, NULL));
        assert_false(c.model.spectral_norm);
    }
}

static void the_last_source_wins(void **state)
{
    (void)state;
    Config c;

    CHECK_OK(load(&c, "seed: 1\nsac:\n  tau: 0.5\n", "seed=2", "seed=3"));
    assert_int_equal(c.top.seed, 3);
    assert_true(c.sac.tau == 0.5);
    CHECK_OK(load(&c, "dataset: x\n", "dataset=", "run_dir=a=b c"));
    assert_string_equal(c.top.dataset, "");
    assert_string_equal(c.top.run_dir, "a=b c");
}

static void unknown_keys_are_named_with_the_nearest(void **state)
{
    (void)state;
    refused("seed: 1\nrollout:\n  horizn: 3\n",
            "a.yaml:3:3: unknown key rollout.horizn; did you mean rollout.horizon?");
    refused("horizon: 3\n", "a.yaml:1:1: unknown key horizon; did you mean rollout.horizon?");
    refused("model:\n  horizon: 3\n",
            "a.yaml:2:3: unknown key model.horizon; did you mean rollout.horizon?");
    refused("batch: 3\n", "a.yaml:1:1: unknown key batch; did you mean model.batch or "
                          "rollout.batch or train.batch?");
    refused("wombat: 3\n", "a.yaml:1:1: unknown key wombat; `mopo config keys` lists all");
    refused("rolout:\n  horizon: 3\n", "a.yaml:1:1: unknown section rolout; did you mean rollout?");
    refused("wombat: {a: 1}\n", "a.yaml:1:1: unknown section wombat; `mopo config keys` lists all");
    refused("rollout: 5\n",
            "a.yaml:1:1: rollout is a section; set one of its keys, for example rollout.batch");
    refused("seed:\n  a: 1\n", "a.yaml:1:1: seed takes one value, found a section");
    refused("top:\n  seed: 1\n", "a.yaml:1:1: unknown section top; `mopo config keys` lists all");
    word_refused("rollout.horizn=3", "command line: rollout.horizn=3: unknown key rollout.horizn; "
                                     "did you mean rollout.horizon?");
    word_refused("=3", "command line: =3: there is no key in front of '='");
    word_refused("model=3",
                 "command line: model=3: model is a section; set one of its keys, for example "
                 "model.members");
}

static void values_out_of_range_say_what_is_allowed(void **state)
{
    (void)state;
    static const char *const bad[] = {"0",   "1001", "1.5", "5x", "0x5",  "1e400", "nan",
                                      "inf", "--5",  "1_0", "1e", ".",    "-",     "5 5",
                                      "5,0", "true", "+",   "e5", "1e0.5"};
    char word[64];
    char reason[256];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        (void)snprintf(word, sizeof word, "rollout.horizon=%s", bad[i]);
        (void)snprintf(
            reason, sizeof reason,
            "command line: %s: rollout.horizon: found %s, allowed is a whole number from "
            "1 to 1000 (steps)",
            word, bad[i]);
        word_refused(word, reason);
    }
    refused("rollout:\n  horizon:  0\n",
            "a.yaml:2:13: rollout.horizon: found 0, allowed is a whole "
            "number from 1 to 1000 (steps)");
    refused("sac:\n  gamma: 1.5\n",
            "a.yaml:2:10: sac.gamma: found 1.5, allowed is a number from 0 to "
            "1");
    refused("seed:\n", "a.yaml:1:6: seed: found nothing, allowed is a whole number from 0 to "
                       "2147483647");
    refused("seed: 2147483648\n",
            "a.yaml:1:7: seed: found 2147483648, allowed is a whole number from "
            "0 to 2147483647");
    refused("seed: ~\n",
            "a.yaml:1:7: seed: found ~, allowed is a whole number from 0 to 2147483647; "
            "leave the key out for its default");
    refused("data:\n  next: d4rI\n",
            "a.yaml:2:9: data.next: found d4rI, allowed is auto, stored, joined or d4rl; did you "
            "mean d4rl?");
    refused("dataset: null\n", "a.yaml:1:10: dataset: found null, allowed is text of at most 511 "
                               "bytes; leave the key out for its default");
    refused("seed: '5'\n",
            "a.yaml:1:7: seed: found text in quotes, allowed is a whole number from 0 "
            "to 2147483647; remove the quotes");
    refused("model: {spectral_norm: 1}\n", "a.yaml:1:24: model.spectral_norm: found 1, allowed is "
                                           "true or false (also yes, no, on, off)");
    row_refused("penalty:\n  type: maxstd\n",
                "a.yaml:2:9: penalty.type: found maxstd, allowed is none");
    word_refused("seed",
                 "command line: seed: expected key=value; a configuration file comes first");
    word_refused("dataset=a\nb", "command line: a key=value word contains a control character");
    word_refused("dataset=\xff",
                 "command line: a key=value word contains bytes that are not UTF-8");
}

static void files_that_cannot_be_read_are_named(void **state)
{
    (void)state;
    enum { BIG = YAML_BYTES_MAX + 1 };
    static char big[BIG];
    Config c;

    assert_int_equal(config_load(&c, NULL, "missing.yaml", 0, NULL), ERR_CONFIG);
    assert_string_equal(status_reason(),
                        "missing.yaml: no such configuration file; see configs/ for "
                        "ready-made ones");
    assert_int_equal(config_load(&c, NULL, ".", 0, NULL), ERR_IO);
    memset(big, '#', BIG);
    put_bytes("big.yaml", big, BIG);
    assert_int_equal(config_load(&c, NULL, "big.yaml", 0, NULL), ERR_CONFIG);
    assert_non_null(strstr(status_reason(), "big.yaml"));
}

static void a_base_is_read_first(void **state)
{
    (void)state;
    Config c;

    assert_true(mkdir("sub", 0700) == 0);
    put("base.yaml", "seed: 1\nsac:\n  tau: 0.5\n  gamma: 0.5\n");
    put("sub/b.yaml", "base: ../base.yaml\nsac:\n  tau: 0.25\n");
    CHECK_OK(config_load(&c, NULL, "sub/b.yaml", 0, NULL));
    assert_true(c.top.seed == 1 && c.sac.tau == 0.25 && c.sac.gamma == 0.5);
    put("sub/c.yaml", "base: b.yaml\n");
    assert_int_equal(config_load(&c, NULL, "sub/c.yaml", 0, NULL), ERR_CONFIG);
    assert_string_equal(status_reason(), "sub/b.yaml:1:1: base is not possible here: a base has no "
                                         "base of its own; name that file's base directly");
    refused("seed: 1\nbase: base.yaml\n", "a.yaml:2:1: base must be the first key of the file");
    refused("base:\n", "a.yaml:1:1: base takes the path of one YAML file");
    refused("base: {a: 1}\n", "a.yaml:1:1: base takes the path of one YAML file");
    assert_int_equal(load(&c, "base: gone.yaml\n", NULL, NULL), ERR_IO);
    assert_memory_equal(status_reason(), "a.yaml:1:7: base: gone.yaml: ", 29);
    put("base.yaml", "seed: 1\nsac:\n  tua: 0.5\n");
    assert_int_equal(config_load(&c, NULL, "sub/b.yaml", 0, NULL), ERR_CONFIG);
    assert_string_equal(status_reason(),
                        "sub/../base.yaml:3:3: unknown key sac.tua; did you mean sac.tau?");
    assert_int_equal(config_parse(&c, "text", "base: x\n", 8), ERR_CONFIG);
    assert_string_equal(status_reason(),
                        "text:1:1: base is not possible here: it is looked up beside a file");
    word_refused("base=x", "command line: base=x: base can only stand in a file, as its first key");
}

static void the_builtin_configuration_is_the_demo(void **state)
{
    (void)state;
    Config builtin;
    Config demo;

    CHECK_OK(config_load(&builtin, NULL, NULL, 0, NULL));
    CHECK_OK(config_load(&demo, NULL, MOPO_SOURCE_DIR "/configs/demo.yaml", 0, NULL));
    assert_memory_equal(&builtin, &demo, sizeof demo);
    CHECK_OK(config_check(&builtin));
}

static const char *line_of(const char *text, const char *start)
{
    static char line[512];
    const char *at = strstr(text, start);
    assert_non_null(at);
    (void)snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
    return line;
}

static void origins_say_where_a_value_is_from(void **state)
{
    (void)state;
    Config c;
    ConfigOrigins *origins = NULL;
    char word[] = "sac.alpha=0.1";
    char *words[] = {word};
    Config again;

    put("base.yaml", "\nsac:\n  tau: 0.5\n  gamma: 0.5\n");
    put("x\ny.yaml", "base: base.yaml\nsac:\n\n  gamma: 0.25\n");
    put("x.yaml", "base: base.yaml\nsac:\n\n  gamma: 0.25\n");
    CHECK_OK(config_load(&c, &origins, "x.yaml", 1, words));
    CHECK_OK(config_write(&c, origins, text_a, sizeof text_a));
    config_origins_free(&origins);
    assert_null(origins);
    assert_string_equal(line_of(text_a, "seed"), "seed: 0                              # default");
    assert_string_equal(line_of(text_a, "  tau"),
                        "  tau: 0.5                           # base.yaml:3");
    assert_string_equal(line_of(text_a, "  gamma"),
                        "  gamma: 0.25                        # x.yaml:4");
    assert_string_equal(line_of(text_a, "  alpha:"),
                        "  alpha: 0.1                         # command line");
    CHECK_OK(config_load(&c, &origins, "x\ny.yaml", 0, NULL));
    CHECK_OK(config_write(&c, origins, text_a, sizeof text_a));
    config_origins_free(&origins);
    assert_non_null(strstr(text_a, "# x?y.yaml:4\n"));
    CHECK_OK(config_parse(&again, "again", text_a, strlen(text_a)));
    assert_memory_equal(&again, &c, sizeof c);
    CHECK_OK(config_load(&c, &origins, NULL, 0, NULL));
    CHECK_OK(config_write(&c, origins, text_a, sizeof text_a));
    config_origins_free(&origins);
    assert_non_null(strstr(text_a, "# built-in configuration (configs/demo.yaml):"));
}

static void keys_that_exclude_each_other_are_found(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"model.elites=8", NULL, "model.elites (8) is more than model.members (7)"},
        {"model.shards=6", NULL, "model.shards is 6: it must be a power of two (1, 2, 4, 8)"},
        {"model.shards=4", "model.batch=3", "model.shards (4) is more than model.batch (3)"},
        {"ranks.team=3", NULL, "ranks.team is 3: it must be a power of two, or 0"},
        {"ranks.team=4", NULL, "ranks.team (4) is more than model.shards (2)"},
        {"train.shards=3", NULL, "train.shards is 3: it must be a power of two"},
        {"train.shards=64", "train.batch=32", "train.shards (64) is more than train.batch (32)"},
        {"ranks.learners=3", NULL, "ranks.learners is 3: it must be a power of two, or 0"},
        {"ranks.learners=8", NULL, "ranks.learners (8) is more than train.shards (4)"},
        {"model.logvar_min=1", NULL,
         "model.logvar_min (1) must be less than model.logvar_max (0.5)"},
        {"sac.log_std_min=2", NULL, "sac.log_std_min (2) must be less than sac.log_std_max (2)"},
        {"npg.log_std_min=2", NULL, "npg.log_std_min (2) must be less than npg.log_std_max (1)"},
        {"rollout.batch=63", NULL, "rollout.batch (63) is less than rollout.units (64)"},
        {"rollout.units=6", NULL, "rollout.units (6) is no multiple of train.shards (4)"},
        {"rollout.batch=1e8", NULL, "is 2.5e+09 rows of model data"},
        {"termination.rule=bounds", NULL, "but termination.bounds is empty"},
        {"collect.rows=5", NULL, "collect.rows is 5 but dataset is empty"},
        {"penalty.halt_cost=5", NULL, "penalty.halt_cost is set, but penalty.type is max_std"},
        {"penalty.halt_form=cut", "penalty.type=none", "penalty.halt_form is set"},
        {"penalty.halt_threshold=1", NULL, "penalty.halt_threshold is set"},
        {"penalty.halt_pessimism=1", NULL, "penalty.halt_pessimism is set"},
        {"penalty.type=oracle", "task=none", "penalty.type is oracle"},
        {"bear.log_std_min=3", NULL, "bear.log_std_min (3) must be less than"},
        {"npg.log_std=2", NULL, "npg.log_std is 2, but the log deviation is held"},
    };
    Config c;

    config_default(&c);
    CHECK_OK(config_check(&c));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_OK(load(&c, "", rows[i][0], rows[i][1]));
        assert_int_equal(config_check(&c), ERR_CONFIG);
        print_message("%s\n", status_reason());
        assert_non_null(strstr(status_reason(), rows[i][2]));
    }
    CHECK_OK(load(&c, "", "ranks.learners=4", "train.batch=4"));
    CHECK_OK(config_check(&c));
    CHECK_OK(load(&c, "", "penalty.type=halt", "penalty.halt_form=absorbing"));
    CHECK_OK(config_check(&c));
    c.sac.gamma = 1;
    assert_int_equal(config_check(&c), ERR_CONFIG);
    assert_non_null(strstr(status_reason(), "penalty.halt_form is absorbing"));
}

static void refused_memory_is_reported_and_freed(void **state)
{
    (void)state;
    Config c;
    ConfigOrigins *origins = NULL;
    const int64_t before = mem_count();
    Status st = ERR_NOMEM;

    put("base.yaml", "seed: 1\n");
    put("a.yaml", "base: base.yaml\nsac:\n  gamma: 0.25\n");
    int k = 1;
    for (; st != OK; k++) {
        mem_fail_at(k);
        st = config_load(&c, &origins, "a.yaml", 0, NULL);
        mem_fail_at(0);
        assert_true(st == OK || st == ERR_NOMEM);
        assert_int_equal(mem_count(), before + (st == OK ? 1 : 0));
    }
    assert_true(k > 4);
    config_origins_free(&origins);
    assert_int_equal(mem_count(), before);
    assert_int_equal(load(&c, "seed: x\n", NULL, NULL), ERR_CONFIG);
    assert_int_equal(mem_count(), before);
}

static char folder[] = "test_config_XXXXXX";

static int enter_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) != NULL ? chdir(folder) : -1;
}

static void empty_folder(const char *name)
{
    char path[512];
    DIR *dir = opendir(name);
    for (struct dirent *entry = dir != NULL ? readdir(dir) : NULL; entry != NULL;
         entry = readdir(dir)) {
        (void)snprintf(path, sizeof path, "%s/%s", name, entry->d_name);
        (void)unlink(path); /* fails on folders, as it should */
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
}

static int leave_folder(void **state)
{
    (void)state;
    empty_folder("sub");
    (void)rmdir("sub");
    empty_folder(".");
    return chdir("..") == 0 ? rmdir(folder) : -1;
}

static void a_path_with_an_equals_sign_is_no_setting(void **state)
{
    (void)state;
    assert_true(config_is_setting("seed=1"));
    assert_true(config_is_setting("dataset=a/b.hdf5"));
    assert_true(config_is_setting("model/hidden=3")); /* a mistake, which is told as one */
    assert_false(config_is_setting("lr3/base.yaml"));
    assert_false(config_is_setting("./lr=3/base.yaml"));
    assert_false(config_is_setting("../lr=3/base.yaml"));
    assert_false(config_is_setting("/runs/lr=3/base.yaml"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_with_an_equals_sign_is_no_setting),
        cmocka_unit_test(empty_files_give_the_defaults),
        cmocka_unit_test(values_of_every_kind_are_read),
        cmocka_unit_test(a_preset_stands_where_it_is_named),
        cmocka_unit_test(the_last_source_wins),
        cmocka_unit_test(unknown_keys_are_named_with_the_nearest),
        cmocka_unit_test(values_out_of_range_say_what_is_allowed),
        cmocka_unit_test(files_that_cannot_be_read_are_named),
        cmocka_unit_test(a_base_is_read_first),
        cmocka_unit_test(the_builtin_configuration_is_the_demo),
        cmocka_unit_test(origins_say_where_a_value_is_from),
        cmocka_unit_test(keys_that_exclude_each_other_are_found),
        cmocka_unit_test(refused_memory_is_reported_and_freed),
    };
    tables_register();
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
