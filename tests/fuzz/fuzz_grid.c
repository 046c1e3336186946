/* Grid files and lists of jobs: what is taken can be gone through, and the list is written and read as the same. */
#include <string.h>

#include "base/text.h"
#include "fuzz/fuzz.h"
#include "run/tables.h"
#include "sweep/cells.h"
#include "sweep/grid.h"

static void go_through(const Grid *grid)
{
    static GridCell cell;
    Config config;
    const int size = grid_size(grid);

    EXPECT(size > 0 && size <= GRID_CELLS_MAX);
    for (int i = 0; i < size; i += 1 + size / 16) {
        bool excluded = false;
        if (grid_cell(grid, i, &cell) != OK) {
            continue;
        }
        EXPECT(strlen(cell.name) < GRID_NAME_MAX && strchr(cell.name, '/') == NULL &&
               cell.name[0] != '.');
        EXPECT(cell.count <= GRID_WORDS_MAX);
        if (grid_base(grid) == NULL && grid_config(grid, i, &cell, &config, &excluded) != OK) {
            EXPECT(text_flaw(status_reason(), strlen(status_reason())) == NULL);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool started;
    Grid *grid = NULL;
    JobList jobs;

    if (!started) {
        tables_register();
        started = true;
    }
    if (grid_parse(&grid, "g.yaml", (const char *)data, size) == OK) {
        go_through(grid);
    }
    grid_close(&grid);
    if (jobs_parse(&jobs, "cells.tsv", (const char *)data, size) == OK) {
        for (int i = 0; i < jobs.count; i++) {
            EXPECT(jobs.jobs[i].words[jobs.jobs[i].count] == NULL);
        }
    }
    jobs_release(&jobs);
    return 0;
}
