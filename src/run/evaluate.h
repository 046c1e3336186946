/* Evaluation episodes: released code of MOPO, 10 episodes of at most 1000 steps with the mean action,
 * undiscounted returns.
 */
#ifndef RUN_EVALUATE_H
#define RUN_EVALUATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "env/env.h"
#include "nn/mlp.h"
#include "nn/squash.h"

/* Who plays what; everything borrowed. */
typedef struct {
    const EnvKind *env;
    const Mlp *actor;
    const Squash *squash;
    const float *params;
    uint64_t seed;
    int64_t epoch; /* of the policy: start states are drawn from (seed, epoch, episode) */
    bool sample;   /* draw actions, from a stream of (seed, epoch, episode) too; else the mean */
} Player;

typedef struct {
    int64_t episode;
    double total, length; /* undiscounted return, steps */
} EpisodeEntry;

/* Play one episode. Local. Error: ERR_ENV. */
NODISCARD Status play_episode(const Player *player, Env *env, int episode, Arena *tmp,
                              EpisodeEntry *entry);
size_t play_cost(const Player *player); /* bytes of arena */

typedef struct {
    double mean, std, min, max, length;
    double score; /* D4RL's normalized score of the mean; NaN where the task has none */
} ReturnSummary;

ReturnSummary summarize_returns(const EnvKind *env, const EpisodeEntry *episodes, int count);

/* Deal `count` episodes to the ranks, play, and give all entries to every rank. Collective. */
NODISCARD Status evaluate(const Player *player, int count, EpisodeEntry *entries);
/* Of entries (count) rank r has filled r, r + ranks, ...; every rank gets them all. Collective. */
NODISCARD Status share_episodes(EpisodeEntry *entries, int count);

#endif
