/* The cells of a grid: names, words, settings, and which are left out. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "run/session.h"
#include "sweep/grid_internal.h"

/* ---- which values ---- */

static const GridBlock *find_block(const Grid *grid, int *i)
{
    const GridBlock *block = grid->blocks;
    for (; *i >= block->cells; block++) {
        *i -= block->cells;
    }
    return block;
}

/* Place of cell i of a block on its axis number `axis`: the last axis walks fastest. */
static int place_on(const Grid *grid, const GridBlock *block, int i, int axis)
{
    for (int a = block->first + block->count - 1; a > axis; a--) {
        i /= grid->axes[a].length;
    }
    return i % grid->axes[axis].length;
}

/* ---- names ---- */

static const char *last_part(const char *key)
{
    const char *dot = strrchr(key, '.');
    return dot != NULL ? dot + 1 : key;
}

/* The last part of a key; the whole key where another one in the names of this block ends the same. */
static const char *key_word(const Grid *grid, const GridBlock *block, const GridColumn *column)
{
    for (int a = block->first; a < block->first + block->count; a++) {
        for (int c = 0; c < grid->axes[a].shown; c++) {
            const GridColumn *other = &grid->columns[grid->axes[a].first + c];
            if (other != column && strcmp(last_part(other->key), last_part(column->key)) == 0) {
                return column->key;
            }
        }
    }
    return last_part(column->key);
}

/* A file is called by its stem. */
static void add_text(Text *name, const char *value)
{
    static const char *const ends[] = {".hdf5", ".h5", ".yaml", ".yml"};
    const size_t n = strlen(value);

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        const size_t end = strlen(ends[i]);
        if (n > end && strcmp(value + n - end, ends[i]) == 0) {
            const char *slash = strrchr(value, '/');
            const char *stem = slash != NULL ? slash + 1 : value;
            text_add(name, "%.*s", (int)(value + n - end - stem), stem);
            return;
        }
    }
    text_add(name, "%s", value);
}

static void add_label(const Grid *grid, const GridBlock *block, const GridColumn *column, int k,
                      Text *name)
{
    char value[YAML_VALUE_MAX];

    grid_value(grid, column, k, value);
    if (name->used > 0) {
        text_add(name, "-");
    }
    if (config_is_text(column->key) && value[0] != '\0') {
        add_text(name, value);
    } else {
        text_add(name, "%s%s", key_word(grid, block, column), value);
    }
}

void grid_plain_name(char *name)
{
    static const char fine[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    for (char *at = name; *at != '\0'; at++) {
        *at = (char)(strchr(fine, *at) != NULL ? *at : '_');
    }
}

static Status check_name(const Grid *grid, const GridCell *cell, bool cut)
{
    static const char *const taken[] = {"logs", "models", "submit", "lock", "cells.tsv"};
    char where[GRID_WHERE_MAX];

    grid_where(grid, cell->at, where);
    if (cut) {
        return status_fail(
            ERR_CONFIG,
            "%s: the name of a cell would be longer than %d characters (%.40s...); name the "
            "cells yourself, below `cells`",
            where, GRID_NAME_MAX - 1, cell->name);
    }
    if (cell->name[0] == '.' || cell->name[0] == '\0') {
        return status_fail(ERR_CONFIG,
                           "%s: a cell cannot be called '%s': it would be a hidden folder", where,
                           cell->name);
    }
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        if (strcmp(cell->name, taken[i]) == 0) {
            return status_fail(
                ERR_CONFIG,
                "%s: a cell cannot be called %s: this name in the sweep's folder is taken", where,
                cell->name);
        }
    }
    return OK;
}

static Status set_name(const Grid *grid, const GridBlock *block, int i, GridCell *cell)
{
    Text name = text_over(cell->name, sizeof cell->name);

    if (block->name != NULL) {
        text_add(&name, "%s", block->name);
    }
    for (int a = block->first; a < block->first + block->count && !name.cut; a++) {
        const GridAxis *axis = &grid->axes[a];
        for (int c = 0; c < axis->shown && !name.cut; c++) {
            add_label(grid, block, &grid->columns[axis->first + c], place_on(grid, block, i, a),
                      &name);
        }
    }
    grid_plain_name(cell->name);
    return check_name(grid, cell, name.cut);
}

/* ---- words ---- */

static bool sets_itself(const Grid *grid, const GridBlock *block, const char *key)
{
    for (int a = block->first; a < block->first + block->count; a++) {
        for (int c = 0; c < grid->axes[a].count; c++) {
            if (strcmp(grid->columns[grid->axes[a].first + c].key, key) == 0) {
                return true;
            }
        }
    }
    return false;
}

static void add_word(const Grid *grid, const GridColumn *column, int k, GridCell *cell, Text *text)
{
    char value[YAML_VALUE_MAX];

    grid_value(grid, column, k, value);
    cell->words[cell->count++] = text->data + text->used;
    text_add(text, "%s=%s", column->key, value);
    text->used += !text->cut; /* '\0' stays */
}

static Status set_words(const Grid *grid, const GridBlock *block, int i, GridCell *cell)
{
    Text text = text_over(cell->text, sizeof cell->text);

    cell->count = 0;
    for (int a = 0; a < grid->set_count; a++) {
        const GridColumn *column = &grid->columns[grid->axes[a].first];
        if (!sets_itself(grid, block, column->key)) {
            add_word(grid, column, 0, cell, &text);
        }
    }
    for (int a = block->first; a < block->first + block->count; a++) {
        for (int c = 0; c < grid->axes[a].count; c++) {
            add_word(grid, &grid->columns[grid->axes[a].first + c], place_on(grid, block, i, a),
                     cell, &text);
        }
    }
    return !text.cut ? OK
                     : status_fail(ERR_CONFIG, "%s: cell %s: its settings have more than %d bytes",
                                   grid->list.name, cell->name, GRID_TEXT_MAX);
}

Status grid_cell(const Grid *grid, int i, GridCell *cell)
{
    Status st = OK;
    const GridBlock *block = find_block(grid, &i);

    cell->at = grid->list.items[block->item].at;
    TRY(set_name(grid, block, i, cell));
    TRY(set_words(grid, block, i, cell));
done:
    return st;
}

/* ---- settings ---- */

/* Whether a setting has one of the values of item j, whose key begins behind `skip` characters. */
static Status has_value(const Grid *grid, int j, size_t skip, const Config *config, bool *has)
{
    Status st = OK;
    GridColumn column;
    char value[YAML_VALUE_MAX];
    char text[YAML_KEY_MAX + YAML_VALUE_MAX];
    char *word[] = {text};
    char diff[64];
    Config other;

    TRY(grid_column(grid, j, skip, &column));
    *has = false;
    for (int k = 0; k < column.length && !*has; k++) {
        grid_value(grid, &column, k, value);
        (void)snprintf(text, sizeof text, "%s=%s", column.key, value);
        other = *config;
        TRY(config_words_over(&other, 1, word));
        *has = config_diff(config, &other, NULL, diff, sizeof diff) == 0;
    }
done:
    return st;
}

/* Whether all settings below one condition hold. */
static Status holds(const Grid *grid, int condition, const Config *config, bool *all)
{
    Status st = OK;
    const size_t skip = strlen(grid->list.items[condition].key) + 1;

    *all = true;
    for (int j = condition + 1; j < grid->list.count && *all && grid_below(grid, j, condition);
         j++) {
        if (grid_is_setting(grid, j)) {
            TRY(has_value(grid, j, skip, config, all));
        }
    }
done:
    return st;
}

/* All conditions are looked at, to know in the end which of them never held. */
static Status is_excluded(const Grid *grid, const Config *config, bool *excluded)
{
    Status st = OK;
    const int above = grid->exclude;
    bool all = false;

    *excluded = false;
    for (int j = above + 1; above >= 0 && j < grid->list.count && grid_below(grid, j, above); j++) {
        if (grid->list.items[j].parent == above) {
            TRY(holds(grid, j, config, &all));
            grid->held[j] = grid->held[j] || all;
            *excluded = *excluded || all;
        }
    }
done:
    return st;
}

bool grid_idle_exclude(const Grid *grid, YamlPlace *at)
{
    const int above = grid->exclude;

    for (int j = above + 1; above >= 0 && j < grid->list.count && grid_below(grid, j, above); j++) {
        if (grid->list.items[j].parent == above && !grid->held[j]) {
            *at = grid->list.items[j].at;
            return true;
        }
    }
    return false;
}

Status grid_config(const Grid *grid, int i, const GridCell *cell, Config *config, bool *excluded)
{
    Status st = OK;
    char where[GRID_WHERE_MAX];
    const GridBlock *block = find_block(grid, &i);

    *excluded = false;
    grid_where(grid, cell->at, where);
    TRY(config_load(config, NULL, grid_base(grid), cell->count, cell->words));
    if (block->name == NULL) { /* who names a cell wants it */
        TRY(is_excluded(grid, config, excluded));
    }
    if (!*excluded) {
        TRY(config_check(config));
        TRY(session_check(config));
    }
done:
    return status_while(st, "%s: cell %s", where, cell->name);
}
