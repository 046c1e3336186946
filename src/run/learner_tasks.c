/* A learner's talk with the crew: rollouts and evaluation handed out, results taken in. */
#include <string.h>

#include "run/learner_state.h"

Status learner_start_task(Learner *l, const Task *task, const float *actor)
{
    Session *s = l->s;
    const size_t bytes = agent_policy_floats(&s->agent) * sizeof(float);

    for (int u = 0; task->rollout > 0 && u < s->plan.units; u++) {
        if (l->records[u] != NULL) {
            mail_receive(l->records[u], plan_unit_owner(&s->plan, u), TAG_RECORDS + u);
        }
    }
    for (int r = plan_first_worker(&s->plan); l->lead && r < s->plan.ranks; r++) {
        if (task->rollout > 0) {
            mail_receive(l->reports[r], r, TAG_UNITS);
        }
        mail_receive(l->dones[r], r, TAG_DONE);
        if (l->policy[r] != NULL) {
            (void)mail_wait(l->policy[r]);
            unsigned char *message = mail_data(l->policy[r]);
            memcpy(message, task, sizeof *task);
            memcpy(message + sizeof *task, actor, bytes);
            mail_send(l->policy[r], r, TAG_POLICY, sizeof *task + bytes);
        }
    }
    l->task = *task;
    return l->works ? crew_do(&l->crew, task, actor) : OK;
}

/* Between updates: let messages go through. */
void learner_poll(Learner *l)
{
    for (int u = 0; l->records != NULL && u < l->s->plan.units; u++) {
        if (l->records[u] != NULL) {
            (void)mail_ready(l->records[u]);
        }
    }
    for (int r = plan_first_worker(&l->s->plan); l->lead && r < l->s->plan.ranks; r++) {
        (void)mail_ready(l->reports[r]);
        (void)mail_ready(l->dones[r]);
        (void)(l->policy[r] == NULL || mail_ready(l->policy[r]));
    }
}

/* All records of the task into the buffers, unit by unit; rank 0 notes the phase. */
Status learner_finish_rollout(Learner *l, const float *actor)
{
    Session *s = l->s;
    const size_t row = s->roll.rec.stride * sizeof(float);
    int64_t capacity[PLAN_SHARDS_MAX];

    if (l->task.rollout == 0) {
        return OK;
    }
    for (int i = 0; s->agent.kind->on_policy && i < s->reduce.count; i++) {
        buffer_clear(&l->buffer[i]); /* rows of another policy teach it nothing */
    }
    for (int u = 0; u < s->plan.units; u++) {
        if (l->records[u] != NULL) {
            const size_t bytes = mail_wait(l->records[u]);
            Buffer *buffer = &l->buffer[plan_unit_shard(&s->plan, u) - s->reduce.first];
            buffer_push(buffer, mail_data(l->records[u]), (int64_t)(bytes / row));
        }
    }
    for (int i = 0; i < s->reduce.count; i++) {
        if (l->buffer[i].rows == 0) {
            return status_fail(
                ERR_NUMERIC,
                "no predicted row of epoch %lld for shard %d was finite, or none had a "
                "finite penalty: the model has diverged, or the simulator "
                "(penalty.type=oracle) could follow none",
                (long long)l->task.rollout, s->reduce.first + i);
        }
    }
    if (!l->lead) {
        return OK;
    }
    for (int r = plan_first_worker(&s->plan); r < s->plan.ranks; r++) {
        const size_t n = mail_wait(l->reports[r]) / sizeof(UnitEntry);
        const UnitEntry *entry = mail_data(l->reports[r]);
        for (size_t i = 0; i < n; i++) {
            l->units[entry[i].unit] = entry[i].report;
        }
    }
    const Status st = history_add(&l->history, l->task.rollout, actor, l->units, s->plan.units);
    for (int v = 0; v < s->plan.shards; v++) {
        capacity[v] = s->agent.kind->on_policy ? 0 : learner_shard_capacity(s, v);
    }
    if (st == OK) {
        history_trim(&l->history, capacity);
    }
    return st;
}

/* Returns of the task's episodes, and its times; then the metrics line of its epoch. */
Status learner_finish_eval(Learner *l)
{
    Session *s = l->s;

    if (!l->lead || l->task.epoch < 0) {
        return OK;
    }
    for (int r = plan_first_worker(&s->plan); r < s->plan.ranks; r++) {
        const size_t bytes = mail_wait(l->dones[r]);
        const unsigned char *message = mail_data(l->dones[r]);
        TaskTime time;
        memcpy(&time, message, sizeof time);
        learner_note_task(l, r, &time);
        const EpisodeEntry *entry = (const EpisodeEntry *)(const void *)(message + sizeof time);
        for (size_t i = 0; i < (bytes - sizeof time) / sizeof *entry; i++) {
            l->episodes[entry[i].episode] = entry[i];
        }
    }
    return learner_note_epoch(l);
}

void learner_stop_workers(Learner *l)
{
    for (int r = plan_first_worker(&l->s->plan); l->lead && r < l->s->plan.ranks; r++) {
        if (l->policy[r] != NULL) {
            const Task task = {.stop = 1};
            (void)mail_wait(l->policy[r]);
            memcpy(mail_data(l->policy[r]), &task, sizeof task);
            mail_send(l->policy[r], r, TAG_POLICY, sizeof task);
            (void)mail_wait(l->policy[r]);
        }
    }
}
