#include "run/oracle.h"

#include <math.h>

#include "base/mem.h"

bool oracle_possible(const EnvKind *task)
{
    return task->open != NULL && task->set_state != NULL && task->state_of != NULL;
}

Status oracle_open(Oracle *oracle, const EnvKind *task, const char *for_what)
{
    Status st = OK;

    *oracle = (Oracle){.task = *task};
    TRY(env_need_simulator(task, for_what));
    if (!oracle_possible(task)) {
        st = status_fail(ERR_CONFIG,
                         "task %s cannot be put into the state that an observation shows, which %s "
                         "needs; take another task (`mopo config tables` lists them)",
                         task->name, for_what);
        goto done;
    }
    TRY(mem_alloc(&oracle->qpos, (size_t)task->nq, sizeof *oracle->qpos, "a simulator's state"));
    TRY(mem_alloc(&oracle->qvel, (size_t)task->nv, sizeof *oracle->qvel, "a simulator's state"));
    TRY(task->open(&oracle->env, &oracle->task));
done:
    if (st != OK) {
        oracle_close(oracle);
    }
    return st;
}

void oracle_close(Oracle *oracle)
{
    if (oracle->env != NULL) {
        oracle->task.close(oracle->env);
    }
    mem_free(&oracle->qpos);
    mem_free(&oracle->qvel);
    *oracle = (Oracle){0};
}

bool oracle_step(Oracle *oracle, const float *s, const float *a, EnvStep *step)
{
    const EnvKind *task = &oracle->task;

    *step = (EnvStep){0};
    return task->state_of(task, s, oracle->qpos, oracle->qvel) &&
           task->set_state(oracle->env, oracle->qpos, oracle->qvel) == OK &&
           task->step(oracle->env, a, step) == OK;
}

void oracle_next(Oracle *oracle, const float *sa, int rows, float *next)
{
    const size_t S = (size_t)oracle->task.state_dim;
    const size_t A = (size_t)oracle->task.act_dim;
    EnvStep step;

    for (size_t i = 0; i < (size_t)rows; i++) {
        const float *s = sa + i * (S + A);
        float *out = next + i * S;
        if (oracle_step(oracle, s, s + S, &step)) {
            oracle->task.observe(oracle->env, out);
        } else {
            for (size_t j = 0; j < S; j++) {
                out[j] = (float)NAN;
            }
        }
    }
}

static void next_of(void *ctx, const float *sa, int rows, float *next)
{
    oracle_next(ctx, sa, rows, next);
}

Truth oracle_truth(Oracle *oracle)
{
    return (Truth){.next = next_of, .ctx = oracle};
}
