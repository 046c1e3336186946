#include "run/relabel.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

typedef struct {
    const Recording *rec;
    const EnvKind *task;
    EnvKind behavior; /* the same task with the reward its data were collected with */
    float *s, *s2;    /* (S) scratch, of one row */
} Relabel;

static Status check_shape(const Recording *rec, const EnvKind *task)
{
    if (task->reward == NULL) {
        return status_fail(ERR_CONFIG,
                           "task %s has no reward formula to compute from; `mopo config tables` "
                           "lists the tasks that have",
                           task->name);
    }
    if (rec->state_dim != task->state_dim || rec->act_dim != task->act_dim) {
        return status_fail(ERR_CONFIG,
                           "the recording has %d state and %d action columns, task %s has %d and "
                           "%d; choose the task, or its env.* settings, that it was made with",
                           rec->state_dim, rec->act_dim, task->name, task->state_dim,
                           task->act_dim);
    }
    return OK;
}

/* Ant's, in the versions that pay for contact forces, which no recording has beside the states. */
static Status check_forces(const Recording *rec, const EnvKind *task)
{
    const Motion still = {0};
    const Motion pressed = {.contact_force = 1};

    if (rec->rows > 0 &&
        task->reward(task, &still, rec->actions) != task->reward(task, &pressed, rec->actions)) {
        return status_fail(ERR_CONFIG,
                           "the reward of task %s pays for contact forces under these settings, "
                           "and relabeling does not know them; keep the recorded rewards, or say "
                           "env.ant_observation=27 or 111-zero for a reward without",
                           task->name);
    }
    return OK;
}

/* From the torso's recorded positions. An episode that ended by itself ended unhealthy. */
static void recorded_motion(const Recording *rec, int64_t row, double start_z, Motion *m)
{
    *m = (Motion){.start_z = start_z, .healthy = rec->terminals[row] == 0};
    memcpy(m->before, rec->xpos + row * 3, sizeof m->before);
    memcpy(m->after, rec->next_xpos + row * 3, sizeof m->after);
}

static void narrow(float *to, const double *from, int n)
{
    for (int i = 0; i < n; i++) {
        to[i] = (float)from[i];
    }
}

/* Heights only; `speed` stands for the unknown run, m in a step, and must not matter. */
static void shown_motion(const Relabel *w, int64_t row, int64_t start, double speed, Motion *m)
{
    const int S = w->rec->state_dim;

    *m = (Motion){.healthy = w->rec->terminals[row] == 0};
    narrow(w->s, w->rec->observations + start * S, S);
    m->start_z = w->task->height(w->task, w->s);
    narrow(w->s, w->rec->observations + row * S, S);
    narrow(w->s2, w->rec->next_observations + row * S, S);
    m->before[2] = w->task->height(w->task, w->s);
    m->after[2] = w->task->height(w->task, w->s2);
    m->after[0] = speed;
    m->after[1] = speed;
}

/* What the task's reward adds to the behavior's. */
static double added(const Relabel *w, int64_t row, int64_t start, double speed)
{
    Motion m;
    const double *a = w->rec->actions + row * w->rec->act_dim;

    shown_motion(w, row, start, speed, &m);
    return w->task->reward(w->task, &m, a) - w->task->reward(&w->behavior, &m, a);
}

static Status check_shown(const Relabel *w)
{
    const bool shown = w->rec->next_observations != NULL && w->task->height != NULL;

    if (!shown || fabs(added(w, 0, 0, 0) - added(w, 0, 0, 0.1)) > 1e-9) {
        return status_fail(
            ERR_CONFIG,
            "the reward of task %s needs the torso's positions, infos/torso_xpos and "
            "infos/next_torso_xpos, which the recording does not have; `mopo collect` writes them",
            w->task->name);
    }
    return OK;
}

static void relabel_rows(Relabel *w, double *rewards, const int64_t *starts, int64_t episodes)
{
    const Recording *rec = w->rec;
    const bool exact = rec->xpos != NULL && rec->next_xpos != NULL;

    for (int64_t e = 0; e < episodes; e++) {
        for (int64_t i = starts[e]; i < starts[e + 1]; i++) {
            if (exact) {
                Motion m;
                recorded_motion(rec, i, rec->xpos[starts[e] * 3 + 2], &m);
                rewards[i] = w->task->reward(w->task, &m, rec->actions + i * rec->act_dim);
            } else {
                rewards[i] += added(w, i, starts[e], 0);
            }
        }
    }
}

Status relabel_rewards(Recording *rec, const EnvKind *task)
{
    Status st = OK;
    Relabel w = {.rec = rec, .task = task, .behavior = *task};
    int64_t *starts = NULL;

    w.behavior.config.behavior_reward = true;
    TRY(check_shape(rec, task));
    TRY(check_forces(rec, task));
    TRY(mem_alloc(&w.s, (size_t)rec->state_dim, sizeof *w.s, "a row"));
    TRY(mem_alloc(&w.s2, (size_t)rec->state_dim, sizeof *w.s2, "a row"));
    if (rec->xpos == NULL || rec->next_xpos == NULL) {
        TRY(check_shown(&w));
    }
    TRY(mem_alloc(&starts, (size_t)rec->rows + 1, sizeof *starts, "starts of episodes"));
    relabel_rows(&w, rec->rewards, starts, recording_episodes(rec, task->horizon, starts));
done:
    mem_free(&starts);
    mem_free(&w.s);
    mem_free(&w.s2);
    return st;
}
