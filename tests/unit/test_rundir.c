/* rundir: one process at a time, the same settings, nobody else's files, and the manifest. */
#include "support/check.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/version.h"
#include "run/rundir.h"
#include "run/tables.h"
#include "support/temp_dir.h"

static char dir[TEMP_PATH_MAX];
static char run[2 * TEMP_PATH_MAX]; /* dir/a/run: two levels that do not exist yet */
static Config config;

static int make_dir(void **state)
{
    const int code = temp_dir_setup(state, dir);
    (void)snprintf(run, sizeof run, "%s/a/run", dir);
    config_default(&config);
    return code;
}

static int remove_dir(void **state)
{
    return temp_dir_teardown(state, dir);
}

static const RunFacts some_facts = {.mpi = "MPI 3",
                                    .blas = "BLAS, core Zen",
                                    .hosts = "n1 n2",
                                    .ranks = 4,
                                    .learners = 2,
                                    .dataset = "data/a.hdf5",
                                    .dataset_digest = "0123"};

/* A run that was here, got as far as its dataset, and ended. */
static void past_run(void)
{
    RunDir past;
    CHECK_OK(rundir_open(&past, run, &config, NULL));
    CHECK_OK(rundir_write_manifest(&past, &some_facts));
    rundir_close(&past);
}

static void check_refused(Status want, const char *path, const char *reason)
{
    RunDir d;
    assert_int_equal(rundir_open(&d, path, &config, NULL), want);
    assert_int_equal(d.lock.fd, -1);
    if (strstr(status_reason(), reason) == NULL) {
        print_error("no '%s' in: %s\n", reason, status_reason());
        fail();
    }
}

static void a_new_run_leaves_settings_lock_and_log(void **state)
{
    (void)state;
    RunDir d;
    char path[RUNDIR_PATH_MAX];
    char pid[32];
    char host[256] = "";
    Config read;
    const int64_t blocks = mem_count();

    config.rollout.horizon = 3;
    CHECK_OK(rundir_open(&d, run, &config, NULL));
    assert_false(d.resumed);
    assert_string_equal(rundir_file(&d, "log.txt", path), temp_path(run, "log.txt"));
    log_info("a line for %s", "the log");
    const char *text = temp_read(temp_path(run, "used.yaml"));
    CHECK_OK(config_parse(&read, "used.yaml", text, strlen(text)));
    assert_int_equal(config_diff(&read, &config, NULL, path, sizeof path), 0);
    assert_int_equal(read.rollout.horizon, 3);
    text = temp_read(temp_path(run, "lock"));
    (void)snprintf(pid, sizeof pid, "pid %ld,", (long)getpid());
    assert_int_equal(gethostname(host, sizeof host - 1), 0);
    assert_non_null(strstr(text, pid));
    assert_non_null(strstr(text, host));
    assert_non_null(strstr(temp_read(temp_path(run, "log.txt")), "a line for the log\n"));
    rundir_close(&d);
    rundir_close(&d); /* harmless */

    CHECK_OK(rundir_open(&d, run, &config, NULL));
    assert_true(d.resumed);
    rundir_close(&d);
    assert_int_equal(mem_count(), blocks);
}

/* Try to open the run in another process; its reason goes to `reason` (empty: it could). */
static void open_elsewhere(char *reason, size_t size)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        RunDir d;
        const Status st = rundir_open(&d, run, &config, NULL);
        const char *text = st == OK ? "" : status_reason();
        const ssize_t done = write(ends[1], text, strlen(text));
        _exit(done < 0 ? 99 : (int)st);
    }
    int how = 0;
    (void)close(ends[1]);
    const ssize_t n = read(ends[0], reason, size - 1);
    (void)close(ends[0]);
    reason[n > 0 ? n : 0] = '\0';
    assert_true(waitpid(child, &how, 0) == child);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), reason[0] != '\0' ? ERR_CONFIG : OK);
}

static void a_second_process_is_refused_by_name(void **state)
{
    (void)state;
    RunDir d;
    char reason[STATUS_REASON_MAX];
    char pid[32];
    char host[256] = "";

    CHECK_OK(rundir_open(&d, run, &config, NULL));
    open_elsewhere(reason, sizeof reason);
    (void)snprintf(pid, sizeof pid, "pid %ld,", (long)getpid());
    assert_int_equal(gethostname(host, sizeof host - 1), 0);
    assert_non_null(strstr(reason, run));
    assert_non_null(strstr(reason, pid));
    assert_non_null(strstr(reason, host));
    assert_non_null(strstr(reason, "choose another run_dir"));
    rundir_close(&d);
    open_elsewhere(reason, sizeof reason);
    assert_string_equal(reason, "");
}

static void a_killed_process_leaves_no_lock(void **state)
{
    (void)state;
    int ends[2];
    int how = 0;
    char byte = 0;
    RunDir d;

    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (rundir_open(&d, run, &config, NULL) == OK && write(ends[1], "x", 1) == 1) {
            (void)pause();
        }
        _exit(1);
    }
    (void)close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1); /* it has the lock */
    (void)close(ends[0]);
    check_refused(ERR_CONFIG, run, "another process is running here");
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_true(waitpid(child, &how, 0) == child);
    CHECK_OK(rundir_open(&d, run, &config, NULL));
    assert_true(d.resumed);
    char pid[32];
    (void)snprintf(pid, sizeof pid, "pid %ld,", (long)child);
    assert_non_null(strstr(d.lock.held, pid)); /* it is told whose lock was void */
    rundir_close(&d);
    CHECK_OK(rundir_open(&d, run, &config, NULL));
    assert_string_equal(d.lock.held, ""); /* a regular end */
    rundir_close(&d);
}

/* Nothing is deleted under a process that runs there. */
static void only_the_idle_are_emptied(void **state)
{
    (void)state;
    static const char *const names[] = {"a.hdf5", "absent", "parts/", "none/"};
    char path[4][TEMP_PATH_MAX];
    RunDir d;

    CHECK_OK(rundir_open(&d, run, &config, NULL));
    CHECK_OK(file_make_dirs(temp_path(dir, "a/run/parts")));
    for (int i = 0; i < 3; i++) {
        static const char *const files[] = {"a/run/a.hdf5", "a/run/parts/b", "a/run/kept"};
        (void)snprintf(path[i], sizeof path[i], "%s", temp_path(dir, "%s", files[i]));
        temp_write(path[i], "x");
    }
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit((int)rundir_delete(run, names, 4));
    }
    int how = 0;
    assert_true(waitpid(child, &how, 0) == child);
    assert_int_equal(WEXITSTATUS(how), ERR_CONFIG);
    assert_true(file_exists(path[0]) && file_exists(path[1]));
    rundir_close(&d);
    CHECK_OK(rundir_delete(run, names, 4));
    assert_false(file_exists(path[0]) || file_exists(temp_path(dir, "a/run/parts")));
    assert_true(file_exists(path[2]));
}

static void other_settings_are_refused_with_their_names(void **state)
{
    (void)state;
    RunDir d;
    past_run();
    config.top.seed = 5;
    config.penalty.lambda = 2.5;
    config.train.epochs = 7;
    check_refused(ERR_CONFIG, run, "seed: 0 -> 5");
    assert_non_null(strstr(status_reason(), "penalty.lambda: 1 -> 2.5"));
    assert_null(strstr(status_reason(), "train.epochs"));
    assert_non_null(strstr(status_reason(), "choose another run_dir or give the same settings"));

    config_default(&config);
    (void)snprintf(config.top.run_dir, sizeof config.top.run_dir, "moved");
    config.train.epochs = 7;
    (void)snprintf(config.model.share, sizeof config.model.share, "models");
    config.ranks.learners = 2;
    config.checkpoint.every = 3;
    config.checkpoint.keep = 9;
    CHECK_OK(rundir_open(&d, run, &config, NULL));
    rundir_close(&d);
    assert_non_null(strstr(temp_read(temp_path(run, "used.yaml")), "epochs: 7"));
}

static void settings_with_which_nothing_was_made_may_be_corrected(void **state)
{
    (void)state;
    RunDir d;
    (void)snprintf(config.top.dataset, sizeof config.top.dataset, "data/mistyped.hdf5");
    CHECK_OK(rundir_open(&d, run, &config, NULL));
    rundir_close(&d);
    config_default(&config);
    config.top.seed = 5;
    CHECK_OK(rundir_open(&d, run, &config, NULL));
    rundir_close(&d);
    assert_non_null(strstr(temp_read(temp_path(run, "used.yaml")), "seed: 5"));
}

static void damaged_settings_are_reported(void **state)
{
    (void)state;
    past_run();
    temp_write(temp_path(run, "used.yaml"), "rollout:\n  horizn: 5\n");
    check_refused(ERR_CONFIG, run, "used.yaml:2:3");
}

static void files_of_others_are_left_alone(void **state)
{
    (void)state;
    RunDir d;
    past_run(); /* makes dir/a */
    check_refused(ERR_CONFIG, temp_path(dir, "a"), "holds files (run) but no run");
    assert_false(file_exists(temp_path(dir, "a/lock")));
    temp_write(temp_path(dir, "file"), "text");
    check_refused(ERR_IO, temp_path(dir, "file"), "cannot create the directory");
    check_refused(ERR_CONFIG, "", "0 characters");

    /* a process that was killed before used.yaml stood */
    assert_int_equal(mkdir(temp_path(dir, "b"), 0777), 0);
    temp_write(temp_path(dir, "b/lock"), "");
    temp_write(temp_path(dir, "b/used.yaml.tmp.a1b2c3"), "tas");
    CHECK_OK(rundir_open(&d, temp_path(dir, "b"), &config, NULL));
    assert_false(d.resumed);
    assert_false(file_exists(temp_path(dir, "b/used.yaml.tmp.a1b2c3")));
    rundir_close(&d);
}

static void opening_may_fail_anywhere(void **state)
{
    (void)state;
    RunDir d;
    int k = 1;
    for (;; k++) {
        file_fail_at(k, EIO);
        const Status st = rundir_open(&d, run, &config, NULL);
        file_fail_at(0, 0);
        if (st == OK) {
            break;
        }
        assert_int_equal(st, ERR_IO);
        assert_int_equal(d.lock.fd, -1);
        assert_non_null(strstr(status_reason(), strerror(EIO)));
    }
    rundir_close(&d);
    assert_in_range(k, 10, 80);
}

static void a_disk_without_locks_is_a_warning(void **state)
{
    (void)state;
    RunDir d;
    bool locked = false;
    past_run();
    for (int k = 1; k < 20 && !locked; k++) { /* find the lock among the file operations */
        file_fail_at(k, ENOLCK);
        locked = rundir_open(&d, run, &config, NULL) == OK && !file_refused();
        file_fail_at(0, 0);
        rundir_close(&d);
    }
    assert_true(locked);
}

/* rundir_open where locks are refused, with this line in the lock. */
static Status open_without_locks(const char *line)
{
    RunDir d = {.lock.fd = -1};
    Status st = OK;
    bool refused = false;

    for (int k = 1; k < 20 && !refused;
         k++) { /* the first operation whose refusal is no error of its own */
        temp_write(temp_path(dir, "a/run/lock"), line);
        file_fail_at(k, ENOLCK);
        st = rundir_open(&d, run, &config, NULL);
        refused = st == OK || strstr(status_reason(), strerror(ENOLCK)) == NULL;
        file_fail_at(0, 0);
        rundir_close(&d);
    }
    return refused ? st : ERR_IO;
}

static void without_locks_the_living_are_asked_for(void **state)
{
    (void)state;
    char host[128] = "";
    char line[256];
    int how = 0;

    past_run();
    assert_int_equal(gethostname(host, sizeof host - 1), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)pause();
        _exit(0);
    }
    (void)snprintf(line, sizeof line, "host %s, pid %ld, since now\n", host, (long)child);
    assert_int_equal(open_without_locks(line), ERR_CONFIG);
    assert_non_null(strstr(status_reason(), "another process is running here (host "));
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_true(waitpid(child, &how, 0) == child);
    CHECK_OK(open_without_locks(line));
    (void)snprintf(line, sizeof line, "host elsewhere, pid %ld, since now\n", (long)getpid());
    CHECK_OK(open_without_locks(line)); /* with a warning */
    CHECK_OK(open_without_locks("no such line"));
}

static const char *text_in(const json_t *all, const char *group, const char *key)
{
    return json_string_value(json_object_get(json_object_get(all, group), key));
}

static void the_manifest_tells_what_ran(void **state)
{
    (void)state;
    RunDir d;
    CHECK_OK(rundir_open(&d, run, &config, NULL));
    CHECK_OK(rundir_write_manifest(&d, &some_facts));
    json_t *all = json_load_file(temp_path(run, "manifest.json"), 0, NULL);
    assert_non_null(all);
    assert_string_equal(text_in(all, "program", "commit"), version.commit);
    assert_string_equal(text_in(all, "program", "flags"), version.flags);
    assert_string_equal(text_in(all, "libraries", "mpi"), "MPI 3");
    assert_true(json_is_null(json_object_get(json_object_get(all, "libraries"), "mujoco")));
    assert_string_equal(text_in(all, "machine", "hosts"), "n1 n2");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(all, "machine"), "ranks")),
                     4);
    assert_string_equal(text_in(all, "dataset", "digest"), "0123");
    assert_int_equal(strlen(json_string_value(json_object_get(all, "started"))), 20);
    json_decref(all);
    rundir_close(&d);
}

static void another_dataset_is_refused(void **state)
{
    (void)state;
    RunDir d;
    RunFacts facts = some_facts;
    CHECK_OK(rundir_open(&d, run, &config, NULL));
    CHECK_OK(rundir_write_manifest(&d, &facts));
    facts.ranks = 1; /* may change */
    facts.blas = "BLAS, core Haswell";
    CHECK_OK(rundir_write_manifest(&d, &facts));
    assert_non_null(strstr(temp_read(temp_path(run, "log.txt")),
                           "another blas (BLAS, core Zen, now BLAS, core Haswell)"));
    facts.dataset_digest = "4567";
    assert_int_equal(rundir_write_manifest(&d, &facts), ERR_CONFIG);
    assert_non_null(strstr(status_reason(), "data/a.hdf5"));
    temp_write(temp_path(run, "manifest.json"), "{ \"dataset\": "); /* only for people: replaced */
    CHECK_OK(rundir_write_manifest(&d, &facts));
    facts.hosts = "\xff";
    assert_int_equal(rundir_write_manifest(&d, &facts), ERR_ARG);
    rundir_close(&d);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_run_leaves_settings_lock_and_log),
        TEST(a_second_process_is_refused_by_name),
        TEST(a_killed_process_leaves_no_lock),
        TEST(only_the_idle_are_emptied),
        TEST(other_settings_are_refused_with_their_names),
        TEST(settings_with_which_nothing_was_made_may_be_corrected),
        TEST(damaged_settings_are_reported),
        TEST(files_of_others_are_left_alone),
        TEST(opening_may_fail_anywhere),
        TEST(without_locks_the_living_are_asked_for),
        TEST(a_disk_without_locks_is_a_warning),
        TEST(the_manifest_tells_what_ran),
        TEST(another_dataset_is_refused),
    };
    tables_register();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
