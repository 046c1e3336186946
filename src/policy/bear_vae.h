/* Inside policy/ only: BEAR's model of the behavior, a conditional VAE of actions (policy/bear.c has its
 * loss).
 */
#ifndef POLICY_BEAR_VAE_H
#define POLICY_BEAR_VAE_H

#include "base/rng.h"
#include "policy/agent.h"

/* Of Agent.side and at_side, the one right behind the other. */
enum { ENCODER, DECODER };

/* L, numbers of z. */
static inline int bear_latents(const Agent *agent)
{
    return 2 * agent->cfg.act_dim;
}

/* Stage.gradient of [ encoder | decoder ]; measures STAT_BEHAVIOR. */
void bear_vae_gradient(const Agent *agent, const Batch *batch, int total, Rng *rng, Arena *tmp,
                       float *grad, float *stats);
size_t bear_vae_cost(const Agent *agent, int rows); /* bytes of arena */

#endif
