/* What the task files share; users of tasks need env.h only. */
#ifndef ENV_TASK_H
#define ENV_TASK_H

#include "env/env.h"
#include "env/mj.h"

struct Env {
    EnvKind kind;                /* as it was opened with */
    MjSim *sim;                  /* owned; NULL in a task without MuJoCo */
    const struct Planar *planar; /* env/planar.h: the robot; NULL in other tasks */
    Motion motion;               /* of the last step */
    double pos[2], vel[2];       /* state of pointmass */
};

extern const EnvKind env_halfcheetah;
extern const EnvKind env_hopper;
extern const EnvKind env_walker2d;
extern const EnvKind env_halfcheetah_jump;
extern const EnvKind env_ant;
extern const EnvKind env_ant_angle;
extern const EnvKind env_pointmass;
extern const EnvKind env_none; /* not in the table: it cannot be opened */

/* Entries of EnvKind that are the same for every MuJoCo task. */
void task_close(Env *env);
void task_get_state(const Env *env, double *qpos, double *qvel);
Status task_set_state(Env *env, const double *qpos, const double *qvel);
void task_motion(const Env *env, Motion *motion);
bool task_never_terminates(const EnvKind *kind, const float *s, const float *a, const float *s2);

#endif
