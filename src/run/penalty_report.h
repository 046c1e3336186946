/* penalty.txt of a run directory: what each penalty says of the data and of random actions, beside the
 * rewards; and a few lines of it in the log, so that a user sees what lambda means (docs/formats.md).
 */
#ifndef RUN_PENALTY_REPORT_H
#define RUN_PENALTY_REPORT_H

#include "run/rundir.h"
#include "run/session.h"

/* Once a run: nothing happens where the file is there. dir is that of rank 0, NULL elsewhere. The model is
 * fitted, the threshold known. Collective. Errors: ERR_NOMEM, ERR_IO, on all ranks. */
NODISCARD Status penalty_report(Session *s, const RunDir *dir);

#endif
