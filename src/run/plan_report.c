#include "run/plan_report.h"

#include <string.h>

#include "base/file.h"
#include "base/timer.h"
#include "data/registry.h"
#include "run/checkpoint.h"
#include "run/data_options.h"
#include "run/shared_model.h"

/* ---- the dataset as far as it is known ---- */

typedef struct {
    Record rec;
    int64_t rows, collect_rows;
    int assumed;
} Shape;

static Status read_shape(const Config *cfg, const EnvKind *task, const char *path, Shape *shape)
{
    Status st = OK;
    DatasetReader *reader = NULL;
    DatasetOptions options;
    ActionBounds bounds;
    Dataset set;

    TRY(data_options(cfg, task, &bounds, &options));
    TRY(dataset_open(&reader, path, &options, &set));
    shape->rec = set.rec;
    shape->rows = set.rows;
done:
    dataset_close(&reader);
    return st;
}

/* Rows of the file, of the published file that the name stands for, or those that will be collected. */
static Status find_shape(const Config *cfg, Shape *shape)
{
    Status st = OK;
    EnvKind task;
    char path[CONFIG_TEXT_MAX] = "";
    const RegistryRow *row = NULL;

    *shape = (Shape){.rows = cfg->collect.rows};
    TRY(session_task(cfg, &task));
    const bool named = cfg->top.dataset[0] != '\0';
    if (named && registry_locate(cfg->top.dataset, path, sizeof path, &row) == OK &&
        file_exists(path)) {
        TRY(read_shape(cfg, &task, path, shape));
        return OK;
    }
    if (task.open == NULL) {
        return status_fail(ERR_CONFIG,
                           "task none is as large as its data, and dataset %s is not "
                           "there: give the file",
                           named ? cfg->top.dataset : "(none)");
    }
    shape->rec = record_make(task.state_dim, task.act_dim);
    if (named && path[0] == '\0') { /* a name that is not on this machine */
        TRY(status_while(registry_find(cfg->top.dataset, &row), "dataset"));
        shape->rows = row->rows;
    } else {
        shape->collect_rows = cfg->collect.rows;
    }
    shape->assumed = shape->rows == 0 ? 1 : 0;
    shape->rows = shape->rows == 0 ? PLAN_ROWS : shape->rows;
    if (cfg->data.max_rows > 0 && shape->rows > cfg->data.max_rows) {
        shape->rows = cfg->data.max_rows;
    }
done:
    return st;
}

/* ---- forecasts ---- */

static void add_run(PlanReport *report, const Session *s, int ranks)
{
    PlannedRun *run = &report->run[report->count++];
    run->f = forecast_run(&report->work, &report->cost, ranks, 0);
    const Plan plan = forecast_plan(&report->work, ranks, run->f.learners);
    MemoryTerm terms[MEMORY_TERMS_MAX];
    for (int r = 0; r < ranks; r++) {
        const int n = memory_terms(s, &plan, r, report->work.rows, memory_base(), terms);
        const double peak = memory_peak(terms, n);
        run->rank_bytes = peak > run->rank_bytes ? peak : run->rank_bytes;
        run->host_bytes += r == 0 ? peak : peak - memory_shared(terms, n);
    }
}

static void add_runs(PlanReport *report, const Session *s)
{
    static const double efficient = 0.5;
    Forecast all[PLAN_RUNS_MAX];

    for (int n = 1; n <= 64; n *= 2) {
        if (report->wanted > n / 2 && report->wanted < n) {
            add_run(report, s, report->wanted);
        }
        add_run(report, s, n);
    }
    if (report->wanted > 64) {
        add_run(report, s, report->wanted);
    }
    for (int i = 0; i < report->count; i++) {
        all[i] = report->run[i].f;
    }
    report->best = forecast_choose(all, report->count, efficient);
    const Forecast *best = &all[report->best];
    const Plan plan = forecast_plan(&report->work, best->ranks, best->learners);
    report->terms = memory_terms(s, &plan, 0, report->work.rows, memory_base(), report->term);
}

/* Checkpoints that stay: the newest `keep` and every tenth epoch's; models; lines of text. */
static void add_sizes(PlanReport *report, const Session *s)
{
    enum {
        LINES = 2000
    }; /* bytes an epoch: metrics as JSON and CSV, times of two ranks, the log */
    const Config *c = report->cfg;
    const double actor = (double)s->agent.actor.count;
    const double past = s->uses_model ? c->rollout.retain + c->rollout.lag : 0;
    const double state = 3 * (double)s->agent.trained + (double)s->agent.critic.count;
    const int saved = c->train.epochs / c->checkpoint.every;
    int tenths = c->train.epochs / CHECKPOINT_EVERY_TENTH;
    tenths = tenths < saved ? tenths : saved;
    const int kept = c->checkpoint.keep < saved ? c->checkpoint.keep : saved;
    const double models = s->needs_model ? (double)s->ens.cfg.members * (double)s->ens.stride : 0.0;

    report->checkpoint_bytes = sizeof(float) * (state + past * actor);
    report->run_bytes = report->checkpoint_bytes * (tenths + kept) +
                        sizeof(float) * (models + actor) + (double)LINES * c->train.epochs;
}

Status plan_report_make(PlanReport *report)
{
    Status st = OK;
    Session s = {0};
    Shape shape;
    Config alone = *report->cfg;
    const double start = timer_now();

    memory_note_base();
    report->ranks = comm_size();
    report->cores = comm_cores();
    TRY(comm_agree(comm_rank() == 0 ? find_shape(report->cfg, &shape) : OK));
    coll_bcast(&shape, sizeof shape, 0);
    alone.ranks.learners = 1; /* rank 0 has all shards */
    TRY(session_open_random(&s, &alone, &shape.rec, shape.rows));
    s.collected = shape.collect_rows;
    report->work = workload_of(&s, report->passes);
    TRY(comm_agree(shared_model_is_there(report->cfg, &report->work.is_shared)));
    if (report->work.is_shared) {
        report->work.passes = 0;
        report->work.passes_assumed = false;
    }
    report->work.collect_rows = shape.collect_rows;
    report->work.rows_assumed = shape.assumed != 0;
    report->work.learners_wanted = report->cfg->ranks.learners;
    TRY(unit_cost_measure(&s, &report->cost));
    report->seconds = timer_now() - start;
    if (comm_rank() == 0) {
        add_runs(report, &s);
        add_sizes(report, &s);
    }
done:
    session_close(&s);
    return st;
}
