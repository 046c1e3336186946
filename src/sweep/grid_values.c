/* Settings in a grid file and the values that they take: one, a list, or a range "0..4" of whole numbers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/grid_internal.h"

void grid_where(const Grid *grid, YamlPlace at, char where[GRID_WHERE_MAX])
{
    (void)snprintf(where, GRID_WHERE_MAX, "%s:%d:%d", grid->list.name, at.line, at.column);
}

bool grid_below(const Grid *grid, int j, int above)
{
    int parent = grid->list.items[j].parent;
    while (parent > above) {
        parent = grid->list.items[parent].parent;
    }
    return parent == above;
}

bool grid_is_setting(const Grid *grid, int j)
{
    const YamlItem *item = &grid->list.items[j];
    return !item->section && !(item->parent >= 0 && grid->list.items[item->parent].list);
}

/* A whole number of at most nine digits; NULL when there is none. */
static const char *read_whole(const char *text, long *out)
{
    const char *digits = text + (*text == '-');
    const size_t n = strspn(digits, "0123456789");

    *out = strtol(text, NULL, 10);
    return n >= 1 && n <= 9 ? digits + n : NULL;
}

/* Whether an item is a range, from *first to *last. A setting whose value is text has none. */
static bool is_range(const YamlItem *item, const char *key, long *first, long *last)
{
    if (item->quoted || config_is_text(key)) {
        return false;
    }
    const char *dots = read_whole(item->value, first);
    if (dots == NULL || strncmp(dots, "..", 2) != 0) {
        return false;
    }
    const char *end = read_whole(dots + 2, last);
    return end != NULL && *end == '\0';
}

static Status try_number(const char *key, long number, const char *where)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%ld", number);
    return config_try_value(key, text, false, where);
}

/* One value or range: checks it and adds the number of its values. */
static Status check_value(const Grid *grid, const YamlItem *item, GridColumn *column)
{
    Status st = OK;
    const char *key = column->key;
    char where[GRID_WHERE_MAX];
    long first = 0;
    long last = 0;

    grid_where(grid, item->place, where);
    if (item->section || item->list) {
        return status_fail(ERR_CONFIG, "%s: a list of %s holds values, found a %s", where, key,
                           item->list ? "list" : "section");
    }
    if (!is_range(item, key, &first, &last)) {
        TRY(config_try_value(key, item->value, item->quoted, where));
        column->length++;
        return OK;
    }
    if (last < first || last - first >= GRID_CELLS_MAX) {
        return status_fail(ERR_CONFIG,
                           "%s: the range %s of %s must go up, and have at most %d numbers", where,
                           item->value, key, GRID_CELLS_MAX);
    }
    TRY(try_number(key, first, where));
    TRY(try_number(key, last, where));
    column->length += (int)(last - first) + 1;
    column->listed = true;
done:
    return st;
}

/* What the sweep itself sets. */
static Status check_key(const char *key, const char *where)
{
    static const char *const ours[] = {"run_dir", "model.share"};

    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        if (strcmp(key, ours[i]) == 0) {
            return status_fail(
                ERR_CONFIG,
                "%s: %s is chosen by the sweep, for each cell; say `out` for the folder of "
                "all",
                where, key);
        }
    }
    return config_try_key(key, where);
}

Status grid_column(const Grid *grid, int j, size_t skip, GridColumn *column)
{
    Status st = OK;
    char where[GRID_WHERE_MAX];
    const YamlItem *items = grid->list.items;

    *column = (GridColumn){.item = j, .key = items[j].key + skip, .listed = items[j].list};
    grid_where(grid, items[j].at, where);
    TRY(check_key(column->key, where));
    if (!items[j].list) {
        return check_value(grid, &items[j], column);
    }
    for (int k = j + 1; k < grid->list.count && grid_below(grid, k, j); k++) {
        TRY(check_value(grid, &items[k], column));
        if (column->length > GRID_CELLS_MAX) {
            return status_fail(ERR_CONFIG, "%s: %s takes more than %d values", where, column->key,
                               GRID_CELLS_MAX);
        }
    }
    if (column->length == 0) {
        return status_fail(ERR_CONFIG, "%s: the list of %s is empty; give a value, or leave it out",
                           where, column->key);
    }
done:
    return st;
}

void grid_value(const Grid *grid, const GridColumn *column, int k, char text[YAML_VALUE_MAX])
{
    const YamlItem *item = &grid->list.items[column->item];
    long first = 0;
    long last = 0;

    for (item += item->list; k > 0; item++) { /* the element that holds value k */
        const bool range = is_range(item, column->key, &first, &last);
        const int values = range ? (int)(last - first) + 1 : 1;
        if (k < values) {
            break;
        }
        k -= values;
    }
    if (is_range(item, column->key, &first, &last)) {
        (void)snprintf(text, YAML_VALUE_MAX, "%ld", first + k);
    } else {
        (void)snprintf(text, YAML_VALUE_MAX, "%s", item->value);
    }
}
