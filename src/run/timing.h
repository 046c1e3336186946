/* timing.jsonl: where the seconds of a run went, one line per phase and rank; and the end of a run's log: the
 * table of all ranks and their memory. It depends on the clock, so it is no result, and failing to write it is
 * no failure of the run.
 */
#ifndef RUN_TIMING_H
#define RUN_TIMING_H

#include "base/status.h"
#include "run/rundir.h"
#include "run/session.h"

/* Append to the file from now on; rank 0. */
void timing_open(const RunDir *dir);
void timing_close(void);
/* One line, a JSON object; only where the file is open. */
void timing_line(const char *format, ...) PRINTF_LIKE(1, 2);
/* Collective: one line per rank, {"rank", "phase", "busy", "wait"}: this rank's seconds of a phase. */
void timing_phase(const char *phase, double busy, double wait);
/* Collective, at the end of a run: a line per rank with its sheet (base/account.h) and its memory; into the log
 * the table of times, what to change, and the memory. seconds: of the run on this rank. */
void timing_report(const Session *s, double seconds);

#endif
