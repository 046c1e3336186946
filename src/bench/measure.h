/* How long a piece of work takes: the least of many repetitions, because whatever else happens on a machine
 * can only add. Local, except that the work may be anything.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "base/status.h"

typedef Status (*Run)(void *ctx);

typedef struct {
    Run run;
    void *ctx;
} Work;

/* Repeat work[0 .. count) in turn (0 1 0 1 ...), at least twice each and until `budget` seconds of CPU are
 * spent; least[i] gets the least CPU seconds of one call of work[i]. Only ratios of pieces that were measured
 * in turn mean something on a shared machine. Error: the first of the work. */
NODISCARD Status measure_in_turn(const Work *work, int count, double budget, double *least);

#endif
