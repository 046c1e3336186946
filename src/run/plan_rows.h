/* The rows that `mopo plan` measures on: the dataset where it lies here, otherwise rows of the same shape, played in
 * the task with random actions and repeated. Nothing is written.
 */
#ifndef RUN_PLAN_ROWS_H
#define RUN_PLAN_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "data/dataset.h"

typedef struct {
    int64_t rows;        /* of the run's dataset */
    bool here;           /* the dataset is a file of this machine */
    bool collected;      /* the run makes it first */
    double collect_step; /* seconds; 0 where none was played */
    Dataset stand_in;    /* where it is not here: at most PLAN_ROWS_MOST of `rows` rows; owned */
} PlanRows;

enum { PLAN_ROWS_MOST = 100000 };

/* assumed: how many rows a dataset has that is not here, 0: as its name says, or as the run collects. Collective.
 * Errors, the same on all ranks: ERR_CONFIG: nobody says how many rows, or their shape (task none); ERR_ENV,
 * ERR_NOMEM. *rows is then zero. */
NODISCARD Status plan_rows_find(PlanRows *rows, const Config *cfg, int64_t assumed);
void plan_rows_release(PlanRows *rows);

#endif
