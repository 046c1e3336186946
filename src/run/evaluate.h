/* Evaluation episodes: released code of MOPO, 10 episodes of at most 1000 steps with the mean action,
 * undiscounted returns. BEAR's plays the best of many sampled actions instead.
 */
#ifndef RUN_EVALUATE_H
#define RUN_EVALUATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/rng.h"
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
    /* candidates > 0, and not sample: of so many drawn actions the one with the highest value */
    int candidates;
    const Mlp *critic;
    const float *values; /* its parameters */
} Player;

/* One action a (A) at state s (S). Local, cannot fail. noise: (seed, RNG_EVAL_ACTION or
 * RNG_EVAL_CANDIDATE, epoch, episode), from player_noise. Scratch: player_act_cost bytes. */
void player_act(const Player *player, const float *s, Rng *noise, Arena *tmp, float *a);
Rng player_noise(const Player *player, int episode);
size_t player_act_cost(const Player *player);

typedef struct {
    int64_t episode;
    double total, length; /* undiscounted return, steps */
    double cut;           /* 1: played in the model, whose next prediction was not finite */
} EpisodeEntry;

/* Play one episode. Local. Error: ERR_ENV. */
NODISCARD Status play_episode(const Player *player, Env *env, int episode, Arena *tmp,
                              EpisodeEntry *entry);
size_t play_cost(const Player *player); /* bytes of arena */

typedef struct {
    double mean, std, min, max, length;
    double score; /* D4RL's normalized score of the mean; NaN where the task has none */
    int cut;      /* episodes that ended where the model's prediction was not finite */
} ReturnSummary;

ReturnSummary summarize_returns(const EnvKind *env, const EpisodeEntry *episodes, int count);
/* If episodes were cut, a warning that `whose` (an epoch, a policy) mean return is not that of whole episodes. */
void warn_of_cut_episodes(const ReturnSummary *r, const char *whose, int count);

/* Deal `count` episodes to the ranks, play, and give all entries to every rank. Collective. */
NODISCARD Status evaluate(const Player *player, int count, EpisodeEntry *entries);
/* Of entries (count) rank r has filled r, r + ranks, ...; every rank gets them all. Collective. */
NODISCARD Status share_episodes(EpisodeEntry *entries, int count);

#endif
