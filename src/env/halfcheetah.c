/* HalfCheetah of gym, a planar runner (env/planar.h) that never falls for good.
 *   s = (qpos[1..8], qvel[0..8]), r = (x' - x) / dt - 0.1 |a|^2
 * Reset: qpos0 + U(-0.1, 0.1), qvel = 0.1 N(0, 1). Source: gym 0.10 to 0.26, half_cheetah.py.
 * Inertia: legacy is in assets/halfcheetah.xml; exact is the table below, as gym v4 and later.
 */
#include <math.h>

#include "env/planar.h"

extern const char asset_halfcheetah[]; /* cmake/embed.cmake */

/* Capsules as MuJoCo computes them since 2.1.1, total mass 14. */
static const MjInertial exact_inertials[] = {
    {.body = "torso",
     .mass = 6.25020920502092,
     .pos = {0.15238987816307403, 0, 0.025398313027179008},
     .quat = {0.5224297915933467, 0.476515595605991, 0.476515595605991, 0.5224297915933467},
     .inertia = {0.8971176881117434, 0.8856554522351578, 0.017960923407966355}},
    {.body = "bthigh",
     .mass = 1.5435146443514645,
     .pos = {0.1, 0, -0.13},
     .quat = {-0.32328956686350335, 0, -0.9463000876874145, 0},
     .inertia = {0.01684433958158996, 0.01684433958158996, 0.0015760215899581589}},
    {.body = "bshin",
     .mass = 1.5874476987447697,
     .pos = {-0.14, 0, -0.07},
     .quat = {0.5276199315484069, 0, -0.8494805517684643, 0},
     .inertia = {0.018267419079497905, 0.018267419079497905, 0.0016225027615062756}},
    {.body = "bfoot",
     .mass = 1.0953974895397491,
     .pos = {0.03, 0, -0.097},
     .quat = {0.9909013312045479, 0, -0.1345903110073483, 0},
     .inertia = {0.0063524232635983275, 0.0063524232635983275, 0.0011019136401673642}},
    {.body = "fthigh",
     .mass = 1.4380753138075317,
     .pos = {-0.07, 0, -0.12},
     .quat = {0.9663899781345132, 0, 0.2570805518921551, 0},
     .inertia = {0.013739643347280341, 0.013739643347280341, 0.0014644667782426782}},
    {.body = "fshin",
     .mass = 1.200836820083682,
     .pos = {0.065, 0, -0.09},
     .quat = {0.955336489125606, 0, -0.29552020666133955, 0},
     .inertia = {0.008222108619246861, 0.008222108619246861, 0.001213468451882845}},
    {.body = "ffoot",
     .mass = 0.8845188284518829,
     .pos = {0.045, 0, -0.07},
     .quat = {0.955336489125606, 0, -0.29552020666133955, 0},
     .inertia = {0.003529109456066946, 0.003529109456066946, 0.0008788040167364017}},
};

const Planar planar_halfcheetah = {
    .mjcf = asset_halfcheetah,
    .exact = exact_inertials,
    .bodies = sizeof exact_inertials / sizeof *exact_inertials,
    .frame_skip = 5,
    .dt = 0.05,
    .cost = 0.1,
    .pos_noise = 0.1,
    .vel_noise = 0.1,
    .vel_is_normal = true,
    .vel_limit = (double)INFINITY,
};

static Status open_env(Env **env, const EnvKind *kind)
{
    return planar_open(env, kind, &planar_halfcheetah);
}

static double reward(const EnvKind *kind, const Motion *motion, const double *action)
{
    return planar_reward(kind, &planar_halfcheetah, motion, action);
}

const EnvKind env_halfcheetah = {
    .name = "halfcheetah",
    .source = "gym HalfCheetah-v2; reference returns of D4RL (Fu et al. 2020)",
    .state_dim = 17,
    .act_dim = 6,
    .horizon = 1000,
    .nq = 9,
    .nv = 9,
    .ref_min = -280.178953,
    .ref_max = 12135.0,
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
    .terminates = task_never_terminates,
};
