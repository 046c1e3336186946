/* The report for people, and the line for SLURM. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "run/plan_report.h"

static const double margin = 1.25;
static const double megabyte = 1 << 20;

void plan_duration(double seconds, char text[DURATION_MAX])
{
    const long long s = llround(seconds);

    if (seconds < 9.95) {
        (void)snprintf(text, DURATION_MAX, "%.1f s", seconds);
    } else if (s < 60) {
        (void)snprintf(text, DURATION_MAX, "%lld s", s);
    } else if (s < 3600) {
        (void)snprintf(text, DURATION_MAX, "%lld min %02lld s", s / 60, s % 60);
    } else if (s < 86400) {
        (void)snprintf(text, DURATION_MAX, "%lld h %02lld min", s / 3600, s / 60 % 60);
    } else {
        (void)snprintf(text, DURATION_MAX, "%lld d %02lld h", s / 86400, s / 3600 % 24);
    }
}

void plan_time_limit(double seconds, char text[DURATION_MAX])
{
    enum { STEP = 5 };
    const long long minutes = STEP * (long long)ceil(fmax(1, margin * seconds) / (60 * STEP));
    (void)snprintf(text, DURATION_MAX, "%02lld:%02lld:00", minutes / 60, minutes % 60);
}

int plan_memory_limit(double bytes)
{
    enum { STEP = 64 };
    return STEP * (int)ceil(margin * bytes / megabyte / STEP);
}

static void add_head(const PlanReport *report, Text *text)
{
    const Workload *w = &report->work;

    text_add(text, "%s, algo %s: %d epochs of %d update%s on %lld rows%s\n", report->cfg->top.task,
             report->cfg->top.algo, w->epochs, w->updates, w->updates == 1 ? "" : "s",
             (long long)w->rows,
             w->rows_assumed       ? " (assumed: the dataset is not there)"
             : w->collect_rows > 0 ? ", collected first"
                                   : "");
    if (w->needs_model && w->is_shared) {
        text_add(text, "no model fit: there is a shared model (model.share)\n");
    } else if (w->needs_model) {
        text_add(text, "%d passes of the model fit%s\n", w->passes,
                 w->passes_assumed ? " (assumed: early stopping ends it; --passes P changes this)"
                 : report->passes > 0 ? " (--passes)"
                                      : " (model.max_epochs; early stopping may end it before)");
    }
}

static void add_costs(const PlanReport *report, Text *text)
{
    static const struct {
        const char *name, *what;
    } rows[] = {
#define UNIT_COST_ROW(name, what) {#name, what},
        UNIT_COSTS(UNIT_COST_ROW)
#undef UNIT_COST_ROW
    };
    const double seconds[] = {
#define UNIT_COST_VALUE(name, what) report->cost.name,
        UNIT_COSTS(UNIT_COST_VALUE)
#undef UNIT_COST_VALUE
    };

    text_add(text, "\nMeasured here in %.0f s, microseconds:\n", report->seconds);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (seconds[i] > 0) {
            text_add(text, "  %-15s %12.*f  %s\n", rows[i].name, seconds[i] < 1e-6 ? 5 : 2,
                     1e6 * seconds[i], rows[i].what);
        }
    }
    if (!report->cost.messages_measured) {
        text_add(text, "  latency is assumed and byte that of a copy in memory: `mpirun -n 2 mopo "
                       "plan` measures both\n");
    }
}

static void add_runs(const PlanReport *report, Text *text)
{
    text_add(text, "\nPredicted for as many cores of this kind as ranks (this host has %d):\n",
             report->cores);
    text_add(text, "%5s %8s %11s %11s %9s %11s %13s %13s %7s %10s %9s %9s\n", "ranks", "learners",
             "load", "model fit", "reports", "first rows", "epochs", "total", "speedup",
             "efficiency", "MB a rank", "MB in all");
    for (int i = 0; i < report->count; i++) {
        const Forecast *f = &report->run[i].f;
        const double seconds[] = {f->load, f->fit, f->reports, f->prepare, f->epochs, f->total};
        static const int widths[] = {11, 11, 9, 11, 13, 13};
        text_add(text, "%5d %8d", f->ranks, f->learners);
        for (size_t k = 0; k < sizeof seconds / sizeof *seconds; k++) {
            char duration[DURATION_MAX];
            plan_duration(seconds[k], duration);
            text_add(text, " %*s", widths[k], duration);
        }
        text_add(text, " %7.2f %8.0f %% %9.0f %9.0f\n", f->speedup, 100 * f->efficiency,
                 report->run[i].rank_bytes / megabyte, report->run[i].host_bytes / megabyte);
    }
}

static void add_memory(const PlanReport *report, Text *text)
{
    static const char *const when[] = {[MEMORY_PROGRAM] = "",
                                       [MEMORY_COLLECT] = "  before, while they are collected",
                                       [MEMORY_ALWAYS] = "",
                                       [MEMORY_FIT] = "  while the model is fitted",
                                       [MEMORY_LEARN] = "  during the epochs"};

    text_add(text, "\nMemory of rank 0 of %d, MB:\n", report->run[report->best].f.ranks);
    for (int i = 0; i < report->terms; i++) {
        const MemoryTerm *t = &report->term[i];
        text_add(text, "  %-40s %9.1f%s%s\n", t->name, t->bytes / megabyte, when[t->when],
                 t->shared ? "  once a host" : "");
    }
    text_add(text, "A checkpoint has %.1f MB, the run directory %.0f MB at the end.\n",
             report->checkpoint_bytes / megabyte, report->run_bytes / megabyte);
}

void plan_report_text(const PlanReport *report, Text *text)
{
    const Forecast *best = &report->run[report->best].f;
    char total[DURATION_MAX];

    add_head(report, text);
    add_costs(report, text);
    add_runs(report, text);
    add_memory(report, text);
    plan_duration(best->total, total);
    text_add(text, "\nTake %d rank%s: %s, %.1f core hours; %s.\n", best->ranks,
             best->ranks == 1 ? "" : "s", total, best->ranks * best->total / 3600,
             report->best == report->count - 1
                 ? "more were not looked at (--ranks N)"
                 : "more ranks would be idle for more than half of the time");
    text_add(text, "The table's learners are the best by these costs; a run measures again and "
                   "chooses, ranks.learners sets them.\n");
    text_add(text, "Other machines differ: run `mopo plan` where the run will be. Rollouts and "
                   "episodes that end early make it shorter.\n");
}

/* ---- SLURM ---- */

void plan_report_slurm(const PlanReport *report, int count, char *const words[], Text *text)
{
    int at = report->best;
    char limit[DURATION_MAX];

    for (int i = 0; report->wanted > 0 && i < report->count; i++) {
        at = report->run[i].f.ranks == report->wanted ? i : at;
    }
    plan_time_limit(report->run[at].f.total, limit);
    text_add(text, "sbatch --ntasks=%d --time=%s --mem-per-cpu=%dM slurm/train.sbatch",
             report->run[at].f.ranks, limit, plan_memory_limit(report->run[at].rank_bytes));
    for (int i = 0; i < count; i++) {
        if (strncmp(words[i], "run_dir=", strlen("run_dir=")) != 0) { /* the job names it */
            text_add_word(text, words[i]);
        }
    }
    if (report->work.learners_wanted == 0) { /* else it is among the words or in the file */
        text_add(text, " ranks.learners=%d", report->run[at].f.learners);
    }
    text_add(text, "\n");
}
