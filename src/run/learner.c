#include "run/learner.h"

#include <stdio.h>
#include <string.h>

#include "base/account.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/panic.h"
#include "base/timer.h"
#include "run/diverged.h"
#include "run/learner_state.h"
#include "run/policy_file.h"
#include "run/stop.h"

/* All updates of epoch e; nothing that is not finite outlives them. */
static Status run_updates(Learner *l, int64_t e, double sums[STAT_COUNT])
{
    Session *s = l->s;
    Status st = OK;
    float stats[STAT_COUNT];
    const AccountKind before = account_kind(ACCOUNT_UPDATE);

    memset(sums, 0, STAT_COUNT * sizeof *sums);
    for (int u = 0; u < s->cfg.train.updates_per_epoch; u++) {
        const int rows = learner_gather(l);
        TRY(s->agent.kind->update(&s->agent, l->shard, rows, &s->reduce, (uint64_t)s->cfg.top.seed,
                                  &s->tmp, stats));
        for (int k = 0; k < STAT_COUNT; k++) {
            sums[k] += (double)stats[k];
        }
        learner_poll(l);
    }
    (void)account_kind(before);
    TRY(diverged_agent(s));
done:
    st = learner_tell_growth(l, e, status_while(st, "epoch %lld", (long long)e));
    return diverged_cures(st, s, DIVERGED_AGENT);
}

static bool eval_due(const Config *cfg, int64_t epoch)
{
    return epoch > 0 && (epoch % cfg->eval.every == 0 || epoch == cfg->train.epochs);
}

static Status agree(const Learner *l, Status mine)
{
    const AccountKind before = account_kind(ACCOUNT_HANDOVER);
    const Status st = comm_reduce_agree(&l->s->reduce, mine);
    (void)account_kind(before);
    return st;
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

    memcpy(l->sent, agent_actor(&s->agent), agent_policy_floats(&s->agent) * sizeof(float));
    learner_start_task(l, &task, l->sent);
    if (e > 1 && !l->fresh && (learner_save_asked(l) || (e - 1) % cfg->checkpoint.every == 0)) {
        /* while the workers are busy; without the phase they make */
        st = learner_save(l, PHASE_POLICY, e - 1);
    }
    TRY(agree(l, st));
    if (cfg->rollout.lag == 0) {
        TRY(agree(l, learner_finish_rollout(l, l->sent)));
        l->task.rollout = 0;
    }
    l->fresh = false;
    const AccountSheet before = account_sheet();
    TRY(run_updates(l, e, sums));
    TRY(agree(l, learner_finish_eval(l)));
    learner_begin_line(l, e, sums); /* before the next phase comes and this one is forgotten */
    TRY(agree(l, learner_finish_rollout(l, l->sent)));
    learner_note_tasks(l);
    learner_note_updates(e, &before);
done:
    return st;
}

/* Records of one past or first phase, with the learners idle. */
static Status make_phase(Learner *l, int64_t epoch, const float *policy)
{
    Status st = OK;
    const Task task = {.epoch = -1, .rollout = epoch, .eval = 0};

    learner_start_task(l, &task, policy);
    TRY(agree(l, learner_finish_rollout(l, policy)));
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
        int64_t epoch = 0;
        if (l->lead) {
            REQUIRE(past->epoch != NULL);
            epoch = past->epoch[i];
        }
        comm_reduce_bcast(&s->reduce, &epoch, sizeof epoch);
        if (l->lead) {
            memcpy(l->sent, past->policy + (size_t)i * past->actor, past->actor * sizeof(float));
        }
        comm_reduce_bcast(&s->reduce, l->sent, s->agent.actor.count * sizeof(float));
        TRY(make_phase(l, epoch, l->sent));
        if (l->lead) {
            const int64_t at = history_find(&l->history, epoch);
            REQUIRE(at >= 0 && past->digest != NULL);
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

/* Everything that a learner keeps, and on rank 0 what the checkpoint has. */
static Status open_all(Learner *l, Session *s, const RunDir *dir, const Checkpoint *from,
                       History *past, int64_t *epoch)
{
    Status st = OK;

    TRY(learner_open(l, s, dir));
    TRY(mem_alloc(&l->sent, agent_policy_floats(&s->agent), sizeof *l->sent, "a policy"));
    if (l->lead) {
        TRY(learner_load(l, from, past, epoch));
    }
done:
    return st;
}

/* From here on all learners have the same state, and the rows that it learned from. */
static Status begin(Learner *l, History *past, int64_t *epoch)
{
    Session *s = l->s;
    Status st = OK;

    comm_reduce_bcast(&s->reduce, epoch, sizeof *epoch);
    Slab slabs[AGENT_SLABS_MAX];
    const int n = agent_slabs(&s->agent, slabs);
    for (int i = 0; i < n; i++) {
        comm_reduce_bcast(&s->reduce, slabs[i].data, slab_bytes(&slabs[i]));
    }
    l->fresh = true; /* nothing new to save yet */
    TRY(learner_prepare(l));
    if (*epoch > 0) {
        TRY(refill(l, past));
    } else if (s->uses_model && s->cfg.rollout.lag > 0) {
        memcpy(l->sent, agent_actor(&s->agent), agent_policy_floats(&s->agent) * sizeof(float));
        TRY(make_phase(l, 1, l->sent));
    }
done:
    return st;
}

/* Rank 0: what a finished run leaves behind. */
static Status save_all(Learner *l)
{
    Session *s = l->s;
    Status st = OK;
    char path[RUNDIR_PATH_MAX];
    PolicyInfo info = {.epoch = s->cfg.train.epochs, .bounds = s->data.bounds};
    const int candidates = s->agent.cfg.candidates;
    const PolicyChoice choice = {.candidates = candidates,
                                 .critic = s->agent.critic,
                                 .values = candidates > 0 ? l->sent + s->agent.at_critic : NULL};

    (void)snprintf(info.algorithm, sizeof info.algorithm, "%s", s->cfg.top.algo);
    (void)snprintf(info.task, sizeof info.task, "%s", s->cfg.top.task);
    TRY(session_settings_digest(&s->cfg, info.config_digest));
    if (!l->fresh) {
        TRY(learner_save(l, PHASE_POLICY, s->cfg.train.epochs));
    }
    const AccountKind before = account_kind(ACCOUNT_SAVE);
    TRY(policy_save(rundir_file(l->dir, "policy.h5", path), &info, &s->agent.actor,
                    &s->agent.squash, l->sent, &choice));
    (void)account_kind(before);
done:
    return st;
}

/* The last policy's evaluation, and everything a finished run leaves behind. */
static Status finish(Learner *l)
{
    Session *s = l->s;
    Status st = OK;
    const Task task = {.epoch = s->cfg.train.epochs, .rollout = 0, .eval = 1};
    int64_t lengths[METRICS_FILES];

    memcpy(l->sent, agent_actor(&s->agent), agent_policy_floats(&s->agent) * sizeof(float));
    learner_start_task(l, &task, l->sent);
    TRY(agree(l, l->lead ? save_all(l) : OK));
    TRY(agree(l, learner_finish_eval(l)));
    /* its line comes after the last checkpoint, and lasts too */
    TRY(agree(l, l->lead ? metrics_lengths(&l->log, lengths) : OK));
    learner_note_tasks(l);
done:
    return st;
}

bool learner_stop_asked(const Learner *l)
{
    int stop = l->lead && stop_wanted() ? 1 : 0;
    comm_reduce_bcast(&l->s->reduce, &stop, sizeof stop);
    return stop != 0;
}

bool learner_save_asked(const Learner *l)
{
    return l->lead && stop_save_wanted();
}

static Status stopped(Learner *l, int64_t epoch)
{
    Status st = OK;

    TRY(agree(l, l->lead && !l->fresh ? learner_save(l, PHASE_POLICY, epoch) : OK));
    st = status_fail(ERR_INTERRUPTED,
                     "stopped after epoch %lld of %d as asked (%s); the same command goes on from "
                     "here",
                     (long long)epoch, l->s->cfg.train.epochs, stop_reason());
done:
    return st;
}

/* All learners come out with the same outcome. */
static Status learn(Learner *l, History *past, int64_t done_epochs)
{
    const Session *s = l->s;
    Status st = OK;

    st = begin(l, past, &done_epochs);
    history_release(past); /* as large as the history that the run keeps */
    TRY(st);
    l->began = done_epochs;
    stop_begin();
    for (int64_t e = done_epochs + 1; e <= s->cfg.train.epochs; e++) {
        if (learner_stop_asked(l)) {
            return stopped(l, e - 1);
        }
        TRY(run_epoch(l, e));
    }
    TRY(finish(l));
done:
    return st;
}

Status learner_run(Session *s, const RunDir *dir, const Checkpoint *from, LearnResult *result)
{
    Status st = OK;
    Learner l;
    History past = {0};
    int64_t done_epochs = 0;

    TRY(comm_agree(open_all(&l, s, dir, from, &past, &done_epochs)));
    st = learn(&l, &past, done_epochs);
    if (st != OK) {
        learner_drain(&l);
    }
    learner_stop_workers(&l);
    *result = l.result;
done:
    history_release(&past);
    mem_free(&l.sent);
    learner_close(&l);
    return st;
}
