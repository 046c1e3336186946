/* Inside policy/ only: what the two forms of SAC's update (sac.c, sac_sequential.c) share. */
#ifndef POLICY_SAC_PARTS_H
#define POLICY_SAC_PARTS_H

#include "policy/stage.h"

/* The statistics of a shard's policy: loss and logp are sums over its rows of alpha log pi - min Q and
 * of log pi. */
void sac_note_policy(const Agent *agent, double loss, double logp, int rows, float scale,
                     float *stats);
/* -mean (log pi + H), this shard's share; after sac_note_policy. */
float sac_alpha_gradient(const Agent *agent, int rows, float scale, const float *stats);
/* The temperature that losses see: at most cfg.alpha_max, while log alpha itself goes on freely, as in
 * OfflineRL-Kit. */
float sac_alpha(const Agent *agent);

/* AgentKind.update and update_cost of sac.update = sequential. */
NODISCARD Status sac_sequential_update(Agent *agent, const Batch *batches, int total,
                                       const Reduce *reduce, uint64_t seed, Arena *tmp,
                                       float *stats);
size_t sac_sequential_cost(const Agent *agent, int rows);

#endif
