/* A point of unit mass on a plane, pushed toward the origin: a task without MuJoCo, for tests and
 * demonstrations. Deterministic, smooth, and it terminates.
 *   s = (x, y, vx, vy), a = force in [-1, 1]^2 (clamped), dt = 0.1
 *   v' = v + dt a, p' = p + dt v' (semi-implicit Euler)
 *   r = exp(-|p'|^2) - 0.01 |a|^2, the action as given
 * Terminal when |x'| or |y'| exceeds 2. Reset: p = U(-1, 1)^2, v = U(-0.1, 0.1)^2.
 * Reference returns, mean of at least 1000 episodes: uniform actions, and a spring with damper,
 * a = -7 p - 3.5 v clamped, the best of a grid of gains (tests/unit/test_env.c measures both).
 */
#include <math.h>

#include "base/mem.h"
#include "env/task.h"

enum { S = 4, A = 2, HORIZON = 100 };
static const double dt = 0.1;
static const float box = 2.0F;

static Status open_env(Env **out, const EnvKind *kind)
{
    const Status st = mem_alloc(out, 1, sizeof **out, "a task");
    if (st == OK) {
        (*out)->kind = *kind;
    }
    return st;
}

static void close_env(Env *env)
{
    mem_free(&env);
}

static Status set_state(Env *env, const double *qpos, const double *qvel)
{
    for (int i = 0; i < 2; i++) {
        if (!isfinite(qpos[i]) || !isfinite(qvel[i])) {
            return status_fail(ERR_ENV, "pointmass: position %g or velocity %g is not finite",
                               qpos[i], qvel[i]);
        }
        env->pos[i] = qpos[i];
        env->vel[i] = qvel[i];
    }
    return OK;
}

static void get_state(const Env *env, double *qpos, double *qvel)
{
    for (int i = 0; i < 2; i++) {
        qpos[i] = env->pos[i];
        qvel[i] = env->vel[i];
    }
}

static Status reset(Env *env, Rng *rng)
{
    for (int i = 0; i < 2; i++) {
        env->pos[i] = 2 * rng_uniform(rng) - 1;
    }
    for (int i = 0; i < 2; i++) {
        env->vel[i] = 0.1 * (2 * rng_uniform(rng) - 1);
    }
    return OK;
}

static void observe(const Env *env, float *s)
{
    for (int i = 0; i < 2; i++) {
        s[i] = (float)env->pos[i];
        s[2 + i] = (float)env->vel[i];
    }
}

static bool state_of(const EnvKind *kind, const float *s, double *qpos, double *qvel)
{
    bool finite = true;

    (void)kind;
    for (int i = 0; i < 2; i++) {
        finite = finite && isfinite(s[i]) && isfinite(s[2 + i]);
        qpos[i] = (double)s[i];
        qvel[i] = (double)s[2 + i];
    }
    return finite;
}

static bool terminates(const EnvKind *kind, const float *s, const float *a, const float *s2)
{
    (void)kind;
    (void)s;
    (void)a;
    return !(fabsf(s2[0]) <= box && fabsf(s2[1]) <= box);
}

static Status step(Env *env, const float *action, EnvStep *out)
{
    float s2[S];
    double cost = 0;

    *out = (EnvStep){0};
    for (int i = 0; i < A; i++) {
        const double a = (double)action[i];
        if (!isfinite(a)) {
            return status_fail(ERR_ENV, "pointmass: action %d is %g; it must be finite", i, a);
        }
        env->vel[i] += dt * fmin(1, fmax(-1, a));
        env->pos[i] += dt * env->vel[i];
        cost += a * a;
    }
    const double d2 = env->pos[0] * env->pos[0] + env->pos[1] * env->pos[1];
    observe(env, s2);
    out->reward = (float)(exp(-d2) - 0.01 * cost);
    out->terminal = terminates(&env->kind, NULL, action, s2);
    return OK;
}

const EnvKind env_pointmass = {
    .name = "pointmass",
    .source = "this project; reference returns measured, see env/pointmass.c",
    .state_dim = S,
    .act_dim = A,
    .horizon = HORIZON,
    .nq = 2,
    .nv = 2,
    .ref_min = 25.7,
    .ref_max = 97.1,
    .open = open_env,
    .close = close_env,
    .reset = reset,
    .step = step,
    .observe = observe,
    .get_state = get_state,
    .set_state = set_state,
    .state_of = state_of,
    .terminates = terminates,
};
