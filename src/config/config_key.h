/* The keys of config_table.h as an array, and the one way from text to a field and back.
 * Internal to config/: others use config.h.
 */
#ifndef CONFIG_CONFIG_KEY_H
#define CONFIG_CONFIG_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "config/config.h"

typedef enum { KEY_INT, KEY_REAL, KEY_BOOL, KEY_TEXT, KEY_ENUM } ConfigKind;

typedef struct {
    const char *name; /* "rollout.horizon"; "seed" where there is no section */
    ConfigKind kind;
    size_t offset;           /* of the field in Config */
    double number, min, max; /* default and range of INT, REAL; default of BOOL */
    const char *text;        /* default of TEXT, ENUM */
    const char *words;       /* "a|b" of ENUM; empty: rows of a table, see config_allow */
    const char *unit, *help; /* unit is "" where there is none */
} ConfigKey;

/* NOLINTBEGIN(bugprone-macro-parentheses): terms of a sum */
enum {
#define CONFIG_COUNT_ONE(...) +1
#define CONFIG_COUNT_LIST(section, LIST) \
    LIST(CONFIG_COUNT_ONE, CONFIG_COUNT_ONE, CONFIG_COUNT_ONE, section)
    CONFIG_KEYS = 0 CONFIG_SECTIONS(CONFIG_COUNT_LIST)
#undef CONFIG_COUNT_LIST
#undef CONFIG_COUNT_ONE
};
/* NOLINTEND(bugprone-macro-parentheses) */
extern const ConfigKey config_keys[CONFIG_KEYS]; /* in the order of the table */

struct ConfigOrigins {
    char text[CONFIG_KEYS][CONFIG_ORIGIN_MAX];
};

/* Number of the key, -1 when there is none. */
int config_key_find(const char *name);
/* The first key of a section, NULL when there is no such section. */
const ConfigKey *config_section_first(const char *name);
/* Set the field from one word. ERR_CONFIG, "where: key: found this, allowed is that". `quoted`: the
 * word stood in quotes, so it is no number and no switch. */
NODISCARD Status config_key_set(Config *config, const ConfigKey *key, const char *word, bool quoted,
                                const char *where);
void config_key_reset(Config *config, const ConfigKey *key);
/* ERR_CONFIG: unknown key, with the keys that may have been meant. */
Status config_key_unknown(const char *name, const char *where);
Status config_section_unknown(const char *name, const char *where);

/* Words of an ENUM key, "a|b": of the table here, or as registered; "" when not registered. */
const char *config_key_words(const ConfigKey *key);

/* The value as text that reads back as the same value; at most CONFIG_TEXT_MAX with '\0'. */
void config_key_value(const Config *config, const ConfigKey *key, Text *out);
/* What may be written: "a whole number from 1 to 1000 (steps)". */
void config_key_allowed(const ConfigKey *key, Text *out);

#endif
