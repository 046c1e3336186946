#include "config/yaml.h"

#include <stdio.h>
#include <string.h>

#include <yaml.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

/* An open mapping or list. */
typedef struct {
    size_t prefix; /* length of its path */
    int item;      /* its number, -1: the outer mapping */
    bool list;
    int elements; /* of a list, so far */
} Level;

typedef struct {
    yaml_parser_t parser;
    const char *text; /* (size) borrowed */
    size_t size;
    bool lists; /* are allowed */
    YamlList *list;
    char path[YAML_KEY_MAX];         /* of the key whose value comes next */
    Level level[YAML_DEPTH_MAX + 1]; /* at each depth */
    int depth;                       /* 0: before or behind the outer mapping */
    int documents;
    bool in_value; /* a key was read, its value comes next */
    YamlPlace key_at;
} Reader;

static YamlPlace place_of(yaml_mark_t mark)
{
    return (YamlPlace){.line = (int)mark.line + 1, .column = (int)mark.column + 1};
}

static Status refuse(const Reader *in, YamlPlace at, const char *what)
{
    return status_fail(ERR_CONFIG, "%s:%d:%d: %s", in->list->name, at.line, at.column, what);
}

static YamlPlace place_of_byte(const Reader *in, size_t offset)
{
    YamlPlace at = {1, 1};
    for (size_t i = 0; i < offset && i < in->size; i++) {
        const bool ends = in->text[i] == '\n';
        at.column = ends ? 1 : at.column + 1;
        at.line += ends;
    }
    return at;
}

/* A tab where spaces belong is the most common mistake, and libyaml's words for it are obscure. */
static bool indented_by_tab(const Reader *in, size_t line)
{
    size_t i = 0;
    for (; line > 0 && i < in->size; i++) {
        line -= in->text[i] == '\n';
    }
    while (i < in->size && in->text[i] == ' ') {
        i++;
    }
    return i < in->size && in->text[i] == '\t';
}

static Status syntax_error(const Reader *in)
{
    const yaml_parser_t *p = &in->parser;
    YamlPlace at = place_of(p->problem_mark);
    const char *hint = "";

    if (p->error == YAML_MEMORY_ERROR) {
        return status_fail(ERR_NOMEM, "no memory for reading %s", in->list->name);
    }
    if (p->error == YAML_READER_ERROR) {
        at = place_of_byte(in, p->problem_offset);
        hint = "; only UTF-8 without control characters can be read";
    } else if (indented_by_tab(in, p->problem_mark.line)) {
        hint = "; indent with spaces, not with tabs";
    }
    return status_fail(ERR_CONFIG, "%s:%d:%d: this is not YAML: %s%s%s%s", in->list->name, at.line,
                       at.column, p->problem != NULL ? p->problem : "unreadable",
                       p->context != NULL ? " " : "", p->context != NULL ? p->context : "", hint);
}

/* A new item for in->path, filled but for value and kind; NULL on an error, which is in *st. */
static YamlItem *add_item(Reader *in, YamlPlace place, Status *st)
{
    YamlList *list = in->list;

    for (int i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].key, in->path) == 0) {
            const YamlPlace first = list->items[i].at;
            *st = status_fail(ERR_CONFIG, "%s:%d:%d: %s stands twice, first at %s:%d:%d; keep one",
                              list->name, in->key_at.line, in->key_at.column, in->path, list->name,
                              first.line, first.column);
            return NULL;
        }
    }
    if (list->count == YAML_ITEMS_MAX) {
        *st = status_fail(ERR_CONFIG, "%s:%d:%d: more than %d keys", list->name, in->key_at.line,
                          in->key_at.column, YAML_ITEMS_MAX);
        return NULL;
    }
    YamlItem *item = &list->items[list->count++];
    memcpy(item->key, in->path, sizeof in->path);
    item->at = in->key_at;
    item->place = place;
    item->parent = in->level[in->depth].item;
    in->in_value = false;
    return item;
}

static Status key_too_long(const Reader *in, YamlPlace at)
{
    return status_fail(ERR_CONFIG, "%s:%d:%d: the key is longer than %d characters", in->list->name,
                       at.line, at.column, YAML_KEY_MAX - 1);
}

static Status on_key(Reader *in, const char *word, size_t size, YamlPlace at)
{
    const size_t prefix = in->level[in->depth].prefix;
    const size_t dot = in->depth > 1 ? 1 : 0;

    if (prefix + dot + size >= YAML_KEY_MAX) {
        return key_too_long(in, at);
    }
    memcpy(in->path + prefix, ".", dot);
    memcpy(in->path + prefix + dot, word, size);
    in->path[prefix + dot + size] = '\0';
    in->key_at = at;
    in->in_value = true;
    return OK;
}

/* In a list every value stands for itself: "seed[2]". */
static Status on_element(Reader *in, YamlPlace at)
{
    Level *level = &in->level[in->depth];

    if (!level->list) {
        return OK;
    }
    const int len =
        snprintf(in->path + level->prefix, YAML_KEY_MAX - level->prefix, "[%d]", level->elements++);
    if (len < 0 || level->prefix + (size_t)len >= YAML_KEY_MAX) {
        return key_too_long(in, at);
    }
    in->key_at = at;
    in->in_value = true;
    return OK;
}

static Status on_value(Reader *in, const char *word, size_t size, YamlPlace at, bool quoted)
{
    Status st = OK;

    if (size >= YAML_VALUE_MAX) {
        return status_fail(ERR_CONFIG, "%s:%d:%d: the value of %s has %zu bytes; at most %d fit",
                           in->list->name, at.line, at.column, in->path, size, YAML_VALUE_MAX - 1);
    }
    YamlItem *item = add_item(in, at, &st);
    if (item != NULL) {
        memcpy(item->value, word, size);
        item->quoted = quoted;
    }
    return st;
}

static Status on_scalar(Reader *in, const yaml_event_t *event)
{
    const YamlPlace at = place_of(event->start_mark);
    const size_t size = event->data.scalar.length;
    const char *word = (const char *)event->data.scalar.value;
    const bool quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    const char *flaw = text_flaw(word, size);
    Status st = OK;

    if (event->data.scalar.tag != NULL || event->data.scalar.anchor != NULL) {
        return refuse(in, at, "tags (!) and anchors (&) are not allowed; write the value itself");
    }
    if (flaw != NULL) {
        return status_fail(ERR_CONFIG, "%s:%d:%d: the %s contains %s; allowed is one line of text",
                           in->list->name, at.line, at.column, in->in_value ? "value" : "key",
                           flaw);
    }
    if (in->depth == 0) {
        return size == 0 ? OK : refuse(in, at, "expected `key: value` lines, found a single word");
    }
    TRY(on_element(in, at));
    TRY(in->in_value ? on_value(in, word, size, at, quoted) : on_key(in, word, size, at));
done:
    return st;
}

/* A mapping or a list begins, as a value or, a mapping, as the whole. */
static Status open_level(Reader *in, YamlPlace at, bool list)
{
    Status st = OK;
    Level level = {.item = -1, .list = list};

    TRY(in->depth > 0 ? on_element(in, at) : OK);
    if (in->depth > 0 && !in->in_value) {
        return refuse(in, at, "a key must be a word, not a section");
    }
    if (in->depth == YAML_DEPTH_MAX) {
        return status_fail(ERR_CONFIG, "%s:%d:%d: nested more than %d deep", in->list->name,
                           at.line, at.column, YAML_DEPTH_MAX);
    }
    if (in->depth > 0) {
        YamlItem *item = add_item(in, at, &st);
        if (item == NULL) {
            return st;
        }
        item->section = !list;
        item->list = list;
        level.item = in->list->count - 1;
    }
    level.prefix = strlen(in->path);
    in->level[++in->depth] = level;
done:
    return st;
}

static Status on_mapping(Reader *in, const yaml_event_t *event)
{
    const YamlPlace at = place_of(event->start_mark);

    if (event->data.mapping_start.tag != NULL || event->data.mapping_start.anchor != NULL) {
        return refuse(in, at,
                      "tags (!) and anchors (&) are not allowed; write the keys themselves");
    }
    return open_level(in, at, false);
}

static Status on_list(Reader *in, const yaml_event_t *event)
{
    const YamlPlace at = place_of(event->start_mark);

    if (!in->lists || in->depth == 0) {
        return refuse(in, at, "a list is not allowed here; every key takes one value");
    }
    if (event->data.sequence_start.tag != NULL || event->data.sequence_start.anchor != NULL) {
        return refuse(in, at, "tags (!) and anchors (&) are not allowed; write the list itself");
    }
    return open_level(in, at, true);
}

static Status on_event(Reader *in, const yaml_event_t *event)
{
    const YamlPlace at = place_of(event->start_mark);

    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return on_scalar(in, event);
    case YAML_MAPPING_START_EVENT:
        return on_mapping(in, event);
    case YAML_SEQUENCE_START_EVENT:
        return on_list(in, event);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        in->depth--;
        return OK;
    case YAML_DOCUMENT_START_EVENT:
        in->documents++;
        return in->documents == 1 ? OK : refuse(in, at, "a second document (---); keep one");
    case YAML_ALIAS_EVENT:
        return refuse(in, at, "aliases (*) are not allowed; write the value itself");
    case YAML_DOCUMENT_END_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_NO_EVENT:
        break;
    }
    return OK;
}

static Status read_events(Reader *in)
{
    yaml_event_type_t type = YAML_NO_EVENT;
    Status st = OK;

    while (type != YAML_STREAM_END_EVENT) {
        yaml_event_t event;
        if (yaml_parser_parse(&in->parser, &event) == 0) {
            return syntax_error(in);
        }
        type = event.type;
        st = on_event(in, &event);
        yaml_event_delete(&event);
        TRY(st);
    }
done:
    return st;
}

static Status read_text(YamlList *list, const char *name, const char *text, size_t size, bool lists)
{
    Reader in = {.list = list, .text = text, .size = size, .lists = lists, .level = {{.item = -1}}};
    Status st = OK;

    *list = (YamlList){0};
    (void)snprintf(list->name, sizeof list->name, "%s", name);
    if (size > YAML_BYTES_MAX) {
        return status_fail(ERR_CONFIG, "%s: larger than %d bytes; this is no configuration", name,
                           YAML_BYTES_MAX);
    }
    if (yaml_parser_initialize(&in.parser) == 0) {
        return status_fail(ERR_NOMEM, "no memory for reading %s", name);
    }
    yaml_parser_set_encoding(&in.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&in.parser, (const unsigned char *)text, size);
    TRY(mem_alloc(&list->items, YAML_ITEMS_MAX, sizeof *list->items,
                  "the keys of a configuration"));
    TRY(read_events(&in));
done:
    yaml_parser_delete(&in.parser);
    if (st != OK) {
        yaml_list_release(list);
    }
    return st;
}

Status yaml_read(YamlList *list, const char *name, const char *text, size_t size)
{
    return read_text(list, name, text, size, false);
}

Status yaml_read_lists(YamlList *list, const char *name, const char *text, size_t size)
{
    return read_text(list, name, text, size, true);
}

static Status read_file(YamlList *list, const char *path, bool lists)
{
    unsigned char *text = NULL;
    size_t size = 0;
    Status st = OK;

    *list = (YamlList){0};
    TRY(file_read(path, YAML_BYTES_MAX, &text, &size));
    TRY(read_text(list, path, (const char *)text, size, lists));
done:
    mem_free(&text);
    return st == ERR_FORMAT ? ERR_CONFIG : st; /* too large for a configuration */
}

Status yaml_read_file(YamlList *list, const char *path)
{
    return read_file(list, path, false);
}

Status yaml_read_file_lists(YamlList *list, const char *path)
{
    return read_file(list, path, true);
}

void yaml_list_release(YamlList *list)
{
    mem_free(&list->items);
    *list = (YamlList){0};
}
