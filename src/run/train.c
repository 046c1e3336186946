#include "run/train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/account.h"
#include "base/log.h"
#include "base/timer.h"
#include "comm/watch.h"
#include "run/choose_learners.h"
#include "run/crew.h"
#include "run/diverged.h"
#include "run/fit_model.h"
#include "run/fit_terminal.h"
#include "run/memory.h"
#include "run/model_report.h"
#include "run/penalty_report.h"
#include "run/penalty_survey.h"
#include "run/provide_dataset.h"
#include "run/shared_model.h"
#include "run/stop.h"
#include "run/timing.h"

static Status describe(const Session *s, const RunDir *dir)
{
    char hosts[SESSION_HOSTS_MAX];
    const RunFacts facts = session_facts(s, hosts);

    log_info("%d rank%s on %s: %d learner%s, %s; %s", s->plan.ranks, s->plan.ranks > 1 ? "s" : "",
             hosts, s->plan.learners, s->plan.learners > 1 ? "s" : "",
             plan_first_worker(&s->plan) == 0 ? "rolling out and evaluating, too"
                                              : "the others roll out and evaluate",
             facts.blas);
    log_info("dataset %s: %lld transitions of %lld episodes, return %.1f (%.1f to %.1f); %s",
             s->cfg.top.dataset, (long long)s->data.rows, (long long)s->data.episodes,
             s->data.return_mean, s->data.return_min, s->data.return_max, s->data.rule);
    return comm_agree(comm_rank() == 0 ? rundir_write_manifest(dir, &facts) : OK);
}

/* The ensemble: that of an earlier start, a shared one, or fitted now. A fit that was begun in the run's own directory
 * goes on there. `begun` is its checkpoint on rank 0, or NULL; *saved: where checkpoints are, NULL: not the run's
 * concern. */
static Status provide_model(Session *s, const Config *cfg, const RunDir *dir,
                            const Checkpoint *begun, const RunDir **saved)
{
    Status st = OK;
    bool there = false;
    int share = cfg->model.share[0] != '\0' && begun == NULL ? 1 : 0;

    TRY(fetch_model(s, dir, &there));
    (void)account_kind(ACCOUNT_FIT);
    coll_bcast(&share, sizeof share, 0);
    if (!there) {
        *saved = share != 0 ? NULL : dir;
        TRY(share != 0 ? shared_model_provide(s, cfg, dir) : fit_model(s, dir, begun));
        *saved = dir;
    }
done:
    return st;
}

/* cfg: as given. */
static Status run_phases(Session *s, const Config *cfg, const RunDir *dir, TrainSummary *summary)
{
    Status st = OK;
    Checkpoint from = {0};
    bool found = false;
    const RunDir *saved = dir;

    if (comm_rank() == 0) {
        st = checkpoint_find(dir->path, &from, &found);
        if (st == OK && found && from.phase == PHASE_POLICY && from.step > s->cfg.train.epochs) {
            st =
                status_fail(ERR_CONFIG,
                            "train.epochs is %d, but %s has done %lld already; raise it, or choose "
                            "another run_dir",
                            s->cfg.train.epochs, dir->path, (long long)from.step);
        }
    }
    TRY(comm_agree(st));
    if (s->needs_model) {
        TRY(provide_model(s, cfg, dir, found && from.phase == PHASE_MODEL ? &from : NULL, &saved));
        (void)account_kind(ACCOUNT_REPORT);
        TRY(model_report_in_run(s, dir));
        (void)account_kind(ACCOUNT_FIT);
        TRY(fit_terminal(s, dir));
    }
    (void)account_kind(ACCOUNT_REPORT);
    if (s->uses_model) {
        TRY(survey_threshold(s));
        TRY(penalty_report(s, dir));
    }
    (void)account_kind(ACCOUNT_OTHER);
    if (plan_is_learner(&s->plan, comm_rank())) {
        const bool resume = found && from.phase >= PHASE_PREPARE;
        st = learner_run(s, dir, resume ? &from : NULL, &summary->learned);
    } else {
        st = worker_run(s);
    }
    (void)account_kind(ACCOUNT_HANDOVER); /* a role that is done waits for the other */
    st = comm_agree(st); /* the learners' outcome: workers have none of their own */
    (void)account_kind(ACCOUNT_OTHER);
done:
    checkpoint_release(&from);
    return comm_rank() == 0 && saved != NULL ? diverged_left(st, saved) : st;
}

Status train(const Config *cfg, const ConfigOrigins *origins, const TrainOptions *options,
             TrainSummary *summary)
{
    Status st = OK;
    Session s = {0};
    RunDir dir = {.lock.fd = -1};
    int64_t collected = 0;
    Config chosen = *cfg;
    const bool lead = comm_rank() == 0;
    const double start = timer_now();

    account_start(ACCOUNT_LOAD);
    memory_note_base();
    *summary = (TrainSummary){0};
    stop_listen(options->max_seconds, lead ? cfg->top.run_dir : NULL);
    TRY(comm_agree(session_check(cfg)));
    TRY(comm_agree(lead ? rundir_open(&dir, cfg->top.run_dir, cfg, origins) : OK));
    watch_folder(cfg->top.run_dir);
    if (lead) {
        timing_open(&dir);
    }
    log_info("run %s%s", cfg->top.run_dir, lead && dir.resumed ? " (going on)" : "");
    TRY(provide_dataset(cfg, &collected));
    TRY(choose_learners(&chosen));
    TRY(session_open(&s, &chosen));
    s.collected = collected;
    TRY(describe(&s, &dir));
    st = run_phases(&s, cfg, &dir, summary);
    if (st == OK || st == ERR_INTERRUPTED) { /* on all ranks alike */
        timing_report(&s, timer_now() - start);
    }
    TRY(st);
    TRY(comm_agree(lead ? rundir_note_results(&dir) : OK));
    summary->in_model = s.env->open == NULL;
    summary->has_model = s.needs_model;
    summary->has_penalty = s.uses_model;
    summary->data_mean = s.data.return_mean;
    summary->data_best = s.data.return_max;
    summary->seconds = timer_now() - start;
    (void)snprintf(summary->run_dir, sizeof summary->run_dir, "%s", cfg->top.run_dir);
done:
    if (st != OK) {
        log_file("%s: %s", st == ERR_INTERRUPTED ? "stopped" : "error", status_reason());
    }
    session_close(&s);
    timing_close();
    watch_leave_folder();
    if (lead) {
        rundir_close(&dir);
    }
    return st;
}
