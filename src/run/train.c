#include "run/train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/account.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timer.h"
#include "comm/watch.h"
#include "data/registry.h"
#include "run/choose_learners.h"
#include "run/collect_job.h"
#include "run/crew.h"
#include "run/diverged.h"
#include "run/fit_model.h"
#include "run/fit_terminal.h"
#include "run/memory.h"
#include "run/model_report.h"
#include "run/penalty_report.h"
#include "run/penalty_survey.h"
#include "run/stop.h"
#include "run/timing.h"

/* A dataset that is not there is collected if the configuration says so; *collected: how many rows. */
static Status provide_dataset(const Config *cfg, int64_t *collected)
{
    Status st = OK;
    EnvKind env;
    char path[CONFIG_TEXT_MAX];
    const RegistryRow *row = NULL;
    int there = 0;

    TRY(comm_agree(session_task(cfg, &env)));
    if (cfg->top.dataset[0] == '\0') {
        return status_fail(ERR_CONFIG, "dataset: none is given; say dataset=FILE.hdf5 or a name "
                                       "(docs/datasets.md), or make one with `mopo collect`");
    }
    if (comm_rank() == 0) {
        st = status_while(registry_locate(cfg->top.dataset, path, sizeof path, &row), "dataset");
        there = st == OK && file_exists(path) ? 1 : 0;
    }
    TRY(comm_agree(
        st)); /* a name that is nowhere is an error: collected rows are no published set */
    coll_bcast(&there, sizeof there, 0);
    if (there != 0) {
        return OK;
    }
    if (cfg->collect.rows == 0) {
        return status_fail(ERR_CONFIG,
                           "dataset: %s is not there; give another file, make one with "
                           "`mopo collect`, or set collect.rows to let mopo collect random data",
                           cfg->top.dataset);
    }
    const CollectJob job = {.env = &env,
                            .seed = (uint64_t)cfg->top.seed,
                            .rows = cfg->collect.rows,
                            .path = cfg->top.dataset};
    TRY(collect_job(&job));
    *collected = job.rows;
done:
    return st;
}

/* Names of all hosts, each once, in order of ranks; on rank 0. */
static void list_hosts(char *text, size_t size)
{
    enum { NAME = 64 };
    char mine[NAME] = "";
    size_t *sizes = NULL;
    char *all = NULL;
    const size_t ranks = (size_t)comm_size();

    text[0] = '\0';
    if (comm_local_rank() == 0) {
        (void)snprintf(mine, sizeof mine, "%s", comm_host());
    }
    if (comm_agree(mem_alloc(&sizes, ranks, sizeof *sizes, "hosts")) == OK &&
        comm_agree(mem_alloc(&all, ranks, NAME, "hosts")) == OK) {
        coll_sizes(NAME, sizes);
        coll_gather(mine, NAME, all, sizes);
        for (size_t r = 0; comm_rank() == 0 && r < ranks; r++) {
            const size_t used = strlen(text);
            if (all[r * NAME] != '\0') {
                (void)snprintf(text + used, size - used, "%s%s", used > 0 ? " " : "",
                               all + r * NAME);
            }
        }
    }
    mem_free(&sizes);
    mem_free(&all);
}

static Status describe(const Session *s, const RunDir *dir)
{
    char hosts[2048];
    RunFacts facts = facts_here();

    list_hosts(hosts, sizeof hosts);
    facts.hosts = hosts;
    facts.ranks = s->plan.ranks;
    facts.learners = s->plan.learners;
    facts.dataset = s->cfg.top.dataset;
    facts.dataset_digest = s->data.digest;
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

static Status run_phases(Session *s, const RunDir *dir, TrainSummary *summary)
{
    Status st = OK;
    Checkpoint from = {0};
    bool found = false;
    bool fitted = false;

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
        TRY(fetch_model(s, dir, &fitted));
        (void)account_kind(ACCOUNT_FIT);
        if (!fitted) {
            TRY(fit_model(s, dir, found && from.phase == PHASE_MODEL ? &from : NULL));
        }
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
    return comm_rank() == 0 ? diverged_left(st, dir) : st;
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
    st = run_phases(&s, &dir, summary);
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
