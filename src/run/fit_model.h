/* Fitting the ensemble over the ranks: MOPO algorithm 2, line 1. Members are dealt to ranks and
 * exchange nothing within a pass; after a pass every rank knows all holdout errors, so all agree when
 * to stop. Results do not depend on who fitted what. Collective.
 */
#ifndef RUN_FIT_MODEL_H
#define RUN_FIT_MODEL_H

#include "run/checkpoint.h"
#include "run/rundir.h"
#include "run/session.h"

/* Fit s->ens, choose elites, freeze, write model.h5 (rank 0). dir and from (a checkpoint of the model
 * phase, or NULL) are those of rank 0, NULL elsewhere. On return every rank has the whole ensemble.
 * Errors, the same on all ranks: ERR_INTERRUPTED (saved), ERR_NUMERIC, ERR_NOMEM, ERR_IO. */
NODISCARD Status fit_model(Session *s, const RunDir *dir, const Checkpoint *from);
/* Take model.h5 of the directory if it is there (rank 0 looks); *found tells all ranks. Errors, the same on all
 * ranks: ERR_CONFIG (of other data or settings), ERR_FORMAT, ERR_IO, ERR_NOMEM. */
NODISCARD Status fetch_model(Session *s, const RunDir *dir, bool *found);
/* Before another model.h5 is put into a run directory: delete the reports of the one before. Local. Error: ERR_IO. */
NODISCARD Status forget_reports(const RunDir *dir);

#endif
