/* Tasks: a simulator behind one table. MuJoCo's header stays inside env/mj.c.
 * State is double inside, observations are given as float. Local: nothing here is collective.
 */
#ifndef ENV_ENV_H
#define ENV_ENV_H

#include <stdbool.h>

#include "base/rng.h"
#include "base/status.h"

typedef struct Env Env;

typedef struct {
    bool exact_inertia; /* false: capsules as in MuJoCo <= 2.1.0, which D4RL used */
} EnvConfig;

typedef struct {
    float reward;
    bool terminal; /* the task ended; never set by the time limit */
} EnvStep;

typedef struct {
    const char *name;
    const char *source; /* where reward, noise and limits were published */
    int state_dim, act_dim;
    int horizon;             /* steps after which an episode is cut (a timeout) */
    int nq, nv;              /* sizes of the simulator's position and velocity */
    double ref_min, ref_max; /* D4RL's reference returns; equal where there are none */
    Status (*open)(Env **env, const EnvConfig *config);
    void (*close)(Env *env);
    /* Draw a start state from *rng (positions first, then velocities). */
    Status (*reset)(Env *env, Rng *rng);
    /* action: (A); ERR_ENV when the simulator reports a bad state. */
    Status (*step)(Env *env, const float *action, EnvStep *out);
    void (*observe)(const Env *env, float *s); /* (S) */
    void (*get_state)(const Env *env, double *qpos, double *qvel);
    /* Put the simulator into a state (forgets warm starts): for oracles, relabelling and tests. */
    Status (*set_state)(Env *env, const double *qpos, const double *qvel);
    /* The task's own termination rule on a predicted transition: s (S), a (A), s2 (S). */
    bool (*terminates)(const float *s, const float *a, const float *s2);
} EnvKind;

/* NULL when there is no such task. */
const EnvKind *env_find(const char *name);
/* Row i of the table, NULL at its end. */
const EnvKind *env_kind(int i);
/* 100 (return - ref_min) / (ref_max - ref_min), Fu et al. 2020; NaN where no reference exists. */
double env_normalized_score(const EnvKind *kind, double episode_return);

/* Version of the MuJoCo library in use, "2.2.2". */
const char *env_simulator_version(void);

#endif
