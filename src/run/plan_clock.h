/* Inside run/ only: how long a piece of work takes in a sustained run, for `mopo plan`. */
#ifndef RUN_PLAN_CLOCK_H
#define RUN_PLAN_CLOCK_H

#include "base/status.h"

/* Seconds of CPU that this process has used: what a core of its own would take, whoever else is on it now. */
double plan_clock(void);

/* A piece of work; *units: how much of it was done in this call, such as rows. */
typedef struct {
    Status (*run)(void *ctx, double *units);
    void *ctx;
} PlanPiece;

/* Repeat piece[0 .. count) in turn until `budget` seconds are spent, but at least twice; each[i] gets the median
 * seconds of a unit: the typical and not the least, since a run meets both. A first call of each is not counted.
 * Pieces that share a budget are compared under the same conditions. Error: the first of the work. */
NODISCARD Status plan_measure(const PlanPiece *piece, int count, double budget, double *each);

#endif
