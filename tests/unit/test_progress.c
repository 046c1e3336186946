/* progress: the state of a job from what lies on the disk, whole, torn, vanished or contradictory. */
#include "support/check.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "support/temp_dir.h"
#include "support/watched_run.h"

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
        const int fd = open(run_file("lock"), O_RDWR);
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
    run_sign(host, pid, seconds);
}

static void who_holds_the_lock_runs_and_who_is_killed_is_stale(void **state)
{
    (void)state;
    run_begin("policy-000001\n");
    const pid_t child = start_holder();
    sign_here(child, 300);
    run_beat(1);
    assert_int_equal(run_look(), JOB_RUNNING);
    assert_int_equal(watched.p.life.pid, child);
    assert_int_equal(watched.p.ranks, 16);
    assert_string_equal(watched.p.life.phase, "updates");
    assert_int_equal(watched.p.unit, UNIT_EPOCH);
    assert_int_equal(watched.p.at, 2);
    assert_int_equal(watched.p.of, 4);
    CHECK_NEAR(watched.p.rate, 2, 1e-12, 0);
    CHECK_NEAR(watched.p.ends, watched.now + 4, 0, 1.5);
    CHECK_NEAR(watched.p.last_return, 6, 1e-12, 0);
    CHECK_NEAR(watched.p.score, 2, 1e-12, 0);
    end_holder(child);
    assert_int_equal(run_look(), JOB_STALE); /* its beat is fresh, but it is certainly gone */
    assert_int_equal(watched.p.life.pid, child);
    assert_int_equal(watched.p.at, 1); /* what is saved */
    CHECK_NEAR(watched.p.ends, 0, 0, 0);
    temp_write(run_file("lock"), ""); /* the next start has ended in order */
    assert_int_equal(run_look(), JOB_WAITING);
    assert_string_equal(watched.p.saved, "policy-000001");
}

static void who_holds_the_lock_and_gives_no_sign_is_stale(void **state)
{
    (void)state;
    run_begin("policy-000001\n");
    const pid_t child = start_holder();
    sign_here(child, 300);
    run_beat(59);
    assert_int_equal(run_look(), JOB_RUNNING); /* 40 s of patience, and a half more */
    run_beat(61);
    watched.p = (Progress){0};
    assert_int_equal(run_look(), JOB_STALE);
    CHECK_NEAR(watched.p.life.seen, watched.now - 61, 0, 1.5);
    temp_write(run_file("used.yaml"), "train:\n  epochs: 4\nranks:\n  patience: 0\n");
    assert_int_equal(run_look(), JOB_RUNNING); /* no watch, so beat says nothing */
    temp_write(run_file("used.yaml"), "train:\n  epochs: 4\nranks:\n  patience: 100\n");
    assert_int_equal(run_look(), JOB_RUNNING);
    end_holder(child);
}

static void a_number_that_another_process_has_now_is_no_sign_of_life(void **state)
{
    (void)state;
    run_begin("policy-000001\n");
    sign_here(getpid(), 300);
    run_beat(1);
    assert_int_equal(run_look(), JOB_STALE);
}

static void a_start_is_not_judged_by_the_beat_before_it(void **state)
{
    (void)state;
    run_begin("policy-000001\n");
    run_beat(500); /* what a killed run left; the next start deletes it after it has signed */
    run_sign("elsewhere", 5, 3);
    assert_int_equal(run_look(), JOB_RUNNING);
    const pid_t child = start_holder();
    assert_int_equal(run_look(), JOB_RUNNING);
    end_holder(child);
}

static void on_another_host_the_beat_decides(void **state)
{
    (void)state;
    run_begin("policy-000001\n");
    run_sign("elsewhere", 5, 30);
    assert_int_equal(run_look(), JOB_RUNNING); /* no beat yet */
    run_sign("elsewhere", 5, 300);
    assert_int_equal(run_look(), JOB_STALE);
    assert_string_equal(watched.p.life.host, "elsewhere");
    CHECK_NEAR(watched.p.life.seen, watched.now - 300, 0, 1.5);
    run_beat(5);
    assert_int_equal(run_look(), JOB_RUNNING);
    run_beat(100);
    watched.p = (Progress){0};
    assert_int_equal(run_look(), JOB_STALE);
}

static void a_beat_that_changes_lives_whatever_the_clocks_say(void **state)
{
    (void)state;
    run_begin("policy-000001\n");
    run_sign("elsewhere", 5, 3000);
    run_beat(600); /* our clock is ten minutes ahead */
    assert_int_equal(run_look(), JOB_STALE);
    watched.now += 4;
    run_beat(600);
    assert_int_equal(run_look(), JOB_RUNNING);
    watched.now += 70; /* and now it stands still */
    assert_int_equal(run_look(), JOB_STALE);
}

static void a_clock_that_is_behind_hides_a_death_for_as_long_as_the_watch_takes(void **state)
{
    (void)state;
    run_begin("policy-000001\n");
    run_sign("elsewhere", 5, 3000);
    run_beat(-600);
    assert_int_equal(run_look(), JOB_RUNNING);
    watched.now += 70;
    assert_int_equal(run_look(), JOB_STALE);
}

static void what_a_clock_ahead_of_ours_wrote_is_no_sign_of_life(void **state)
{
    (void)state;
    char text[512];

    run_begin("policy-000001\n");
    run_sign("elsewhere", 5, -3600);
    assert_int_equal(run_look(), JOB_STALE);
    temp_write(run_file("lock"), "");
    run_age(run_file("log.txt"), 200);
    (void)snprintf(text, sizeof text, "# start %s host n1 job -\n", run_ago(-3600));
    run_mark(text);
    assert_int_equal(run_look(), JOB_WAITING);
}

/* ---- at rest ---- */

static void what_is_not_there_waits(void **state)
{
    (void)state;
    assert_int_equal(run_look(), JOB_WAITING);
    assert_false(watched.p.begun);
    assert_int_equal(watched.p.unit, UNIT_NONE);
    assert_true(isnan(watched.p.last_return));
    run_begin("policy-000003\n");
    assert_int_equal(run_look(), JOB_WAITING);
    assert_true(watched.p.begun);
    assert_int_equal(watched.p.at, 3);
    assert_int_equal(watched.p.of, 4);
}

static void results_make_a_run_done_unless_more_epochs_are_wanted(void **state)
{
    (void)state;
    run_finish();
    assert_int_equal(run_look(), JOB_DONE);
    assert_int_equal(watched.p.ranks, 3);
    watched.job.epochs = 4;
    assert_int_equal(run_look(), JOB_DONE);
    watched.job.epochs = 9;
    assert_int_equal(run_look(), JOB_WAITING);
    assert_int_equal(watched.p.of, 9);
    watched.job.epochs = 0;
    temp_write(run_file("manifest.json"), "{\"machine\": {\"ranks\": 3}}"); /* it goes on */
    assert_int_equal(run_look(), JOB_WAITING);
    run_sign("elsewhere", 5, 300);
    assert_int_equal(run_look(), JOB_STALE);
}

static void an_error_in_the_log_is_a_failure_and_a_stop_is_none(void **state)
{
    (void)state;
    run_begin("policy-000002\n");
    temp_write(run_file("log.txt"), "    0.00  run r\n    1.00  error: the disk is full\n");
    assert_int_equal(run_look(), JOB_FAILED);
    assert_string_equal(watched.p.reason, "the disk is full");
    run_sign("elsewhere", 5, 300); /* ended by the watch, which signs nothing off, but says why */
    assert_int_equal(run_look(), JOB_FAILED);
    temp_write(run_file("log.txt"), "    0.00  run r\n    1.00  stopped: no sign of life of n7\n");
    assert_int_equal(run_look(), JOB_STALE); /* a new start goes on */
    assert_string_equal(watched.p.reason, "no sign of life of n7");
    temp_write(run_file("lock"), "");
    temp_write(run_file("log.txt"), "    0.00  run r\n    1.00  stopped: as asked\n");
    assert_int_equal(run_look(), JOB_WAITING);
    assert_string_equal(watched.p.reason, "as asked");
}

/* ---- under a launcher ---- */

static void the_launchers_last_word_counts(void **state)
{
    (void)state;
    char text[512];

    run_mark("# start 2026-11-28T12:00:00Z host n1 job -\nmopo train: no such key\n"
             "# end 2 failed 2026-11-28T12:00:01Z mopo train: no such key\n");
    assert_int_equal(run_look(), JOB_FAILED); /* without any directory */
    assert_string_equal(watched.p.reason, "mopo train: no such key");
    assert_int_equal(watched.p.code, 2);
    run_begin("policy-000002\n");
    sign_here(999999999, 300);
    run_mark("# start 2026-11-28T12:00:00Z host n1 job -\n"
             "# end 137 again 2026-11-28T12:00:01Z killed\n");
    assert_int_equal(run_look(), JOB_WAITING); /* it knows that its child is dead */
    assert_string_equal(watched.p.reason, "killed");
    (void)snprintf(text, sizeof text,
                   "# end 137 again 2026-11-28T12:00:01Z\n# start %s host n1 job -\n",
                   run_ago(900));
    run_mark(text);
    assert_int_equal(run_look(), JOB_STALE); /* killed with its launcher */
    run_finish();
    run_mark("# end 1 failed 2026-11-28T12:00:01Z it was refused\n");
    assert_int_equal(run_look(), JOB_DONE);
}

static void a_job_that_was_just_started_runs_before_its_first_line(void **state)
{
    (void)state;
    char text[512];

    (void)snprintf(text, sizeof text, "# start %s host n1 job -\n", run_ago(10));
    run_mark(text);
    assert_int_equal(run_look(), JOB_RUNNING);
    run_begin("policy-000002\n");
    sign_here(999999999, 300);
    run_age(run_file("log.txt"), 200);
    run_age(watched.launcher, 10);
    assert_int_equal(run_look(), JOB_RUNNING); /* again, after it was killed */
    run_age(run_file("log.txt"), 5);
    run_age(watched.launcher, 5);
    assert_int_equal(run_look(), JOB_STALE); /* its first lines are there, and it is dead */
    run_age(run_file("log.txt"), 200);
    watched.now += 60;
    assert_int_equal(run_look(), JOB_STALE);
}

static void who_starts_by_hand_overrules_the_launcher(void **state)
{
    (void)state;
    run_begin("policy-000002\n");
    run_mark("# end 1 failed 2026-11-28T12:00:01Z the disk is full\n");
    run_age(watched.launcher, 100);
    run_age(run_file("log.txt"), 101);
    assert_int_equal(run_look(), JOB_FAILED);
    run_age(run_file("log.txt"), 50);
    assert_int_equal(run_look(), JOB_WAITING);
}

/* ---- files that are torn, gone, or no files ---- */

static void a_file_cut_anywhere_is_no_error(void **state)
{
    (void)state;
    static const char *const names[] = {"used.yaml",   "lock",          "log.txt", "metrics.jsonl",
                                        "ckpt/LATEST", "manifest.json", "beat/0"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        run_finish();
        run_sign("elsewhere", 5, 300);
        run_beat(1);
        struct stat info;
        assert_int_equal(stat(run_file(names[i]), &info), 0);
        for (off_t n = info.st_size; n >= 0; n--) {
            assert_int_equal(truncate(run_file(names[i]), n), 0);
            run_age(run_file("beat/0"), 1);
            const JobState s = run_look();
            /* an emptied lock is a run that has ended; all else runs on */
            const bool ended = strcmp(names[i], "lock") == 0 && n == 0;
            assert_int_equal(s == JOB_RUNNING, !ended);
        }
        assert_int_equal(unlink(run_file(names[i])), 0);
        (void)run_look();
        assert_int_equal(mkdir(run_file(names[i]), 0700), 0);
        (void)run_look();
        assert_int_equal(rmdir(run_file(names[i])), 0);
    }
}

static void what_is_no_directory_waits(void **state)
{
    (void)state;
    temp_write(watched.run, "a file");
    assert_int_equal(run_look(), JOB_WAITING);
    assert_int_equal(unlink(watched.run), 0);
    assert_int_equal(symlink(watched.run, watched.run), 0); /* a loop */
    assert_int_equal(run_look(), JOB_WAITING);
    assert_int_equal(unlink(watched.run), 0);
}

static void bytes_that_a_terminal_obeys_do_not_pass(void **state)
{
    (void)state;
    run_begin("policy\033[2J\xff-2\n");
    temp_write(run_file("lock"), "host \033]0;x, pid 7, since never\n");
    temp_write(run_file("log.txt"), "    0.00  error: \033[31mred\xff\n");
    assert_int_equal(run_look(), JOB_FAILED);
    assert_null(strchr(watched.p.saved, '\033'));
    assert_null(strchr(watched.p.life.host, '\033'));
    assert_null(strchr(watched.p.reason, '\033'));
    assert_null(strchr(watched.p.reason, '\xff'));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, run_setup, run_teardown)
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
        TEST(the_launchers_last_word_counts),
        TEST(a_job_that_was_just_started_runs_before_its_first_line),
        TEST(who_starts_by_hand_overrules_the_launcher),
        TEST(a_file_cut_anywhere_is_no_error),
        TEST(what_is_no_directory_waits),
        TEST(bytes_that_a_terminal_obeys_do_not_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
