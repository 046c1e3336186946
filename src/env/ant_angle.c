/* ant-angle: the second out-of-distribution task of the paper (Yu et al. 2020, section 5.2) on Ant's
 * robot (env/ant.h). Data come from running straight ahead, along x (config.behavior_reward), the task
 * is to run at 30 degrees, toward +y:
 *   r = v_x cos 30 + v_y sin 30 - 0.5 |a|^2 + 1, s = (qpos[2..14], qvel[0..13])
 * Code by the paper's second author (gwthomas/force) pays the bonus of 1, the paper's formula does not
 * (config.angle_no_bonus). Contact forces are never shown nor paid for: they were zero on MuJoCo 2.0.
 */
#include "env/ant.h"

static void configure(EnvKind *kind)
{
    kind->config.forces = FORCES_NONE;
}

static double reward(const EnvKind *kind, const Motion *motion, const double *action)
{
    const double cos_30 = 0.86602540378443865;
    const bool ahead = kind->config.behavior_reward;
    const double bonus = kind->config.angle_no_bonus ? 0 : 1;

    return ant_reward_along(kind, motion, action, ahead ? 1 : cos_30, ahead ? 0 : 0.5, bonus);
}

const EnvKind env_ant_angle = {
    .name = "ant-angle",
    .source = "MOPO (Yu et al. 2020), section 5.2; force (github.com/gwthomas/force)",
    .state_dim = ANT_MOVES,
    .act_dim = ANT_ACTIONS,
    .horizon = 1000,
    .nq = ANT_NQ,
    .nv = ANT_NV,
    .configure = configure,
    .open = ant_open,
    .close = task_close,
    .reset = ant_reset,
    .step = ant_step,
    .observe = ant_observe,
    .get_state = task_get_state,
    .set_state = ant_set_state,
    .state_of = ant_state_of,
    .motion = task_motion,
    .reward = reward,
    .terminates = ant_terminates,
};
