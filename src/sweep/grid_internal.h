/* A grid as read: blocks of cells over axes over columns. Internal to sweep/grid*.c. */
#ifndef SWEEP_GRID_INTERNAL_H
#define SWEEP_GRID_INTERNAL_H

#include <stdbool.h>

#include "sweep/grid.h"

/* A setting and the values that it takes one after the other. */
typedef struct {
    int item;        /* of the list */
    const char *key; /* of the setting, borrowed from the item */
    int length;      /* values */
    bool listed;     /* as a list or a range, however short */
} GridColumn;

/* Columns that walk together. */
typedef struct {
    int first, count; /* columns */
    int length;
    int shown; /* so many of its columns are in the names of cells */
} GridAxis;

/* Every combination of some axes. */
typedef struct {
    const char *name; /* NULL: the product of `grid` and `zip` */
    int item;         /* where it comes from */
    int first, count; /* axes */
    int cells;
} GridBlock;

enum { GRID_PATH_MAX = 1024 };

struct Grid {
    YamlList list;
    GridColumn *columns; /* (column_count) owned */
    GridAxis *axes;      /* (axis_count) owned; the first `set_count` are those of `set` */
    GridBlock *blocks;   /* (block_count) owned */
    bool *held;          /* (list.count) conditions of `exclude` that held for a cell; owned */
    int column_count, axis_count, block_count, set_count;
    int block_from; /* while reading: the first column that a key of this block may not repeat */
    int exclude;    /* item, -1: none */
    int cells;
    char base[GRID_PATH_MAX]; /* "": the built-in configuration */
    char out[GRID_PATH_MAX];
};

enum { GRID_WHERE_MAX = YAML_NAME_MAX + 32 };
/* "file:line:column" */
void grid_where(const Grid *grid, YamlPlace at, char where[GRID_WHERE_MAX]);
/* ERR_CONFIG, "file:line:column: what" */
Status grid_refuse(const Grid *grid, YamlPlace at, const char *what);
/* Whether item j lies in item `above`, at any depth. */
bool grid_below(const Grid *grid, int j, int above);
/* Item j stands for a setting: no section, and no element of a list. */
bool grid_is_setting(const Grid *grid, int j);
/* Check the setting of item j and its values; its key begins behind `skip` characters. ERR_CONFIG. */
NODISCARD Status grid_column(const Grid *grid, int j, size_t skip, GridColumn *column);
/* Its k-th value. */
void grid_value(const Grid *grid, const GridColumn *column, int k, char text[YAML_VALUE_MAX]);

/* Sections of the file, in this order: item `above` is `set` or `exclude`; the others are looked up. ERR_CONFIG. */
NODISCARD Status grid_read_set(Grid *grid, int above);
NODISCARD Status grid_read_exclude(Grid *grid, int above);
NODISCARD Status grid_read_product(Grid *grid);
NODISCARD Status grid_read_cells(Grid *grid);

#endif
