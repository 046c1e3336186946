/* Hopper of gym, one leg in a plane (env/planar.h).
 *   s = (qpos[1..5], clip(qvel[0..5], 10)), r = (x' - x) / dt + 1 - 0.001 |a|^2
 * Reset: qpos0 + U(-0.005, 0.005), qvel = U(-0.005, 0.005). Source: gym 0.10 to 0.26, hopper.py.
 * Inertia: legacy is in assets/hopper.xml; exact is the table below, as gym v4 and later.
 */
#include <math.h>

#include "env/planar.h"

extern const char asset_hopper[]; /* cmake/embed.cmake */

/* Capsules as MuJoCo computes them since 2.1.1, density 1000. */
static const MjInertial exact_inertials[] = {
    {.body = "torso",
     .mass = 3.6651914291880923,
     .pos = {0, 0, 0},
     .quat = {1, 0, 0, 0},
     .inertia = {0.069245938072875, 0.069245938072875, 0.004450589592585541}},
    {.body = "thigh",
     .mass = 4.057890510886818,
     .pos = {0, 0, -0.225},
     .quat = {1, 0, 0, 0},
     .inertia = {0.09329875682692194, 0.09329875682692194, 0.004941463444708948}},
    {.body = "leg",
     .mass = 2.7813566959781637,
     .pos = {0, 0, 0},
     .quat = {1, 0, 0, 0},
     .inertia = {0.07230254017320971, 0.07230254017320971, 0.0021821921450855186}},
    {.body = "foot",
     .mass = 5.315574769873931,
     .pos = {-0.065, 0, 0.1},
     .quat = {0.7071067811865476, 0, -0.7071067811865475, 0},
     .inertia = {0.1035230805900054, 0.1035230805900054, 0.009242314259448886}},
};

/* Upright, off the ground, and no number of 100 or more but x. */
static bool is_healthy(const double *qpos, const double *qvel)
{
    bool healthy = isfinite(qpos[0]) && isfinite(qpos[1]) && qpos[1] > 0.7 && fabs(qpos[2]) < 0.2;

    for (int i = 0; i < 6; i++) {
        healthy = healthy && fabs(qvel[i]) < 100 && (i < 2 || fabs(qpos[i]) < 100);
    }
    return healthy;
}

static const Planar robot = {
    .mjcf = asset_hopper,
    .exact = exact_inertials,
    .bodies = sizeof exact_inertials / sizeof *exact_inertials,
    .frame_skip = 4,
    .dt = 0.008,
    .bonus = 1,
    .cost = 0.001,
    .pos_noise = 0.005,
    .vel_noise = 0.005,
    .vel_limit = 10,
    .is_healthy = is_healthy,
};

static Status open_env(Env **env, const EnvKind *kind)
{
    return planar_open(env, kind, &robot);
}

static double reward(const EnvKind *kind, const Motion *motion, const double *action)
{
    return planar_reward(kind, &robot, motion, action);
}

/* The simulator's rule. The released code means it, too, but a parenthesis is misplaced there:
 * abs(s' < 100) in the place of abs(s') < 100, so that numbers below -100 end nothing. */
static bool terminates(const EnvKind *kind, const float *s, const float *a, const float *s2)
{
    (void)s;
    (void)a;
    return planar_falls(kind, &robot, s2);
}

const EnvKind env_hopper = {
    .name = "hopper",
    .source = "gym Hopper-v2; reference returns of D4RL (Fu et al. 2020)",
    .state_dim = 11,
    .act_dim = 3,
    .horizon = 1000,
    .nq = 6,
    .nv = 6,
    .ref_min = -20.272305,
    .ref_max = 3234.3,
    .open = open_env,
    .close = task_close,
    .reset = planar_reset,
    .step = planar_step,
    .observe = planar_observe,
    .get_state = task_get_state,
    .set_state = planar_set_state,
    .state_of = planar_state_of,
    .motion = task_motion,
    .reward = reward,
    .terminates = terminates,
};
