/* A learner's talk with the crew: rollouts and evaluation handed out, results taken in. */
#include <string.h>

#include "base/account.h"
#include "run/diverged.h"
#include "run/learner_state.h"

void learner_start_task(Learner *l, const Task *task, const float *actor)
{
    Session *s = l->s;
    const size_t bytes = agent_policy_floats(&s->agent) * sizeof(float);
    const AccountKind before = account_kind(ACCOUNT_HANDOVER);

    for (int u = 0; task->rollout > 0 && u < s->plan.units; u++) {
        if (l->records[u] != NULL) {
            mail_receive(l->records[u], plan_unit_owner(&s->plan, u), TAG_RECORDS + u);
        }
    }
    for (int r = plan_first_worker(&s->plan); l->lead && r < s->plan.ranks; r++) {
        l->rolled[r] = (TaskTime){0};
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
    if (l->works) {
        crew_play(&l->crew, task, actor);
    }
    (void)account_kind(before);
}

/* Whether one of n messages (NULL: none) is under way: the first such has been looked at. */
static bool under_way(Mail **mail, int n)
{
    for (int i = 0; mail != NULL && i < n; i++) {
        if (mail[i] != NULL && !mail_ready(mail[i])) {
            return true;
        }
    }
    return false;
}

/* Between updates: let messages go through. A look at one moves all of them. */
void learner_poll(Learner *l)
{
    const Plan *plan = &l->s->plan;
    const AccountKind kind = account_kind(ACCOUNT_HANDOVER);
    const AccountWay way = account_way(ACCOUNT_EXCHANGE);

    (void)(under_way(l->records, plan->units) || under_way(l->policy, plan->ranks) ||
           under_way(l->reports, plan->ranks) || under_way(l->dones, plan->ranks));
    (void)account_way(way);
    (void)account_kind(kind);
}

/* The records of all units of this learner's shards, in order of units: those that arrived, and without
 * workers those that are made now, when there is room for them in the ring. */
static void take_units(Learner *l, const float *actor)
{
    Session *s = l->s;
    const size_t row = s->roll.rec.stride * sizeof(float);

    for (int u = 0; u < s->plan.units; u++) {
        const int shard = plan_unit_shard(&s->plan, u);
        if (plan_shard_owner(&s->plan, shard) != comm_rank()) {
            continue;
        }
        Buffer *buffer = &l->buffer[shard - s->reduce.first];
        if (l->records[u] != NULL) {
            const size_t bytes = mail_wait(l->records[u]);
            buffer_push(buffer, mail_data(l->records[u]), (int64_t)(bytes / row));
        } else {
            const int64_t rows = crew_unit(&l->crew, &l->task, u, actor, l->crew.rows);
            buffer_push(buffer, l->crew.rows, rows);
        }
    }
    if (l->works) {
        crew_report(&l->crew);
    }
}

/* Rank 0: what all ranks report of their units. */
static void take_reports(Learner *l)
{
    const Session *s = l->s;

    for (int r = plan_first_worker(&s->plan); l->lead && r < s->plan.ranks; r++) {
        const size_t bytes = mail_wait(l->reports[r]) - sizeof(TaskTime);
        const unsigned char *message = mail_data(l->reports[r]);
        const UnitEntry *entry = (const UnitEntry *)(const void *)(message + sizeof(TaskTime));
        memcpy(&l->rolled[r], message, sizeof *l->rolled);
        for (size_t i = 0; i < bytes / sizeof *entry; i++) {
            l->units[entry[i].unit] = entry[i].report;
        }
    }
}

/* All records of the task into the buffers; rank 0 notes the phase. */
Status learner_finish_rollout(Learner *l, const float *actor)
{
    Session *s = l->s;
    int64_t capacity[PLAN_SHARDS_MAX];

    if (l->task.rollout == 0) {
        return OK;
    }
    for (int i = 0; s->agent.kind->on_policy && i < s->reduce.count; i++) {
        buffer_clear(&l->buffer[i]); /* rows of another policy teach it nothing */
    }
    const AccountKind before = account_kind(ACCOUNT_HANDOVER);
    take_units(l, actor);
    take_reports(l);
    for (int i = 0; i < s->reduce.count; i++) {
        if (l->buffer[i].rows == 0) {
            (void)account_kind(before);
            const Status st = status_fail(
                ERR_NUMERIC,
                "no predicted row of epoch %lld for shard %d was finite, or none had a finite "
                "penalty: the model has diverged, or the simulator (penalty.type=oracle) could "
                "follow none",
                (long long)l->task.rollout, s->reduce.first + i);
            return diverged_cures(st, s, DIVERGED_ROLLOUT);
        }
    }
    if (!l->lead) {
        (void)account_kind(before);
        return OK;
    }
    const Status st = history_add(&l->history, l->task.rollout, actor, l->units, s->plan.units);
    for (int v = 0; v < s->plan.shards; v++) {
        capacity[v] = s->agent.kind->on_policy ? 0 : learner_shard_capacity(s, v);
    }
    if (st == OK) {
        history_trim(&l->history, capacity);
        learner_tell_dropped(l, l->task.rollout);
    }
    (void)account_kind(before);
    return st;
}

/* What rank r says about its episodes. */
static Status take_done(Learner *l, int r)
{
    const size_t bytes = mail_wait(l->dones[r]) - sizeof(TaskTime);
    const unsigned char *message = mail_data(l->dones[r]);
    const unsigned char *rest = message + sizeof(TaskTime);
    const EpisodeEntry *entry = (const EpisodeEntry *)(const void *)rest;

    memcpy(&l->played[r], message, sizeof *l->played);
    if (l->played[r].status != OK) {
        const Status st = status_fail((Status)l->played[r].status, "%s", (const char *)rest);
        return comm_size() > 1 ? status_while(st, "rank %d", r) : st;
    }
    for (size_t i = 0; i < bytes / sizeof *entry; i++) {
        l->episodes[entry[i].episode] = entry[i];
    }
    return OK;
}

/* Returns of the task's episodes; then the metrics line of its epoch. */
Status learner_finish_eval(Learner *l)
{
    Session *s = l->s;
    Status st = OK;

    if (!l->lead || l->task.epoch < 0) {
        return OK;
    }
    const AccountKind before = account_kind(ACCOUNT_HANDOVER);
    for (int r = plan_first_worker(&s->plan); r < s->plan.ranks; r++) {
        const Status one = take_done(l, r);
        st = st != OK ? st : one;
    }
    (void)account_kind(before);
    return st != OK ? st : learner_note_epoch(l);
}

/* What is on its way is awaited: who sends it would wait for ever, and no message outlives its buffer. */
void learner_drain(Learner *l)
{
    const Plan *plan = &l->s->plan;

    for (int u = 0; l->records != NULL && u < plan->units; u++) {
        if (l->records[u] != NULL) {
            (void)mail_wait(l->records[u]);
        }
    }
    for (int r = plan_first_worker(plan); l->lead && r < plan->ranks; r++) {
        if (!l->works) { /* of learners that work, rows are made and reported when they are asked for */
            (void)mail_wait(l->reports[r]);
        }
        (void)mail_wait(l->dones[r]);
    }
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
