/* config/yaml: nesting, places, what is refused, limits against hostile files. */
#include "support/check.h"

#include <stdio.h>
#include <string.h>

#include "config/yaml.h"

static void nesting_becomes_paths(void **state)
{
    (void)state;
    const char *text = "seed: 1\nsac:\n  tau: 'a b' # c\n  deep: {x: \"\"}\nmodel:\n";
    static const struct {
        const char *key, *value;
        int line, column; /* of the key */
        int value_line, value_column;
        bool section, quoted;
    } want[] = {
        {"seed", "1", 1, 1, 1, 7, false, false},       {"sac", "", 2, 1, 3, 3, true, false},
        {"sac.tau", "a b", 3, 3, 3, 8, false, true},   {"sac.deep", "", 4, 3, 4, 9, true, false},
        {"sac.deep.x", "", 4, 10, 4, 13, false, true}, {"model", "", 5, 1, 5, 7, false, false},
    };
    YamlList list;

    CHECK_OK(yaml_read(&list, "a.yaml", text, strlen(text)));
    assert_string_equal(list.name, "a.yaml");
    assert_int_equal(list.count, sizeof want / sizeof want[0]);
    for (int i = 0; i < list.count; i++) {
        assert_string_equal(list.items[i].key, want[i].key);
        assert_string_equal(list.items[i].value, want[i].value);
        assert_int_equal(list.items[i].at.line, want[i].line);
        assert_int_equal(list.items[i].at.column, want[i].column);
        assert_int_equal(list.items[i].place.line, want[i].value_line);
        assert_int_equal(list.items[i].place.column, want[i].value_column);
        assert_true(list.items[i].section == want[i].section);
        assert_true(list.items[i].quoted == want[i].quoted);
    }
    yaml_list_release(&list);
    assert_null(list.items);
}

static void refused(const char *text, const char *reason)
{
    YamlList list;
    assert_int_equal(yaml_read(&list, "a.yaml", text, strlen(text)), ERR_CONFIG);
    assert_string_equal(status_reason(), reason);
    assert_null(list.items);
}

static void what_settings_do_not_need_is_refused(void **state)
{
    (void)state;
    refused("seed: 1\nsac:\n  tau: 0.1\nseed: 2\n",
            "a.yaml:4:1: seed stands twice, first at a.yaml:1:1; keep one");
    refused("sac:\n  tau: 0.1\nmodel:\n  lr: 1\nsac:\n  gamma: 1\n",
            "a.yaml:5:1: sac stands twice, first at a.yaml:1:1; keep one");
    refused("sac:\n  tau: 0.1\nsac.tau: 0.2\n",
            "a.yaml:3:1: sac.tau stands twice, first at a.yaml:2:3; keep one");
    refused("seed: [1, 2]\n", "a.yaml:1:7: a list is not allowed here; every key takes one value");
    refused("- seed\n", "a.yaml:1:1: a list is not allowed here; every key takes one value");
    refused("seed: &x 1\n",
            "a.yaml:1:7: tags (!) and anchors (&) are not allowed; write the value itself");
    refused("seed: !!int 1\n",
            "a.yaml:1:7: tags (!) and anchors (&) are not allowed; write the value itself");
    refused("sac: &x\n  tau: 1\n",
            "a.yaml:1:6: tags (!) and anchors (&) are not allowed; write the keys themselves");
    refused("seed: *x\n", "a.yaml:1:7: aliases (*) are not allowed; write the value itself");
    refused("seed: 1\n---\nseed: 2\n", "a.yaml:2:1: a second document (---); keep one");
    refused("just words\n", "a.yaml:1:1: expected `key: value` lines, found a single word");
    refused("? {a: 1}\n: 2\n", "a.yaml:1:3: a key must be a word, not a section");
    refused("dataset: |\n  two\n  lines\n",
            "a.yaml:1:10: the value contains a control character; allowed is one line of text");
    refused("dataset: \"a\\0b\"\n",
            "a.yaml:1:10: the value contains a control character; allowed is one line of text");
    refused("\"se\\ned\": 1\n",
            "a.yaml:1:1: the key contains a control character; allowed is one line of text");
}

static void damaged_yaml_is_refused_with_its_place(void **state)
{
    (void)state;
    static const char *const damaged[][2] = {
        {"seed: 1\nsac:\n\ttau: 1\n", "a.yaml:3:1: "},
        {"seed: \"open\n", "a.yaml:2:1: "},
        {"sac: {tau: 1\n", "a.yaml:2:1: "},
        {"seed: 1\n  tau: 2\n", "a.yaml:2:6: "},
        {"seed: 1\ndataset: \xff\n", "a.yaml:2:10: "},
        {"seed: 1\ndataset: a\x01\n", "a.yaml:2:11: "},
    };
    YamlList list;

    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        assert_int_equal(yaml_read(&list, "a.yaml", damaged[i][0], strlen(damaged[i][0])),
                         ERR_CONFIG);
        print_message("%s\n", status_reason());
        assert_memory_equal(status_reason(), damaged[i][1], strlen(damaged[i][1]));
        assert_non_null(strstr(status_reason(), "this is not YAML: "));
    }
    assert_int_equal(yaml_read(&list, "a.yaml", damaged[0][0], strlen(damaged[0][0])), ERR_CONFIG);
    assert_non_null(strstr(status_reason(), "indent with spaces, not with tabs"));
}

static void limits_hold(void **state)
{
    (void)state;
    enum { BIG = YAML_BYTES_MAX + 1 };
    static char big[BIG + 1];
    YamlList list;

    memset(big, '#', BIG);
    CHECK_OK(yaml_read(&list, "big", big, BIG - 1));
    yaml_list_release(&list);
    assert_int_equal(yaml_read(&list, "big", big, BIG), ERR_CONFIG);
    static const char *const endless[] = {"[", "{", "a: {", "- ", "? ", "&a ", "'", "a:\n"};
    for (size_t i = 0; i < sizeof endless / sizeof endless[0]; i++) {
        const size_t n = strlen(endless[i]);
        for (size_t k = 0; k + n < BIG; k += n) {
            memcpy(big + k, endless[i], n);
        }
        assert_int_equal(yaml_read(&list, "big", big, BIG - 2), ERR_CONFIG);
        assert_null(list.items);
    }
    /* depth: {a: {a: ... 33 times */
    size_t used = 0;
    for (int i = 0; i <= YAML_DEPTH_MAX; i++) {
        used += (size_t)snprintf(big + used, BIG - used, "{a: ");
    }
    assert_int_equal(yaml_read(&list, "deep", big, used), ERR_CONFIG);
    assert_string_equal(status_reason(), "deep:1:129: nested more than 32 deep");
    used = 0;
    for (int i = 0; i <= YAML_ITEMS_MAX; i++) {
        used += (size_t)snprintf(big + used, BIG - used, "k%d: 1\n", i);
    }
    assert_int_equal(yaml_read(&list, "many", big, used), ERR_CONFIG);
    assert_string_equal(status_reason(), "many:1025:1: more than 1024 keys");
    memset(big, 'x', 600);
    memcpy(big + 600, ": 1\n", 5);
    assert_int_equal(yaml_read(&list, "long", big, 604), ERR_CONFIG);
    assert_string_equal(status_reason(), "long:1:1: the key is longer than 127 characters");
    big[(size_t)snprintf(big, BIG, "dataset: ")] = 'x';
    assert_int_equal(yaml_read(&list, "long", big, 9 + 512), ERR_CONFIG);
    assert_string_equal(status_reason(),
                        "long:1:10: the value of dataset has 512 bytes; at most 511 fit");
    CHECK_OK(yaml_read(&list, "long", big, 9 + 511));
    assert_int_equal(strlen(list.items[0].value), 511);
    yaml_list_release(&list);
}

/* Where the caller asks for them. */
static void lists_have_numbered_elements(void **state)
{
    (void)state;
    const char *text = "a: [1, 'x']\nb:\n  c: []\nd:\n- {e.f: 2}\n- [3]\n";
    static const struct {
        const char *key, *value;
        int parent;
        bool section, list;
    } want[] = {
        {"a", "", -1, false, true},     {"a[0]", "1", 0, false, false},
        {"a[1]", "x", 0, false, false}, {"b", "", -1, true, false},
        {"b.c", "", 3, false, true},    {"d", "", -1, false, true},
        {"d[0]", "", 5, true, false},   {"d[0].e.f", "2", 6, false, false},
        {"d[1]", "", 5, false, true},   {"d[1][0]", "3", 8, false, false},
    };
    YamlList list;

    CHECK_OK(yaml_read_lists(&list, "a.yaml", text, strlen(text)));
    assert_int_equal(list.count, sizeof want / sizeof want[0]);
    for (int i = 0; i < list.count; i++) {
        assert_string_equal(list.items[i].key, want[i].key);
        assert_string_equal(list.items[i].value, want[i].value);
        assert_int_equal(list.items[i].parent, want[i].parent);
        assert_true(list.items[i].section == want[i].section);
        assert_true(list.items[i].list == want[i].list);
    }
    assert_int_equal(list.items[2].at.line, 1);
    assert_int_equal(list.items[2].at.column, 8);
    yaml_list_release(&list);
    assert_int_equal(yaml_read_lists(&list, "a.yaml", "- a\n", 4), ERR_CONFIG);
    assert_string_equal(status_reason(),
                        "a.yaml:1:1: a list is not allowed here; every key takes one value");
    assert_int_equal(yaml_read_lists(&list, "a.yaml", "a: &b [1]\n", 10), ERR_CONFIG);
    assert_string_equal(
        status_reason(),
        "a.yaml:1:4: tags (!) and anchors (&) are not allowed; write the list itself");
}

/* Longer paths and deeper lists end like everything else. */
static void lists_have_limits(void **state)
{
    (void)state;
    char text[512];
    YamlList list;

    (void)snprintf(text, sizeof text, "a: %.33s", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[");
    assert_int_equal(yaml_read_lists(&list, "deep", text, strlen(text)), ERR_CONFIG);
    assert_string_equal(status_reason(), "deep:1:35: nested more than 32 deep");
    (void)snprintf(text, sizeof text, "%0125d: [[[1]]]", 7);
    assert_int_equal(yaml_read_lists(&list, "long", text, strlen(text)), ERR_CONFIG);
    assert_string_equal(status_reason(), "long:1:129: the key is longer than 127 characters");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nesting_becomes_paths),
        cmocka_unit_test(what_settings_do_not_need_is_refused),
        cmocka_unit_test(damaged_yaml_is_refused_with_its_place),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(lists_have_numbered_elements),
        cmocka_unit_test(lists_have_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
