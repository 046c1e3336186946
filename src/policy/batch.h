/* Records as the columns that networks take. S state, A action, D = S + A. */
#ifndef POLICY_BATCH_H
#define POLICY_BATCH_H

#include "policy/agent.h"

/* s (rows, S), s2 (rows, S), sa (rows, D); each NULL: not wanted. */
void batch_columns(const Agent *agent, const Batch *batch, float *s, float *s2, float *sa);
/* a (rows, A), clipped to [-1 + margin, 1 - margin], where densities are finite; margin 0: as they are. */
void batch_actions(const Agent *agent, const Batch *batch, float margin, float *a);
/* r (rows), times reward_scale, and cont (rows). */
void batch_rewards(const Agent *agent, const Batch *batch, float *r, float *cont);
/* out (rows draws, S + X): each of s (rows, S) beside its `draws` vectors x (rows, draws, X). */
void batch_join(const float *s, int S, const float *x, int X, int rows, int draws, float *out);

#endif
