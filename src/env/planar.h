/* The planar robots of gym: HalfCheetah, Hopper, Walker2d, and tasks made of them. All functions are
 * shared; what robots differ in is a constant struct.
 *   s = (qpos[1 ..], qvel clipped): without the distance x run so far. Where S is one larger than
 *       that, the torso's height as gym reads it (Motion.after[2]) stands between the two.
 *   r = (x' - x) / dt + bonus - cost |a|^2, the action as given: MuJoCo clamps torques, not the cost
 * Reset: qpos0 and 0 plus noise. An episode ends after a step that leaves the robot unhealthy; health
 * is judged on the simulator's own state, before anything is clipped or rounded.
 * Sources: half_cheetah.py, hopper.py, walker2d.py of gym 0.10 to 0.26 and Gymnasium.
 */
#ifndef ENV_PLANAR_H
#define ENV_PLANAR_H

#include "env/task.h"

typedef struct Planar {
    const char *mjcf; /* with legacy inertials */
    const MjInertial *exact;
    int bodies;         /* in `exact`: all but the world */
    int frame_skip;     /* simulator steps in a control step */
    double dt;          /* of a control step, s */
    double bonus, cost; /* of the reward */
    double pos_noise;   /* half the width of a uniform distribution */
    double vel_noise;   /* the same, or the deviation of a normal one */
    bool vel_is_normal;
    double vel_limit; /* of what is shown; INFINITY: none */
    bool (*is_healthy)(const double *qpos, const double *qvel); /* NULL: always */
} Planar;

extern const Planar planar_halfcheetah;

/* Entries of EnvKind, and those that also want to know the robot. */
NODISCARD Status planar_open(Env **env, const EnvKind *kind, const Planar *robot);
Status planar_reset(Env *env, Rng *rng);
Status planar_set_state(Env *env, const double *qpos, const double *qvel);
Status planar_step(Env *env, const float *action, EnvStep *out);
void planar_observe(const Env *env, float *s);
bool planar_state_of(const EnvKind *kind, const float *s, double *qpos, double *qvel);
double planar_reward(const EnvKind *kind, const Planar *robot, const Motion *motion,
                     const double *action);
/* The robot that shows as s2 is not healthy. */
bool planar_falls(const EnvKind *kind, const Planar *robot, const float *s2);

/* planar_step before rounding, for comparison with published trajectories; action: (A). */
NODISCARD Status planar_step_wide(Env *env, const double *action, double *reward);

#endif
