/* timing.jsonl: where the seconds of a run went, one line per phase and rank. It depends on the clock,
 * so it is no result, and failing to write it is no failure of the run.
 */
#ifndef RUN_TIMING_H
#define RUN_TIMING_H

#include "base/status.h"
#include "run/rundir.h"

/* Append to the file from now on; rank 0. */
void timing_open(const RunDir *dir);
void timing_close(void);
/* One line, a JSON object; only where the file is open. */
void timing_line(const char *format, ...) PRINTF_LIKE(1, 2);
/* Collective: one line per rank, {"rank", "phase", "busy", "wait"}: this rank's seconds of a phase. */
void timing_phase(const char *phase, double busy, double wait);
/* Collective: the most memory that any rank and all ranks together have held, in MB, into the log. */
void timing_memory(void);

#endif
