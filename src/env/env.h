/* Tasks: a simulator behind one table. MuJoCo's header stays inside env/mj.c.
 * State is double inside, observations are given as float. Local: nothing here is collective.
 */
#ifndef ENV_ENV_H
#define ENV_ENV_H

#include <stdbool.h>

#include "base/rng.h"
#include "base/status.h"

typedef struct Env Env;
typedef struct EnvKind EnvKind;

/* What Ant shows of its contact forces: nothing (27 numbers), zeros as gym v2 on MuJoCo 2.0 and D4RL
 * (111), real ones (111), real ones without the world's row as gym v5 (105). */
typedef enum { FORCES_NONE, FORCES_ZERO, FORCES_REAL, FORCES_REAL_V5 } ContactForces;

/* Versions of the tasks: type, name, meaning. All zero is what D4RL used, but for `forces`: gym v2 on
 * MuJoCo 2.0. */
#define ENV_CONFIG(X)                                                                             \
    X(bool, exact_inertia, "capsules as MuJoCo >= 2.1.1 (gym v4, v5), not as MuJoCo <= 2.1.0")    \
    X(bool, v5_foot, "Walker2d's right foot has friction 1.9, not 0.9")                           \
    X(bool, v5_bonus, "no healthy bonus on the step that ends the episode")                       \
    X(ContactForces, forces, "Ant")                                                               \
    X(bool, behavior_reward, "what the paper's out-of-distribution data were collected with")     \
    X(bool, jump_max, "halfcheetah-jump: max(v, 3) as the paper prints, not min(v, 3)")           \
    X(bool, jump_no_height, "halfcheetah-jump: 17 numbers, without the torso's height")           \
    X(bool, jump_fixed, "halfcheetah-jump: height counts from 0.7, not from the episode's start") \
    X(bool, angle_no_bonus, "ant-angle: without the bonus of 1, as the paper's formula")          \
    X(bool, clip_actions, "to [-1, 1] before cost and engine, as D4RL's wrapper")

typedef struct {
#define ENV_CONFIG_FIELD(type, name, meaning) type name;
    ENV_CONFIG(ENV_CONFIG_FIELD)
#undef ENV_CONFIG_FIELD
} EnvConfig;

typedef struct {
    float reward;
    bool terminal; /* the task ended; never set by the time limit */
} EnvStep;

/* What a reward depends on, besides the action: the torso before and after a control step as gym
 * reads it (stale xpos and all), meters. */
typedef struct {
    double before[3], after[3];
    double start_z;       /* `before[2]` of the episode's first step */
    double contact_force; /* sum of clipped contact forces squared; Ant with real forces only */
    bool healthy;         /* after the step */
} Motion;

/* A task as configured: a row of the table, adapted to its `config` by env_configure. By value. */
struct EnvKind {
    const char *name;
    const char *source; /* where reward, noise and limits were published */
    int state_dim, act_dim;
    int horizon;             /* steps after which an episode is cut (a timeout) */
    int nq, nv;              /* sizes of the simulator's position and velocity */
    double ref_min, ref_max; /* D4RL's reference returns; equal where there are none */
    EnvConfig config;
    /* Adapt the copy to its config: state_dim and the like; NULL: nothing depends on it. */
    void (*configure)(EnvKind *kind);
    Status (*open)(Env **env, const EnvKind *kind);
    void (*close)(Env *env);
    /* Draw a start state from *rng (positions first, then velocities). */
    Status (*reset)(Env *env, Rng *rng);
    /* action: (A); ERR_ENV when the simulator reports a bad state. */
    Status (*step)(Env *env, const float *action, EnvStep *out);
    void (*observe)(const Env *env, float *s); /* (S) */
    void (*get_state)(const Env *env, double *qpos, double *qvel);
    /* Put the simulator into a state (forgets warm starts): for oracles, relabeling and tests. */
    Status (*set_state)(Env *env, const double *qpos, const double *qvel);
    /* The state that shows as s: qpos (nq), qvel (nv); what s does not show (x, and y of Ant) is 0.
     * Hopper and Walker2d clip velocities to 10, which cannot be undone. False: s is impossible. */
    bool (*state_of)(const EnvKind *kind, const float *s, double *qpos, double *qvel);
    /* Height of the torso that s shows, m; for relabeling without infos. NULL: no reward needs it. */
    double (*height)(const EnvKind *kind, const float *s);
    /* Motion of the step just made; NULL where the reward is no function of one. */
    void (*motion)(const Env *env, Motion *motion);
    /* The reward as a function: what `step` gives, and what relabeling computes. action: (A), as
     * the environment gets it (clipped already where config.clip_actions). */
    double (*reward)(const EnvKind *kind, const Motion *motion, const double *action);
    /* The task's own termination rule on a predicted transition: s (S), a (A), s2 (S). */
    bool (*terminates)(const EnvKind *kind, const float *s, const float *a, const float *s2);
};

/* The task `name` under `config`. Error: ERR_CONFIG with the names there are. */
NODISCARD Status env_configure(EnvKind *task, const char *name, const EnvConfig *config);
/* Row i of the table of simulated tasks, not adapted to any config; NULL at its end. */
const EnvKind *env_kind(int i);
/* The row called `name`, or the task "none", which has no simulator: its `open` and all that work on
 * an Env are NULL, and its dimensions are 0 until a dataset gives them. NULL: no such task. */
const EnvKind *env_find(const char *name);
/* ERR_CONFIG, with advice, for the task "none"; `for_what`: "collecting". */
NODISCARD Status env_need_simulator(const EnvKind *task, const char *for_what);
/* 100 (return - ref_min) / (ref_max - ref_min), Fu et al. 2020; NaN where no reference exists. */
double env_normalized_score(const EnvKind *kind, double episode_return);

/* Version of the MuJoCo library in use, "2.2.2". */
const char *env_simulator_version(void);

#endif
