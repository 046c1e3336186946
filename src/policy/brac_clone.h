/* Inside policy/ only: BRAC's clone of the behavior, fitted before the policy. Released code, bc_agent.py:
 * maximum likelihood with a weight on the entropy that is learned, too.
 *
 *   L_b  = mean ( w log b(a_b | s) - log b(clip(a) | s) ),  a_b ~ b(s), w = max(0, e)
 *   L_e  = w mean ( -log b(a_b | s) - H ),  H = -A; at the clone just moved, another a_b
 *
 * A gradient that would raise e passes where e < 0, too; one that would lower it does not.
 */
#ifndef POLICY_BRAC_CLONE_H
#define POLICY_BRAC_CLONE_H

#include "policy/agent.h"

/* Of Agent.side and at_side: the clone, and its e, which is one number and no network. */
enum { CLONE, CLONE_TEMPERATURE };

/* AgentKind.prepare_updates, prepare and its share of update_cost. */
int64_t brac_clone_updates(const Agent *agent);
NODISCARD Status brac_clone_update(Agent *agent, const Batch *batches, int total,
                                   const Reduce *reduce, uint64_t seed, Arena *tmp, float *stats);
size_t brac_clone_cost(const Agent *agent, int rows);

#endif
