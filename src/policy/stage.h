/* One gradient step on some of an agent's trained floats, the same way for every agent: gradients of
 * this rank's shards, their sum over all shards, a check, Adam. An update is one stage or several.
 */
#ifndef POLICY_STAGE_H
#define POLICY_STAGE_H

#include "base/rng.h"
#include "policy/agent.h"

typedef struct {
    const char *name;   /* for messages: "critics", "VAE" */
    size_t from, count; /* which floats of params the gradients cover */
    RngPurpose noise;   /* the shard's stream is (seed, noise, step, shard) */
    /* Gradient of one shard of a batch with `total` rows in all: grad (count), overwritten; it and
     * stats (AGENT_TAIL; zero before, an AgentStat or a number of the agent's own in each) are sums
     * over the shard's rows divided by `total`. */
    void (*gradient)(const Agent *agent, const Batch *batch, int total, Rng *rng, Arena *tmp,
                     float *grad, float *stats);
} Stage;

/* Gradients and their sum: afterwards agent->grads (count) is the whole batch's, and stats
 * (AGENT_TAIL) its averages. step: number of the update, for the streams. Collective over the
 * reduction's owners. Errors: ERR_NUMERIC when the batch, the gradient or a statistic is not finite
 * (nothing has changed), ERR_MPI. */
NODISCARD Status stage_gradient(Agent *agent, const Stage *stage, const Batch *batches, int total,
                                const Reduce *reduce, uint64_t seed, int64_t step, Arena *tmp,
                                float stats[AGENT_TAIL]);
/* Add a stage's averages to those of an update; each statistic is measured by one of its stages. */
void stage_note(const float tail[AGENT_TAIL], float stats[STAT_COUNT]);
/* Adam step number t (from 1) on params from `at` (n floats) with the stage's gradient. */
void stage_adam(Agent *agent, const Stage *stage, size_t at, size_t n, double lr, int64_t t);

#endif
