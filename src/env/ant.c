/* Ant of gym (env/ant.h), which runs along x. Legacy inertia is in assets/ant.xml; exact is below, as
 * gym v4 and later.
 */
#include "env/ant.h"

#include <math.h>

#include "base/mem.h"

extern const char asset_ant[]; /* cmake/embed.cmake */

static const double control_dt = 0.05;

/* Capsules as MuJoCo computes them since 2.1.1, density 5. A sphere always was what it is. */
typedef struct {
    double mass, across, along;
} Capsule;
static const Capsule short_part = {0.03915775372846671, 0.0005679660831928001,
                                   0.00011844189805957145};
static const Capsule long_part = {0.06759220453268026, 0.0026747906600381815,
                                  0.00020943214063305483};

static Status take_exact_inertials(MjSim *sim)
{
    static const struct {
        const char *body;
        const Capsule *part;
    } parts[] = {
        {"fixed_1", &short_part}, {"hip_1", &short_part}, {"ankle_1", &long_part},
        {"fixed_2", &short_part}, {"hip_2", &short_part}, {"ankle_2", &long_part},
        {"fixed_3", &short_part}, {"hip_3", &short_part}, {"ankle_3", &long_part},
        {"fixed_4", &short_part}, {"hip_4", &short_part}, {"ankle_4", &long_part},
    };
    enum { PARTS = sizeof parts / sizeof *parts };
    Status st = OK;
    MjInertial in[PARTS];

    for (int i = 0; i < PARTS; i++) { /* center and axes of a capsule are the same in both */
        TRY(mjsim_get_inertial(sim, parts[i].body, &in[i]));
        in[i].mass = parts[i].part->mass;
        in[i].inertia[0] = in[i].inertia[1] = parts[i].part->across;
        in[i].inertia[2] = parts[i].part->along;
    }
    TRY(mjsim_set_inertials(sim, in, PARTS));
done:
    return st;
}

Status ant_open(Env **out, const EnvKind *kind)
{
    Status st = OK;
    Env *env = NULL;

    *out = NULL;
    TRY(mem_alloc(&env, 1, sizeof *env, "a task"));
    env->kind = *kind;
    TRY(mjsim_open(&env->sim, kind->name, asset_ant, 5));
    if (kind->config.exact_inertia) {
        TRY(take_exact_inertials(env->sim));
    }
    *out = env;
    env = NULL;
done:
    task_close(env);
    return st;
}

static void read_torso(const Env *env, double *at)
{
    for (int i = 0; i < 3; i++) {
        at[i] = mjsim_torso(env->sim)[i];
    }
}

Status ant_set_state(Env *env, const double *qpos, const double *qvel)
{
    Status st = OK;

    TRY(mjsim_set_state(env->sim, qpos, qvel));
    env->motion = (Motion){.healthy = true};
    read_torso(env, env->motion.after);
    env->motion.start_z = env->motion.after[2];
done:
    return st;
}

Status ant_reset(Env *env, Rng *rng)
{
    double qpos[ANT_NQ];
    double qvel[ANT_NV];

    for (int i = 0; i < ANT_NQ; i++) {
        qpos[i] = mjsim_qpos0(env->sim)[i] + 0.1 * (2 * rng_uniform(rng) - 1);
    }
    for (int i = 0; i < ANT_NV; i++) {
        qvel[i] = 0.1 * rng_normal(rng);
    }
    return ant_set_state(env, qpos, qvel);
}

/* Inclusive, and false for NaN. Other numbers of a state that MuJoCo did not warn of are finite. */
static bool is_healthy(double z)
{
    return z >= 0.2 && z <= 1;
}

static bool has_forces(const EnvKind *kind)
{
    return kind->config.forces == FORCES_REAL || kind->config.forces == FORCES_REAL_V5;
}

static double clip(double x)
{
    return x < -1 ? -1 : x > 1 ? 1 : x; /* NaN stays: MuJoCo refuses it as an action */
}

double ant_reward_along(const EnvKind *kind, const Motion *motion, const double *action, double x,
                        double y, double bonus)
{
    const double *from = motion->before;
    const double *to = motion->after;
    const bool pays = motion->healthy || !kind->config.v5_bonus;
    double cost = 0;

    for (int i = 0; i < ANT_ACTIONS; i++) {
        cost += action[i] * action[i];
    }
    return ((to[0] - from[0]) * x + (to[1] - from[1]) * y) / control_dt + (pays ? bonus : 0) -
           0.5 * cost - (has_forces(kind) ? 5e-4 * motion->contact_force : 0);
}

/* Over all bodies, whatever of them is shown. */
static double contact_force(MjSim *sim)
{
    double sum = 0;

    mjsim_find_forces(sim);
    for (int i = 0; i < ANT_FORCES; i++) {
        const double f = clip(mjsim_forces(sim)[i]);
        sum += f * f;
    }
    return sum;
}

Status ant_step_wide(Env *env, const double *action, double *reward)
{
    Status st = OK;
    Motion *motion = &env->motion;
    double ctrl[ANT_ACTIONS];

    *reward = 0;
    for (int i = 0; i < ANT_ACTIONS; i++) {
        ctrl[i] = env->kind.config.clip_actions ? clip(action[i]) : action[i];
    }
    for (int i = 0; i < 3; i++) {
        motion->before[i] = motion->after[i];
    }
    TRY(mjsim_step(env->sim, ctrl));
    read_torso(env, motion->after);
    motion->contact_force = has_forces(&env->kind) ? contact_force(env->sim) : 0;
    motion->healthy = is_healthy(mjsim_qpos(env->sim)[2]);
    *reward = env->kind.reward(&env->kind, motion, ctrl);
done:
    return st;
}

Status ant_step(Env *env, const float *action, EnvStep *out)
{
    Status st = OK;
    double wide[ANT_ACTIONS];
    double reward = 0;

    *out = (EnvStep){0};
    for (int i = 0; i < ANT_ACTIONS; i++) {
        wide[i] = (double)action[i];
    }
    TRY(ant_step_wide(env, wide, &reward));
    *out = (EnvStep){.reward = (float)reward, .terminal = !env->motion.healthy};
done:
    return st;
}

void ant_observe(const Env *env, float *s)
{
    const int forces = env->kind.state_dim - ANT_MOVES;

    for (int i = 2; i < ANT_NQ; i++) {
        *s++ = (float)mjsim_qpos(env->sim)[i];
    }
    for (int i = 0; i < ANT_NV; i++) {
        *s++ = (float)mjsim_qvel(env->sim)[i];
    }
    for (int i = ANT_FORCES - forces; i < ANT_FORCES; i++) { /* v5 begins at the torso */
        *s++ = has_forces(&env->kind) ? (float)clip(mjsim_forces(env->sim)[i]) : 0;
    }
}

/* A quaternion need not be normalized, which no prediction is, but must have a direction. */
bool ant_state_of(const EnvKind *kind, const float *s, double *qpos, double *qvel)
{
    bool possible = true;
    double length = 0;

    for (int i = 0; i < kind->state_dim; i++) {
        possible = possible && isfinite(s[i]);
    }
    qpos[0] = qpos[1] = 0;
    for (int i = 2; i < ANT_NQ; i++) {
        qpos[i] = (double)s[i - 2];
    }
    for (int i = 0; i < ANT_NV; i++) {
        qvel[i] = (double)s[ANT_NQ - 2 + i];
    }
    for (int i = 3; i < 7; i++) {
        length += qpos[i] * qpos[i];
    }
    return possible && length > 1e-12;
}

bool ant_terminates(const EnvKind *kind, const float *s, const float *a, const float *s2)
{
    bool healthy = is_healthy((double)s2[0]);

    (void)s;
    (void)a;
    for (int i = 0; i < kind->state_dim; i++) {
        healthy = healthy && isfinite(s2[i]);
    }
    return !healthy;
}

static void configure(EnvKind *kind)
{
    static const int shown[] = {[FORCES_NONE] = 0,
                                [FORCES_ZERO] = ANT_FORCES,
                                [FORCES_REAL] = ANT_FORCES,
                                [FORCES_REAL_V5] = ANT_FORCES - 6};
    kind->state_dim = ANT_MOVES + shown[kind->config.forces];
}

static double reward(const EnvKind *kind, const Motion *motion, const double *action)
{
    return ant_reward_along(kind, motion, action, 1, 0, 1);
}

const EnvKind env_ant = {
    .name = "ant",
    .source = "gym Ant-v2; reference returns of D4RL (Fu et al. 2020)",
    .state_dim = ANT_MOVES,
    .act_dim = ANT_ACTIONS,
    .horizon = 1000,
    .nq = ANT_NQ,
    .nv = ANT_NV,
    .ref_min = -325.6,
    .ref_max = 3879.7,
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
