#include "run/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/disk.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/panic.h"
#include "run/checkpoint.h"

enum { HOLDER_MAX = RUNDIR_HOLDER_MAX, HOST_MAX = 128, DIFF_MAX = 600 };

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

/* What rundir_open makes before used.yaml: a process killed there leaves no run, but no stranger. */
static bool is_our_start(const char *name)
{
    return strcmp(name, "lock") == 0 || strncmp(name, "used.yaml.tmp.", 14) == 0;
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
                             "%s: holds files (%s) but no run (used.yaml); choose another run_dir "
                             "or empty this one",
                             dir->path, list.names[i]);
            goto done;
        }
    }
done:
    dir_list_release(&list);
    return st;
}

/* ---- lock ---- */

/* Who signed last and did not end by itself; "" after a regular end. */
static void read_holder(const RunDir *dir, char holder[HOLDER_MAX])
{
    const ssize_t n = pread(dir->lock, holder, HOLDER_MAX - 1, 0);

    holder[n > 0 ? n : 0] = '\0';
    holder[strcspn(holder, "\n")] = '\0';
}

static Status refuse(const RunDir *dir, const char *holder)
{
    return status_fail(ERR_CONFIG,
                       "%s: another process is running here (%s); wait for it, stop it, or choose "
                       "another run_dir",
                       dir->path, holder[0] != '\0' ? holder : "it has just started");
}

static void host_name(char host[HOST_MAX])
{
    host[0] = '\0';
    (void)gethostname(host, HOST_MAX - 1);
    host[HOST_MAX - 1] = '\0';
}

/* Where the file system has no locks: is the process that signed last alive? Of another host nobody can tell. */
static Status check_holder(const RunDir *dir, const char *holder)
{
    char host[HOST_MAX];
    char ours[HOST_MAX + 16];

    host_name(host);
    const int len = snprintf(ours, sizeof ours, "host %s, pid ", host);
    if (strncmp(holder, ours, (size_t)len) == 0) {
        const long pid = strtol(holder + len, NULL, 10);
        return pid > 0 && (kill((pid_t)pid, 0) == 0 || errno == EPERM) ? refuse(dir, holder) : OK;
    }
    log_warn("%s: this file system has no locks; take care that one process runs here%s%s",
             dir->path, holder[0] != '\0' ? "; not signed off: " : "", holder);
    return OK;
}

static Status lock_file(const RunDir *dir, const char *path, const char *holder)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (!file_refused() && fcntl(dir->lock, F_SETLK, &whole) == 0) {
        return OK;
    }
    if (errno == EACCES || errno == EAGAIN) {
        return refuse(dir, holder);
    }
    if (errno == ENOLCK || errno == ENOSYS || errno == EOPNOTSUPP) {
        return check_holder(dir, holder);
    }
    return file_error(path, "lock the run directory");
}

/* "host node1, pid 1234, since 2024-05-01T12:00:00Z" for whoever finds the lock taken. */
static Status sign_lock(const RunDir *dir, const char *path)
{
    char host[HOST_MAX];
    char when[32] = "";
    char line[HOLDER_MAX];
    struct tm utc;
    const time_t now = time(NULL);

    host_name(host);
    if (gmtime_r(&now, &utc) != NULL) {
        (void)strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
    }
    const int len =
        snprintf(line, sizeof line, "host %s, pid %ld, since %s\n", host, (long)getpid(), when);
    if (!disk_truncate(dir->lock, 0) || !disk_write(dir->lock, line, (size_t)len)) {
        return file_error(path, "write");
    }
    return OK;
}

static Status take_lock(RunDir *dir)
{
    Status st = OK;
    char path[RUNDIR_PATH_MAX];
    char holder[HOLDER_MAX];

    (void)rundir_file(dir, "lock", path);
    dir->lock = disk_append(path);
    if (dir->lock < 0) {
        return file_error(path, "open");
    }
    read_holder(dir, holder);
    TRY(lock_file(dir, path, holder));
    read_holder(dir, dir->before); /* under the lock: who ended meanwhile has signed off */
    TRY(sign_lock(dir, path));
    dir->signed_in = true;
done:
    return st;
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
    return strcmp(key, "run_dir") == 0 || strcmp(key, "train.epochs") == 0;
}

/* Before the dataset was read (manifest.json) nothing was made with the settings: whoever mistyped
 * its name may correct it. */
static bool has_results(const RunDir *dir)
{
    static const char *const names[] = {"manifest.json", "model.h5", "ckpt", "progress.csv",
                                        "replay.hdf5.parts"};
    char path[RUNDIR_PATH_MAX];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (file_exists(rundir_file(dir, names[i], path))) {
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

static Status compare_settings(const RunDir *dir, const Config *config)
{
    Status st = OK;
    Config *begun = NULL;
    char diff[DIFF_MAX];

    TRY(mem_alloc(&begun, 1, sizeof *begun, "the settings of a run"));
    TRY(rundir_settings(dir->path, begun));
    const int n = config_diff(begun, config, may_change, diff, sizeof diff);
    if (n > 0) {
        st = status_fail(ERR_CONFIG,
                         "%s: this run was begun with other settings (%s); choose another run_dir "
                         "or give the same settings",
                         dir->path, diff);
    }
done:
    mem_free(&begun);
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

/* The directory, there and ours. */
static Status lock_directory(RunDir *dir, const char *path)
{
    Status st = OK;

    *dir = (RunDir){.lock = -1};
    TRY(set_path(dir, path));
    TRY(file_make_dirs(dir->path));
    TRY(check_owner(dir)); /* before anything is put there */
    TRY(take_lock(dir));
    TRY(check_owner(dir)); /* another process may have made a run of it meanwhile */
    TRY(clean(dir));
done:
    return st;
}

Status rundir_open(RunDir *dir, const char *path, const Config *config,
                   const ConfigOrigins *origins)
{
    Status st = OK;
    char log[RUNDIR_PATH_MAX];

    TRY(lock_directory(dir, path));
    if (dir->resumed && has_results(dir)) {
        TRY(compare_settings(dir, config));
    }
    TRY(write_settings(dir, config, origins));
    TRY(log_open_file(rundir_file(dir, "log.txt", log)));
    if (dir->before[0] != '\0') {
        log_info("the process before this one (%s) was killed; its lock is void", dir->before);
    }
done:
    if (st != OK) {
        rundir_close(dir);
    }
    return st;
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
    RunDir dir;
    char name[RUNDIR_PATH_MAX];

    TRY(lock_directory(&dir, path));
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

/* An empty lock: nobody was killed here. */
static void sign_off(const RunDir *dir)
{
    if (!disk_truncate(dir->lock, 0)) {
        log_warn("%s/lock: cannot be emptied: %s", dir->path, strerror(errno));
    }
}

void rundir_close(RunDir *dir)
{
    if (dir->lock >= 0) {
        log_close_file();
        if (dir->signed_in) {
            sign_off(dir);
        }
        (void)disk_close(dir->lock);
        dir->lock = -1;
        dir->signed_in = false;
    }
}
