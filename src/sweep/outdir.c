#include "sweep/outdir.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/dir.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

enum { PATH = JOB_PATH_MAX + 64 };

const char *outdir_file(const OutDir *dir, const char *name, char path[PATH])
{
    (void)snprintf(path, PATH, "%s/%s", dir->path, name);
    return path;
}

static bool same_file(const char *a, const char *b)
{
    struct stat x;
    struct stat y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* The sweep of another grid file that is still there; one that was moved is the same. */
static Status check_grid(const OutDir *dir, const char *cells, const JobList *jobs)
{
    Status st = OK;
    JobList before = {0};

    TRY(jobs_read(&before, cells));
    if (strcmp(before.grid, jobs->grid) != 0 && file_exists(before.grid) &&
        !same_file(before.grid, jobs->grid)) {
        st = status_fail(ERR_CONFIG,
                         "%s: holds the sweep of %s; set `out` in %s to a folder of its own",
                         dir->path, before.grid, jobs->grid);
    }
done:
    jobs_release(&before);
    return st;
}

/* Nothing but what a sweep puts there; a process that was killed early leaves no cells.tsv. */
static Status check_owner(const OutDir *dir, const JobList *jobs)
{
    static const char *const ours[] = {"lock", "logs", "models", "submit"};
    Status st = OK;
    char cells[PATH];
    DirList list = {0};

    if (file_exists(outdir_file(dir, "cells.tsv", cells))) {
        return check_grid(dir, cells, jobs);
    }
    TRY(dir_list(&list, dir->path));
    for (int i = 0; i < list.count && st == OK; i++) {
        bool known = strncmp(list.names[i], "cells.tsv.tmp.", 14) == 0;
        for (size_t k = 0; k < sizeof ours / sizeof ours[0]; k++) {
            known = known || strcmp(list.names[i], ours[k]) == 0;
        }
        if (!known) {
            st = status_fail(
                ERR_CONFIG,
                "%s: holds files (%s) but no sweep (cells.tsv); set `out` in %s to another "
                "folder, or empty this one",
                dir->path, list.names[i], jobs->grid);
        }
    }
done:
    dir_list_release(&list);
    return st;
}

static Status make_folders(const OutDir *dir)
{
    static const char *const names[] = {"logs", "models", "submit"};
    Status st = OK;
    char path[PATH];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        TRY(file_make_dirs(outdir_file(dir, names[i], path)));
    }
    TRY(dir_remove_temps(outdir_file(dir, "cells.tsv", path)));
done:
    return st;
}

static Status take_lock(OutDir *dir)
{
    Status st = OK;
    char path[PATH];
    LockAnswer answer = LOCK_OURS;

    TRY(lock_take(&dir->lock, outdir_file(dir, "lock", path), true, &answer));
    if (answer != LOCK_OURS) {
        st = status_fail(
            ERR_CONFIG, "%s: another `mopo sweep` is at work there (%s); wait for it or stop it",
            dir->path, dir->lock.held[0] != '\0' ? dir->lock.held : "it has just started");
    }
done:
    return st;
}

/* Cells of before that are not in the grid any more: nobody else would say so. */
static Status tell_left(const OutDir *dir, const JobList *jobs)
{
    enum { NAMED = 3 };
    JobList before = {0};
    char path[PATH];
    char names[NAMED * (JOB_NAME_MAX + 2) + 8];
    Text text = text_over(names, sizeof names);
    int left = 0;

    if (!file_exists(outdir_file(dir, "cells.tsv", path))) {
        return OK;
    }
    const Status st = jobs_read(&before, path);
    for (int i = 0; st == OK && i < before.count; i++) {
        const Job *job = &before.jobs[i];
        if (job->kind != JOB_CELL || jobs_find(jobs, job->name) >= 0 || !file_exists(job->dir)) {
            continue;
        }
        if (left < NAMED) {
            text_add(&text, "%s%s", left > 0 ? ", " : "", job->name);
        }
        left++;
    }
    if (left > 0) {
        log_info("no longer in the grid: %d cell%s that ran before (%s%s); what they made stays",
                 left, left == 1 ? "" : "s", names, left > NAMED ? " ..." : "");
    }
    jobs_release(&before);
    return st == ERR_NOMEM ? st : OK; /* a list that cannot be read is about to be written anew */
}

Status outdir_open(OutDir *dir, const char *path, const JobList *jobs)
{
    Status st = OK;
    char cells[PATH];

    *dir = (OutDir){.lock = {.fd = -1}};
    (void)snprintf(dir->path, sizeof dir->path, "%s", path);
    TRY(file_make_dirs(path));
    TRY(check_owner(dir, jobs)); /* before anything is put there */
    TRY(take_lock(dir));
    TRY(check_owner(dir, jobs));
    TRY(tell_left(dir, jobs));
    TRY(make_folders(dir));
    TRY(jobs_write(jobs, outdir_file(dir, "cells.tsv", cells), NULL, jobs->count));
done:
    if (st != OK) {
        outdir_close(dir);
    }
    return st;
}

void outdir_close(OutDir *dir)
{
    char path[PATH];
    lock_give_back(&dir->lock, outdir_file(dir, "lock", path));
}
