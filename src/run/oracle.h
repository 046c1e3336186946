/* The simulator as an oracle: the true next state of any (s, a). The state is set in the task's
 * simulator, the action applied for one step, the outcome observed. What a state does not show (x, and
 * y of Ant) is 0, which nothing on flat ground depends on. Every row starts without the solver's memory
 * of the row before, so it is a function of (s, a) alone. Local.
 *
 * Hopper and Walker2d show velocities cut at 10: beyond, the truth is that of the velocity shown.
 */
#ifndef RUN_ORACLE_H
#define RUN_ORACLE_H

#include <stdbool.h>

#include "env/env.h"
#include "rollout/rollout.h"

/* A simulator that is put into a state before each step. */
typedef struct {
    EnvKind task;
    Env *env;     /* owned */
    double *qpos; /* (nq) owned, scratch */
    double *qvel; /* (nv) owned, scratch */
} Oracle;

/* Whether the task has a simulator that can be put into the state that an observation shows. */
bool oracle_possible(const EnvKind *task);
/* for_what: "penalty.type=oracle". Errors: ERR_CONFIG, with advice, where it is not possible; ERR_NOMEM,
 * ERR_ENV. After an error *oracle is zero; a zero one is fine to close. */
NODISCARD Status oracle_open(Oracle *oracle, const EnvKind *task, const char *for_what);
void oracle_close(Oracle *oracle);

/* One step from s (S) with a (A). The next state and the environment's answer are then in oracle->env
 * and *step. False: s is impossible, or the simulator refuses s, a or what became of them. */
bool oracle_step(Oracle *oracle, const float *s, const float *a, EnvStep *step);
/* Next states (rows, S) of sa (rows, S + A); NaN in every number of a row where oracle_step is false.
 * Allocates nothing. */
void oracle_next(Oracle *oracle, const float *sa, int rows, float *next);

/* The oracle as rollouts take it; borrows it. */
Truth oracle_truth(Oracle *oracle);

#endif
