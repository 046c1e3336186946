/* `mopo bench`: the parts of mopo on this machine, each beside its floor, the least that any implementation
 * must do (docs/speed.md).
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "bench/report.h"

/* Measure what report->quick and report->only ask for. Rank 0 measures what one rank does while the others
 * sleep; exchanges between ranks, where there are two or more, take all of them. Rank 0 gets the report.
 * Collective. Errors, the same on all ranks: those of the parts; ERR_USAGE: no row has `only` in its name. */
NODISCARD Status bench_run(Report *report);

#endif
