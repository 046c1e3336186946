/* A YAML file of settings as a flat list; the only user of libyaml.
 *
 *   rollout:            { "rollout",         section }
 *     horizon: 5        { "rollout.horizon", "5", line 2, column 12, plain }
 *
 * What settings do not need is refused with its place, so that nothing is read in an unexpected way:
 * anchors, aliases, tags, several documents, control characters, one key written twice; and lists, but where the
 * caller asks for them:
 *
 *   seed: [3, 4]        { "seed", list }, { "seed[0]", "3" }, { "seed[1]", "4" }
 */
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

enum {
    YAML_BYTES_MAX = 1 << 20, /* of a file */
    YAML_DEPTH_MAX = 32,      /* of nesting */
    YAML_ITEMS_MAX = 1024,    /* keys and sections in a file */
    YAML_NAME_MAX = 256,      /* of a file's name, with '\0'; longer ones are cut in messages */
    YAML_KEY_MAX = 128,       /* of a key path, with '\0' */
    YAML_VALUE_MAX = 512      /* of a value, with '\0' */
};

typedef struct {
    int line, column; /* from 1 */
} YamlPlace;

typedef struct {
    char key[YAML_KEY_MAX]; /* path with dots */
    char value[YAML_VALUE_MAX];
    YamlPlace at;    /* of the key */
    YamlPlace place; /* of the value */
    int parent;      /* number of the section or list that holds it, -1: none */
    bool section;    /* holds keys: no value */
    bool list;       /* holds elements: no value */
    bool quoted;     /* in quotes, so always text */
} YamlItem;

typedef struct {
    char name[YAML_NAME_MAX]; /* as in messages */
    int count;
    YamlItem *items; /* (count) in file order, owned */
} YamlList;

/* Errors: ERR_CONFIG, with "name:line:column: what, and what to do"; ERR_NOMEM. After an error *list
 * is zero. Empty text gives an empty list. `text` is UTF-8 of `size` bytes. */
NODISCARD Status yaml_read(YamlList *list, const char *name, const char *text, size_t size);
/* The same from a file, named by its path; also ERR_IO. */
NODISCARD Status yaml_read_file(YamlList *list, const char *path);
/* The two with lists allowed. */
NODISCARD Status yaml_read_lists(YamlList *list, const char *name, const char *text, size_t size);
NODISCARD Status yaml_read_file_lists(YamlList *list, const char *path);
void yaml_list_release(YamlList *list);

#endif
