/* The ant of gym, four legs around a sphere: the robot of ant and ant-angle.
 *   s = (qpos[2..14], qvel[0..13]): without x and y; height, quaternion (w first), 8 joints, then
 *       velocities. Behind it contact forces, clipped to [-1, 1], as config.forces says.
 *   r = speed along a direction + bonus - 0.5 |a|^2 - 5e-4 |clipped contact forces|^2,
 *       the last where they are real ones, over all bodies
 * Speeds are differences of the torso's xpos, which mj_step leaves a fraction of a simulator step old
 * (mjsim_torso); gym reads it so, and recorded rewards depend on it.
 * Reset: qpos0 + U(-0.1, 0.1), x, y and quaternion too, which is then normalized; qvel = 0.1 N(0, 1).
 * Sources: ant.py of gym 0.10 to 0.26 (v2 to v4) and Gymnasium (v4, v5).
 */
#ifndef ENV_ANT_H
#define ENV_ANT_H

#include "env/task.h"

enum {
    ANT_BODIES = 14,             /* world, torso, three for each leg */
    ANT_FORCES = 6 * ANT_BODIES, /* torque and force on each */
    ANT_MOVES = 27,              /* numbers in s before the forces */
    ANT_NQ = 15,
    ANT_NV = 14,
    ANT_ACTIONS = 8
};

/* Entries of EnvKind. */
Status ant_open(Env **out, const EnvKind *kind);
Status ant_reset(Env *env, Rng *rng);
Status ant_set_state(Env *env, const double *qpos, const double *qvel);
Status ant_step(Env *env, const float *action, EnvStep *out);
void ant_observe(const Env *env, float *s);
bool ant_state_of(const EnvKind *kind, const float *s, double *qpos, double *qvel);
bool ant_terminates(const EnvKind *kind, const float *s, const float *a, const float *s2);

/* r for running along the unit vector (x, y). */
double ant_reward_along(const EnvKind *kind, const Motion *motion, const double *action, double x,
                        double y, double bonus);

/* ant_step before rounding, for comparison with published trajectories; action: (A). */
NODISCARD Status ant_step_wide(Env *env, const double *action, double *reward);

#endif
