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

#include "base/status.h"
#include "config/config_table.h"

enum { CONFIG_TEXT_MAX = 512, CONFIG_ORIGIN_MAX = 320 };

typedef struct {
#define CONFIG_TYPE_INT int
#define CONFIG_TYPE_REAL double
#define CONFIG_TYPE_BOOL bool
#define CONFIG_KEY(s, type, name, ...) CONFIG_TYPE_##type name;
#define CONFIG_TEXT(s, name, ...) char name[CONFIG_TEXT_MAX];
#define CONFIG_ENUM(s, name, ...) char name[CONFIG_TEXT_MAX];
#define CONFIG_FIELDS(section, LIST)                                                               \
    struct {                                                                                       \
        LIST(CONFIG_KEY, CONFIG_TEXT, CONFIG_ENUM, section)                                        \
    } section;
    CONFIG_SECTIONS(CONFIG_FIELDS)
#undef CONFIG_FIELDS
#undef CONFIG_ENUM
#undef CONFIG_TEXT
#undef CONFIG_KEY
} Config;

/* All defaults. */
void config_default(Config *config);

/* Where each key got its value; same order as the table; for used.yaml. Owned by the caller. */
typedef struct ConfigOrigins ConfigOrigins;

/* Defaults, then `path` (NULL: the built-in configuration; relative `base:` is looked up beside the
 * file), then `count` words "key=value". Every error is ERR_CONFIG (ERR_IO if the file cannot be
 * read) and names file, line, column, key, what is allowed and the nearest known key.
 * `origins` may be NULL; else *origins is to be freed with config_origins_free. */
NODISCARD Status config_load(Config *config, ConfigOrigins **origins, const char *path, int count,
                             char *const words[]);
void config_origins_free(ConfigOrigins *origins);

/* Checks across keys (elites <= members, shards a power of two, batch >= shards, ...). */
NODISCARD Status config_check(const Config *config);

/* Canonical YAML of every key, one per line with `# origin` behind it when origins is given; reading
 * it back gives the same Config. text has room for `size` bytes. ERR_ARG when it does not fit. */
NODISCARD Status config_write(const Config *config, const ConfigOrigins *origins, char *text,
                              size_t size);
/* Parse canonical (or any) YAML text over the defaults; `name` is used in messages. */
NODISCARD Status config_parse(Config *config, const char *name, const char *text, size_t size);

/* Keys whose values differ, as "key: a -> b" separated by "; "; returns how many. Keys for which
 * skip(key) is true are left out; skip may be NULL. */
int config_diff(const Config *a, const Config *b, bool (*skip)(const char *key), char *text,
                size_t size);

/* One row per key for people and for docs/config.md (markdown = true). */
void config_print_keys(FILE *out, bool markdown);
/* Text of the configuration that is built into the program (configs/demo.yaml). */
const char *config_builtin(void);

#endif
