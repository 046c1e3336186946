#include "env/env.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "env/mj.h"
#include "env/task.h"

static const EnvKind *const kinds[] = {&env_halfcheetah,      &env_hopper, &env_walker2d,
                                       &env_halfcheetah_jump, &env_ant,    &env_ant_angle,
                                       &env_pointmass};

const EnvKind *env_kind(int i)
{
    return i >= 0 && (size_t)i < sizeof kinds / sizeof *kinds ? kinds[i] : NULL;
}

const EnvKind *env_find(const char *name)
{
    for (int i = 0; env_kind(i) != NULL; i++) {
        if (strcmp(env_kind(i)->name, name) == 0) {
            return env_kind(i);
        }
    }
    return strcmp(name, env_none.name) == 0 ? &env_none : NULL;
}

Status env_need_simulator(const EnvKind *task, const char *for_what)
{
    return task->open != NULL
               ? OK
               : status_fail(
                     ERR_CONFIG,
                     "task %s has no simulator, which %s needs; say task=NAME (`mopo config "
                     "tables` lists them), or see docs/own-data.md for what works without",
                     task->name, for_what);
}

static Status no_such_task(const char *name)
{
    const char *names[sizeof kinds / sizeof *kinds + 1];
    char known[256];
    Text text = text_over(known, sizeof known);
    int n = 0;

    for (; env_kind(n) != NULL; n++) {
        names[n] = env_kind(n)->name;
        text_add(&text, "%s, ", names[n]);
    }
    names[n++] = env_none.name;
    text_add(&text, "%s", env_none.name);
    const char *near = text_nearest(name, names, n);
    return status_fail(ERR_CONFIG, "task: %s is not known; there are: %s%s%s%s", name, known,
                       near != NULL ? "; did you mean " : "", near != NULL ? near : "",
                       near != NULL ? "?" : "");
}

Status env_configure(EnvKind *task, const char *name, const EnvConfig *config)
{
    const EnvKind *row = env_find(name);

    if (row == NULL) {
        *task = (EnvKind){0};
        return no_such_task(name);
    }
    *task = *row;
    task->config = *config;
    if (task->configure != NULL) {
        task->configure(task);
    }
    return OK;
}

double env_normalized_score(const EnvKind *kind, double episode_return)
{
    const double width = kind->ref_max - kind->ref_min;
    return width > 0 ? 100 * (episode_return - kind->ref_min) / width : (double)NAN;
}

void task_close(Env *env)
{
    if (env != NULL) {
        mjsim_close(env->sim);
        mem_free(&env);
    }
}

void task_get_state(const Env *env, double *qpos, double *qvel)
{
    memcpy(qpos, mjsim_qpos(env->sim), (size_t)mjsim_nq(env->sim) * sizeof *qpos);
    memcpy(qvel, mjsim_qvel(env->sim), (size_t)mjsim_nv(env->sim) * sizeof *qvel);
}

Status task_set_state(Env *env, const double *qpos, const double *qvel)
{
    return mjsim_set_state(env->sim, qpos, qvel);
}

void task_motion(const Env *env, Motion *motion)
{
    *motion = env->motion;
}

bool task_never_terminates(const EnvKind *kind, const float *s, const float *a, const float *s2)
{
    (void)kind;
    (void)s;
    (void)a;
    (void)s2;
    return false;
}

const char *env_simulator_version(void)
{
    return mj_library_version();
}
