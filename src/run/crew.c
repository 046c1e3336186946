#include "run/crew.h"

#include <string.h>

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
    return (size_t)crew_units(plan, rank) * sizeof(UnitEntry);
}

size_t crew_done_bytes(const Plan *plan, int rank)
{
    return sizeof(TaskTime) + (size_t)crew_episodes(plan, rank) * sizeof(EpisodeEntry);
}

Status crew_open(Crew *crew, Session *s)
{
    Status st = OK;
    const int rank = comm_rank();
    const size_t record = s->roll.rec.stride * sizeof(float);

    *crew = (Crew){.s = s, .waited = comm_waited()};
    if (s->env->open != NULL) {
        TRY(s->env->open(&crew->env, s->env));
    } else {
        TRY(episode_starts(&s->data, &crew->starts));
    }
    for (int i = 0; s->uses_model && i < CREW_BUFFERS; i++) {
        TRY(mail_open(&crew->records[i], (size_t)rollout_unit_most(&s->roll) * record));
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
    mail_close(&crew->report);
    mail_close(&crew->done);
    episode_starts_release(&crew->starts);
    *crew = (Crew){0};
}

static void roll_out(Crew *crew, const Task *task, const float *actor)
{
    Session *s = crew->s;
    const int rank = comm_rank();
    int n = 0;

    (void)mail_wait(crew->report);
    UnitEntry *entries = mail_data(crew->report);
    for (int u = 0; u < s->plan.units; u++) {
        if (plan_unit_owner(&s->plan, u) != rank) {
            continue;
        }
        Mail *mail = crew->records[n % CREW_BUFFERS];
        (void)mail_wait(mail);
        entries[n] = (UnitEntry){.unit = u};
        rollout_run(&s->roll, actor, task->rollout, u, &s->tmp, mail_data(mail),
                    &entries[n].report);
        const size_t bytes = (size_t)entries[n].report.rows * s->roll.rec.stride * sizeof(float);
        mail_send(mail, plan_shard_owner(&s->plan, plan_unit_shard(&s->plan, u)), TAG_RECORDS + u,
                  bytes);
        n++;
    }
    mail_send(crew->report, 0, TAG_UNITS, (size_t)n * sizeof *entries);
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

Status crew_do(Crew *crew, const Task *task, const float *policy)
{
    Session *s = crew->s;
    TaskTime time = {0};
    int n = 0;
    const double start = timer_now();

    if (task->rollout > 0) {
        roll_out(crew, task, policy);
    }
    const double rolled = timer_now();
    (void)mail_wait(crew->done);
    unsigned char *message = mail_data(crew->done);
    EpisodeEntry *entries = (EpisodeEntry *)(void *)(message + sizeof time);
    for (int k = 0; task->eval != 0 && k < s->plan.episodes; k++) {
        if (plan_episode_owner(&s->plan, k) == comm_rank()) {
            const Player player = session_player(s, policy, task->epoch);
            const Status st = play(crew, &player, k, &entries[n++]);
            if (st != OK) {
                return st;
            }
        }
    }
    time.rollout = rolled - start;
    time.eval = timer_now() - rolled;
    time.wait = comm_waited() - crew->waited;
    crew->waited = comm_waited();
    memcpy(message, &time, sizeof time);
    mail_send(crew->done, 0, TAG_DONE, sizeof time + (size_t)n * sizeof *entries);
    return OK;
}

Status worker_run(Session *s)
{
    Status st = OK;
    Crew crew = {0};
    Mail *policy = NULL;
    const size_t bytes = agent_policy_floats(&s->agent) * sizeof(float);

    TRY(crew_open(&crew, s));
    TRY(mail_open(&policy, sizeof(Task) + bytes));
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
        TRY(crew_do(&crew, &task, agent_actor(&s->agent)));
    }
done:
    mail_close(&policy);
    crew_close(&crew);
    return st;
}
