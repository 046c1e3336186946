/* The sections of a grid file become blocks of cells. */
#include <stdio.h>
#include <string.h>

#include "sweep/grid_internal.h"

/* ---- blocks, axes, columns ---- */

static GridAxis *open_axis(Grid *grid)
{
    GridAxis *axis = &grid->axes[grid->axis_count];
    *axis = (GridAxis){.first = grid->column_count, .length = 1};
    return axis;
}

/* The setting of item j, whose key begins behind `skip` characters, into the open axis. */
static Status add_column(Grid *grid, GridAxis *axis, int j, size_t skip)
{
    Status st = OK;
    char where[GRID_WHERE_MAX];
    GridColumn *column = &grid->columns[grid->column_count];

    TRY(grid_column(grid, j, skip, column));
    grid_where(grid, grid->list.items[j].at, where);
    for (int i = grid->block_from; i < grid->column_count; i++) {
        const YamlPlace first = grid->list.items[grid->columns[i].item].at;
        if (strcmp(grid->columns[i].key, column->key) == 0) {
            return status_fail(ERR_CONFIG, "%s: %s is set at %d:%d already; keep one", where,
                               column->key, first.line, first.column);
        }
    }
    if (axis->count > 0 && column->length != axis->length) {
        return status_fail(
            ERR_CONFIG, "%s: %s has %d value%s and %s has %d; lists that walk together are as long",
            where, column->key, column->length, column->length == 1 ? "" : "s",
            grid->columns[axis->first].key, axis->length);
    }
    axis->length = column->length;
    axis->count++;
    grid->column_count++;
done:
    return st;
}

static Status close_axis(Grid *grid, GridBlock *block, const GridAxis *axis)
{
    const int item = grid->columns[axis->first].item;

    if (axis->count == 0) { /* an empty section: nothing varies */
        return OK;
    }
    if (axis->length > GRID_CELLS_MAX / block->cells) {
        char where[GRID_WHERE_MAX];
        grid_where(grid, grid->list.items[item].at, where);
        return status_fail(ERR_CONFIG, "%s: more than %d cells; make several sweeps of it", where,
                           GRID_CELLS_MAX);
    }
    block->cells *= axis->length;
    block->count++;
    grid->axis_count++;
    return OK;
}

static GridBlock *open_block(Grid *grid, const char *name, int item)
{
    GridBlock *block = &grid->blocks[grid->block_count];
    *block = (GridBlock){.name = name, .item = item, .first = grid->axis_count, .cells = 1};
    return block;
}

static Status close_block(Grid *grid, const GridBlock *block)
{
    if (block->cells > GRID_CELLS_MAX - grid->cells) {
        char where[GRID_WHERE_MAX];
        grid_where(grid, grid->list.items[block->item].at, where);
        return status_fail(ERR_CONFIG, "%s: more than %d cells; make several sweeps of it", where,
                           GRID_CELLS_MAX);
    }
    grid->cells += block->cells;
    grid->block_count++;
    return OK;
}

/* Each setting below item `above` as an axis of its own. */
static Status add_axes(Grid *grid, GridBlock *block, int above)
{
    Status st = OK;
    const size_t skip = strlen(grid->list.items[above].key) + 1;

    for (int j = above + 1; j < grid->list.count && grid_below(grid, j, above); j++) {
        if (grid_is_setting(grid, j)) {
            GridAxis *axis = open_axis(grid);
            TRY(add_column(grid, axis, j, skip));
            axis->shown = block->name == NULL || grid->columns[axis->first].listed ? 1 : 0;
            TRY(close_axis(grid, block, axis));
        }
    }
done:
    return st;
}

/* ---- sections of the file ---- */

static Status expect_section(const Grid *grid, const YamlItem *item)
{
    const bool empty = !item->list && !item->quoted && item->value[0] == '\0';
    char what[YAML_KEY_MAX + 64];

    (void)snprintf(what, sizeof what, "%s holds settings, `key: value` lines", item->key);
    return item->section || empty ? OK : grid_refuse(grid, item->place, what);
}

/* Settings of every cell: axes of one value, in front of those of each block. */
Status grid_read_set(Grid *grid, int above)
{
    Status st = OK;
    GridBlock block = {.name = "set", .cells = 1};

    TRY(expect_section(grid, &grid->list.items[above]));
    TRY(add_axes(grid, &block, above));
    for (int i = 0; i < grid->column_count; i++) {
        if (grid->columns[i].listed) {
            return grid_refuse(grid, grid->list.items[grid->columns[i].item].at,
                               "set gives every cell the same value; a list belongs under grid");
        }
    }
    grid->set_count = grid->axis_count;
done:
    return st;
}

/* Whether the values of the first column tell the places of a zip apart. */
static bool all_differ(const Grid *grid, const GridColumn *column)
{
    const YamlItem *items = grid->list.items;

    if (!items[column->item].list) {
        return true;
    }
    for (int a = column->item + 1; a < grid->list.count && items[a].parent == column->item; a++) {
        for (int b = column->item + 1; b < a; b++) {
            if (strcmp(items[a].value, items[b].value) == 0) {
                return false;
            }
        }
    }
    return true;
}

static Status add_zip(Grid *grid, GridBlock *block, int above)
{
    Status st = OK;
    const size_t skip = strlen(grid->list.items[above].key) + 1;
    GridAxis *axis = open_axis(grid);

    TRY(expect_section(grid, &grid->list.items[above]));
    for (int j = above + 1; j < grid->list.count && grid_below(grid, j, above); j++) {
        if (grid_is_setting(grid, j)) {
            TRY(add_column(grid, axis, j, skip));
        }
    }
    axis->shown =
        axis->count > 0 && !all_differ(grid, &grid->columns[axis->first]) ? axis->count : 1;
    TRY(close_axis(grid, block, axis));
done:
    return st;
}

static Status read_zip(Grid *grid, GridBlock *block, int above)
{
    Status st = OK;

    if (!grid->list.items[above].list) {
        return add_zip(grid, block, above);
    }
    for (int j = above + 1; j < grid->list.count && grid_below(grid, j, above); j++) {
        if (grid->list.items[j].parent == above) {
            TRY(add_zip(grid, block, j));
        }
    }
done:
    return st;
}

/* Only checked here: grid_config looks at each cell. */
Status grid_read_exclude(Grid *grid, int above)
{
    Status st = OK;
    const YamlItem *items = grid->list.items;
    GridColumn column;

    if (!items[above].list) {
        return grid_refuse(grid, items[above].place,
                           "exclude is a list of what to leave out, `- {key: value, key: value}`");
    }
    for (int j = above + 1; j < grid->list.count && grid_below(grid, j, above); j++) {
        if (items[j].parent == above) {
            TRY(expect_section(grid, &items[j]));
            if (j + 1 == grid->list.count || !grid_below(grid, j + 1, j)) {
                return grid_refuse(grid, items[j].at,
                                   "an empty condition would leave out every cell");
            }
        } else if (grid_is_setting(grid, j)) {
            int condition = j;
            while (items[condition].parent != above) {
                condition = items[condition].parent;
            }
            TRY(grid_column(grid, j, strlen(items[condition].key) + 1, &column));
        }
    }
    grid->exclude = above;
done:
    return st;
}

/* The number of the item with this key at the top; -1: there is none. */
static int find(const Grid *grid, const char *key)
{
    for (int j = 0; j < grid->list.count; j++) {
        if (grid->list.items[j].parent < 0 && strcmp(grid->list.items[j].key, key) == 0) {
            return j;
        }
    }
    return -1;
}

/* `grid` and `zip` in the order of the file: it is that of names and cells. */
Status grid_read_product(Grid *grid)
{
    Status st = OK;
    const int sections[] = {find(grid, "grid"), find(grid, "zip")};
    const int first = sections[0] > sections[1] ? 1 : 0;
    GridBlock *block = open_block(grid, NULL, 0);

    grid->block_from = 0; /* what stands in `set` is not varied, too */
    for (int i = 0; i < 2; i++) {
        const int which = i == 0 ? first : 1 - first;
        if (sections[which] < 0) {
            continue;
        }
        block->item = sections[which];
        if (which == 1) {
            TRY(read_zip(grid, block, sections[which]));
        } else {
            TRY(expect_section(grid, &grid->list.items[sections[which]]));
            TRY(add_axes(grid, block, sections[which]));
        }
    }
    if (block->count > 0) {
        TRY(close_block(grid, block));
    }
done:
    return st;
}

Status grid_read_cells(Grid *grid)
{
    Status st = OK;
    const YamlItem *items = grid->list.items;
    const int above = find(grid, "cells");
    const size_t skip = strlen("cells.");

    if (above < 0) {
        return OK;
    }
    TRY(expect_section(grid, &items[above]));
    for (int j = above + 1; j < grid->list.count && grid_below(grid, j, above); j++) {
        if (items[j].parent != above) {
            continue;
        }
        TRY(expect_section(grid, &items[j]));
        GridBlock *block = open_block(grid, items[j].key + skip, j);
        grid->block_from = grid->column_count;
        TRY(add_axes(grid, block, j));
        TRY(close_block(grid, block));
    }
done:
    return st;
}
