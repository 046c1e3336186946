#include "config/config_key.h"

#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/panic.h"

/* NOLINTBEGIN(bugprone-macro-parentheses): names of fields */
/* Section `top` is the first in Config, so it is at 0: its keys are named without "top.". */
#define KEY_PATH(s, field) &(#s "." #field)[offsetof(Config, s) == 0 ? sizeof("top.") - 1 : 0]
#define KEY_ROW(s, type, field, def, lo, hi, unit_, help_) \
    {KEY_PATH(s, field),                                   \
     KEY_##type,                                           \
     offsetof(Config, s.field),                            \
     def,                                                  \
     lo,                                                   \
     hi,                                                   \
     NULL,                                                 \
     NULL,                                                 \
     unit_,                                                \
     help_},
#define TEXT_ROW(s, field, def, help_) \
    {KEY_PATH(s, field), KEY_TEXT, offsetof(Config, s.field), 0, 0, 0, def, NULL, "", help_},
#define ENUM_ROW(s, field, def, words_, help_) \
    {KEY_PATH(s, field), KEY_ENUM, offsetof(Config, s.field), 0, 0, 0, def, words_, "", help_},
#define SECTION_ROWS(section, LIST) LIST(KEY_ROW, TEXT_ROW, ENUM_ROW, section)

const ConfigKey config_keys[CONFIG_KEYS] = {CONFIG_SECTIONS(SECTION_ROWS)};
/* NOLINTEND(bugprone-macro-parentheses) */

int config_key_find(const char *name)
{
    for (int i = 0; i < CONFIG_KEYS; i++) {
        if (strcmp(config_keys[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

const ConfigKey *config_section_first(const char *name)
{
    const size_t n = strlen(name);
    for (int i = 0; i < CONFIG_KEYS; i++) {
        if (strncmp(config_keys[i].name, name, n) == 0 && config_keys[i].name[n] == '.') {
            return &config_keys[i];
        }
    }
    return NULL;
}

static double number_of(const Config *config, const ConfigKey *key)
{
    const char *field = (const char *)config + key->offset;
    int whole = 0;
    double real = 0;
    bool on = false;

    if (key->kind == KEY_INT) {
        memcpy(&whole, field, sizeof whole);
        return whole;
    }
    if (key->kind == KEY_BOOL) {
        memcpy(&on, field, sizeof on);
        return on ? 1 : 0;
    }
    memcpy(&real, field, sizeof real);
    return real;
}

static void number_to(Config *config, const ConfigKey *key, double value)
{
    char *field = (char *)config + key->offset;
    const bool on = value > 0;

    if (key->kind == KEY_INT) {
        const int whole = (int)value;
        memcpy(field, &whole, sizeof whole);
    } else if (key->kind == KEY_BOOL) {
        memcpy(field, &on, sizeof on);
    } else {
        memcpy(field, &value, sizeof value);
    }
}

void config_key_reset(Config *config, const ConfigKey *key)
{
    if (key->text != NULL) {
        (void)snprintf((char *)config + key->offset, CONFIG_TEXT_MAX, "%s", key->text);
    } else {
        number_to(config, key, key->number);
    }
}

/* strtod and printf with a decimal point, whatever the program's locale is. */
static double scan_c(const char *word)
{
    const locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    const locale_t old = uselocale(c);
    const double value = strtod(word, NULL);
    (void)uselocale(old);
    freelocale(c);
    return value;
}

static void print_c(char *text, size_t size, int digits, double value)
{
    const locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    const locale_t old = uselocale(c);
    (void)snprintf(text, size, "%.*g", digits, value);
    (void)uselocale(old);
    freelocale(c);
}

static size_t digits(const char **p)
{
    const size_t n = strspn(*p, "0123456789");
    *p += n;
    return n;
}

/* [+-] digits [. digits] [e [+-] digits], and nothing else: no hexadecimal, inf, nan, blanks. */
static bool number_read(const char *word, double *value)
{
    const char *p = word + strspn(word, "+-");
    if (p - word > 1) {
        return false;
    }
    size_t mantissa = digits(&p);
    if (*p == '.') {
        p++;
        mantissa += digits(&p);
    }
    bool ok = mantissa > 0;
    if (ok && (*p == 'e' || *p == 'E')) {
        p++;
        p += *p == '+' || *p == '-';
        ok = digits(&p) > 0;
    }
    *value = ok && *p == '\0' ? scan_c(word) : 0;
    return ok && *p == '\0';
}

static bool switch_read(const char *word, double *value)
{
    static const char *const on[] = {"true", "yes", "on"};
    static const char *const off[] = {"false", "no", "off"};
    for (int i = 0; i < 3; i++) {
        if (strcasecmp(word, on[i]) == 0 || strcasecmp(word, off[i]) == 0) {
            *value = strcasecmp(word, on[i]) == 0;
            return true;
        }
    }
    return false;
}

static bool number_allowed(const ConfigKey *key, const char *word, double *value)
{
    if (key->kind == KEY_BOOL) {
        return switch_read(word, value);
    }
    return number_read(word, value) && *value >= key->min && *value <= key->max &&
           (key->kind == KEY_REAL || floor(*value) == *value);
}

/* The next of "a|b|c" into word; NULL behind the last. */
static const char *next_word(const char *words, char word[TEXT_WORD_MAX])
{
    if (words == NULL || *words == '\0') {
        return NULL;
    }
    const size_t n = strcspn(words, "|");
    (void)snprintf(word, TEXT_WORD_MAX, "%.*s", (int)n, words);
    return words + n + (words[n] == '|');
}

enum { WORDS_MAX = 512 };
static char registered[CONFIG_KEYS][WORDS_MAX];

void config_allow(const char *key, const char *const names[], int count)
{
    const int k = config_key_find(key);
    REQUIRE(k >= 0 && config_keys[k].kind == KEY_ENUM && config_keys[k].words[0] == '\0');
    Text words = text_over(registered[k], WORDS_MAX);
    for (int i = 0; i < count; i++) {
        text_add(&words, "%s%s", i > 0 ? "|" : "", names[i]);
    }
    REQUIRE(!words.cut);
}

const char *config_key_words(const ConfigKey *key)
{
    return key->words[0] != '\0' ? key->words : registered[key - config_keys];
}

static bool enum_allowed(const ConfigKey *key, const char *wanted)
{
    char word[TEXT_WORD_MAX];
    for (const char *p = next_word(config_key_words(key), word); p != NULL;
         p = next_word(p, word)) {
        if (strcmp(word, wanted) == 0) {
            return true;
        }
    }
    return false;
}

static Status not_allowed(const ConfigKey *key, const char *found, const char *where,
                          const char *hint)
{
    char allowed[512];
    Text text = text_over(allowed, sizeof allowed);

    config_key_allowed(key, &text);
    return status_fail(ERR_CONFIG, "%s: %s: found %s%.100s, allowed is %s%s", where, key->name,
                       found[0] == '\0' ? "nothing" : "", found, allowed, hint);
}

/* The same with the nearest allowed word, if one is near. */
static Status word_not_allowed(const ConfigKey *key, const char *found, const char *where)
{
    enum { ROWS_MAX = 64 };
    static char words[ROWS_MAX][TEXT_WORD_MAX];
    const char *known[ROWS_MAX];
    char hint[TEXT_WORD_MAX + 32] = "";
    int n = 0;

    for (const char *p = next_word(config_key_words(key), words[0]); p != NULL && n < ROWS_MAX;
         p = n < ROWS_MAX ? next_word(p, words[n]) : NULL) {
        known[n] = words[n];
        n++;
    }
    const char *near = text_nearest(found, known, n);
    if (near != NULL) {
        (void)snprintf(hint, sizeof hint, "; did you mean %s?", near);
    }
    return not_allowed(key, found, where, hint);
}

Status config_key_set(Config *config, const ConfigKey *key, const char *word, bool quoted,
                      const char *where)
{
    double value = 0;
    const bool null = strcmp(word, "~") == 0 || strcasecmp(word, "null") == 0;

    if (!quoted && null) {
        return not_allowed(key, word, where, "; leave the key out for its default");
    }
    if (key->kind == KEY_TEXT || key->kind == KEY_ENUM) {
        if (key->kind == KEY_ENUM && !enum_allowed(key, word)) {
            return word_not_allowed(key, word, where);
        }
        if (strlen(word) >= CONFIG_TEXT_MAX) {
            return not_allowed(key, word, where, "; this is longer");
        }
        (void)snprintf((char *)config + key->offset, CONFIG_TEXT_MAX, "%s", word);
        return OK;
    }
    if (quoted) {
        return not_allowed(key, "text in quotes", where, "; remove the quotes");
    }
    if (!number_allowed(key, word, &value)) {
        return not_allowed(key, word, where, "");
    }
    number_to(config, key, value);
    return OK;
}

void config_key_value(const Config *config, const ConfigKey *key, Text *out)
{
    const double value = key->text == NULL ? number_of(config, key) : 0;
    char number[40];

    if (key->text != NULL) {
        text_add(out, "%s", (const char *)config + key->offset);
    } else if (key->kind == KEY_BOOL) {
        text_add(out, "%s", value > 0 ? "true" : "false");
    } else if (key->kind == KEY_INT) {
        text_add(out, "%d", (int)value);
    } else {
        print_c(number, sizeof number, 9, value); /* short where that is exact: 0.1 */
        if (scan_c(number) != value) {
            print_c(number, sizeof number, 17, value);
        }
        text_add(out, "%s", number);
    }
}

/* "a, b or c" */
static void add_choice(Text *out, const char *words)
{
    char word[TEXT_WORD_MAX];
    const char *gap = "";
    for (const char *p = next_word(words, word); p != NULL; p = next_word(p, word)) {
        text_add(out, "%s%s", gap, word);
        gap = strchr(p, '|') != NULL ? ", " : " or ";
    }
}

void config_key_allowed(const ConfigKey *key, Text *out)
{
    const char *const unit = key->unit[0] != '\0' ? key->unit : NULL;

    if (key->kind == KEY_TEXT) {
        text_add(out, "text of at most %d bytes", CONFIG_TEXT_MAX - 1);
    } else if (key->kind == KEY_BOOL) {
        text_add(out, "true or false (also yes, no, on, off)");
    } else if (key->kind == KEY_ENUM) {
        add_choice(out, config_key_words(key));
    } else {
        char lo[40];
        char hi[40];
        print_c(lo, sizeof lo, 10, key->min);
        print_c(hi, sizeof hi, 10, key->max);
        text_add(out, "a %s from %s to %s%s%s%s", key->kind == KEY_INT ? "whole number" : "number",
                 lo, hi, unit != NULL ? " (" : "", unit != NULL ? unit : "",
                 unit != NULL ? ")" : "");
    }
}
