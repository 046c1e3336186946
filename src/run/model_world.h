/* Evaluation where there is no simulator: episodes in the fitted model, and fitted Q evaluation
 * (policy/fqe.h). Start states are those of the dataset's episodes.
 */
#ifndef RUN_MODEL_WORLD_H
#define RUN_MODEL_WORLD_H

#include "policy/fqe.h"
#include "run/evaluate.h"
#include "run/session.h"

/* Rows of the dataset that begin an episode: row 0, and each row whose state is not the s' of the row
 * before or whose predecessor ended. Of more than MODEL_WORLD_STARTS only the first are kept. */
enum { MODEL_WORLD_STARTS = 100000 };
typedef struct {
    int64_t *rows; /* (n) owned */
    int64_t n;
} EpisodeStarts;

/* Local. Error: ERR_NOMEM. */
NODISCARD Status episode_starts(const Dataset *data, EpisodeStarts *starts);
void episode_starts_release(EpisodeStarts *starts);

/* One episode in the model: mean actions; transitions sampled from one elite (number episode mod
 * elites) throughout, so that episodes spread as the elites differ; rewards without the penalty. It
 * ends by the termination rule, the guard, where a prediction is not finite, or after
 * eval.model_steps. A function of (seed, policy, epoch, episode). Local, cannot fail. */
void model_episode(const Rollout *roll, const EpisodeStarts *starts, const Player *player,
                   int max_steps, int episode, Arena *tmp, EpisodeEntry *entry);
size_t model_episode_cost(const Rollout *roll, const Player *player); /* bytes of arena */

#endif
