#include "run/crew.h"

#include <stdio.h>
#include <string.h>

#include "base/account.h"
#include "base/mem.h"
#include "base/panic.h"
#include "base/timer.h"

int crew_units(const Plan *plan, int rank)
{
    int n = 0;
    for (int u = 0; u < plan->units; u++) {
        n += plan_unit_owner(plan, u) == rank ? 1 : 0;
    }
    return n;
}

int crew_episodes(const Plan *plan, int rank)
{
    int n = 0;
    for (int k = 0; k < plan->episodes; k++) {
        n += plan_episode_owner(plan, k) == rank ? 1 : 0;
    }
    return n;
}

size_t crew_report_bytes(const Plan *plan, int rank)
{
    return sizeof(TaskTime) + (size_t)crew_units(plan, rank) * sizeof(UnitEntry);
}

size_t crew_done_bytes(const Plan *plan, int rank)
{
    const size_t entries = (size_t)crew_episodes(plan, rank) * sizeof(EpisodeEntry);
    return sizeof(TaskTime) + (entries > STATUS_REASON_MAX ? entries : STATUS_REASON_MAX);
}

Status crew_open(Crew *crew, Session *s)
{
    Status st = OK;
    const int rank = comm_rank();
    const size_t record = s->roll.rec.stride * sizeof(float);
    const size_t unit = s->uses_model ? (size_t)rollout_unit_most(&s->roll) * record : 0;
    const bool sends = !plan_is_learner(&s->plan, rank);

    *crew = (Crew){.s = s, .waited = account_outside()};
    if (s->env->open != NULL) {
        TRY(s->env->open(&crew->env, s->env));
    } else {
        TRY(episode_starts(&s->data, &crew->starts));
    }
    for (int i = 0; s->uses_model && sends && i < CREW_BUFFERS; i++) {
        TRY(mail_open(&crew->records[i], unit));
    }
    if (!sends) {
        TRY(mem_alloc(&crew->rows, unit, 1, "records of a unit"));
    }
    TRY(mail_open(&crew->report, crew_report_bytes(&s->plan, rank)));
    TRY(mail_open(&crew->done, crew_done_bytes(&s->plan, rank)));
done:
    if (st != OK) {
        crew_close(crew);
    }
    return st;
}

void crew_close(Crew *crew)
{
    if (crew->env != NULL) {
        crew->s->env->close(crew->env);
    }
    for (int i = 0; i < CREW_BUFFERS; i++) {
        mail_close(&crew->records[i]);
    }
    mem_free(&crew->rows);
    mail_close(&crew->report);
    mail_close(&crew->done);
    episode_starts_release(&crew->starts);
    *crew = (Crew){0};
}

/* Waiting since the last part of a task. */
static double new_waits(Crew *crew)
{
    const double waited = account_outside();
    const double since = waited - crew->waited;

    crew->waited = waited;
    return since;
}

int64_t crew_unit(Crew *crew, const Task *task, int unit, const float *policy, float *records)
{
    Session *s = crew->s;
    (void)mail_wait(crew->report); /* the one before may be on its way */
    const AccountKind before = account_kind(ACCOUNT_ROLLOUT);
    const double start = timer_now();

    unsigned char *message = mail_data(crew->report);
    UnitEntry *entry = (UnitEntry *)(void *)(message + sizeof(TaskTime)) + crew->reported++;
    *entry = (UnitEntry){.unit = unit};
    rollout_run(&s->roll, policy, task->rollout, unit, &s->tmp, records, &entry->report);
    crew->rolled.busy += timer_now() - start;
    (void)account_kind(before);
    return entry->report.rows;
}

void crew_report(Crew *crew)
{
    unsigned char *message = mail_data(crew->report);

    (void)mail_wait(crew->report); /* a rank without units has not yet */
    crew->rolled.wait = new_waits(crew);
    memcpy(message, &crew->rolled, sizeof crew->rolled);
    mail_send(crew->report, 0, TAG_UNITS,
              sizeof crew->rolled + (size_t)crew->reported * sizeof(UnitEntry));
    crew->reported = 0;
    crew->rolled = (TaskTime){0};
}

/* A worker's: each unit to the owner of its shard, while the next one is rolled out. */
static void roll_out(Crew *crew, const Task *task, const float *policy)
{
    const Session *s = crew->s;
    int n = 0;

    for (int u = 0; u < s->plan.units; u++) {
        if (plan_unit_owner(&s->plan, u) == comm_rank()) {
            Mail *mail = crew->records[n++ % CREW_BUFFERS];
            (void)mail_wait(mail);
            const int64_t rows = crew_unit(crew, task, u, policy, mail_data(mail));
            mail_send(mail, plan_shard_owner(&s->plan, plan_unit_shard(&s->plan, u)),
                      TAG_RECORDS + u, (size_t)rows * s->roll.rec.stride * sizeof(float));
        }
    }
    crew_report(crew);
}

Player session_player(const Session *s, const float *params, int64_t epoch)
{
    return (Player){.env = s->env,
                    .actor = &s->agent.actor,
                    .squash = &s->agent.squash,
                    .params = params,
                    .seed = (uint64_t)s->cfg.top.seed,
                    .epoch = epoch,
                    .candidates = s->agent.cfg.candidates,
                    .critic = &s->agent.critic,
                    .values = s->agent.cfg.candidates > 0 ? params + s->agent.at_critic : NULL};
}

static Status play(Crew *crew, const Player *player, int episode, EpisodeEntry *entry)
{
    Session *s = crew->s;
    if (crew->env != NULL) {
        return play_episode(player, crew->env, episode, &s->tmp, entry);
    }
    model_episode(&s->roll, &crew->starts, player, s->cfg.eval.model_steps, episode, &s->tmp,
                  entry);
    return OK;
}

void crew_play(Crew *crew, const Task *task, const float *policy)
{
    Session *s = crew->s;
    Status st = OK;
    TaskTime time = {0};
    size_t bytes = 0;

    (void)mail_wait(crew->done);
    const AccountKind before = account_kind(ACCOUNT_EVAL);
    const double start = timer_now();
    unsigned char *message = mail_data(crew->done);
    EpisodeEntry *entries = (EpisodeEntry *)(void *)(message + sizeof time);
    for (int k = 0; st == OK && task->eval != 0 && k < s->plan.episodes; k++) {
        if (plan_episode_owner(&s->plan, k) == comm_rank()) {
            const Player player = session_player(s, policy, task->epoch);
            st = play(crew, &player, k, &entries[bytes / sizeof *entries]);
            bytes += sizeof *entries;
        }
    }
    if (st != OK) {
        bytes = STATUS_REASON_MAX;
        (void)snprintf((char *)entries, bytes, "%s", status_reason());
    }
    time.status = (int64_t)st;
    time.busy = timer_now() - start;
    (void)account_kind(before);
    time.wait = new_waits(crew);
    memcpy(message, &time, sizeof time);
    mail_send(crew->done, 0, TAG_DONE, sizeof time + bytes);
}

Status worker_run(Session *s)
{
    Status st = OK;
    Crew crew = {0};
    Mail *policy = NULL;
    const size_t bytes = agent_policy_floats(&s->agent) * sizeof(float);

    (void)account_kind(ACCOUNT_HANDOVER);
    st = crew_open(&crew, s);
    st = st != OK ? st : mail_open(&policy, sizeof(Task) + bytes);
    TRY(comm_agree(st));
    for (;;) {
        mail_receive(policy, 0, TAG_POLICY);
        const size_t got = mail_wait(policy);
        REQUIRE(got >= sizeof(Task));
        const unsigned char *message = mail_data(policy);
        Task task;
        memcpy(&task, message, sizeof task);
        if (task.stop != 0) {
            break; /* comes without a policy */
        }
        REQUIRE(got == sizeof(Task) + bytes);
        memcpy(agent_actor(&s->agent), message + sizeof task, bytes);
        if (task.rollout > 0) {
            roll_out(&crew, &task, agent_actor(&s->agent));
        }
        crew_play(&crew, &task, agent_actor(&s->agent));
    }
done:
    mail_close(&policy);
    crew_close(&crew);
    return st;
}
