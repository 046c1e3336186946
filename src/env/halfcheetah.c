/* HalfCheetah-v2 of gym, a planar runner that never falls for good.
 *   s = (qpos[1..8], qvel[0..8]): without the distance x run so far
 *   r = (x' - x) / dt - 0.1 |a|^2, the action as given; MuJoCo clamps the torque, not the cost
 * Reset: qpos0 + U(-0.1, 0.1), qvel = 0.1 N(0, 1). Source: gym 0.10 to 0.26, half_cheetah.py.
 * Inertia: legacy is in assets/halfcheetah.xml; exact is the table below, as gym v4 and later.
 */
#include "base/mem.h"
#include "env/task.h"

enum { S = 17, A = 6, NQ = 9, NV = 9, FRAME_SKIP = 5, HORIZON = 1000 };

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

static Status open_env(Env **out, const EnvKind *kind)
{
    Status st = OK;
    Env *env = NULL;

    *out = NULL;
    TRY(mem_alloc(&env, 1, sizeof *env, "a task"));
    TRY(mjsim_open(&env->sim, "halfcheetah", asset_halfcheetah, FRAME_SKIP));
    env->kind = *kind;
    if (kind->config.exact_inertia) {
        const int n = (int)(sizeof exact_inertials / sizeof *exact_inertials);
        TRY(mjsim_set_inertials(env->sim, exact_inertials, n));
    }
    *out = env;
    env = NULL;
done:
    task_close(env);
    return st;
}

static Status reset(Env *env, Rng *rng)
{
    const double *start = mjsim_qpos0(env->sim);
    double qpos[NQ];
    double qvel[NV];

    for (int i = 0; i < NQ; i++) {
        qpos[i] = start[i] + 0.1 * (2 * rng_uniform(rng) - 1);
    }
    for (int i = 0; i < NV; i++) {
        qvel[i] = 0.1 * rng_normal(rng);
    }
    return mjsim_set_state(env->sim, qpos, qvel);
}

Status halfcheetah_step(Env *env, const double *action, double *reward)
{
    const double before = mjsim_qpos(env->sim)[0];
    double cost = 0;

    const Status st = mjsim_step(env->sim, action);
    for (int i = 0; i < A; i++) {
        cost += action[i] * action[i];
    }
    const double speed = (mjsim_qpos(env->sim)[0] - before) / mjsim_control_dt(env->sim);
    *reward = speed - 0.1 * cost;
    return st;
}

static Status step(Env *env, const float *action, EnvStep *out)
{
    double wide[A];
    double reward = 0;

    for (int i = 0; i < A; i++) {
        wide[i] = (double)action[i];
    }
    const Status st = halfcheetah_step(env, wide, &reward);
    *out = (EnvStep){.reward = (float)reward, .terminal = false};
    return st;
}

static void observe(const Env *env, float *s)
{
    for (int i = 1; i < NQ; i++) {
        s[i - 1] = (float)mjsim_qpos(env->sim)[i];
    }
    for (int i = 0; i < NV; i++) {
        s[NQ - 1 + i] = (float)mjsim_qvel(env->sim)[i];
    }
}

const EnvKind env_halfcheetah = {
    .name = "halfcheetah",
    .source = "gym HalfCheetah-v2; reference returns of D4RL (Fu et al. 2020)",
    .state_dim = S,
    .act_dim = A,
    .horizon = HORIZON,
    .nq = NQ,
    .nv = NV,
    .ref_min = -280.178953,
    .ref_max = 12135.0,
    .open = open_env,
    .close = task_close,
    .reset = reset,
    .step = step,
    .observe = observe,
    .get_state = task_get_state,
    .set_state = task_set_state,
    .terminates = task_never_terminates,
};
