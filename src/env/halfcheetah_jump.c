/* halfcheetah-jump: the first out-of-distribution task of the paper (Yu et al. 2020, section 5.2) on
 * HalfCheetah's robot (env/planar.h). Data come from running (config.behavior_reward), the task is
 * to jump:
 *   r = min((x' - x) / dt, 3) - 0.1 |a|^2 + 15 (z' - z_start), z the torso's height as gym reads it
 *   s = (qpos[1..8], z, qvel[0..8]); config.jump_no_height: without z
 * The paper prints max in the place of min (config.jump_max). Code by its second author
 * (gwthomas/force) has min, which fits the paper's returns: under max a standing robot earns 3 a step.
 * z_start is the height the episode started from, with its noise, which no state shows;
 * config.jump_fixed takes the 0.7 of a start without noise. The task never ends by itself.
 */
#include <math.h>

#include "env/planar.h"

static Status open_env(Env **env, const EnvKind *kind)
{
    return planar_open(env, kind, &planar_halfcheetah);
}

static void configure(EnvKind *kind)
{
    kind->state_dim = kind->config.jump_no_height ? 17 : 18;
}

static double reward(const EnvKind *kind, const Motion *motion, const double *action)
{
    const EnvConfig *cfg = &kind->config;
    const Planar *robot = &planar_halfcheetah;
    const double speed = (motion->after[0] - motion->before[0]) / robot->dt;
    const double run = cfg->jump_max ? fmax(speed, 3) : fmin(speed, 3);
    const double start = cfg->jump_fixed ? 0.7 : motion->start_z;
    double cost = 0;

    for (int i = 0; i < kind->act_dim; i++) {
        cost += action[i] * action[i];
    }
    return run - robot->cost * cost + (cfg->behavior_reward ? 0 : 15 * (motion->after[2] - start));
}

static double height(const EnvKind *kind, const float *s)
{
    return kind->config.jump_no_height ? 0.7 + (double)s[0] : (double)s[8];
}

const EnvKind env_halfcheetah_jump = {
    .name = "halfcheetah-jump",
    .source = "MOPO (Yu et al. 2020), section 5.2; force (github.com/gwthomas/force)",
    .state_dim = 18,
    .act_dim = 6,
    .horizon = 1000,
    .nq = 9,
    .nv = 9,
    .configure = configure,
    .open = open_env,
    .close = task_close,
    .reset = planar_reset,
    .step = planar_step,
    .observe = planar_observe,
    .get_state = task_get_state,
    .set_state = planar_set_state,
    .state_of = planar_state_of,
    .height = height,
    .motion = task_motion,
    .reward = reward,
    .terminates = task_never_terminates,
};
