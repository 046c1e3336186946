/* Uncertainty u(s, a) of the predicted transition, subtracted from the reward with weight lambda, or
 * compared with a threshold (MOReL). A row of the table (model/penalty_table.h) is one object in a file;
 * `mopo config tables` prints it.
 */
#ifndef MODEL_PENALTY_H
#define MODEL_PENALTY_H

#include <stdbool.h>
#include <stdint.h>

#include "model/ensemble.h"

/* What a penalty may look at, of rows (s, a). Y = 1 + S, reward first; states are next states, in the task's units. */
typedef struct {
    const float *mean, *std; /* (B, E, Y) of all members, as ensemble_predict gives them */
    const float *sample;     /* (B, Y): reward and next state that were drawn */
    const int32_t *drawn;    /* (B): the member that each of them was drawn from */
    const float *truth;      /* (B, S): the simulator's next state; NULL unless needs_truth */
    int rows, members, outs; /* B, E, Y */
} PenaltyIn;

typedef struct {
    const char *name;
    /* u (B) >= 0, of each row alone. What is not finite in what a penalty looks at must show as a u that
     * is not finite. No scratch but the stack: E and Y are at most ENSEMBLE_MAX and ENSEMBLE_DIM_MAX + 1. */
    void (*eval)(const PenaltyIn *in, float *u);
    Predict reads;    /* what of mean and std it looks at; the rest may be anything */
    int members;      /* the fewest that make sense: 2 where one would agree with itself */
    bool needs_truth; /* a simulator must be there */
    bool halts;       /* u above a threshold ends the rollout in HALT; lambda does not matter */
    const char *unit; /* of u */
    const char *source;
} Penalty;

/* NULL when there is no such penalty. */
const Penalty *penalty_find(const char *name);
/* Row i of the table, NULL at its end. */
const Penalty *penalty_row(int i);

#endif
