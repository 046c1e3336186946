/* A world for tests of rollouts: pointmass, an ensemble, an agent, start states. */
#ifndef SUPPORT_WORLDS_H
#define SUPPORT_WORLDS_H

#include "rollout/rollout.h"

enum { S = 4, A = 2, Y = S + 1, STRIDE = 2 * S + A + 2, DATA = 50, MEMBERS = 3, HORIZON = 4 };
enum { BATCH = 203, UNITS = 4 }; /* units of 50 and 51 starts */

typedef struct {
    Ensemble ens;
    Agent agent;
    Rollout roll;
    Arena tmp;
    float data[DATA * STRIDE];
    float *records; /* (room of a unit) */
} World;

/* With random weights; elites are members 2 and 0. Everything of w->roll may be changed afterwards, but
 * for sizes. */
World *world_make(void);
void world_free(World *w);
/* Weights 0: member i predicts reward[i], s' - s = step[i] in each coordinate and a standard deviation
 * of `std` whatever the input. */
void world_set_constant(World *w, const float *reward, const float *step, float std);
/* One unit into w->records, and record i of it. */
UnitReport world_run(World *w, int64_t epoch, int unit);
const float *world_record(const World *w, int64_t i);

#endif
