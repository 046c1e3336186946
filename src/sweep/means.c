#include "sweep/means.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { FORMAT = 1, NAME_MIN = 8 };

/* ---- groups ---- */

/* What is each cell's own without being another experiment. */
static bool is_own(const char *word)
{
    return strncmp(word, "seed=", 5) == 0 || strncmp(word, "run_dir=", 8) == 0;
}

static bool same_but_seed(const Job *a, const Job *b)
{
    int i = 0;
    int k = 0;

    for (;; i++, k++) {
        while (i < a->count && is_own(a->words[i])) {
            i++;
        }
        while (k < b->count && is_own(b->words[k])) {
            k++;
        }
        if (i == a->count || k == b->count) {
            return i == a->count && k == b->count;
        }
        if (strcmp(a->words[i], b->words[k]) != 0) {
            return false;
        }
    }
}

static const char *seed_of(const Job *job)
{
    for (int i = 0; i < job->count; i++) {
        if (strncmp(job->words[i], "seed=", 5) == 0) {
            return job->words[i] + 5;
        }
    }
    return "";
}

/* "lambda1-seed3" becomes "lambda1-seed*". */
static void name_group(const Job *first, MeanGroup *group)
{
    char part[JOB_NAME_MAX];
    const char *name = first->name;

    (void)snprintf(group->name, sizeof group->name, "%s", name);
    (void)snprintf(part, sizeof part, "seed%s", seed_of(first));
    const size_t n = strlen(part);
    for (const char *at = strstr(name, part); at != NULL; at = strstr(at + 1, part)) {
        if ((at == name || at[-1] == '-') && (at[n] == '\0' || at[n] == '-') && n > 4) {
            (void)snprintf(group->name, sizeof group->name, "%.*sseed*%s", (int)(at - name), name,
                           at + n);
            return;
        }
    }
}

/* ---- numbers ---- */

typedef struct {
    int n;
    double sum, squares; /* of the distances from the mean (Welford 1962) */
} Sample;

static void sample_add(Sample *s, double x)
{
    const double before = s->n > 0 ? s->sum / s->n : 0;

    s->n++;
    s->sum += x;
    s->squares += (x - before) * (x - s->sum / s->n);
}

static Mean sample_mean(const Sample *s)
{
    return (Mean){.mean = s->n > 0 ? s->sum / s->n : (double)NAN,
                  .deviation = s->n > 1 ? sqrt(s->squares / (s->n - 1)) : (double)NAN};
}

/* The group of the cells from `first` on that are not of another one yet. */
static void fill_group(const JobList *list, const StatusReport *report, int first, bool taken[],
                       MeanGroup *group)
{
    Sample results = {0};
    Sample scores = {0};

    *group = (MeanGroup){0};
    for (int i = first; i < list->count; i++) {
        const Progress *p = &report->row[i].now;
        if (taken[i] || !same_but_seed(&list->jobs[first], &list->jobs[i])) {
            continue;
        }
        taken[i] = true;
        group->cells++;
        if (p->state == JOB_DONE && isfinite(p->last_return)) {
            group->done++;
            sample_add(&results, p->last_return);
        }
        if (p->state == JOB_DONE && isfinite(p->score)) {
            sample_add(&scores, p->score);
        }
    }
    group->result = sample_mean(&results);
    group->score = sample_mean(&scores);
    (void)snprintf(group->name, sizeof group->name, "%s", list->jobs[first].name);
    if (group->cells > 1) {
        name_group(&list->jobs[first], group);
    }
}

/* The list again, for its words; one that was written anew since the look is told. */
static Status read_list(const StatusReport *report, JobList *list)
{
    Status st = OK;
    char path[PROGRESS_PATH_MAX];

    if (report->grid == NULL) {
        return status_fail(ERR_USAGE,
                           "%s: --means needs the folder of a sweep (cells.tsv), which says what "
                           "belongs together",
                           report->dir);
    }
    (void)snprintf(path, sizeof path, "%s/cells.tsv", report->dir);
    TRY(jobs_read(list, path));
    bool same = list->count == report->count;
    for (int i = 0; i < list->count && same; i++) {
        same = strcmp(list->jobs[i].name, report->row[i].name) == 0;
    }
    if (!same) {
        st = status_fail(ERR_USAGE, "%s has just changed; look again", path);
    }
done:
    return st;
}

Status means_find(Means *means, const StatusReport *report)
{
    Status st = OK;
    JobList list = {0};
    bool *taken = NULL;

    *means = (Means){0};
    TRY(read_list(report, &list));
    TRY(mem_alloc(&means->group, (size_t)list.count + 1, sizeof *means->group, "the means"));
    TRY(mem_alloc(&taken, (size_t)list.count + 1, sizeof *taken, "the means"));
    for (int i = 0; i < list.count; i++) {
        if (list.jobs[i].kind == JOB_CELL && !taken[i]) {
            fill_group(&list, report, i, taken, &means->group[means->count++]);
        }
    }
done:
    mem_free(&taken);
    jobs_release(&list);
    if (st != OK) {
        means_release(means);
    }
    return st;
}

void means_release(Means *means)
{
    mem_free(&means->group);
    *means = (Means){0};
}

/* ---- text ---- */

static void print_mean(Mean m, int width)
{
    char mean[STATUS_CELL];
    char deviation[STATUS_CELL];

    status_number(m.mean, true, mean);
    status_number(m.deviation, true, deviation);
    (void)printf("  %*s %8s", width, mean, deviation);
}

void means_print(const Means *means)
{
    int width = NAME_MIN;

    for (int i = 0; i < means->count; i++) {
        const int n = (int)strlen(means->group[i].name);
        width = n > width ? n : width;
    }
    (void)printf("%-*s  %9s  %9s %8s  %7s %8s\n", width, "cells", "done", "return", "+-", "score",
                 "+-");
    for (int i = 0; i < means->count; i++) {
        const MeanGroup *g = &means->group[i];
        char done[STATUS_CELL];
        (void)snprintf(done, sizeof done, "%d of %d", g->done, g->cells);
        (void)printf("%-*s  %9s", width, g->name, done);
        print_mean(g->result, 9);
        print_mean(g->score, 7);
        (void)printf("\n");
    }
    (void)printf("last evaluations of cells that are done: mean and sample deviation over seeds\n");
}

/* ---- JSON ---- */

static json_t *number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

json_t *means_json(const Means *means, const StatusReport *report)
{
    json_t *groups = json_array();
    char dir[PROGRESS_PATH_MAX];
    int bad = groups == NULL;

    for (int i = 0; i < means->count; i++) {
        const MeanGroup *g = &means->group[i];
        bad |= json_array_append_new(
            groups,
            json_pack("{s:s, s:i, s:i, s:o, s:o, s:o, s:o}", "name", g->name, "done", g->done,
                      "cells", g->cells, "return", number(g->result.mean), "return_deviation",
                      number(g->result.deviation), "score", number(g->score.mean),
                      "score_deviation", number(g->score.deviation)));
    }
    if (bad != 0) {
        json_decref(groups);
        return NULL;
    }
    (void)snprintf(dir, sizeof dir, "%s", report->dir);
    text_make_plain(dir);
    return json_pack("{s:i, s:s, s:s, s:o}", "means_format", FORMAT, "directory", dir, "grid",
                     report->grid, "means", groups);
}
