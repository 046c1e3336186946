#include "sweep/status_report.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/file.h"
#include "base/mem.h"
#include "run/shared_model.h"
#include "sweep/cells.h"
#include "sweep/seed_group.h"

enum { PATH = PROGRESS_PATH_MAX };

/* ---- rows ---- */

static Status grow(StatusReport *report)
{
    Status st = OK;
    StatusRow *rows = NULL;
    const int room = 2 * report->room + 16;

    if (report->count < report->room) {
        return OK;
    }
    TRY(mem_alloc(&rows, (size_t)room, sizeof *rows, "the list of runs"));
    if (report->count > 0) {
        memcpy(rows, report->row, (size_t)report->count * sizeof *rows);
    }
    mem_free(&report->row);
    report->row = rows;
    report->room = room;
done:
    return st;
}

/* job.dir and job.log: copied; the name is made fit for a terminal. */
static Status add_row(StatusReport *report, const char *name, ProgressJob job)
{
    Status st = OK;
    StatusRow row = {.job = job};
    const char *log = job.log != NULL ? job.log : "";
    const size_t sizes[] = {strlen(name) + 1, strlen(job.dir) + 1, strlen(log) + 1};

    TRY(grow(report));
    TRY(mem_alloc(&row.name, sizes[0] + sizes[1] + sizes[2], 1, "the list of runs"));
    row.dir = row.name + sizes[0];
    row.log = row.dir + sizes[1];
    memcpy(row.name, name, sizes[0]);
    memcpy(row.dir, job.dir, sizes[1]);
    memcpy(row.log, log, sizes[2]);
    text_make_plain(row.name);
    row.job.dir = row.dir;
    row.job.log = job.log != NULL ? row.log : NULL;
    report->row[report->count++] = row;
done:
    return st;
}

static Status copy(char **to, const char *text)
{
    Status st = OK;
    TRY(mem_alloc(to, strlen(text) + 1, 1, "the list of runs"));
    memcpy(*to, text, strlen(text) + 1);
done:
    return st;
}

void status_release(StatusReport *report)
{
    for (int i = 0; i < report->count; i++) {
        mem_free(&report->row[i].name);
    }
    mem_free(&report->row);
    mem_free(&report->dir);
    mem_free(&report->grid);
    *report = (StatusReport){0};
}

/* ---- a sweep ---- */

/* The folder that the paths of cells.tsv call this one: of "runs/a/x", the directory of cell x, "runs/a". */
static void find_prefix(const JobList *list, char prefix[PATH])
{
    prefix[0] = '\0';
    for (int i = 0; i < list->count; i++) {
        const Job *job = &list->jobs[i];
        const size_t dir = strlen(job->dir);
        const size_t name = strlen(job->name);
        if (job->kind == JOB_CELL && dir > name + 1 && job->dir[dir - name - 1] == '/' &&
            strcmp(job->dir + dir - name, job->name) == 0) {
            (void)snprintf(prefix, PATH, "%.*s", (int)(dir - name - 1), job->dir);
            return;
        }
    }
}

/* A path from the root, of one from here. */
static void make_absolute(const char *dir, char whole[2 * PATH])
{
    char here[PATH] = "";

    if (dir[0] != '/' && getcwd(here, sizeof here) != NULL) {
        (void)snprintf(whole, (size_t)2 * PATH, "%s/%s", here, dir);
    } else {
        (void)snprintf(whole, (size_t)2 * PATH, "%s", dir);
    }
}

/* From here, wherever the sweep was begun: what lies in its folder lies in `dir`; what else is relative is taken
 * from the folder in which `dir` has the name that the sweep gave it. */
static void locate(const char *path, const char *prefix, const char *dir, char found[PATH])
{
    char whole[2 * PATH];
    const size_t n = strlen(prefix);

    (void)snprintf(found, PATH, "%s", path);
    if (n > 0 && strncmp(path, prefix, n) == 0 && path[n] == '/') {
        (void)snprintf(found, PATH, "%s%s", dir, path + n);
    } else if (path[0] != '/' && n > 0 && !file_exists(path)) {
        make_absolute(dir, whole);
        const size_t all = strlen(whole);
        if (all > n && whole[all - n - 1] == '/' && strcmp(whole + all - n, prefix) == 0) {
            (void)snprintf(found, PATH, "%.*s%s", (int)(all - n), whole, path);
        }
    }
}

static Status add_jobs(StatusReport *report, const char *list_file)
{
    Status st = OK;
    JobList list = {0};
    char prefix[PATH];
    char log[PROGRESS_PATH_MAX];
    char found[PATH];

    TRY(jobs_read(&list, list_file));
    TRY(copy(&report->grid, list.grid));
    find_prefix(&list, prefix);
    for (int i = 0; i < list.count; i++) {
        ProgressJob job = progress_job(&list.jobs[i], report->dir, log);
        locate(job.dir, prefix, report->dir, found);
        job.dir = found;
        TRY(add_row(report, list.jobs[i].name, job));
        if (job.kind == JOB_CELL) {
            StatusRow *row = &report->row[report->count - 1];
            row->kin = seed_kin(&list.jobs[i], row->seed);
        }
    }
done:
    jobs_release(&list);
    return st;
}

/* ---- runs ---- */

/* The directory of a shared model (run/shared_model.h): named by a digest, its settings name no run directory. */
static bool is_model(const char *path, const char *used_yaml)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    Tail used;

    if (strlen(name) != SHARED_NAME_MAX - 1 ||
        strspn(name, "0123456789abcdef") != SHARED_NAME_MAX - 1) {
        return false;
    }
    tail_read_head(used_yaml, &used);
    return strstr(used.text, "\nrun_dir: \"\"") != NULL;
}

/* Run directories at `path` and below; `skip`: how much of their paths is no part of their names. Folders that
 * vanish meanwhile or cannot be read have none. */
static Status add_runs( // NOLINT(misc-no-recursion): STATUS_DEPTH levels
    StatusReport *report, const char *path, size_t skip, int depth)
{
    Status st = OK;
    DirList list = {0};
    char below[PATH];

    (void)snprintf(below, sizeof below, "%s/used.yaml", path);
    if (file_exists(below)) {
        const JobKind kind = is_model(path, below) ? JOB_MODEL : JOB_CELL;
        return add_row(report, strlen(path) > skip ? path + skip : path,
                       (ProgressJob){.kind = kind, .dir = path});
    }
    if (depth == 0 || dir_list(&list, path) == ERR_NOMEM) {
        return depth == 0 ? OK : ERR_NOMEM;
    }
    for (int i = 0; i < list.count; i++) {
        const int n = snprintf(below, sizeof below, "%s/%s", path, list.names[i]);
        if (n > 0 && n < (int)sizeof below - 256) { /* names of files come behind it */
            TRY(add_runs(report, below, skip, depth - 1));
        }
    }
done:
    dir_list_release(&list);
    return st;
}

static Status find_jobs(StatusReport *report, const char *dir)
{
    Status st = OK;
    char path[PATH];
    size_t n = strlen(dir);

    if (n == 0 || n >= JOB_PATH_MAX) {
        return status_fail(ERR_USAGE, "the path of a folder has 1 to %d characters",
                           JOB_PATH_MAX - 1);
    }
    TRY(copy(&report->dir, dir));
    while (n > 1 && report->dir[n - 1] == '/') {
        report->dir[--n] = '\0';
    }
    (void)snprintf(path, sizeof path, "%s/cells.tsv", report->dir);
    if (file_exists(path)) {
        TRY(add_jobs(report, path));
        return OK;
    }
    if (!file_exists(report->dir)) {
        return status_fail(ERR_USAGE, "%s: there is no such folder", report->dir);
    }
    TRY(add_runs(report, report->dir, strcmp(report->dir, "/") == 0 ? 1 : n + 1, STATUS_DEPTH));
    if (report->count == 0) {
        st = status_fail(ERR_USAGE,
                         "%s: no sweep (cells.tsv), no run (used.yaml), and no run in the %d "
                         "levels of folders below it",
                         report->dir, STATUS_DEPTH);
    }
done:
    return st;
}

/* ---- looking ---- */

/* What was seen of each job before, found by its directory; mostly the lists are the same. */
static void remember(StatusReport *report, const StatusReport *before)
{
    int at = 0;

    for (int i = 0; i < report->count; i++) {
        for (int k = 0; k < before->count; k++) {
            const StatusRow *old = &before->row[(at + k) % before->count];
            if (strcmp(old->dir, report->row[i].dir) == 0) {
                at = (at + k + 1) % before->count;
                report->row[i].now = old->now;
                break;
            }
        }
    }
}

Status status_look(StatusReport *report, const char *dir)
{
    Status st = OK;
    StatusReport fresh = {0};
    struct timespec now;

    TRY(find_jobs(&fresh, dir));
    remember(&fresh, report);
    (void)clock_gettime(CLOCK_REALTIME, &now);
    fresh.now = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
    for (int i = 0; i < fresh.count; i++) {
        StatusRow *row = &fresh.row[i];
        progress_look(&row->job, fresh.now, &row->now);
        fresh.states[row->job.kind][row->now.state]++;
    }
done:
    status_release(report);
    if (st != OK) {
        status_release(&fresh);
    }
    *report = fresh;
    return st;
}

static int all_in(const StatusReport *report, JobState state)
{
    int count = 0;
    for (int k = 0; k < JOB_KINDS; k++) {
        count += report->states[k][state];
    }
    return count;
}

int status_code(const StatusReport *report)
{
    const int others = report->count - all_in(report, JOB_DONE);
    int cells = 0;

    for (int s = 0; s < JOB_STATE_COUNT; s++) {
        cells += report->states[JOB_CELL][s];
    }
    const int left = cells > 0 ? cells - report->states[JOB_CELL][JOB_DONE] : others;
    return left == 0 ? 0 : all_in(report, JOB_FAILED) > 0 ? 1 : 75;
}

bool status_goes_on(const StatusReport *report)
{
    return all_in(report, JOB_RUNNING) > 0 || all_in(report, JOB_WAITING) > 0;
}
