/* Words for a number that became infinite or NaN: the one place that knows which settings usually cure it.
 * Where it happened (model/, policy/) says which quantity went first; here stands the rest of the sentence.
 */
#ifndef RUN_DIVERGED_H
#define RUN_DIVERGED_H

#include "run/rundir.h"
#include "run/session.h"

typedef enum { DIVERGED_MODEL, DIVERGED_ROLLOUT, DIVERGED_AGENT, DIVERGED_PARTS } DivergedPart;

/* Where st is ERR_NUMERIC, the usual cures behind the reason, for the part of the run that it happened in.
 * Where the dataset holds a number that is far too large for single precision, that one first. Returns st. */
Status diverged_cures(Status st, const Session *s, DivergedPart part);
const char *diverged_cure(DivergedPart part);
/* Where st is ERR_NUMERIC, which checkpoint of the run is whole. Rank 0. Returns st. */
Status diverged_left(Status st, const RunDir *dir);

/* ERR_NUMERIC when some float of the agent's state is not finite, before it reaches a checkpoint. */
NODISCARD Status diverged_agent(Session *s);

#endif
