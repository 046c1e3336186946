#include "run/rundir.h"

#include <stdio.h>
#include <string.h>

#include "base/dir.h"
#include "base/disk.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/panic.h"
#include "run/checkpoint.h"

static const char in_share[] = "delete or rename this directory of model.share";

const char *rundir_elsewhere(const RunDir *dir)
{
    return dir->shared ? in_share : "choose another run_dir";
}

const char *rundir_file(const RunDir *dir, const char *name, char *path)
{
    const int len = snprintf(path, RUNDIR_PATH_MAX, "%s/%s", dir->path, name);
    REQUIRE(len > 0 && len < RUNDIR_PATH_MAX); /* set_path leaves room */
    return path;
}

static Status set_path(RunDir *dir, const char *path)
{
    const size_t room = RUNDIR_PATH_MAX - 256; /* for the names of files below */
    const size_t len = strlen(path);
    if (len == 0 || len >= room) {
        return status_fail(ERR_CONFIG, "run_dir: the path has %zu characters; 1 to %zu are allowed",
                           len, room - 1);
    }
    (void)snprintf(dir->path, sizeof dir->path, "%s", path);
    return OK;
}

/* ---- is it ours? ---- */

/* What rundir_open makes before used.yaml: a process killed there leaves no run, but no stranger. And `beat`, which a
 * process goes on writing whose directory was deleted under it. */
static bool is_our_start(const char *name)
{
    return strcmp(name, "lock") == 0 || strcmp(name, "beat") == 0 ||
           strncmp(name, "used.yaml.tmp.", 14) == 0;
}

static Status check_owner(RunDir *dir)
{
    Status st = OK;
    char path[RUNDIR_PATH_MAX];
    DirList list = {0};

    dir->resumed = file_exists(rundir_file(dir, "used.yaml", path));
    if (dir->resumed) {
        return OK;
    }
    TRY(dir_list(&list, dir->path));
    for (int i = 0; i < list.count; i++) {
        if (!is_our_start(list.names[i])) {
            st = status_fail(ERR_CONFIG,
                             "%s: holds files (%s) but no run (used.yaml); %s or empty this one",
                             dir->path, list.names[i], rundir_elsewhere(dir));
            goto done;
        }
    }
done:
    dir_list_release(&list);
    return st;
}

/* ---- lock ---- */

static Status take_lock(RunDir *dir, bool doubt, LockAnswer *answer)
{
    char path[RUNDIR_PATH_MAX];
    return lock_take(&dir->lock, rundir_file(dir, "lock", path), doubt, answer);
}

static Status refuse(const RunDir *dir)
{
    return status_fail(
        ERR_CONFIG, "%s: another process is running here (%s); wait for it, stop it, or %s",
        dir->path, dir->lock.held[0] != '\0' ? dir->lock.held : "it has just started",
        rundir_elsewhere(dir));
}

/* What a process left that was killed while it wrote; ours, since we hold the lock. */
static Status clean(const RunDir *dir)
{
    static const char *const names[] = {"used.yaml",        "manifest.json",    "model.h5",
                                        "model-report.txt", "model-report.svg", "policy.h5",
                                        "penalty.txt",      "progress.csv",     "family.txt"};
    Status st = OK;
    char path[RUNDIR_PATH_MAX];

    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        TRY(dir_remove_temps(rundir_file(dir, names[k], path)));
    }
    TRY(checkpoint_clean(dir->path));
done:
    return st;
}

/* ---- settings ---- */

static bool may_change(const char *key)
{
    static const char *const sections[] = {"ranks.", "checkpoint."};
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        if (strncmp(key, sections[i], strlen(sections[i])) == 0) {
            return true;
        }
    }
    return strcmp(key, "run_dir") == 0 || strcmp(key, "train.epochs") == 0 ||
           strcmp(key, "model.share") == 0;
}

/* Before the dataset was read (manifest.json) nothing was made with the settings: whoever mistyped
 * its name may correct it. */
static bool has_results(const char *run)
{
    static const char *const names[] = {"manifest.json", "model.h5", "ckpt", "progress.csv",
                                        "replay.hdf5.parts"};
    char path[RUNDIR_PATH_MAX];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", run, names[i]);
        if (file_exists(path)) {
            return true;
        }
    }
    return false;
}

Status rundir_settings(const char *run, Config *config)
{
    Status st = OK;
    char path[RUNDIR_PATH_MAX];
    unsigned char *text = NULL;
    size_t size = 0;

    (void)snprintf(path, sizeof path, "%s/used.yaml", run);
    if (!file_exists(path)) {
        return status_fail(ERR_USAGE,
                           "%s is no run directory: it has no used.yaml; give the run_dir of a "
                           "`mopo train`",
                           run);
    }
    TRY(file_read(path, CONFIG_YAML_MAX, &text, &size));
    TRY(config_parse(config, path, (const char *)text, size));
done:
    mem_free(&text);
    return st;
}

Status rundir_diff(const char *run, const Config *config, char diff[RUNDIR_DIFF_MAX])
{
    Status st = OK;
    char path[RUNDIR_PATH_MAX];
    Config *begun = NULL;

    diff[0] = '\0';
    (void)snprintf(path, sizeof path, "%s/used.yaml", run);
    if (!file_exists(path) || !has_results(run)) {
        return OK;
    }
    TRY(mem_alloc(&begun, 1, sizeof *begun, "the settings of a run"));
    TRY(rundir_settings(run, begun));
    if (config_diff(begun, config, may_change, diff, RUNDIR_DIFF_MAX) == 0) {
        diff[0] = '\0';
    }
done:
    mem_free(&begun);
    return st;
}

static Status compare_settings(const RunDir *dir, const Config *config)
{
    Status st = OK;
    char diff[RUNDIR_DIFF_MAX];

    TRY(rundir_diff(dir->path, config, diff));
    if (diff[0] != '\0') {
        st = status_fail(ERR_CONFIG,
                         "%s: this run was begun with other settings (%s); %s or give the same "
                         "settings",
                         dir->path, diff, rundir_elsewhere(dir));
    }
done:
    return st;
}

static Status write_settings(const RunDir *dir, const Config *config, const ConfigOrigins *origins)
{
    Status st = OK;
    char path[RUNDIR_PATH_MAX];
    char *text = NULL;

    TRY(mem_alloc(&text, CONFIG_YAML_MAX, 1, "the text of the settings"));
    TRY(config_write(config, origins, text, CONFIG_YAML_MAX));
    TRY(file_write(rundir_file(dir, "used.yaml", path), text, strlen(text)));
done:
    mem_free(&text);
    return st;
}

/* The directory, there and ours, if the answer is that. */
static Status lock_directory(RunDir *dir, const char *path, bool doubt, LockAnswer *answer)
{
    Status st = OK;

    TRY(set_path(dir, path));
    TRY(file_make_dirs(dir->path));
    TRY(check_owner(dir)); /* before anything is put there */
    TRY(take_lock(dir, doubt, answer));
    if (*answer == LOCK_OURS) {
        TRY(check_owner(dir)); /* another process may have made a run of it meanwhile */
        TRY(clean(dir));
    }
done:
    return st;
}

static Status open_log(const RunDir *dir)
{
    char path[RUNDIR_PATH_MAX];

    (void)rundir_file(dir, "log.txt", path);
    return dir->shared ? log_open_second(path) : log_open_file(path);
}

/* What follows the lock. */
static Status begin(RunDir *dir, const Config *config, const ConfigOrigins *origins)
{
    Status st = OK;

    if (dir->resumed) {
        TRY(compare_settings(dir, config));
    }
    TRY(write_settings(dir, config, origins));
    TRY(open_log(dir));
    if (dir->lock.held[0] != '\0') {
        log_info("%s%sthe process before this one (%s) was killed; its lock is void",
                 dir->shared ? dir->path : "", dir->shared ? ": " : "", dir->lock.held);
    }
done:
    return st;
}

Status rundir_open(RunDir *dir, const char *path, const Config *config,
                   const ConfigOrigins *origins)
{
    Status st = OK;
    LockAnswer answer = LOCK_OURS;

    *dir = (RunDir){.lock.fd = -1};
    TRY(lock_directory(dir, path, true, &answer));
    TRY(answer == LOCK_OURS ? begin(dir, config, origins) : refuse(dir));
done:
    if (st != OK) {
        rundir_close(dir);
    }
    return st;
}

Status rundir_open_shared(RunDir *dir, const char *path, const Config *config, bool doubt,
                          LockAnswer *answer)
{
    Status st = OK;

    *dir = (RunDir){.lock.fd = -1, .shared = true};
    TRY(lock_directory(dir, path, doubt, answer));
    if (*answer == LOCK_OURS) {
        TRY(begin(dir, config, NULL));
    }
done:
    if (st != OK) {
        rundir_close(dir);
    }
    return status_while(st, "model.share");
}

Status rundir_remove(const RunDir *dir, const char *name)
{
    char path[RUNDIR_PATH_MAX];

    return file_exists(rundir_file(dir, name, path)) && !disk_unlink(path)
               ? file_error(path, "delete the file")
               : OK;
}

Status rundir_delete(const char *path, const char *const names[], int count)
{
    Status st = OK;
    RunDir dir = {.lock.fd = -1};
    LockAnswer answer = LOCK_OURS;
    char name[RUNDIR_PATH_MAX];

    TRY(lock_directory(&dir, path, true, &answer));
    TRY(answer == LOCK_OURS ? OK : refuse(&dir));
    for (int i = 0; i < count; i++) {
        (void)rundir_file(&dir, names[i], name);
        if (name[strlen(name) - 1] == '/') {
            TRY(dir_remove(name));
        } else {
            TRY(rundir_remove(&dir, names[i]));
        }
    }
done:
    rundir_close(&dir);
    return st;
}

void rundir_close(RunDir *dir)
{
    char path[RUNDIR_PATH_MAX];

    if (dir->lock.fd >= 0) {
        if (dir->shared) {
            log_close_second();
        } else {
            log_close_file();
        }
        lock_give_back(&dir->lock, rundir_file(dir, "lock", path));
    }
}
