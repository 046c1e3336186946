/* Uncertainty u(s, a) of the predicted transition, subtracted from the reward with weight lambda.
 * A row of the table is one function; `mopo config tables` prints it.
 */
#ifndef MODEL_PENALTY_H
#define MODEL_PENALTY_H

typedef struct {
    const float *mean, *std; /* (B, E, Y) as ensemble_predict gives them */
    int rows, members, outs; /* B, E, Y */
} PenaltyIn;

typedef struct {
    const char *name;
    void (*eval)(const PenaltyIn *in, float *u); /* u (B) */
    const char *source;
} Penalty;

/* NULL when there is no such penalty. */
const Penalty *penalty_find(const char *name);
/* Row i of the table, NULL at its end. */
const Penalty *penalty_row(int i);

#endif
