/* What is made from a Config or from the table: canonical YAML, differences, the list of keys. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "config/config.h"
#include "config/config_key.h"

enum { VALUE_WIDTH = 36 }; /* column of the origins */

/* Whether YAML readers take the bare word for this text, and for nothing but text. */
static bool is_plain(const char *text)
{
    static const char *const other[] = {"null", "true", "false", "yes", "no",
                                        "on",   "off",  "y",     "n"};
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
        if (strcasecmp(text, other[i]) == 0) {
            return false;
        }
    }
    const size_t safe =
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                     "_./-");
    const bool starts = (text[0] | 32) >= 'a' && (text[0] | 32) <= 'z';
    return (starts || text[0] == '/') && text[safe] == '\0';
}

static void add_yaml_value(Text *out, const Config *config, const ConfigKey *key)
{
    char buffer[CONFIG_TEXT_MAX];
    Text value = text_over(buffer, sizeof buffer);

    config_key_value(config, key, &value);
    if (key->text == NULL || is_plain(buffer)) {
        text_add(out, "%s", buffer);
        return;
    }
    text_add(out, "\"");
    for (const char *p = buffer; *p != '\0'; p++) {
        text_add(out, "%s%c", *p == '"' || *p == '\\' ? "\\" : "", *p);
    }
    text_add(out, "\"");
}

/* File names may hold anything; a comment must stay one line of valid YAML. */
static void add_origin(Text *out, size_t line_start, const char *origin)
{
    const size_t width = out->used - line_start;
    text_add(out, "%*s # ", width < VALUE_WIDTH ? (int)(VALUE_WIDTH - width) : 0, "");
    for (const char *p = origin; *p != '\0'; p++) {
        text_add(out, "%c", *p >= ' ' && *p <= '~' ? *p : '?');
    }
}

Status config_write(const Config *config, const ConfigOrigins *origins, char *text, size_t size)
{
    Text out = text_over(text, size);
    const char *section = "";
    size_t section_size = 0;

    for (int i = 0; i < CONFIG_KEYS; i++) {
        const ConfigKey *key = &config_keys[i];
        const char *dot = strchr(key->name, '.');
        const size_t n = dot != NULL ? (size_t)(dot - key->name) : 0;
        if (n != section_size || strncmp(key->name, section, n) != 0) {
            text_add(&out, "%.*s:\n", (int)n, key->name);
            section = key->name;
            section_size = n;
        }
        const size_t line_start = out.used;
        text_add(&out, "%s%s: ", dot != NULL ? "  " : "", dot != NULL ? dot + 1 : key->name);
        add_yaml_value(&out, config, key);
        if (origins != NULL) {
            add_origin(&out, line_start, origins->text[i]);
        }
        text_add(&out, "\n");
    }
    if (out.cut) {
        return status_fail(ERR_ARG, "the configuration does not fit into %zu bytes; %d always do",
                           size, CONFIG_YAML_MAX);
    }
    return OK;
}

Status config_digest(const Config *config, char digest[SLAB_DIGEST_MAX])
{
    Status st = OK;
    char *text = NULL;

    TRY(mem_alloc(&text, CONFIG_YAML_MAX, 1, "a configuration as text"));
    TRY(config_write(config, NULL, text, CONFIG_YAML_MAX));
    bytes_digest(text, strlen(text), digest);
done:
    mem_free(&text);
    return st;
}

int config_diff(const Config *a, const Config *b, bool (*skip)(const char *key), char *text,
                size_t size)
{
    Text out = text_over(text, size);
    int count = 0;

    for (int i = 0; i < CONFIG_KEYS; i++) {
        const ConfigKey *key = &config_keys[i];
        char data[2][2 * CONFIG_TEXT_MAX + 2]; /* every character may need a backslash */
        Text value[2] = {text_over(data[0], sizeof data[0]), text_over(data[1], sizeof data[1])};
        add_yaml_value(&value[0], a, key);
        add_yaml_value(&value[1], b, key);
        if (strcmp(data[0], data[1]) != 0 && (skip == NULL || !skip(key->name))) {
            text_add(&out, "%s%s: %s -> %s", count > 0 ? "; " : "", key->name, data[0], data[1]);
            count++;
        }
    }
    return count;
}

int config_changed(const Config *config, const char *section, char *words[], int max, Text *text)
{
    Config plain;
    int count = 0;
    const size_t n = strlen(section);

    config_default(&plain);
    for (int i = 0; i < CONFIG_KEYS && count < max; i++) {
        const ConfigKey *key = &config_keys[i];
        char data[2][CONFIG_TEXT_MAX];
        Text value[2] = {text_over(data[0], sizeof data[0]), text_over(data[1], sizeof data[1])};
        config_key_value(config, key, &value[0]);
        config_key_value(&plain, key, &value[1]);
        if (strncmp(key->name, section, n) == 0 && key->name[n] == '.' &&
            strcmp(data[0], data[1]) != 0) {
            words[count++] = text->data + text->used;
            text_add(text, "%s=%s", key->name, data[0]);
            text->used += !text->cut; /* '\0' stays */
        }
    }
    return count;
}

static const char markdown_intro[] =
    "# Configuration keys\n"
    "\n"
    "Made by the program; write it anew with `mopo config keys --markdown > docs/config.md`.\n"
    "\n"
    "A configuration is a YAML file, then words `key=value` on the command line:\n"
    "\n"
    "    mopo train configs/paper/halfcheetah-random.yaml seed=3 rollout.horizon=5\n"
    "\n";

const char *const config_rules[] = {
    "What comes later wins: default (table below), `base`, file, command line.",
    "The settings of the preset that `algo` names come right before the other settings of the "
    "place\n"
    "  that names it. `mopo config tables` lists the presets and what they set.",
    "`mopo config show FILE [key=value ...]` prints every value and where it came from.",
    "`rollout.horizon` stands in a file as `horizon` below `rollout:`, or as it is.",
    "`base: other.yaml`, as the first key, reads that file before this one. The path starts at "
    "the\n"
    "  folder of the file it is written in. A base has no base of its own.",
    "Every key takes one value; lists, anchors, aliases, tags and unknown keys are errors.",
    "Numbers are decimal: `1000000` and `1e6` are the same; `inf`, `nan` and `0x10` are refused.",
    "Sources: T4 and C.2 are Table 4 and appendix C.2 of Yu et al. 2020 (MOPO); \"code\" is its\n"
    "  released code.",
    NULL,
};

bool config_about(int i, ConfigAbout *out)
{
    Config config;

    if (i < 0 || i >= CONFIG_KEYS) {
        return false;
    }
    const ConfigKey *key = &config_keys[i];
    *out = (ConfigAbout){.name = key->name, .help = key->help, .is_text = key->kind == KEY_TEXT};
    out->words = key->kind == KEY_BOOL ? "true|false" : config_words(key->name);
    memset(&config, 0, sizeof config);
    config_key_reset(&config, key);
    Text value = text_over(out->value, sizeof out->value);
    Text allowed = text_over(out->allowed, sizeof out->allowed);
    config_key_value(&config, key, &value);
    config_key_allowed(key, &allowed);
    return true;
}

/* `|` ends a cell in Markdown, `<` starts HTML. */
static void print_cell(FILE *out, const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        (void)fprintf(out, "%s%c", *p == '|' || *p == '<' ? "\\" : "", *p);
    }
    (void)fprintf(out, " |");
}

/* A key with a table names it: one list of its rows, the program's, is enough. */
static void print_markdown_row(FILE *out, const ConfigAbout *about, bool table)
{
    const char *quote = about->value[0] != '\0' ? "`" : "";
    (void)fprintf(out, "| `%s` | %s%s%s | ", about->name, quote, about->value, quote);
    print_cell(out, table ? "a row of its table" : about->allowed);
    (void)fprintf(out, " ");
    print_cell(out, about->help);
    (void)fprintf(out, "\n");
}

static void print_heading(FILE *out, const char *name, int size, bool markdown)
{
    if (markdown) {
        (void)fprintf(out,
                      "\n## %.*s\n\n| key | default | allowed | meaning |\n| --- | --- | --- | "
                      "--- |\n",
                      size, name);
    } else {
        (void)fprintf(out, "\n%.*s\n", size, name);
    }
}

static void print_intro(FILE *out, bool markdown)
{
    (void)fprintf(out, "%s",
                  markdown ? markdown_intro : "Keys, their defaults, what is allowed:\n");
    for (int i = 0; markdown && config_rules[i] != NULL; i++) {
        (void)fprintf(out, "- %s\n", config_rules[i]);
    }
}

void config_print_keys(FILE *out, bool markdown)
{
    const char *section = "Keys without a section";
    ConfigAbout about;

    print_intro(out, markdown);
    print_heading(out, section, (int)strlen(section), markdown);
    for (int i = 0; config_about(i, &about); i++) {
        const char *dot = strchr(about.name, '.');
        if (dot != NULL && strncmp(about.name, section, (size_t)(dot + 1 - about.name)) != 0) {
            section = about.name;
            print_heading(out, section, (int)(dot - about.name), markdown);
        }
        if (markdown) {
            print_markdown_row(out, &about,
                               config_keys[i].kind == KEY_ENUM && config_keys[i].words[0] == '\0');
        } else {
            (void)fprintf(out, "  %-24s %-12s %s\n  %-24s %-12s %s\n", about.name,
                          about.value[0] != '\0' ? about.value : "\"\"", about.allowed, "", "",
                          about.help);
        }
    }
}
