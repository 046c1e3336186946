/* The configuration: one struct by value, made from config_table.h.
 * Order of precedence: table default, built-in or given YAML file (with at most one `base:`), then
 * key=value words. Local: rank 0 loads, others get the canonical text.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/slab.h"
#include "base/status.h"
#include "base/text.h"
#include "config/config_table.h"

enum { CONFIG_TEXT_MAX = 512, CONFIG_ORIGIN_MAX = 320 };

/* NOLINTBEGIN(bugprone-macro-parentheses): declarations, not expressions */
typedef struct {
#define CONFIG_TYPE_INT                int
#define CONFIG_TYPE_REAL               double
#define CONFIG_TYPE_BOOL               bool
#define CONFIG_KEY(s, type, name, ...) CONFIG_TYPE_##type name;
#define CONFIG_TEXT(s, name, ...)      char name[CONFIG_TEXT_MAX];
#define CONFIG_ENUM(s, name, ...)      char name[CONFIG_TEXT_MAX];
#define CONFIG_FIELDS(section, LIST)                        \
    struct {                                                \
        LIST(CONFIG_KEY, CONFIG_TEXT, CONFIG_ENUM, section) \
    } section;
    CONFIG_SECTIONS(CONFIG_FIELDS)
#undef CONFIG_FIELDS
#undef CONFIG_ENUM
#undef CONFIG_TEXT
#undef CONFIG_KEY
} Config;
/* NOLINTEND(bugprone-macro-parentheses) */

/* All defaults. */
void config_default(Config *config);

/* Where each key got its value; same order as the table; for used.yaml. Owned by the caller. */
typedef struct ConfigOrigins ConfigOrigins;

/* Rows of a table that lives in another folder, as the allowed words of an ENUM key with none of its
 * own. Before anything is loaded; again: replaced. */
void config_allow(const char *key, const char *const names[], int count);

/* Defaults, then `path` (NULL: the built-in configuration), then `count` words "key=value", of which
 * the last counts when a key is given twice; the preset of `algo` (config/preset.h) before the place
 * that names it. A file may begin with `base: other.yaml`, looked up
 * beside the file and read before it; a base has no base of its own. Every error is ERR_CONFIG
 * (ERR_IO if a file cannot be read) and names file, line, column, key, what is allowed and the nearest
 * known key; *config then holds the defaults. The keys are not checked against each other: config_check.
 * `origins` may be NULL; else *origins is to be freed with config_origins_free. */
NODISCARD Status config_load(Config *config, ConfigOrigins **origins, const char *path, int count,
                             char *const words[]);
/* Whether a word is a setting, "key=value", and no path: one with '=' in it begins with '/' or '.'. */
bool config_is_setting(const char *word);
/* Put `count` words "key=value" over a configuration; `algo` is then only a name. Errors as
 * config_load. */
NODISCARD Status config_words_over(Config *config, int count, char *const words[]);
/* For files that hold settings of several configurations: that there is such a key, and that it takes this value
 * (`quoted`: it stood in quotes). ERR_CONFIG, "where: ...", as config_load says it of a file. */
NODISCARD Status config_try_key(const char *key, const char *where);
NODISCARD Status config_try_value(const char *key, const char *value, bool quoted,
                                  const char *where);
/* A key whose value is a word or any text, not a number or a switch. */
bool config_is_text(const char *key);
/* Sets the caller's pointer to NULL; NULL is fine. */
void config_origins_free(ConfigOrigins **origins);

/* Checks across keys: ERR_CONFIG with the two keys, their values and what to change. */
NODISCARD Status config_check(const Config *config);

/* Room that any configuration with its origins fits into. */
enum { CONFIG_YAML_MAX = 1 << 16 };
/* Canonical YAML of every key, one per line with `# origin` behind it when origins is given; reading
 * it back gives the same Config. text has room for `size` bytes. ERR_ARG when it does not fit. */
NODISCARD Status config_write(const Config *config, const ConfigOrigins *origins, char *text,
                              size_t size);
/* Digest of the canonical text: the same for the same values, on any machine. Error: ERR_NOMEM. */
NODISCARD Status config_digest(const Config *config, char digest[SLAB_DIGEST_MAX]);
/* Parse canonical (or any) YAML text over the defaults; `name` is used in messages. Errors and *config
 * as in config_load; `base` is refused. */
NODISCARD Status config_parse(Config *config, const char *name, const char *text, size_t size);

/* Keys whose values differ, as "key: a -> b" separated by "; "; returns how many. Keys for which
 * skip(key) is true are left out; skip may be NULL. What does not fit into `size` bytes is cut. */
int config_diff(const Config *a, const Config *b, bool (*skip)(const char *key), char *text,
                size_t size);

/* "key=value" of the keys of a section that are not at their defaults, one after the other into `text`, each with '\0'
 * behind it; words (max) point there. Returns how many. */
int config_changed(const Config *config, const char *section, char *words[], int max, Text *text);

/* What there is to say of one key. */
typedef struct {
    const char *name, *help;
    const char *words; /* "a|b" where only these words may be written; NULL for numbers and text */
    bool is_text;      /* any text: a file, a name */
    char value[CONFIG_TEXT_MAX]; /* its default */
    char allowed[512];           /* "a whole number from 1 to 1000 (steps)" */
} ConfigAbout;
/* Key i in the order of the table; false behind the last. */
bool config_about(int i, ConfigAbout *out);
/* How a value is chosen and written: sentences in Markdown, NULL behind the last. */
extern const char *const config_rules[];

/* One row per key for people, or all of docs/config.md (markdown = true). */
void config_print_keys(FILE *out, bool markdown);
/* What may be written for a key, "none|max_std" as in the table; NULL where it is no list of words. */
const char *config_words(const char *key);
/* Text of the configuration that is built into the program (configs/demo.yaml). */
const char *config_builtin(void);

#endif
