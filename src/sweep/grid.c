#include "sweep/grid.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "sweep/grid_internal.h"

Status grid_refuse(const Grid *grid, YamlPlace at, const char *what)
{
    char where[GRID_WHERE_MAX];
    grid_where(grid, at, where);
    return status_fail(ERR_CONFIG, "%s: %s", where, what);
}

/* ---- paths ---- */

/* "a/../b" is "b", if that is the same file: links may lead elsewhere. */
static void tidy_path(char *path)
{
    char tidy[GRID_PATH_MAX];
    struct stat before;
    struct stat after;
    size_t n = 0;

    for (const char *at = path; *at != '\0';) {
        const size_t len = strcspn(at, "/");
        const bool up = len == 2 && strncmp(at, "..", 2) == 0;
        const char *last = tidy;
        for (size_t i = 0; i + 1 < n; i++) {
            last = tidy[i] == '/' ? tidy + i + 1 : last;
        }
        const size_t last_len = (size_t)(tidy + n - last);
        if (up && n > 1 && !(last_len == 3 && strncmp(last, "../", 3) == 0)) {
            n = (size_t)(last - tidy);
        } else if (!(len == 1 && *at == '.') && !(len == 0 && n > 0)) {
            memcpy(tidy + n, at, len + (at[len] == '/'));
            n += len + (at[len] == '/');
        }
        at += len + (at[len] == '/');
    }
    tidy[n] = '\0';
    if (stat(path, &before) == 0 && stat(tidy, &after) == 0 && before.st_dev == after.st_dev &&
        before.st_ino == after.st_ino) {
        memcpy(path, tidy, n + 1);
    }
}

static Status expect_path(const Grid *grid, const YamlItem *item)
{
    const bool word = !item->section && !item->list && item->value[0] != '\0';
    char what[64];

    (void)snprintf(what, sizeof what, "%s takes a path", item->key);
    return word ? OK : grid_refuse(grid, item->place, what);
}

static Status read_base(Grid *grid, int j)
{
    Status st = OK;
    const YamlItem *item = &grid->list.items[j];
    const char *name = grid->list.name;
    const char *slash = strrchr(name, '/');
    char path[GRID_PATH_MAX - 2];

    TRY(expect_path(grid, item));
    const int folder = slash != NULL && item->value[0] != '/' ? (int)(slash + 1 - name) : 0;
    (void)snprintf(path, sizeof path, "%.*s%s", folder, name, item->value);
    tidy_path(path);
    /* as a word of a command line it must not pass for key=value */
    (void)snprintf(grid->base, sizeof grid->base, "%s%s", config_is_setting(path) ? "./" : "",
                   path);
done:
    return st;
}

static Status read_out(Grid *grid, int j)
{
    Status st = OK;

    TRY(expect_path(grid, &grid->list.items[j]));
    (void)snprintf(grid->out, sizeof grid->out, "%s", grid->list.items[j].value);
    for (size_t n = strlen(grid->out); n > 1 && grid->out[n - 1] == '/'; n--) {
        grid->out[n - 1] = '\0';
    }
done:
    return st;
}

static void default_out(Grid *grid)
{
    const char *slash = strrchr(grid->list.name, '/');
    const char *stem = slash != NULL ? slash + 1 : grid->list.name;

    (void)snprintf(grid->out, sizeof grid->out, "runs/%.*s", (int)strcspn(stem, "."), stem);
}

/* ---- the whole ---- */

/* A setting or a section of settings, as a file for `mopo train` has at its top. */
static bool is_setting(const Grid *grid, const YamlItem *item)
{
    const YamlItem *next = item + 1;

    return config_try_key(item->key, "") == OK ||
           (item->section && next < grid->list.items + grid->list.count &&
            config_try_key(next->key, "") == OK);
}

static Status unknown(const Grid *grid, const YamlItem *item)
{
    static const char *const names[] = {"base", "out", "set", "grid", "zip", "exclude", "cells"};
    char where[GRID_WHERE_MAX];
    const char *near = text_nearest(item->key, names, 7);

    grid_where(grid, item->at, where);
    if (is_setting(grid, item)) {
        return status_fail(ERR_CONFIG,
                           "%s: %s is a setting; settings stand below set, grid, zip and cells, "
                           "those of a whole file come with `base: FILE` (docs/sweep.md)",
                           where, item->key);
    }
    if (near != NULL) {
        return status_fail(ERR_CONFIG, "%s: unknown key %s; did you mean %s?", where, item->key,
                           near);
    }
    return status_fail(
        ERR_CONFIG,
        "%s: unknown key %s; a grid file has base, out, set, grid, zip, exclude and cells, and "
        "settings stand below set, grid, zip and cells",
        where, item->key);
}

static Status read_items(Grid *grid)
{
    Status st = OK;
    static const struct {
        const char *key;
        Status (*read)(Grid *grid, int item); /* NULL: by read_product */
    } sections[] = {{"base", read_base}, {"out", read_out}, {"set", grid_read_set},
                    {"grid", NULL},      {"zip", NULL},     {"exclude", grid_read_exclude},
                    {"cells", NULL}};
    const int count = (int)(sizeof sections / sizeof sections[0]);

    for (int j = 0; j < grid->list.count; j++) {
        int i = 0;
        while (i < count && strcmp(grid->list.items[j].key, sections[i].key) != 0) {
            i++;
        }
        if (grid->list.items[j].parent < 0 && i == count) {
            return unknown(grid, &grid->list.items[j]);
        }
        if (grid->list.items[j].parent < 0 && sections[i].read != NULL) {
            TRY(sections[i].read(grid, j));
        }
    }
    TRY(grid_read_product(grid));
    TRY(grid_read_cells(grid));
    if (grid->cells == 0) {
        return status_fail(
            ERR_CONFIG, "%s: no cells: what varies stands below grid, zip or cells (docs/sweep.md)",
            grid->list.name);
    }
done:
    return st;
}

static Status make(Grid **out)
{
    Status st = OK;
    Grid *grid = NULL;
    const size_t n = (size_t)YAML_ITEMS_MAX + 2;

    *out = NULL;
    TRY(mem_alloc(&grid, 1, sizeof *grid, "a grid"));
    *out = grid;
    grid->exclude = -1;
    TRY(mem_alloc(&grid->columns, n, sizeof *grid->columns, "a grid"));
    TRY(mem_alloc(&grid->axes, n, sizeof *grid->axes, "a grid"));
    TRY(mem_alloc(&grid->blocks, n, sizeof *grid->blocks, "a grid"));
    TRY(mem_alloc(&grid->held, n, sizeof *grid->held, "a grid"));
done:
    return st;
}

Status grid_parse(Grid **grid, const char *path, const char *text, size_t size)
{
    Status st = OK;

    TRY(make(grid));
    TRY(yaml_read_lists(&(*grid)->list, path, text, size));
    default_out(*grid);
    TRY(read_items(*grid));
done:
    if (st != OK) {
        grid_close(grid);
    }
    return st;
}

Status grid_read(Grid **grid, const char *path)
{
    Status st = OK;
    unsigned char *text = NULL;
    size_t size = 0;

    *grid = NULL;
    if (!file_exists(path)) {
        return status_fail(ERR_CONFIG,
                           "%s: no such grid file; see configs/grid/ for ready-made ones", path);
    }
    TRY(file_read(path, YAML_BYTES_MAX, &text, &size));
    TRY(grid_parse(grid, path, (const char *)text, size));
done:
    mem_free(&text);
    return st;
}

void grid_close(Grid **grid)
{
    if (*grid != NULL) {
        yaml_list_release(&(*grid)->list);
        mem_free(&(*grid)->columns);
        mem_free(&(*grid)->axes);
        mem_free(&(*grid)->blocks);
        mem_free(&(*grid)->held);
        mem_free(grid);
    }
}

const char *grid_name(const Grid *grid)
{
    return grid->list.name;
}

const char *grid_base(const Grid *grid)
{
    return grid->base[0] != '\0' ? grid->base : NULL;
}

const char *grid_out(const Grid *grid)
{
    return grid->out;
}

int grid_size(const Grid *grid)
{
    return grid->cells;
}
