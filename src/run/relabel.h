/* Rewards of a recording computed anew with a task's own formula: the paper's way to its
 * out-of-distribution sets (section 5.2 of Yu et al. 2020). Local.
 */
#ifndef RUN_RELABEL_H
#define RUN_RELABEL_H

#include "base/status.h"
#include "data/recording.h"
#include "env/env.h"

/* rec->rewards of every row under `task` as configured. Exact where the recording has the torso's
 * positions (infos/torso_xpos and infos/next_torso_xpos); without them halfcheetah-jump takes the
 * height out of the observations. Errors: ERR_CONFIG (dimensions are not the task's, or the task
 * needs what the recording does not have: says what), ERR_NOMEM. */
NODISCARD Status relabel_rewards(Recording *rec, const EnvKind *task);

#endif
