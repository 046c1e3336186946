/* A learner's memory and its ends of the talk with the crew. */
#include "base/mem.h"
#include "run/learner_state.h"

int64_t learner_shard_capacity(const Session *s, int shard)
{
    int64_t starts = 0;
    for (int u = 0; u < s->plan.units; u++) {
        starts += plan_unit_shard(&s->plan, u) == shard ? rollout_unit_starts(&s->roll, u) : 0;
    }
    return starts * s->roll.horizon * s->cfg.rollout.retain;
}

static Status open_buffers(Learner *l)
{
    Session *s = l->s;
    Status st = OK;
    const size_t unit_bytes =
        (size_t)rollout_unit_most(&s->roll) * s->roll.rec.stride * sizeof(float);

    for (int i = 0; i < s->reduce.count; i++) {
        TRY(buffer_init(&l->buffer[i], s->data.rec,
                        learner_shard_capacity(s, s->reduce.first + i)));
    }
    TRY(mem_alloc(&l->records, (size_t)s->plan.units, sizeof *l->records, "message slots"));
    for (int u = 0; u < s->plan.units; u++) {
        if (plan_shard_owner(&s->plan, plan_unit_shard(&s->plan, u)) == comm_rank() &&
            plan_unit_owner(&s->plan, u) != comm_rank()) {
            TRY(mail_open(&l->records[u], unit_bytes));
        }
    }
done:
    return st;
}

/* Rank 0's ends of the talk with every rank that works for the learners. */
static Status open_talk(Learner *l)
{
    Session *s = l->s;
    Status st = OK;
    const size_t ranks = (size_t)s->plan.ranks;
    const size_t policy = sizeof(Task) + agent_policy_floats(&s->agent) * sizeof(float);

    TRY(mem_alloc(&l->policy, ranks, sizeof *l->policy, "message slots"));
    TRY(mem_alloc(&l->reports, ranks, sizeof *l->reports, "message slots"));
    TRY(mem_alloc(&l->dones, ranks, sizeof *l->dones, "message slots"));
    TRY(mem_alloc(&l->units, (size_t)s->plan.units, sizeof *l->units, "unit reports"));
    TRY(mem_alloc(&l->episodes, (size_t)s->plan.episodes, sizeof *l->episodes, "episodes"));
    TRY(mem_alloc(&l->rolled, ranks, sizeof *l->rolled, "seconds of tasks"));
    TRY(mem_alloc(&l->played, ranks, sizeof *l->played, "seconds of tasks"));
    for (int r = plan_first_worker(&s->plan); r < s->plan.ranks; r++) {
        if (!plan_is_learner(&s->plan, r)) {
            TRY(mail_open(&l->policy[r], policy));
        }
        TRY(mail_open(&l->reports[r], crew_report_bytes(&s->plan, r)));
        TRY(mail_open(&l->dones[r], crew_done_bytes(&s->plan, r)));
    }
done:
    return st;
}

Status learner_open(Learner *l, Session *s, const RunDir *dir)
{
    Status st = OK;
    const size_t batch = (size_t)s->cfg.train.batch * s->data.rec.stride;

    *l = (Learner){.s = s, .dir = dir, .lead = comm_rank() == 0};
    l->log.fd[0] = -1;
    l->log.fd[1] = -1;
    l->works = plan_first_worker(&s->plan) == 0;
    TRY(mem_alloc(&l->buffer, (size_t)s->reduce.count, sizeof *l->buffer, "shard buffers"));
    TRY(mem_alloc(&l->batch, batch, sizeof(float), "a batch"));
    TRY(mem_alloc(&l->shard, (size_t)s->reduce.count, sizeof *l->shard, "a batch"));
    if (s->uses_model) {
        TRY(open_buffers(l));
    }
    if (l->lead) {
        TRY(open_talk(l));
        TRY(history_init(&l->history, s->plan.shards, s->agent.actor.count,
                         s->cfg.rollout.retain + 2));
    }
    if (l->works) {
        TRY(crew_open(&l->crew, s));
    }
done:
    return st;
}

static void close_mails(Mail **mails, int n)
{
    for (int i = 0; mails != NULL && i < n; i++) {
        mail_close(&mails[i]);
    }
}

void learner_close(Learner *l)
{
    if (l->works) {
        crew_close(&l->crew);
    }
    close_mails(l->records, l->s->plan.units);
    close_mails(l->policy, l->s->plan.ranks);
    close_mails(l->reports, l->s->plan.ranks);
    close_mails(l->dones, l->s->plan.ranks);
    for (int i = 0; l->buffer != NULL && i < l->s->reduce.count; i++) {
        buffer_release(&l->buffer[i]);
    }
    history_release(&l->history);
    mem_free(&l->records);
    mem_free(&l->policy);
    mem_free(&l->reports);
    mem_free(&l->dones);
    mem_free(&l->units);
    mem_free(&l->episodes);
    mem_free(&l->rolled);
    mem_free(&l->played);
    mem_free(&l->buffer);
    mem_free(&l->batch);
    mem_free(&l->shard);
    if (l->lead) {
        metrics_close(&l->log);
    }
}
