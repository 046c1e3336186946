#include "sweep/estimate.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "sweep/launch.h"

enum { PLAN_BYTES_MAX = 1 << 20 };

/* What a plan says of one kind of cell. */
typedef struct {
    const Job *job; /* its first */
    double total, fit, collect;
    bool known;
} Kind;

double estimate_core_hours(double seconds, int ranks)
{
    return seconds * ranks / 3600;
}

/* ---- kinds ---- */

static bool is_place(const char *word)
{
    return strncmp(word, "run_dir=", 8) == 0 || strncmp(word, "model.share=", 12) == 0;
}

/* Settings that change what is learned, and not how long it takes. */
static bool costs_nothing(const char *word)
{
    static const char *const keys[] = {
        "seed",      "model.seed",   "penalty.lambda", "penalty.halt_threshold",
        "model.lr",  "sac.actor_lr", "sac.critic_lr",  "sac.alpha_lr",
        "sac.alpha", "sac.gamma",    "sac.tau",        "sac.reward_scale"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const size_t n = strlen(keys[i]);
        if (strncmp(word, keys[i], n) == 0 && word[n] == '=') {
            return true;
        }
    }
    return is_place(word);
}

/* The words that decide, behind `train`. */
static int costly(const Job *job, const char *words[JOB_WORDS_MAX])
{
    int n = 0;
    for (int i = 1; i < job->count; i++) {
        if (!costs_nothing(job->words[i])) {
            words[n++] = job->words[i];
        }
    }
    return n;
}

static bool same_kind(const Job *a, const Job *b)
{
    const char *x[JOB_WORDS_MAX];
    const char *y[JOB_WORDS_MAX];
    const int n = costly(a, x);
    bool same = n == costly(b, y);

    for (int i = 0; i < n && same; i++) {
        same = strcmp(x[i], y[i]) == 0;
    }
    return same;
}

/* ---- a plan ---- */

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

/* The forecast for so many ranks. */
static void read_plan(const char *text, size_t size, int ranks, Kind *kind, int *recommended)
{
    size_t i = 0;
    json_t *run = NULL;
    json_t *plan = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);

    json_array_foreach(json_object_get(plan, "runs"), i, run)
    {
        if ((int)number(run, "ranks") == ranks) {
            kind->known = true;
            kind->total = number(run, "total");
            kind->fit = number(run, "model_fit");
        }
    }
    kind->collect = number(plan, "collect_rows") *
                    number(json_object_get(plan, "unit_seconds"), "collect") / ranks;
    if (*recommended == 0) {
        *recommended = (int)number(plan, "recommended_ranks");
    }
    json_decref(plan);
}

/* `mopo plan` of this cell, in a process of its own. */
static Status measure(Kind *kind, int ranks, int *recommended)
{
    static char verb[] = "plan";
    static char json[] = "--json";
    static char option[] = "--ranks";
    Status st = OK;
    char *words[JOB_WORDS_MAX + 4] = {verb};
    char wanted[16];
    char *text = NULL;
    size_t size = 0;
    int code = 0;
    int count = 1;
    LaunchLine line;

    (void)snprintf(wanted, sizeof wanted, "%d", ranks);
    for (int i = 1; i < kind->job->count; i++) {
        if (!is_place(kind->job->words[i])) { /* with model.share a plan would leave out the fit */
            words[count++] = kind->job->words[i];
        }
    }
    words[count++] = json;
    words[count++] = option;
    words[count++] = wanted;
    TRY(launch_command(&line, 1, count, words));
    TRY(launch_read(line.argv, PLAN_BYTES_MAX, &text, &size, &code));
    if (code == 0) {
        read_plan(text, size, ranks, kind, recommended);
    }
done:
    mem_free(&text);
    return st;
}

/* ---- all jobs ---- */

/* Which kind each cell is of, -1: none that is measured. */
static int sort_kinds(const JobList *jobs, Kind kinds[ESTIMATE_KINDS_MAX], int kind_of[])
{
    int count = 0;

    for (int i = 0; i < jobs->count; i++) {
        kind_of[i] = -1;
        if (jobs->jobs[i].kind != JOB_CELL) {
            continue;
        }
        int k = 0;
        while (k < count && !same_kind(kinds[k].job, &jobs->jobs[i])) {
            k++;
        }
        if (k == count && count < ESTIMATE_KINDS_MAX) {
            kinds[count++] = (Kind){.job = &jobs->jobs[i]};
        }
        kind_of[i] = k < count ? k : -1;
    }
    return count;
}

/* From the kinds to the jobs: a dataset and an ensemble take what the first cell that needs them would. */
static void spread(Estimates *est, const JobList *jobs, const Kind kinds[], const int kind_of[])
{
    for (int i = 0; i < jobs->count; i++) {
        est->job[i] = (Estimate){-1, -1};
    }
    for (int i = jobs->count - 1; i >= 0; i--) {
        const Job *job = &jobs->jobs[i];
        const Kind *kind = kind_of[i] >= 0 ? &kinds[kind_of[i]] : NULL;
        if (kind == NULL || !kind->known) {
            continue;
        }
        const double collect = job->data >= 0 ? kind->collect : 0;
        est->job[i].fit = kind->fit;
        est->job[i].total = kind->total - collect - (job->model >= 0 ? kind->fit : 0);
        if (job->data >= 0) {
            est->job[job->data].total = kind->collect;
        }
        if (job->model >= 0) {
            est->job[job->model].total = kind->fit;
        }
    }
}

Status estimate_jobs(Estimates *est, const JobList *jobs, int ranks)
{
    Status st = OK;
    Kind kinds[ESTIMATE_KINDS_MAX];
    int *kind_of = NULL;

    *est = (Estimates){0};
    TRY(mem_alloc(&est->job, (size_t)jobs->count, sizeof *est->job, "estimates"));
    TRY(mem_alloc(&kind_of, (size_t)jobs->count, sizeof *kind_of, "estimates"));
    est->kinds = sort_kinds(jobs, kinds, kind_of);
    log_info("measuring %s%d kind%s of cells (mopo plan), some seconds each",
             est->kinds == ESTIMATE_KINDS_MAX ? "the first " : "", est->kinds,
             est->kinds == 1 ? "" : "s");
    for (int k = 0; k < est->kinds; k++) {
        TRY(measure(&kinds[k], ranks, &est->recommended));
    }
    spread(est, jobs, kinds, kind_of);
done:
    mem_free(&kind_of);
    return st;
}

void estimate_release(Estimates *est)
{
    mem_free(&est->job);
    *est = (Estimates){0};
}
