/* The datasets of one task as D4RL has them (Fu et al. 2020), or one of the paper's
 * out-of-distribution sets, from one run of online SAC (run/online.h) in the same folder `dir`:
 *
 *   <task>-random.hdf5          `rows` rows of uniform actions
 *   <task>-medium.hdf5          `rows` rows, drawn from the first policy whose evaluated return is a
 *                               third of the way from random actions to the best policy
 *   <task>-mixed.hdf5           the replay buffer up to that policy
 *   <task>-expert.hdf5          `rows` rows, drawn from the policy with the best evaluated return
 *   <task>-medium-expert.hdf5   medium without a cut last episode, then expert
 *
 * A task whose data come from another reward (section 5.2 of Yu et al. 2020) gets instead:
 *
 *   <task>-behavior.hdf5        the replay buffer of SAC on the behavior's reward
 *   <task>.hdf5                 the same with the task's reward (run/relabel.h)
 *
 * family.txt is a table of them: rows, episodes, returns, step of the policy.
 */
#ifndef RUN_FAMILY_H
#define RUN_FAMILY_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

/* Make what is not there yet; each file is complete or not there, so whatever was broken off goes on
 * to the same bytes. force: make all anew. Collective. Errors, the same on all ranks: those of
 * online_run, collect_job and relabel_rewards; ERR_CONFIG when no policy is better than random actions
 * or a file has another number of rows. */
NODISCARD Status family_run(const Config *cfg, const char *dir, int64_t rows, bool force);

#endif
