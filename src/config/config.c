#include "config/config.h"

#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "config/config_key.h"
#include "config/preset.h"
#include "config/yaml.h"

#define BUILTIN_NAME "built-in configuration (configs/demo.yaml)"

enum { WHERE_MAX = YAML_NAME_MAX + 32 };

extern const char asset_builtin_config[]; /* made by cmake/embed.cmake */

const char *config_builtin(void)
{
    return asset_builtin_config;
}

const char *config_words(const char *key)
{
    const int k = config_key_find(key);
    return k >= 0 && config_keys[k].kind == KEY_ENUM ? config_key_words(&config_keys[k]) : NULL;
}

void config_default(Config *config)
{
    memset(config, 0, sizeof *config); /* padding too: a Config may be compared as bytes */
    for (int i = 0; i < CONFIG_KEYS; i++) {
        config_key_reset(config, &config_keys[i]);
    }
}

static void origin_set(ConfigOrigins *origins, int key, const char *name, int line)
{
    if (origins != NULL && line > 0) {
        (void)snprintf(origins->text[key], CONFIG_ORIGIN_MAX, "%s:%d", name, line);
    } else if (origins != NULL) {
        (void)snprintf(origins->text[key], CONFIG_ORIGIN_MAX, "%s", name);
    }
}

static void where_set(char where[WHERE_MAX], const YamlList *list, YamlPlace at)
{
    (void)snprintf(where, WHERE_MAX, "%s:%d:%d", list->name, at.line, at.column);
}

static Status no_such_key(const char *name, const char *where)
{
    const ConfigKey *first = config_section_first(name);
    if (strcmp(name, "base") == 0) {
        return status_fail(ERR_CONFIG, "%s: base can only stand in a file, as its first key",
                           where);
    }
    if (first == NULL) {
        return config_key_unknown(name, where);
    }
    return status_fail(ERR_CONFIG, "%s: %s is a section; set one of its keys, for example %s",
                       where, name, first->name);
}

static Status apply_section(const YamlItem *item, const char *where)
{
    if (config_key_find(item->key) >= 0) {
        return status_fail(ERR_CONFIG, "%s: %s takes one value, found a section", where, item->key);
    }
    return config_section_first(item->key) != NULL ? OK : config_section_unknown(item->key, where);
}

static Status apply_item(Config *config, ConfigOrigins *origins, const YamlList *list,
                         const YamlItem *item)
{
    char where[WHERE_MAX];
    const int key = config_key_find(item->key);

    where_set(where, list, item->at);
    if (item->section) {
        return apply_section(item, where);
    }
    if (key < 0) {
        /* a section whose keys are all commented out */
        const bool empty = item->value[0] == '\0' && !item->quoted;
        return empty && config_section_first(item->key) != NULL ? OK
                                                                : no_such_key(item->key, where);
    }
    where_set(where, list, item->place);
    origin_set(origins, key, list->name, item->at.line);
    return config_key_set(config, &config_keys[key], item->value, item->quoted, where);
}

static bool is_base(const YamlItem *item)
{
    return strcmp(item->key, "base") == 0;
}

/* Everything in the list but `base`, which read_base has dealt with. */
static Status apply_list(Config *config, ConfigOrigins *origins, const YamlList *list)
{
    Status st = OK;
    for (int i = 0; i < list->count; i++) {
        if (!is_base(&list->items[i])) {
            TRY(apply_item(config, origins, list, &list->items[i]));
        }
    }
done:
    return st;
}

bool config_is_setting(const char *word)
{
    return strchr(word, '=') != NULL && word[0] != '/' && word[0] != '.';
}

static Status apply_word(Config *config, ConfigOrigins *origins, const char *word,
                         const char *origin)
{
    char where[WHERE_MAX];
    char name[YAML_KEY_MAX];
    const char *flaw = text_flaw(word, strlen(word));
    const char *equals = strchr(word, '=');

    if (flaw != NULL) {
        return status_fail(ERR_CONFIG, "command line: a key=value word contains %s", flaw);
    }
    (void)snprintf(where, sizeof where, "command line: %.200s", word);
    if (equals == NULL) {
        return status_fail(ERR_CONFIG, "%s: expected key=value; a configuration file comes first",
                           where);
    }
    if (equals == word) {
        return status_fail(ERR_CONFIG, "%s: there is no key in front of '='", where);
    }
    (void)snprintf(name, sizeof name, "%.*s", (int)(equals - word), word);
    const int key = config_key_find(name);
    if (key < 0) {
        return no_such_key(name, where);
    }
    origin_set(origins, key, origin, 0);
    return config_key_set(config, &config_keys[key], equals + 1, false, where);
}

/* The item `base` of a list; NULL when it has none. ERR_CONFIG when it is not the first one. */
static Status find_base(const YamlList *list, const YamlItem **base)
{
    char where[WHERE_MAX];

    *base = NULL;
    for (int i = 0; i < list->count && *base == NULL; i++) {
        *base = is_base(&list->items[i]) ? &list->items[i] : NULL;
    }
    if (*base == NULL) {
        return OK;
    }
    where_set(where, list, (*base)->at);
    if (*base != list->items) {
        return status_fail(ERR_CONFIG, "%s: base must be the first key of the file", where);
    }
    if ((*base)->section || (*base)->value[0] == '\0') {
        return status_fail(ERR_CONFIG, "%s: base takes the path of one YAML file", where);
    }
    return OK;
}

static Status refuse_base(const YamlList *list, const char *why)
{
    const YamlItem *item = NULL;
    Status st = OK;

    TRY(find_base(list, &item));
    if (item != NULL) {
        st = status_fail(ERR_CONFIG, "%s:%d:%d: base is not possible here: %s", list->name,
                         item->at.line, item->at.column, why);
    }
done:
    return st;
}

/* Read the file that `list`, itself read from `path`, is based on; an empty list when on none. */
static Status read_base(YamlList *base, const YamlList *list, const char *path)
{
    const YamlItem *item = NULL;
    char where[WHERE_MAX];
    char name[YAML_NAME_MAX + YAML_VALUE_MAX];
    Status st = OK;

    TRY(find_base(list, &item));
    if (item == NULL) {
        return OK;
    }
    const char *slash = strrchr(path, '/');
    const int folder = slash != NULL && item->value[0] != '/' ? (int)(slash + 1 - path) : 0;
    const int wanted = snprintf(name, sizeof name, "%.*s%s", folder, path, item->value);
    where_set(where, list, item->place);
    if (wanted < 0 || (size_t)wanted >= sizeof name) {
        return status_fail(ERR_CONFIG, "%s: the path of the base is too long", where);
    }
    TRY(status_while(yaml_read_file(base, name), "%s: base", where));
    TRY(refuse_base(base, "a base has no base of its own; name that file's base directly"));
done:
    return st;
}

static Status load_builtin(YamlList *list)
{
    Status st = OK;
    TRY(yaml_read(list, BUILTIN_NAME, config_builtin(), strlen(config_builtin())));
    TRY(refuse_base(list, "it is looked up beside a file"));
done:
    return st;
}

static Status load_file(YamlList *list, YamlList *base, const char *path)
{
    Status st = OK;
    if (!file_exists(path)) {
        return status_fail(
            ERR_CONFIG, "%s: no such configuration file; see configs/ for ready-made ones", path);
    }
    TRY(yaml_read_file(list, path));
    TRY(read_base(base, list, path));
done:
    return st;
}

static Status load_lists(YamlList *list, YamlList *base, const char *path)
{
    return path == NULL ? load_builtin(list) : load_file(list, base, path);
}

static Status apply_words(Config *config, ConfigOrigins *origins, int count, char *const words[])
{
    Status st = OK;
    for (int i = 0; i < count && st == OK; i++) {
        st = apply_word(config, origins, words[i], "command line");
    }
    return st;
}

/* The last `algo` of a list; NULL when it names none. */
static const char *algo_of_list(const YamlList *list)
{
    const char *name = NULL;
    for (int i = 0; i < list->count; i++) {
        name = strcmp(list->items[i].key, "algo") == 0 ? list->items[i].value : name;
    }
    return name;
}

static const char *algo_of_words(int count, char *const words[])
{
    const char *name = NULL;
    for (int i = 0; i < count; i++) {
        name = strncmp(words[i], "algo=", 5) == 0 ? words[i] + 5 : name;
    }
    return name;
}

/* The settings of a preset; of an unknown one none: its name is refused where it stands. */
static Status apply_preset(Config *config, ConfigOrigins *origins, const char *name)
{
    const Preset *preset = preset_find(name);
    char origin[TEXT_WORD_MAX];
    Status st = OK;

    for (int i = 0; preset != NULL && preset->words[i] != NULL && st == OK; i++) {
        (void)snprintf(origin, sizeof origin, "preset %s", preset->name);
        st = apply_word(config, origins, preset->words[i], origin);
    }
    return st;
}

/* Everything that was read, in order. The settings of the preset that counts, the last one, come right
 * before those of the place that names it. */
static Status apply_all(Config *config, ConfigOrigins *origins, const YamlList *lists[2], int count,
                        char *const words[])
{
    const char *const algo[] = {config->top.algo, algo_of_list(lists[0]), algo_of_list(lists[1]),
                                algo_of_words(count, words)};
    int last = 0;
    Status st = OK;

    for (int i = 0; i < 4; i++) {
        last = algo[i] != NULL ? i : last;
    }
    for (int i = 0; i < 4; i++) {
        if (i == last) {
            char name[CONFIG_TEXT_MAX]; /* the default is overwritten by the first list */
            (void)snprintf(name, sizeof name, "%s", algo[i]);
            TRY(apply_preset(config, origins, name));
        }
        if (i == 1 || i == 2) {
            TRY(apply_list(config, origins, lists[i - 1]));
        }
    }
    TRY(apply_words(config, origins, count, words));
done:
    return st;
}

Status config_try_key(const char *key, const char *where)
{
    return config_key_find(key) >= 0 ? OK : no_such_key(key, where);
}

Status config_try_value(const char *key, const char *value, bool quoted, const char *where)
{
    Config config;
    Status st = OK;

    TRY(config_try_key(key, where));
    TRY(config_key_set(&config, &config_keys[config_key_find(key)], value, quoted, where));
done:
    return st;
}

bool config_is_text(const char *key)
{
    const int k = config_key_find(key);
    return k >= 0 && (config_keys[k].kind == KEY_TEXT || config_keys[k].kind == KEY_ENUM);
}

Status config_words_over(Config *config, int count, char *const words[])
{
    return apply_words(config, NULL, count, words);
}

static Status origins_alloc(ConfigOrigins **origins)
{
    const Status st = mem_alloc(origins, 1, sizeof **origins, "the origins of a configuration");
    for (int i = 0; i < CONFIG_KEYS && st == OK; i++) {
        origin_set(*origins, i, "default", 0);
    }
    return st;
}

Status config_load(Config *config, ConfigOrigins **origins, const char *path, int count,
                   char *const words[])
{
    ConfigOrigins *from = NULL;
    YamlList list = {0};
    YamlList base = {0};
    Status st = OK;

    config_default(config);
    TRY(origins_alloc(&from));
    TRY(load_lists(&list, &base, path));
    const YamlList *lists[2] = {&base, &list};
    TRY(apply_all(config, from, lists, count, words));
done:
    yaml_list_release(&base);
    yaml_list_release(&list);
    if (st != OK) {
        config_default(config);
    }
    if (st != OK || origins == NULL) {
        mem_free(&from);
    }
    if (origins != NULL) {
        *origins = from;
    }
    return st;
}

void config_origins_free(ConfigOrigins **origins)
{
    mem_free(origins);
}

Status config_parse(Config *config, const char *name, const char *text, size_t size)
{
    const YamlList none = {0};
    YamlList list = {0};
    Status st = OK;

    config_default(config);
    TRY(yaml_read(&list, name, text, size));
    TRY(refuse_base(&list, "it is looked up beside a file"));
    const YamlList *lists[2] = {&none, &list};
    TRY(apply_all(config, NULL, lists, 0, NULL));
done:
    yaml_list_release(&list);
    if (st != OK) {
        config_default(config);
    }
    return st;
}
