#include "env/planar.h"

#include <math.h>

#include "base/mem.h"

enum { N_MAX = 9, A_MAX = 6 }; /* Walker2d */

Status planar_open(Env **out, const EnvKind *kind, const Planar *robot)
{
    Status st = OK;
    Env *env = NULL;

    *out = NULL;
    TRY(mem_alloc(&env, 1, sizeof *env, "a task"));
    env->kind = *kind;
    env->planar = robot;
    TRY(mjsim_open(&env->sim, kind->name, robot->mjcf, robot->frame_skip));
    if (kind->config.exact_inertia) {
        TRY(mjsim_set_inertials(env->sim, robot->exact, robot->bodies));
    }
    *out = env;
    env = NULL;
done:
    task_close(env);
    return st;
}

static void read_torso(const Env *env, double *at)
{
    at[0] = mjsim_qpos(env->sim)[0];
    at[1] = 0;
    at[2] = mjsim_torso(env->sim)[2];
}

Status planar_set_state(Env *env, const double *qpos, const double *qvel)
{
    Status st = OK;

    TRY(mjsim_set_state(env->sim, qpos, qvel));
    env->motion = (Motion){.healthy = true};
    read_torso(env, env->motion.after);
    env->motion.start_z = env->motion.after[2];
done:
    return st;
}

static double draw_within(Rng *rng, double width)
{
    return width * (2 * rng_uniform(rng) - 1);
}

Status planar_reset(Env *env, Rng *rng)
{
    const Planar *robot = env->planar;
    const double *start = mjsim_qpos0(env->sim);
    double qpos[N_MAX];
    double qvel[N_MAX];

    for (int i = 0; i < env->kind.nq; i++) {
        qpos[i] = start[i] + draw_within(rng, robot->pos_noise);
    }
    for (int i = 0; i < env->kind.nv; i++) {
        qvel[i] = robot->vel_is_normal ? robot->vel_noise * rng_normal(rng)
                                       : draw_within(rng, robot->vel_noise);
    }
    return planar_set_state(env, qpos, qvel);
}

double planar_reward(const EnvKind *kind, const Planar *robot, const Motion *motion,
                     const double *action)
{
    const bool pays = motion->healthy || !kind->config.v5_bonus;
    double cost = 0;

    for (int i = 0; i < kind->act_dim; i++) {
        cost += action[i] * action[i];
    }
    return (motion->after[0] - motion->before[0]) / robot->dt + (pays ? robot->bonus : 0) -
           robot->cost * cost;
}

Status planar_step_wide(Env *env, const double *action, double *reward)
{
    Status st = OK;
    Motion *motion = &env->motion;
    double ctrl[A_MAX];

    *reward = 0;
    for (int i = 0; i < env->kind.act_dim; i++) {
        const double a = action[i];
        const double clipped = a < -1 ? -1 : a > 1 ? 1 : a; /* NaN stays: MuJoCo refuses it */
        ctrl[i] = env->kind.config.clip_actions ? clipped : a;
    }
    for (int i = 0; i < 3; i++) {
        motion->before[i] = motion->after[i];
    }
    TRY(mjsim_step(env->sim, ctrl));
    read_torso(env, motion->after);
    motion->healthy = env->planar->is_healthy == NULL ||
                      env->planar->is_healthy(mjsim_qpos(env->sim), mjsim_qvel(env->sim));
    *reward = env->kind.reward(&env->kind, motion, ctrl);
done:
    return st;
}

Status planar_step(Env *env, const float *action, EnvStep *out)
{
    Status st = OK;
    double wide[A_MAX];
    double reward = 0;

    *out = (EnvStep){0};
    for (int i = 0; i < env->kind.act_dim; i++) {
        wide[i] = (double)action[i];
    }
    TRY(planar_step_wide(env, wide, &reward));
    *out = (EnvStep){.reward = (float)reward, .terminal = !env->motion.healthy};
done:
    return st;
}

/* Whether the torso's height stands between positions and velocities: 0 or 1. */
static int height_shown(const EnvKind *kind)
{
    return kind->state_dim - (kind->nq - 1) - kind->nv;
}

void planar_observe(const Env *env, float *s)
{
    const double limit = env->planar->vel_limit;

    for (int i = 1; i < env->kind.nq; i++) {
        *s++ = (float)mjsim_qpos(env->sim)[i];
    }
    if (height_shown(&env->kind) == 1) {
        *s++ = (float)env->motion.after[2];
    }
    for (int i = 0; i < env->kind.nv; i++) {
        *s++ = (float)fmin(limit, fmax(-limit, mjsim_qvel(env->sim)[i]));
    }
}

bool planar_state_of(const EnvKind *kind, const float *s, double *qpos, double *qvel)
{
    const int heights = height_shown(kind);
    bool finite = true;

    for (int i = 0; i < kind->state_dim; i++) {
        finite = finite && isfinite(s[i]);
    }
    qpos[0] = 0;
    for (int i = 1; i < kind->nq; i++) {
        qpos[i] = (double)s[i - 1];
    }
    for (int i = 0; i < kind->nv; i++) {
        qvel[i] = (double)s[kind->nq - 1 + heights + i];
    }
    return finite;
}

bool planar_falls(const EnvKind *kind, const Planar *robot, const float *s2)
{
    double qpos[N_MAX];
    double qvel[N_MAX];

    (void)planar_state_of(kind, s2, qpos, qvel); /* the robot judges what is not finite */
    return !robot->is_healthy(qpos, qvel);
}
