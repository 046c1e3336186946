/* The classifier of terminal rows (model/terminal_head.h) within a run: fitted on rank 0, kept in
 * termination.h5 of the run directory, sent to all. Collective.
 */
#ifndef RUN_FIT_TERMINAL_H
#define RUN_FIT_TERMINAL_H

#include "run/rundir.h"
#include "run/session.h"

/* Where termination.rule is `learned`: take or fit s->head. dir is that of rank 0, NULL elsewhere.
 * Errors, the same on all ranks: ERR_NUMERIC, ERR_NOMEM, ERR_IO, ERR_FORMAT, ERR_CONFIG (the file
 * was fitted to other data). */
NODISCARD Status fit_terminal(Session *s, const RunDir *dir);
/* Only take it: for an evaluation. Error: ERR_CONFIG when the run has none. */
NODISCARD Status fetch_terminal(Session *s, const RunDir *dir);

#endif
