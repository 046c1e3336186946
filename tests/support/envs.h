/* What the tests of tasks share. Failures end the test with a message. */
#ifndef SUPPORT_ENVS_H
#define SUPPORT_ENVS_H

#include <stddef.h>
#include <stdint.h>

#include "env/env.h"

enum { DIM_MAX = 128 }; /* of states and actions */

/* The task as configured into *kind, and one of it; release with kind->close. */
Env *open_task(EnvKind *kind, const char *name, EnvConfig config);
/* (A) uniform on [-1, 1] */
void draw_action(const EnvKind *kind, Rng *rng, float *action);

typedef struct {
    double mean, error; /* of the return, and the standard error of that */
    double length;      /* mean */
} Returns;
/* Undiscounted returns of `episodes` episodes of `act`, NULL: uniform actions. */
Returns play_episodes(const EnvKind *kind, uint32_t episodes, void (*act)(const float *, float *));

/* A file of tests/golden in double; release with mem_free. */
char *golden_text(const char *name);
/* The rows x columns numbers (0 rows: a vector) of a record of that text. */
void golden_doubles(const char *text, const char *record, int rows, int columns, double *x);

#endif
