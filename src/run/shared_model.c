#include "run/shared_model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/account.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "comm/watch.h"
#include "run/checkpoint.h"
#include "run/diverged.h"
#include "run/fit_model.h"
#include "run/model_file.h"
#include "run/provide_dataset.h"
#include "run/shared_wait.h"
#include "run/stop.h"

/* ---- its name ---- */

void shared_model_settings(const Config *cfg, Config *only)
{
    config_default(only);
    memcpy(only->top.task, cfg->top.task, sizeof only->top.task);
    memcpy(only->top.dataset, cfg->top.dataset, sizeof only->top.dataset);
    only->env = cfg->env;
    only->data = cfg->data;
    only->model = cfg->model;
    only->model.seed = (int)session_model_seed(cfg);
    only->model.share[0] = '\0';
    if (cfg->collect.rows > 0) {
        only->collect.rows = cfg->collect.rows;
        only->top.seed = cfg->top.seed;
    }
}

Status shared_model_name(const Config *cfg, char name[SHARED_NAME_MAX])
{
    Status st = OK;
    Config only;
    char digest[SLAB_DIGEST_MAX];

    shared_model_settings(cfg, &only);
    TRY(config_digest(&only, digest));
    (void)snprintf(name, SHARED_NAME_MAX, "%.16s", digest);
done:
    return st;
}

static Status set_path(const Config *cfg, char path[RUNDIR_PATH_MAX])
{
    Status st = OK;
    char name[SHARED_NAME_MAX];

    TRY(shared_model_name(cfg, name));
    (void)snprintf(path, RUNDIR_PATH_MAX, "%s/%s", cfg->model.share, name);
done:
    return st;
}

static const char *model_in(const char *dir, char path[RUNDIR_PATH_MAX])
{
    (void)snprintf(path, RUNDIR_PATH_MAX, "%.4000s/model.h5", dir);
    return path;
}

Status shared_model_is_there(const Config *cfg, bool *there)
{
    Status st = OK;
    char dir[RUNDIR_PATH_MAX];
    char path[RUNDIR_PATH_MAX];

    *there = false;
    if (cfg->model.share[0] == '\0') {
        return OK;
    }
    TRY(set_path(cfg, dir));
    *there = file_exists(model_in(dir, path));
done:
    return st;
}

/* ---- fit it, or take it ---- */

/* Where others see that this process lives: beside the beat of its run, or alone. Collective. */
static void show_beat(const char *path, bool has_run)
{
    if (!has_run) {
        watch_folder(path);
    } else if (comm_rank() == 0) {
        watch_second_folder(path);
    }
}

static void hide_beat(bool has_run)
{
    if (!has_run) {
        watch_leave_folder();
    } else if (comm_rank() == 0) {
        watch_second_folder(NULL);
    }
}

/* What a fit was left with, if it was with these data. Rank 0. */
static Status begin(const RunDir *dir, const RunFacts *facts, Checkpoint *from, bool *found)
{
    Status st = OK;

    TRY(rundir_write_manifest(dir, facts));
    TRY(checkpoint_find(dir->path, from, found));
    log_info("model: fitting it in %s, for all runs that share it", dir->path);
done:
    return st;
}

static Status fit(Session *s, const RunDir *dir)
{
    Status st = OK;
    Checkpoint from = {0};
    bool found = false;
    char hosts[SESSION_HOSTS_MAX];
    const bool lead = comm_rank() == 0;
    const RunFacts facts = session_facts(s, hosts);

    TRY(comm_agree(lead ? begin(dir, &facts, &from, &found) : OK));
    TRY(fit_model(s, dir, found ? &from : NULL));
    if (lead && checkpoint_delete_all(dir->path) != OK) {
        log_warn("model: its checkpoints are no longer needed, but: %s", status_reason());
    }
done:
    checkpoint_release(&from);
    if (lead && st != OK) {
        st = diverged_left(st, dir);
        log_second("%s: %s", st == ERR_INTERRUPTED ? "stopped" : "error", status_reason());
    }
    return st;
}

static Status take(Session *s, const char *path)
{
    Status st = OK;
    RunDir dir = {.lock.fd = -1, .shared = true};
    bool found = false;

    (void)snprintf(dir.path, sizeof dir.path, "%s", path);
    TRY(fetch_model(s, comm_rank() == 0 ? &dir : NULL, &found));
    if (!found) { /* it was deleted a moment ago */
        st = status_fail(ERR_IO, "%s/model.h5 is no longer there; start again", path);
    }
done:
    return st;
}

/* The run keeps its model whatever becomes of the shared one. Rank 0. */
static Status copy_to(const RunDir *run, const char *path)
{
    Status st = OK;
    char file[RUNDIR_PATH_MAX];
    unsigned char *bytes = NULL;
    size_t n = 0;

    TRY(file_read(model_in(path, file), SIZE_MAX - 1, &bytes, &n));
    TRY(forget_reports(run));
    TRY(file_write(rundir_file(run, "model.h5", file), bytes, n));
done:
    mem_free(&bytes);
    return st;
}

static Status provide(Session *s, SharedWait *wait, const char *path, bool has_run)
{
    Status st = OK;
    SharedTurn turn = SHARED_BUSY;
    const bool lead = comm_rank() == 0;

    TRY(shared_wait(lead ? wait : NULL, &turn));
    if (turn == SHARED_STOP) {
        return status_fail(ERR_INTERRUPTED,
                           "stopped as asked (%s) while another process fits the shared model in "
                           "%s; the same command goes on from here",
                           stop_reason(), path);
    }
    if (turn == SHARED_THERE) {
        TRY(take(s, path));
    } else {
        show_beat(path, has_run);
        st = fit(s, lead ? &wait->dir : NULL);
        hide_beat(has_run);
        if (lead) {
            rundir_close(&wait->dir);
        }
    }
done:
    return st;
}

Status shared_model_provide(Session *s, const Config *cfg, const RunDir *run)
{
    Status st = OK;
    char path[RUNDIR_PATH_MAX];
    Config only;
    SharedWait wait = {
        .path = path, .settings = &only, .patience = cfg->ranks.patience, .dir.lock.fd = -1};
    int has_run = run != NULL ? 1 : 0; /* rank 0 knows */

    TRY(comm_agree(set_path(cfg, path)));
    shared_model_settings(cfg, &only);
    coll_bcast(&has_run, sizeof has_run, 0);
    TRY(provide(s, &wait, path, has_run != 0));
    TRY(comm_agree(comm_rank() == 0 && run != NULL ? copy_to(run, path) : OK));
done:
    return st;
}

/* ---- alone ---- */

static void tell_quality(const Ensemble *ens, SharedModel *model)
{
    model->members = ens->cfg.members;
    model->elites = ens->cfg.elites;
    model->best = ens->holdout[ens->elite[0]];
    model->worst = ens->holdout[ens->elite[ens->cfg.elites - 1]];
    model->all = 0;
    for (int i = 0; i < ens->cfg.members; i++) {
        model->all += ens->holdout[i] / ens->cfg.members;
    }
}

/* Rank 0. */
static Status read_model(SharedModel *model)
{
    Status st = OK;
    Ensemble ens = {0};
    ModelInfo info;

    TRY(model_load(model->path, NULL, &info, &ens));
    model->passes = info.passes;
    tell_quality(&ens, model);
done:
    ensemble_release(&ens);
    return st;
}

static Status check(const Config *cfg, SharedModel *model)
{
    Status st = OK;
    EnvKind task;
    char path[RUNDIR_PATH_MAX];

    *model = (SharedModel){0};
    if (cfg->model.share[0] == '\0') {
        return status_fail(ERR_CONFIG, "model.share is empty: say in which folder runs share "
                                       "fitted ensembles, such as model.share=models");
    }
    TRY(session_task(cfg, &task));
    TRY(session_check(cfg));
    if (!session_needs_model(cfg, &task)) {
        return status_fail(
            ERR_CONFIG, "algo=%s with train.real_ratio=%g uses no model: there is nothing to fit",
            cfg->top.algo, cfg->train.real_ratio);
    }
    TRY(set_path(cfg, path));
    model->before = file_exists(model_in(path, model->path));
done:
    return st;
}

static Status fit_alone(const Config *cfg, double max_seconds, const char *dir)
{
    Status st = OK;
    Session s = {0};
    int64_t collected = 0;

    account_start(ACCOUNT_LOAD);
    stop_listen(max_seconds, comm_rank() == 0 ? dir : NULL);
    TRY(provide_dataset(cfg, &collected));
    TRY(session_open(&s, cfg));
    (void)account_kind(ACCOUNT_FIT);
    TRY(shared_model_provide(&s, cfg, NULL));
done:
    session_close(&s);
    return st;
}

Status shared_model_fit(const Config *cfg, double max_seconds, SharedModel *model)
{
    Status st = OK;
    char path[RUNDIR_PATH_MAX];
    const bool lead = comm_rank() == 0;

    TRY(comm_agree(check(cfg, model)));
    TRY(comm_agree(set_path(cfg, path)));
    int before = model->before ? 1 : 0; /* what rank 0 sees counts */
    coll_bcast(&before, sizeof before, 0);
    if (before == 0) {
        TRY(fit_alone(cfg, max_seconds, path));
    }
    TRY(comm_agree(lead ? read_model(model) : OK));
done:
    return st;
}
