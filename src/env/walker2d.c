/* Walker2d of gym, two legs in a plane (env/planar.h).
 *   s = (qpos[1..8], clip(qvel[0..8], 10)), r = (x' - x) / dt + 1 - 0.001 |a|^2
 * Reset: qpos0 + U(-0.005, 0.005), qvel = U(-0.005, 0.005). Source: gym 0.10 to 0.26, walker2d.py.
 * Inertia: legacy is in assets/walker2d.xml; exact is the table below, as gym v4 and later.
 */
#include "env/planar.h"

extern const char asset_walker2d[]; /* cmake/embed.cmake */

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
     .mass = 3.1667253948185117,
     .pos = {-0.1, 0, 0.1},
     .quat = {0.7071067811865476, 0, -0.7071067811865475, 0},
     .inertia = {0.02399774663482943, 0.02399774663482943, 0.005374385384349131}},
    {.body = "thigh_left",
     .mass = 4.057890510886818,
     .pos = {0, 0, -0.225},
     .quat = {1, 0, 0, 0},
     .inertia = {0.09329875682692194, 0.09329875682692194, 0.004941463444708948}},
    {.body = "leg_left",
     .mass = 2.7813566959781637,
     .pos = {0, 0, 0},
     .quat = {1, 0, 0, 0},
     .inertia = {0.07230254017320971, 0.07230254017320971, 0.0021821921450855186}},
    {.body = "foot_left",
     .mass = 3.1667253948185117,
     .pos = {-0.1, 0, 0.1},
     .quat = {0.7071067811865476, 0, -0.7071067811865475, 0},
     .inertia = {0.02399774663482943, 0.02399774663482943, 0.005374385384349131}},
};

/* Strict, and false for NaN. Other numbers may be anything. */
static bool is_healthy(const double *qpos, const double *qvel)
{
    (void)qvel;
    return qpos[1] > 0.8 && qpos[1] < 2 && qpos[2] > -1 && qpos[2] < 1;
}

static const Planar robot = {
    .mjcf = asset_walker2d,
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

static Status open_env(Env **out, const EnvKind *kind)
{
    Status st = OK;

    TRY(planar_open(out, kind, &robot));
    if (kind->config.v5_foot) {
        TRY(mjsim_set_friction((*out)->sim, "foot", 1.9));
    }
done:
    return st;
}

static double reward(const EnvKind *kind, const Motion *motion, const double *action)
{
    return planar_reward(kind, &robot, motion, action);
}

static bool terminates(const EnvKind *kind, const float *s, const float *a, const float *s2)
{
    (void)s;
    (void)a;
    return planar_falls(kind, &robot, s2);
}

const EnvKind env_walker2d = {
    .name = "walker2d",
    .source = "gym Walker2d-v2; reference returns of D4RL (Fu et al. 2020)",
    .state_dim = 17,
    .act_dim = 6,
    .horizon = 1000,
    .nq = 9,
    .nv = 9,
    .ref_min = 1.629008,
    .ref_max = 4592.3,
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
