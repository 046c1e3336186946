/* The report for programs: times in seconds, sizes in bytes (docs/formats.md). */
#include <jansson.h>

#include "run/plan_report.h"

enum { FORMAT = 1 };

static json_t *costs_json(const UnitCost *cost)
{
    json_t *all = json_object();
    int bad = 0;

#define UNIT_COST_SET(name, what) bad |= json_object_set_new(all, #name, json_real(cost->name));
    UNIT_COSTS(UNIT_COST_SET)
#undef UNIT_COST_SET
    if (bad != 0) {
        json_decref(all);
        all = NULL;
    }
    return all;
}

static json_t *run_json(const PlannedRun *run)
{
    const Forecast *f = &run->f;
    return json_pack("{s:i, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "ranks",
                     f->ranks, "learners", f->learners, "load", f->load, "model_fit", f->fit,
                     "reports", f->reports, "first_rows", f->prepare, "epochs", f->epochs, "epoch",
                     f->epoch, "total", f->total, "speedup", f->speedup, "efficiency",
                     f->efficiency, "rank_bytes", run->rank_bytes, "host_bytes", run->host_bytes);
}

static json_t *term_json(const MemoryTerm *term)
{
    static const char *const when[] = {[MEMORY_PROGRAM] = "program",
                                       [MEMORY_COLLECT] = "collect",
                                       [MEMORY_ALWAYS] = "always",
                                       [MEMORY_FIT] = "fit",
                                       [MEMORY_LEARN] = "epochs"};
    return json_pack("{s:s, s:f, s:s, s:b}", "name", term->name, "bytes", term->bytes, "when",
                     when[term->when], "shared", term->shared ? 1 : 0);
}

json_t *plan_report_json(const PlanReport *report)
{
    const Workload *w = &report->work;
    json_t *runs = json_array();
    json_t *terms = json_array();
    int bad = 0;

    for (int i = 0; i < report->count; i++) {
        bad |= json_array_append_new(runs, run_json(&report->run[i]));
    }
    for (int i = 0; i < report->terms; i++) {
        bad |= json_array_append_new(terms, term_json(&report->term[i]));
    }
    json_t *all = json_pack(
        "{s:i, s:s, s:s, s:i, s:i, s:I, s:b, s:I, s:i, s:b, s:i, s:b, s:o, s:o, s:i, s:o, s:f, "
        "s:f}",
        "plan_format", FORMAT, "task", report->cfg->top.task, "algo", report->cfg->top.algo,
        "measured_ranks", report->ranks, "cores", report->cores, "rows", (json_int_t)w->rows,
        "rows_assumed", w->rows_assumed ? 1 : 0, "collect_rows", (json_int_t)w->collect_rows,
        "passes", w->passes, "passes_assumed", w->passes_assumed ? 1 : 0, "train_epochs", w->epochs,
        "messages_measured", report->cost.messages_measured ? 1 : 0, "unit_seconds",
        costs_json(&report->cost), "runs", runs, "recommended_ranks",
        report->run[report->best].f.ranks, "memory", terms, "checkpoint_bytes",
        report->checkpoint_bytes, "run_bytes", report->run_bytes);
    if (bad != 0) {
        json_decref(all);
        all = NULL;
    }
    return all;
}
