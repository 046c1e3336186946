/* Evaluation where there is no simulator: episodes in the fitted model, and fitted Q evaluation
 * (policy/fqe.h). Start states are those of the dataset's episodes.
 */
#ifndef RUN_MODEL_WORLD_H
#define RUN_MODEL_WORLD_H

#include "data/starts.h"
#include "policy/fqe.h"
#include "run/evaluate.h"
#include "run/session.h"

/* One episode in the model: mean actions; transitions sampled from one elite (number episode mod
 * elites) throughout, so that episodes spread as the elites differ; rewards without the penalty. It
 * ends by the termination rule, the guard, where a prediction is not finite (entry->cut), or after
 * eval.model_steps. A function of (seed, policy, epoch, episode). Local, cannot fail. */
void model_episode(const Rollout *roll, const EpisodeStarts *starts, const Player *player,
                   int max_steps, int episode, Arena *tmp, EpisodeEntry *entry);
size_t model_episode_cost(const Rollout *roll, const Player *player); /* bytes of arena */

#endif
