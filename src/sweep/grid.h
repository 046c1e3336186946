/* A grid file (docs/sweep.md): the settings that a sweep varies, and the cells that come of it, each a training run.
 *
 *   base: ../paper/hopper-medium.yaml   what `mopo train` is given; relative to this file; none: the built-in one
 *   out: runs/lambda                    default: runs/<stem of the file>
 *   set: {train.epochs: 100}            settings of every cell
 *   grid: {penalty.lambda: [0, 1, 5], seed: 0..2}         every combination
 *   zip: {task: [hopper, walker2d], dataset: [a, b]}      lists that walk together; or a list of such maps
 *   exclude: [{penalty.lambda: 0, seed: 1}]               combinations to leave out
 *   cells: {best: {penalty.lambda: 2, seed: 0..2}}        more cells, by name
 *
 * Cells are functions of their number: nothing is kept of them. Local.
 */
#ifndef SWEEP_GRID_H
#define SWEEP_GRID_H

#include "base/status.h"
#include "config/config.h"
#include "config/yaml.h"

enum {
    GRID_CELLS_MAX = 10000, /* before combinations are left out */
    GRID_NAME_MAX = 200,    /* of a cell's name, with '\0' */
    GRID_WORDS_MAX = YAML_ITEMS_MAX,
    GRID_TEXT_MAX = 1 << 16 /* of all words of a cell */
};

typedef struct Grid Grid;

typedef struct {
    char name[GRID_NAME_MAX];
    YamlPlace at; /* where it comes from */
    int count;
    char *words[GRID_WORDS_MAX]; /* (count) "key=value", in `text` */
    char text[GRID_TEXT_MAX];
} GridCell;

/* Read a grid file and check every key and value in it. Errors: ERR_CONFIG, "file:line:column: what, and what to
 * do"; ERR_IO, ERR_NOMEM. *grid is then NULL. */
NODISCARD Status grid_read(Grid **grid, const char *path);
/* The same from text, as if it stood in `path`. */
NODISCARD Status grid_parse(Grid **grid, const char *path, const char *text, size_t size);
/* Sets the caller's pointer to NULL; NULL is fine. */
void grid_close(Grid **grid);

/* As in messages. */
const char *grid_name(const Grid *grid);
/* The file of settings that the cells begin with, as seen from the current folder; NULL: the built-in one. */
const char *grid_base(const Grid *grid);
/* The folder for everything. */
const char *grid_out(const Grid *grid);
/* All but letters, digits, '.', '_' and '-' becomes '_'. */
void grid_plain_name(char *name);
/* Cells, with those that are left out. */
int grid_size(const Grid *grid);
/* Name and words of cell i. ERR_CONFIG: the name does not do; *cell may be half filled. */
NODISCARD Status grid_cell(const Grid *grid, int i, GridCell *cell);
/* Once grid_config has seen all cells: a condition of `exclude` that held for none, and where it stands. */
bool grid_idle_exclude(const Grid *grid, YamlPlace *at);
/* Its settings, and whether `exclude` leaves it out. Those of a cell that stays are checked against each other.
 * ERR_CONFIG names the cell. */
NODISCARD Status grid_config(const Grid *grid, int i, const GridCell *cell, Config *config,
                             bool *excluded);

#endif
