#include "sweep/build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "data/registry.h"
#include "run/rundir.h"
#include "run/session.h"
#include "run/shared_model.h"
#include "sweep/words.h"

/* What is at hand while the cells are gone through. */
typedef struct {
    Sweep *sweep;
    const Grid *grid;
    GridCell cell;
    Config config; /* of the cell */
    Words words;
    JobList list[JOB_KINDS];
} Builder;

/* CONFIG and the settings of the cell. */
static void add_settings(Words *w, const Builder *b)
{
    if (grid_base(b->grid) != NULL) {
        words_add(w, "%s", grid_base(b->grid));
    }
    for (int i = 0; i < b->cell.count; i++) {
        words_add(w, "%s", b->cell.words[i]);
    }
}

/* ---- datasets ---- */

/* "data-<stem of the file>", with a number where that is taken; of a long one the beginning. */
static void data_name(const JobList *list, const char *path, char name[JOB_NAME_MAX])
{
    enum { STEM_MAX = JOB_NAME_MAX - 32 };
    const char *slash = strrchr(path, '/');
    const char *stem = slash != NULL ? slash + 1 : path;
    const size_t size = strcspn(stem, ".");

    for (int k = 1; k == 1 || jobs_find(list, name) >= 0; k++) {
        Text text = text_over(name, JOB_NAME_MAX);
        text_add(&text, "data-%.*s", (int)(size < STEM_MAX ? size : STEM_MAX), stem);
        if (k > 1) {
            text_add(&text, "-%d", k);
        }
        grid_plain_name(name);
    }
}

/* What collects the rows that `mopo train` would. */
static void collect_words(Words *w, const Config *cfg)
{
    words_begin(w);
    words_add(w, "collect");
    words_add(w, "%s%s", config_is_setting(cfg->top.dataset) ? "./" : "", cfg->top.dataset);
    words_add(w, "task=%s", cfg->top.task);
    words_add(w, "seed=%d", cfg->top.seed);
    w->count += config_changed(cfg, "env", w->words + w->count, JOB_WORDS_MAX - w->count, &w->text);
    words_add(w, "--rows");
    words_add(w, "%d", cfg->collect.rows);
}

/* The cell that comes first lends its seed; in all else cells that share a file must agree. */
static Status check_same_data(const Builder *b, const Job *job)
{
    const Words *w = &b->words;
    bool same = job->count == w->count;

    for (int i = 0; i < w->count && same; i++) {
        same = strcmp(job->words[i], w->words[i]) == 0 || strncmp(w->words[i], "seed=", 5) == 0;
    }
    return same
               ? OK
               : status_fail(
                     ERR_CONFIG,
                     "cell %s: another cell would collect other rows (task, env.* or collect.rows) "
                     "into %s; give each its own dataset",
                     b->cell.name, b->config.top.dataset);
}

static Status find_data(Builder *b, int *number)
{
    Status st = OK;
    JobList *list = &b->list[JOB_DATA];
    const Config *cfg = &b->config;
    char path[CONFIG_TEXT_MAX + 1];
    char name[JOB_NAME_MAX];
    const RegistryRow *row = NULL;

    *number = -1;
    if (cfg->top.dataset[0] == '\0') {
        return status_fail(ERR_CONFIG,
                           "cell %s: dataset: none is given; say dataset=FILE.hdf5 or a name",
                           b->cell.name);
    }
    const Status found = registry_locate(cfg->top.dataset, path, sizeof path, &row);
    const bool there = found == OK && file_exists(path);
    if (!there && (found != OK || cfg->collect.rows == 0) && b->sweep->missing[0] == '\0') {
        (void)snprintf(b->sweep->missing, sizeof b->sweep->missing, "cell %s: dataset: %.800s%s",
                       b->cell.name, found != OK ? status_reason() : path,
                       found != OK ? "" : " is not there");
    }
    if (found != OK || row != NULL || cfg->collect.rows == 0) {
        return OK;
    }
    collect_words(&b->words, cfg);
    for (int i = 0; i < list->count; i++) {
        if (strcmp(list->jobs[i].dir, cfg->top.dataset) == 0) {
            *number = i;
            return check_same_data(b, &list->jobs[i]);
        }
    }
    data_name(list, cfg->top.dataset, name);
    *number = list->count;
    TRY(jobs_add(list, JOB_DATA, name, cfg->top.dataset, b->words.count, b->words.words));
done:
    return st;
}

/* ---- models ---- */

static Status find_model(Builder *b, int data, int *number)
{
    Status st = OK;
    JobList *list = &b->list[JOB_MODEL];
    char digits[SHARED_NAME_MAX];
    char name[JOB_NAME_MAX];
    char dir[JOB_PATH_MAX];
    EnvKind task;

    *number = -1;
    TRY(session_task(&b->config, &task));
    if (!session_needs_model(&b->config, &task)) {
        b->sweep->alone++;
        return OK;
    }
    TRY(shared_model_name(&b->config, digits));
    (void)snprintf(name, sizeof name, "model-%s", digits);
    *number = jobs_find(list, name);
    if (*number >= 0) {
        return OK;
    }
    words_begin(&b->words);
    words_add(&b->words, "model");
    words_add(&b->words, "fit");
    add_settings(&b->words, b);
    words_add(&b->words, "model.share=%s/models", grid_out(b->grid));
    (void)snprintf(dir, sizeof dir, "%s/models/%s", grid_out(b->grid), digits);
    *number = list->count;
    TRY(jobs_add(list, JOB_MODEL, name, dir, b->words.count, b->words.words));
    list->jobs[*number].data = data;
done:
    return st;
}

/* ---- cells ---- */

/* Whether its directory holds a run of other settings. It would be taken for this cell's: one that is done is never
 * started, so nobody else would tell. */
static Status check_begun(const Builder *b, const char *dir)
{
    char diff[RUNDIR_DIFF_MAX];

    if (rundir_diff(dir, &b->config, diff) == ERR_NOMEM) {
        return ERR_NOMEM;
    }
    if (diff[0] != '\0' && b->sweep->changed[0] == '\0') {
        (void)snprintf(b->sweep->changed, sizeof b->sweep->changed,
                       "cell %s was begun with other settings (%s): let these vary below `grid`, "
                       "set another `out`, or delete %s to run it anew",
                       b->cell.name, diff, dir);
    }
    return OK; /* settings that cannot be read are told by `mopo train` */
}

static Status add_cell(Builder *b, int i)
{
    Status st = OK;
    JobList *list = &b->list[JOB_CELL];
    char dir[JOB_PATH_MAX];
    bool excluded = false;
    int data = -1;
    int model = -1;

    TRY(grid_cell(b->grid, i, &b->cell));
    TRY(grid_config(b->grid, i, &b->cell, &b->config, &excluded));
    if (excluded) {
        return OK;
    }
    TRY(find_data(b, &data));
    TRY(find_model(b, data, &model));
    words_begin(&b->words);
    words_add(&b->words, "train");
    add_settings(&b->words, b);
    (void)snprintf(dir, sizeof dir, "%s/%s", grid_out(b->grid), b->cell.name);
    if (strlen(dir) >= CONFIG_TEXT_MAX) {
        return status_fail(ERR_CONFIG,
                           "cell %s: its run directory would have a path of %zu bytes; at most %d "
                           "fit: choose a shorter `out`",
                           b->cell.name, strlen(dir), CONFIG_TEXT_MAX - 1);
    }
    TRY(check_begun(b, dir));
    words_add(&b->words, "run_dir=%s", dir);
    if (model >= 0) {
        words_add(&b->words, "model.share=%s/models", grid_out(b->grid));
    }
    TRY(jobs_add(list, JOB_CELL, b->cell.name, dir, b->words.count, b->words.words));
    list->jobs[list->count - 1].data = data;
    list->jobs[list->count - 1].model = model;
done:
    return st;
}

static int by_name(const void *a, const void *b)
{
    const Job *const *x = a;
    const Job *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

/* Two cells of one name would be one run directory: say by what they differ. */
static Status refuse_twins(const Grid *grid, const Job *a, const Job *b)
{
    int k = 0;
    while (k + 1 < a->count && k + 1 < b->count && strcmp(a->words[k], b->words[k]) == 0) {
        k++;
    }
    return status_fail(
        ERR_CONFIG,
        "%s: two cells would be called %s, one with %s and one with %s; give them names, "
        "below `cells`, or leave one out",
        grid_name(grid), a->name, a->words[k], b->words[k]);
}

static Status check_names(const Grid *grid, const JobList *list)
{
    Status st = OK;
    const Job **sorted = NULL;

    TRY(mem_alloc(&sorted, (size_t)list->count + 1, sizeof *sorted, "the names of cells"));
    for (int i = 0; i < list->count; i++) {
        sorted[i] = &list->jobs[i];
    }
    qsort(sorted, (size_t)list->count, sizeof *sorted, by_name);
    for (int i = 1; i < list->count; i++) {
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0) {
            TRY(refuse_twins(grid, sorted[i - 1], sorted[i]));
        }
    }
done:
    mem_free(&sorted);
    return st;
}

/* A mistyped value would let cells run that nobody wants. */
static void warn_of_idle(const Grid *grid)
{
    YamlPlace at;

    if (grid_idle_exclude(grid, &at)) {
        log_warn("%s:%d:%d: this condition of `exclude` leaves out no cell", grid_name(grid),
                 at.line, at.column);
    }
}

/* The three lists as one; links are numbers of the whole then. */
static Status join(Builder *b, JobList *all)
{
    Status st = OK;
    const int first_model = b->list[JOB_DATA].count;

    for (int kind = 0; kind < JOB_KINDS; kind++) {
        b->sweep->count[kind] = b->list[kind].count;
        for (int i = 0; i < b->list[kind].count; i++) {
            const Job *job = &b->list[kind].jobs[i];
            TRY(jobs_add(all, job->kind, job->name, job->dir, job->count, job->words));
            all->jobs[all->count - 1].data = job->data;
            all->jobs[all->count - 1].model = job->model < 0 ? -1 : job->model + first_model;
        }
    }
    TRY(check_names(b->grid, all));
done:
    return st;
}

Status sweep_build(Sweep *sweep, const Grid *grid, const char *path)
{
    Status st = OK;
    Builder *b = NULL;

    *sweep = (Sweep){0};
    TRY(jobs_init(&sweep->jobs, path));
    TRY(mem_alloc(&b, 1, sizeof *b, "the jobs of a sweep"));
    b->sweep = sweep;
    b->grid = grid;
    for (int i = 0; i < grid_size(grid); i++) {
        TRY(add_cell(b, i));
    }
    if (b->list[JOB_CELL].count == 0) {
        st = status_fail(ERR_CONFIG, "%s: `exclude` leaves no cell", path);
        goto done;
    }
    warn_of_idle(grid);
    TRY(join(b, &sweep->jobs));
done:
    for (int kind = 0; b != NULL && kind < JOB_KINDS; kind++) {
        jobs_release(&b->list[kind]);
    }
    mem_free(&b);
    return st;
}

void sweep_release(Sweep *sweep)
{
    jobs_release(&sweep->jobs);
    *sweep = (Sweep){0};
}
