/* progress: the state of a job from what lies on the disk, whole, torn, vanished or contradictory. */
#include "support/check.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "support/temp_dir.h"
#include "sweep/progress.h"

static char dir[TEMP_PATH_MAX];
static char run[TEMP_PATH_MAX + 8];
static char launcher[TEMP_PATH_MAX + 16];
static double now;
static ProgressJob job;
static Progress p;

static int make_dir(void **state)
{
    const int code = temp_dir_setup(state, dir);

    (void)snprintf(run, sizeof run, "%s/run", dir);
    (void)snprintf(launcher, sizeof launcher, "%s/run.txt", dir);
    now = (double)time(NULL);
    job = (ProgressJob){.kind = JOB_CELL, .dir = run};
    p = (Progress){0};
    return code;
}

static int remove_dir(void **state)
{
    return temp_dir_teardown(state, dir);
}

static const char *in_run(const char *name)
{
    return temp_path(run, "%s", name);
}

static JobState look(void)
{
    progress_look(&job, now, &p);
    return p.state;
}

static void set_age(const char *path, double seconds)
{
    const struct timespec times[2] = {{.tv_sec = (time_t)(now - seconds)},
                                      {.tv_sec = (time_t)(now - seconds)}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* "2024-05-01T12:00:00Z", so many seconds ago; one of two buffers. */
static const char *utc_ago(double seconds)
{
    static char texts[2][32];
    static int next;
    char *text = texts[next++ % 2];
    struct tm utc;
    const time_t at = (time_t)(now - seconds);

    (void)strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &utc));
    return text;
}

/* A run that has saved epoch `saved` of 4. */
static void begin(const char *saved)
{
    CHECK_OK(file_make_dirs(in_run("ckpt")));
    temp_write(in_run("used.yaml"), "train:\n  agent: sac\n  epochs: 4   # default\n");
    temp_write(in_run("lock"), "");
    temp_write(in_run("log.txt"), "    0.00  run r\n    1.00  epoch    1/4  return  5.0\n"
                                  "    3.00  epoch    2/4  return  6.0\n");
    temp_write(in_run("metrics.jsonl"), "{\"epoch\": 1, \"return_mean\": 5, \"score\": 1}\n"
                                        "{\"epoch\": 2, \"return_mean\": 6, \"score\": 2}\n");
    temp_write(in_run("ckpt/LATEST"), saved);
}

static void finish(void)
{
    begin("policy-000004\n");
    temp_write(in_run("manifest.json"),
               "{\"machine\": {\"ranks\": 3}, \"results\": {\"policy.h5\": \"0\"}}");
}

static void sign_at(const char *path, const char *host, long pid, double seconds)
{
    char line[256];
    (void)snprintf(line, sizeof line, "host %s, pid %ld, since %s\n", host, pid, utc_ago(seconds));
    temp_write(path, line);
}

static void sign(const char *host, long pid, double seconds)
{
    sign_at(in_run("lock"), host, pid, seconds);
}

static void beat(double age)
{
    CHECK_OK(file_make_dirs(in_run("beat")));
    temp_write(
        in_run("beat/0"),
        "mopo-beat 1 77-1 1795867200 16\n0 n1 77 updates - 0 9 9\n1 n1 78 rollouts - 0 9 9\n");
    set_age(in_run("beat/0"), age);
}

static void mark(const char *text)
{
    temp_write(launcher, text);
    job.log = launcher;
}

/* ---- a process ---- */

/* One that holds the lock as a run does. */
static pid_t start_holder(void)
{
    int ready[2];
    char c = 0;

    assert_int_equal(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
        struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        const int fd = open(in_run("lock"), O_RDWR);
        if (fd < 0 || fcntl(fd, F_SETLK, &whole) != 0 || write(ready[1], "x", 1) != 1) {
            _exit(1);
        }
        for (;;) {
            (void)pause();
        }
    }
    (void)close(ready[1]);
    assert_int_equal(read(ready[0], &c, 1), 1);
    (void)close(ready[0]);
    return child;
}

static void end_holder(pid_t child)
{
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void sign_here(long pid, double seconds)
{
    char host[256] = "";
    (void)gethostname(host, sizeof host - 1);
    sign(host, pid, seconds);
}

static void who_holds_the_lock_runs_and_who_is_killed_is_stale(void **state)
{
    (void)state;
    begin("policy-000001\n");
    const pid_t child = start_holder();
    sign_here(child, 300);
    beat(1);
    assert_int_equal(look(), JOB_RUNNING);
    assert_int_equal(p.life.pid, child);
    assert_int_equal(p.ranks, 16);
    assert_string_equal(p.life.phase, "updates");
    assert_int_equal(p.unit, UNIT_EPOCH);
    assert_int_equal(p.at, 2);
    assert_int_equal(p.of, 4);
    CHECK_NEAR(p.rate, 2, 1e-12, 0);
    CHECK_NEAR(p.ends, now + 4, 0, 1.5);
    CHECK_NEAR(p.last_return, 6, 1e-12, 0);
    CHECK_NEAR(p.score, 2, 1e-12, 0);
    end_holder(child);
    assert_int_equal(look(), JOB_STALE); /* its beat is fresh, but it is certainly gone */
    assert_int_equal(p.life.pid, child);
    assert_int_equal(p.at, 1); /* what is saved */
    CHECK_NEAR(p.ends, 0, 0, 0);
    temp_write(in_run("lock"), ""); /* the next start has ended in order */
    assert_int_equal(look(), JOB_WAITING);
    assert_string_equal(p.saved, "policy-000001");
}

static void who_holds_the_lock_and_gives_no_sign_is_stale(void **state)
{
    (void)state;
    begin("policy-000001\n");
    const pid_t child = start_holder();
    sign_here(child, 300);
    beat(59);
    assert_int_equal(look(), JOB_RUNNING); /* 40 s of patience, and a half more */
    beat(61);
    p = (Progress){0};
    assert_int_equal(look(), JOB_STALE);
    CHECK_NEAR(p.life.seen, now - 61, 0, 1.5);
    temp_write(in_run("used.yaml"), "train:\n  epochs: 4\nranks:\n  patience: 0\n");
    assert_int_equal(look(), JOB_RUNNING); /* no watch, so beat says nothing */
    temp_write(in_run("used.yaml"), "train:\n  epochs: 4\nranks:\n  patience: 100\n");
    assert_int_equal(look(), JOB_RUNNING);
    end_holder(child);
}

static void a_number_that_another_process_has_now_is_no_sign_of_life(void **state)
{
    (void)state;
    begin("policy-000001\n");
    sign_here(getpid(), 300);
    beat(1);
    assert_int_equal(look(), JOB_STALE);
}

static void a_start_is_not_judged_by_the_beat_before_it(void **state)
{
    (void)state;
    begin("policy-000001\n");
    beat(500); /* what a killed run left; the next start deletes it after it has signed */
    sign("elsewhere", 5, 3);
    assert_int_equal(look(), JOB_RUNNING);
    const pid_t child = start_holder();
    assert_int_equal(look(), JOB_RUNNING);
    end_holder(child);
}

static void on_another_host_the_beat_decides(void **state)
{
    (void)state;
    begin("policy-000001\n");
    sign("elsewhere", 5, 30);
    assert_int_equal(look(), JOB_RUNNING); /* no beat yet */
    sign("elsewhere", 5, 300);
    assert_int_equal(look(), JOB_STALE);
    assert_string_equal(p.life.host, "elsewhere");
    CHECK_NEAR(p.life.seen, now - 300, 0, 1.5);
    beat(5);
    assert_int_equal(look(), JOB_RUNNING);
    beat(100);
    p = (Progress){0};
    assert_int_equal(look(), JOB_STALE);
}

static void a_beat_that_changes_lives_whatever_the_clocks_say(void **state)
{
    (void)state;
    begin("policy-000001\n");
    sign("elsewhere", 5, 3000);
    beat(600); /* our clock is ten minutes ahead */
    assert_int_equal(look(), JOB_STALE);
    now += 4;
    beat(600);
    assert_int_equal(look(), JOB_RUNNING);
    now += 70; /* and now it stands still */
    assert_int_equal(look(), JOB_STALE);
}

static void a_clock_that_is_behind_hides_a_death_for_as_long_as_the_watch_takes(void **state)
{
    (void)state;
    begin("policy-000001\n");
    sign("elsewhere", 5, 3000);
    beat(-600);
    assert_int_equal(look(), JOB_RUNNING);
    now += 70;
    assert_int_equal(look(), JOB_STALE);
}

static void what_a_clock_ahead_of_ours_wrote_is_no_sign_of_life(void **state)
{
    (void)state;
    char text[512];

    begin("policy-000001\n");
    sign("elsewhere", 5, -3600);
    assert_int_equal(look(), JOB_STALE);
    temp_write(in_run("lock"), "");
    set_age(in_run("log.txt"), 200);
    (void)snprintf(text, sizeof text, "# start %s host n1 job -\n", utc_ago(-3600));
    mark(text);
    assert_int_equal(look(), JOB_WAITING);
}

/* ---- at rest ---- */

static void what_is_not_there_waits(void **state)
{
    (void)state;
    assert_int_equal(look(), JOB_WAITING);
    assert_false(p.begun);
    assert_int_equal(p.unit, UNIT_NONE);
    assert_true(isnan(p.last_return));
    begin("policy-000003\n");
    assert_int_equal(look(), JOB_WAITING);
    assert_true(p.begun);
    assert_int_equal(p.at, 3);
    assert_int_equal(p.of, 4);
}

static void results_make_a_run_done_unless_more_epochs_are_wanted(void **state)
{
    (void)state;
    finish();
    assert_int_equal(look(), JOB_DONE);
    assert_int_equal(p.ranks, 3);
    job.epochs = 4;
    assert_int_equal(look(), JOB_DONE);
    job.epochs = 9;
    assert_int_equal(look(), JOB_WAITING);
    assert_int_equal(p.of, 9);
    job.epochs = 0;
    temp_write(in_run("manifest.json"), "{\"machine\": {\"ranks\": 3}}"); /* it goes on */
    assert_int_equal(look(), JOB_WAITING);
    sign("elsewhere", 5, 300);
    assert_int_equal(look(), JOB_STALE);
}

static void an_error_in_the_log_is_a_failure_and_a_stop_is_none(void **state)
{
    (void)state;
    begin("policy-000002\n");
    temp_write(in_run("log.txt"), "    0.00  run r\n    1.00  error: the disk is full\n");
    assert_int_equal(look(), JOB_FAILED);
    assert_string_equal(p.reason, "the disk is full");
    sign("elsewhere", 5, 300); /* ended by the watch, which signs nothing off, but says why */
    assert_int_equal(look(), JOB_FAILED);
    temp_write(in_run("log.txt"), "    0.00  run r\n    1.00  stopped: no sign of life of n7\n");
    assert_int_equal(look(), JOB_STALE); /* a new start goes on */
    assert_string_equal(p.reason, "no sign of life of n7");
    temp_write(in_run("lock"), "");
    temp_write(in_run("log.txt"), "    0.00  run r\n    1.00  stopped: as asked\n");
    assert_int_equal(look(), JOB_WAITING);
    assert_string_equal(p.reason, "as asked");
}

static void a_model_fit_is_told_by_its_passes(void **state)
{
    (void)state;
    begin("model-000007\n");
    temp_write(in_run("log.txt"), "    0.00  run r\n");
    assert_int_equal(look(), JOB_WAITING);
    assert_int_equal(p.unit, UNIT_PASS);
    assert_int_equal(p.at, 7);
    temp_write(in_run("log.txt"), "    0.00  run r\n    5.00  model pass   8  holdout\n");
    sign("elsewhere", 5, 300);
    beat(1);
    assert_int_equal(look(), JOB_RUNNING);
    assert_int_equal(p.at, 8);
    CHECK_NEAR(p.ends, 0, 0, 0); /* early stopping decides */
}

/* ---- under a launcher ---- */

static void the_launchers_last_word_counts(void **state)
{
    (void)state;
    char text[512];

    mark("# start 2026-11-28T12:00:00Z host n1 job -\nmopo train: no such key\n"
         "# end 2 failed 2026-11-28T12:00:01Z mopo train: no such key\n");
    assert_int_equal(look(), JOB_FAILED); /* without any directory */
    assert_string_equal(p.reason, "mopo train: no such key");
    assert_int_equal(p.code, 2);
    begin("policy-000002\n");
    sign_here(999999999, 300);
    mark("# start 2026-11-28T12:00:00Z host n1 job -\n"
         "# end 137 again 2026-11-28T12:00:01Z killed\n");
    assert_int_equal(look(), JOB_WAITING); /* it knows that its child is dead */
    assert_string_equal(p.reason, "killed");
    (void)snprintf(text, sizeof text,
                   "# end 137 again 2026-11-28T12:00:01Z\n# start %s host n1 job -\n",
                   utc_ago(900));
    mark(text);
    assert_int_equal(look(), JOB_STALE); /* killed with its launcher */
    finish();
    mark("# end 1 failed 2026-11-28T12:00:01Z it was refused\n");
    assert_int_equal(look(), JOB_DONE);
}

static void a_job_that_was_just_started_runs_before_its_first_line(void **state)
{
    (void)state;
    char text[512];

    (void)snprintf(text, sizeof text, "# start %s host n1 job -\n", utc_ago(10));
    mark(text);
    assert_int_equal(look(), JOB_RUNNING);
    begin("policy-000002\n");
    sign_here(999999999, 300);
    set_age(in_run("log.txt"), 200);
    set_age(launcher, 10);
    assert_int_equal(look(), JOB_RUNNING); /* again, after it was killed */
    set_age(in_run("log.txt"), 5);
    set_age(launcher, 5);
    assert_int_equal(look(), JOB_STALE); /* its first lines are there, and it is dead */
    set_age(in_run("log.txt"), 200);
    now += 60;
    assert_int_equal(look(), JOB_STALE);
}

static void who_starts_by_hand_overrules_the_launcher(void **state)
{
    (void)state;
    begin("policy-000002\n");
    mark("# end 1 failed 2026-11-28T12:00:01Z the disk is full\n");
    set_age(launcher, 100);
    set_age(in_run("log.txt"), 101);
    assert_int_equal(look(), JOB_FAILED);
    set_age(in_run("log.txt"), 50);
    assert_int_equal(look(), JOB_WAITING);
}

/* ---- models and datasets ---- */

static void a_model_is_done_when_it_is_there(void **state)
{
    (void)state;
    job.kind = JOB_MODEL;
    assert_int_equal(look(), JOB_WAITING);
    begin("model-000003\n");
    sign("elsewhere", 5, 300);
    assert_int_equal(look(), JOB_STALE);
    beat(1);
    assert_int_equal(look(), JOB_RUNNING);
    sign("", 0, 300);
    temp_write(in_run("lock"), "");
    temp_write(in_run("model.h5"), "x");
    assert_int_equal(look(), JOB_DONE);
}

static void a_dataset_is_done_when_it_is_there_and_moves_while_it_is_made(void **state)
{
    (void)state;
    char parts[sizeof run + 8];
    char lock[sizeof run + 8];
    char here[256] = "";

    (void)snprintf(lock, sizeof lock, "%s.lock", run);
    job.kind = JOB_DATA;
    mark("# output of a launcher\n");
    assert_int_equal(look(), JOB_WAITING);
    mark("# start 2026-11-28T12:00:00Z host n1 job -\n");
    assert_int_equal(look(), JOB_RUNNING);
    set_age(launcher, 200);
    assert_int_equal(look(), JOB_STALE);
    (void)snprintf(parts, sizeof parts, "%s.parts", run);
    CHECK_OK(file_make_dirs(parts));
    assert_int_equal(look(), JOB_RUNNING);
    mark("# end 1 failed 2026-11-28T12:00:00Z no such task\n");
    assert_int_equal(look(), JOB_FAILED);
    job.log = NULL; /* by hand */
    assert_int_equal(look(), JOB_RUNNING);
    set_age(parts, 200);
    assert_int_equal(look(), JOB_STALE);
    set_age(parts, 10);
    sign_at(lock, "elsewhere", 5, 300);
    assert_int_equal(look(), JOB_RUNNING);
    (void)gethostname(here, sizeof here - 1);
    sign_at(lock, here, 5, 300); /* who held it is gone */
    assert_int_equal(look(), JOB_STALE);
    temp_write(run, "HDF");
    assert_int_equal(look(), JOB_DONE);
}

static void a_collected_folder_is_done_with_its_replay_buffer(void **state)
{
    (void)state;
    CHECK_OK(file_make_dirs(in_run("replay.hdf5.parts")));
    temp_write(in_run("used.yaml"), "train:\n  epochs: 4\n");
    temp_write(in_run("log.txt"),
               "    0.00  step 1000 of 3000: return 1\n    2.00  step 2000 of 3000: r\n");
    temp_write(in_run("replay.hdf5"), "x");
    assert_int_equal(look(), JOB_WAITING);
    assert_int_equal(p.unit, UNIT_STEP);
    assert_int_equal(p.of, 3000);
    assert_int_equal(rmdir(in_run("replay.hdf5.parts")), 0);
    assert_int_equal(look(), JOB_DONE);
}

/* ---- files that are torn, gone, or no files ---- */

static void a_file_cut_anywhere_is_no_error(void **state)
{
    (void)state;
    static const char *const names[] = {"used.yaml",   "lock",          "log.txt", "metrics.jsonl",
                                        "ckpt/LATEST", "manifest.json", "beat/0"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        finish();
        sign("elsewhere", 5, 300);
        beat(1);
        struct stat info;
        assert_int_equal(stat(in_run(names[i]), &info), 0);
        for (off_t n = info.st_size; n >= 0; n--) {
            assert_int_equal(truncate(in_run(names[i]), n), 0);
            set_age(in_run("beat/0"), 1);
            const JobState s = look();
            /* an emptied lock is a run that has ended; all else runs on */
            const bool ended = strcmp(names[i], "lock") == 0 && n == 0;
            assert_int_equal(s == JOB_RUNNING, !ended);
        }
        assert_int_equal(unlink(in_run(names[i])), 0);
        (void)look();
        assert_int_equal(mkdir(in_run(names[i]), 0700), 0);
        (void)look();
        assert_int_equal(rmdir(in_run(names[i])), 0);
    }
}

static void what_is_no_directory_waits(void **state)
{
    (void)state;
    temp_write(run, "a file");
    assert_int_equal(look(), JOB_WAITING);
    assert_int_equal(unlink(run), 0);
    assert_int_equal(symlink(run, run), 0); /* a loop */
    assert_int_equal(look(), JOB_WAITING);
    assert_int_equal(unlink(run), 0);
}

static void bytes_that_a_terminal_obeys_do_not_pass(void **state)
{
    (void)state;
    begin("policy\033[2J\xff-2\n");
    temp_write(in_run("lock"), "host \033]0;x, pid 7, since never\n");
    temp_write(in_run("log.txt"), "    0.00  error: \033[31mred\xff\n");
    assert_int_equal(look(), JOB_FAILED);
    assert_null(strchr(p.saved, '\033'));
    assert_null(strchr(p.life.host, '\033'));
    assert_null(strchr(p.reason, '\033'));
    assert_null(strchr(p.reason, '\xff'));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        TEST(who_holds_the_lock_runs_and_who_is_killed_is_stale),
        TEST(who_holds_the_lock_and_gives_no_sign_is_stale),
        TEST(a_number_that_another_process_has_now_is_no_sign_of_life),
        TEST(a_start_is_not_judged_by_the_beat_before_it),
        TEST(on_another_host_the_beat_decides),
        TEST(a_beat_that_changes_lives_whatever_the_clocks_say),
        TEST(a_clock_that_is_behind_hides_a_death_for_as_long_as_the_watch_takes),
        TEST(what_a_clock_ahead_of_ours_wrote_is_no_sign_of_life),
        TEST(what_is_not_there_waits),
        TEST(results_make_a_run_done_unless_more_epochs_are_wanted),
        TEST(an_error_in_the_log_is_a_failure_and_a_stop_is_none),
        TEST(a_model_fit_is_told_by_its_passes),
        TEST(the_launchers_last_word_counts),
        TEST(a_job_that_was_just_started_runs_before_its_first_line),
        TEST(who_starts_by_hand_overrules_the_launcher),
        TEST(a_model_is_done_when_it_is_there),
        TEST(a_dataset_is_done_when_it_is_there_and_moves_while_it_is_made),
        TEST(a_collected_folder_is_done_with_its_replay_buffer),
        TEST(a_file_cut_anywhere_is_no_error),
        TEST(what_is_no_directory_waits),
        TEST(bytes_that_a_terminal_obeys_do_not_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
