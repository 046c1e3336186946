/* Twin critics, what agents share of them. B rows of a shard, A actions, D = S + A; `critic` is the
 * agent's, at its present weights. Gradients and statistics are a shard's share: `scale` is 1 over the
 * rows of the whole batch.
 */
#ifndef POLICY_TWIN_H
#define POLICY_TWIN_H

#include "policy/agent.h"

enum { CRITICS = 2 };

/* The smaller of a row's two values; NaN where one is. */
float twin_least(const float q[CRITICS]);
/* Regression: loss_i = weight mean (Q_i(sa) - y)^2; grad (critic.count) is overwritten with the gradient
 * of loss_1 + loss_2, and stats get STAT_CRITIC_LOSS, the mean of both, and STAT_Q. sa (B, D), y (B). */
void twin_regress(const Agent *agent, const float *sa, const float *y, int rows, float weight,
                  float scale, Arena *tmp, float *grad, float *stats);
/* The smaller value at the policy's actions, least (B), and its derivative by them, dq_da (B, A). */
void twin_climb(const Agent *agent, const float *sa, int rows, Arena *tmp, float *least,
                float *dq_da);
size_t twin_cost(const Agent *agent, int rows); /* bytes of arena, of either */
/* weight times the derivative of min(Q_1, Q_2) by the action, dq_da (B, A), from the critics' tape and their
 * values q (B, 2) there. Scratch: twin_slope_cost bytes. */
void twin_slope(const Agent *agent, const MlpTape *tape, const float *q, int rows, float weight,
                Arena *tmp, float *dq_da);
size_t twin_slope_cost(const Agent *agent, int rows);

#endif
