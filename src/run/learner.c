#include "run/learner.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/panic.h"
#include "base/timer.h"
#include "data/buffer.h"
#include "run/crew.h"
#include "run/history.h"
#include "run/learner_state.h"
#include "run/policy_file.h"
#include "run/stop.h"

/* --- starting and stopping ------------------------------------------------------------------ */

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
        if (plan_shard_owner(&s->plan, plan_unit_shard(&s->plan, u)) == comm_rank()) {
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
    const size_t policy = sizeof(Task) + s->agent.actor.count * sizeof(float);

    TRY(mem_alloc(&l->policy, ranks, sizeof *l->policy, "message slots"));
    TRY(mem_alloc(&l->reports, ranks, sizeof *l->reports, "message slots"));
    TRY(mem_alloc(&l->dones, ranks, sizeof *l->dones, "message slots"));
    TRY(mem_alloc(&l->units, (size_t)s->plan.units, sizeof *l->units, "unit reports"));
    TRY(mem_alloc(&l->episodes, (size_t)s->plan.episodes, sizeof *l->episodes, "episodes"));
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

static Status learner_open(Learner *l, Session *s, const RunDir *dir)
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

static void learner_close(Learner *l)
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
    mem_free(&l->buffer);
    mem_free(&l->batch);
    mem_free(&l->shard);
    if (l->lead) {
        metrics_close(&l->log);
        learner_close_timing(l);
    }
}

static void stop_workers(Learner *l)
{
    for (int r = plan_first_worker(&l->s->plan); l->lead && r < l->s->plan.ranks; r++) {
        if (l->policy[r] != NULL) {
            const Task task = {.stop = 1};
            (void)mail_wait(l->policy[r]);
            memset(mail_data(l->policy[r]), 0,
                   sizeof task + l->s->agent.actor.count * sizeof(float));
            memcpy(mail_data(l->policy[r]), &task, sizeof task);
            mail_send(l->policy[r], r, TAG_POLICY,
                      sizeof task + l->s->agent.actor.count * sizeof(float));
            (void)mail_wait(l->policy[r]);
        }
    }
}

/* --- tasks: rollouts and evaluation by the crew ----------------------------------------------- */

static Status start_task(Learner *l, const Task *task, const float *actor)
{
    Session *s = l->s;
    const size_t bytes = s->agent.actor.count * sizeof(float);

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
static void poll_messages(Learner *l)
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
static Status finish_rollout(Learner *l, const float *actor)
{
    Session *s = l->s;
    const size_t row = s->roll.rec.stride * sizeof(float);
    int64_t capacity[64];

    if (l->task.rollout == 0) {
        return OK;
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
            return status_fail(ERR_NUMERIC,
                               "every predicted row of epoch %lld was infinite or NaN: "
                               "the model has diverged",
                               (long long)l->task.rollout);
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
        capacity[v] = learner_shard_capacity(s, v);
    }
    if (st == OK) {
        history_trim(&l->history, capacity);
    }
    return st;
}

/* Returns of the task's episodes, and its times; then the metrics line of its epoch. */
static Status finish_eval(Learner *l)
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

/* --- one epoch ---------------------------------------------------------------------------------- */

static void gather_shard(Learner *l, int i, float *rows)
{
    Session *s = l->s;
    const int shard = s->reduce.first + i;
    const uint64_t seed = (uint64_t)s->cfg.top.seed;
    const uint64_t step = (uint64_t)s->agent.updates;
    const int total = plan_deal(s->cfg.train.batch, s->plan.shards, shard);
    const int dealt = plan_deal(s->real_rows, s->plan.shards, shard);
    const int real = dealt < total ? dealt : total; /* 10 of 11 rows over 8 shards: 2 of 1 */
    const size_t stride = s->data.rec.stride;

    if (real > 0) {
        Rng rng = rng_make(seed, RNG_BATCH_REAL, step, (uint32_t)shard);
        records_gather(s->data.records, stride, s->data.rows, &rng, real, rows);
    }
    if (total > real) {
        Rng rng = rng_make(seed, RNG_BATCH_MODEL, step, (uint32_t)shard);
        buffer_gather(&l->buffer[i], &rng, total - real, rows + (size_t)real * stride);
    }
    l->shard[i] = (Batch){rows, total};
}

static Status run_updates(Learner *l, double sums[STAT_COUNT])
{
    Session *s = l->s;
    Status st = OK;
    float stats[STAT_COUNT];

    memset(sums, 0, STAT_COUNT * sizeof *sums);
    for (int u = 0; u < s->cfg.train.updates_per_epoch; u++) {
        float *rows = l->batch;
        for (int i = 0; i < s->reduce.count; i++) {
            gather_shard(l, i, rows);
            rows += (size_t)l->shard[i].rows * s->data.rec.stride;
        }
        TRY(s->agent.kind->update(&s->agent, l->shard, s->cfg.train.batch, &s->reduce,
                                  (uint64_t)s->cfg.top.seed, &s->tmp, stats));
        for (int k = 0; k < STAT_COUNT; k++) {
            sums[k] += (double)stats[k];
        }
        poll_messages(l);
    }
done:
    return st;
}

static bool eval_due(const Config *cfg, int64_t epoch)
{
    return epoch > 0 && (epoch % cfg->eval.every == 0 || epoch == cfg->train.epochs);
}

/* Epoch e: hand out work with the policy as it is, update, collect the results. With a lag the last
 * epoch, too, rolls out for its successor: whoever raises train.epochs later finds everything there. */
static Status run_epoch(Learner *l, int64_t e)
{
    Session *s = l->s;
    const Config *cfg = &s->cfg;
    Status st = OK;
    const Task task = {.epoch = e - 1,
                       .rollout = s->uses_model ? e + cfg->rollout.lag : 0,
                       .eval = eval_due(cfg, e - 1) ? 1 : 0};
    double sums[STAT_COUNT];

    memcpy(l->sent, agent_actor(&s->agent), s->agent.actor.count * sizeof(float));
    TRY(start_task(l, &task, l->sent));
    if (e > 1 && (e - 1) % cfg->checkpoint.every == 0 && !l->fresh) {
        TRY(learner_save(l, e - 1)); /* while the workers are busy; without the phase they make */
    }
    if (cfg->rollout.lag == 0) {
        TRY(finish_rollout(l, l->sent));
        l->task.rollout = 0;
    }
    l->fresh = false;
    const double start = timer_now();
    const double waited = comm_waited();
    TRY(run_updates(l, sums));
    const double updated = timer_now();
    const double in_updates = comm_waited() - waited;
    TRY(finish_eval(l));
    learner_begin_line(l, e, sums); /* before the next phase comes and this one is forgotten */
    TRY(finish_rollout(l, l->sent));
    learner_note_updates(l, e, updated - start, in_updates, timer_now() - updated);
done:
    return st;
}

/* Records of one past or first phase, with the learners idle. */
static Status make_phase(Learner *l, int64_t epoch, const float *policy)
{
    Status st = OK;
    const Task task = {.epoch = -1, .rollout = epoch, .eval = 0};

    TRY(start_task(l, &task, policy));
    TRY(finish_rollout(l, policy));
    for (int r = plan_first_worker(&l->s->plan); l->lead && r < l->s->plan.ranks; r++) {
        (void)mail_wait(l->dones[r]);
    }
done:
    return st;
}

/* Fill the buffers again from the phases of a checkpoint; every digest must come out as it was. */
static Status refill(Learner *l, History *past)
{
    Session *s = l->s;
    Status st = OK;
    int64_t count = past->count;
    const double start = timer_now();

    comm_reduce_bcast(&s->reduce, &count, sizeof count);
    for (int64_t i = 0; i < count; i++) {
        int64_t epoch = l->lead ? past->epoch[i] : 0;
        comm_reduce_bcast(&s->reduce, &epoch, sizeof epoch);
        if (l->lead) {
            memcpy(l->sent, past->policy + (size_t)i * past->actor, past->actor * sizeof(float));
        }
        comm_reduce_bcast(&s->reduce, l->sent, s->agent.actor.count * sizeof(float));
        TRY(make_phase(l, epoch, l->sent));
        if (l->lead) {
            const int64_t at = history_find(&l->history, epoch);
            REQUIRE(at >= 0);
            if (l->history.digest[at] != past->digest[i]) {
                log_warn(
                    "the model rows of epoch %lld came out different from before the stop: "
                    "another CPU type, BLAS or program? The run goes on, but not with the same "
                    "bits",
                    (long long)epoch);
            }
        }
    }
    if (l->lead && count > 0) {
        log_info("model buffer made again from %lld rollout phases in %.1f s", (long long)count,
                 timer_now() - start);
    }
done:
    return st;
}

static Status begin(Learner *l, const Checkpoint *from, int64_t *epoch)
{
    Session *s = l->s;
    Status st = OK;
    History past = {0};

    *epoch = 0;
    if (l->lead) {
        st = learner_load(l, from, &past, epoch);
        if (st != OK) {
            comm_abort(status_exit_code(st), status_reason());
        }
    }
    comm_reduce_bcast(&s->reduce, epoch, sizeof *epoch);
    Slab slabs[AGENT_SLABS_MAX];
    const int n = agent_slabs(&s->agent, slabs);
    for (int i = 0; i < n; i++) {
        comm_reduce_bcast(&s->reduce, slabs[i].data, slab_bytes(&slabs[i]));
    }
    l->fresh = true; /* nothing new to save yet */
    if (*epoch > 0) {
        TRY(refill(l, &past));
    } else if (s->uses_model && s->cfg.rollout.lag > 0) {
        memcpy(l->sent, agent_actor(&s->agent), s->agent.actor.count * sizeof(float));
        TRY(make_phase(l, 1, l->sent));
    }
done:
    history_release(&past);
    return st;
}

/* The last policy's evaluation, and everything a finished run leaves behind. */
static Status finish(Learner *l)
{
    Session *s = l->s;
    Status st = OK;
    const Task task = {.epoch = s->cfg.train.epochs, .rollout = 0, .eval = 1};
    char path[RUNDIR_PATH_MAX];

    memcpy(l->sent, agent_actor(&s->agent), s->agent.actor.count * sizeof(float));
    TRY(start_task(l, &task, l->sent));
    if (l->lead) {
        PolicyInfo info = {.epoch = s->cfg.train.epochs,
                           .log_std_min = s->agent.cfg.log_std_min,
                           .log_std_max = s->agent.cfg.log_std_max};
        (void)snprintf(info.algorithm, sizeof info.algorithm, "%s", s->cfg.top.algo);
        (void)snprintf(info.task, sizeof info.task, "%s", s->cfg.top.task);
        if (!l->fresh) {
            TRY(learner_save(l, s->cfg.train.epochs));
        }
        TRY(policy_save(rundir_file(l->dir, "policy.h5", path), &info, &s->agent.actor, l->sent));
    }
    TRY(finish_eval(l));
done:
    return st;
}

Status learner_run(Session *s, const RunDir *dir, const Checkpoint *from, LearnResult *result)
{
    Status st = OK;
    Learner l;
    int64_t done_epochs = 0;

    TRY(learner_open(&l, s, dir));
    TRY(mem_alloc(&l.sent, s->agent.actor.count, sizeof *l.sent, "a policy"));
    TRY(begin(&l, from, &done_epochs));
    l.began = done_epochs;
    for (int64_t e = done_epochs + 1; e <= s->cfg.train.epochs; e++) {
        int stop = l.lead && stop_wanted() ? 1 : 0;
        comm_reduce_bcast(&s->reduce, &stop, sizeof stop);
        if (stop != 0) {
            if (l.lead && !l.fresh) {
                TRY(learner_save(&l, e - 1));
            }
            stop_workers(&l);
            st = status_fail(ERR_INTERRUPTED,
                             "stopped after epoch %lld of %d as asked (%s); the "
                             "same command goes on from here",
                             (long long)(e - 1), s->cfg.train.epochs, stop_reason());
            goto done;
        }
        TRY(run_epoch(&l, e));
    }
    TRY(finish(&l));
    stop_workers(&l);
    *result = l.result;
done:
    mem_free(&l.sent);
    learner_close(&l);
    return st;
}
