/* A policy as one thing that acts: the network and its head (nn/squash.h) together. */
#ifndef POLICY_ACTOR_H
#define POLICY_ACTOR_H

#include <stddef.h>

#include "base/arena.h"
#include "nn/mlp.h"
#include "nn/squash.h"

/* actor: S -> 2 A, one group. s (rows, S), standard normals eps (rows, A) -> a (rows, A) and its log
 * density logp (rows); logp NULL: not wanted. eps NULL: the mean action, and logp is not touched.
 * Scratch: policy_act_cost bytes. */
void policy_act(const Mlp *actor, const Squash *squash, const float *params, const float *s,
                const float *eps, int rows, Arena *tmp, float *a, float *logp);
size_t policy_act_cost(const Mlp *actor, int rows);

/* Of n actions drawn at one state s (S) with standard normals eps (n, A), the one with the highest value
 * of the first critic: a (A). critic: D -> 1, one group or more. */
void policy_choose(const Mlp *actor, const Squash *squash, const float *params, const Mlp *critic,
                   const float *values, const float *s, const float *eps, int n, Arena *tmp,
                   float *a);
size_t policy_choose_cost(const Mlp *actor, const Mlp *critic, int n);

#endif
