/* sweep/attempt: when a job is started again, and what its log says. The program is a stand-in for mpirun. */
#include "support/check.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "support/temp_dir.h"
#include "sweep/attempt.h"
#include "sweep/launch.h"

static char dir[TEMP_PATH_MAX];
static JobList jobs;
static Attempt attempt;

static int setup(void **state)
{
    char launcher[2 * TEMP_PATH_MAX];
    static char word[] = "train";
    char *words[] = {word};

    (void)temp_dir_setup(state, dir);
    (void)mkdir(temp_path(dir, "logs"), 0700);
    (void)mkdir(temp_path(dir, "cell"), 0700);
    (void)mkdir(temp_path(dir, "cell/ckpt"), 0700);
    (void)snprintf(launcher, sizeof launcher, "sh %s/job", dir);
    (void)setenv("MOPO_MPIRUN", launcher, 1);
    attempt = (Attempt){.log = {.fd = -1}};
    CHECK_OK(jobs_init(&jobs, "g.yaml"));
    return jobs_add(&jobs, JOB_CELL, "a", temp_path(dir, "cell"), 1, words) == OK ? 0 : 1;
}

static int teardown(void **state)
{
    jobs_release(&jobs);
    return temp_dir_teardown(state, dir);
}

/* One start of a job that runs this script. */
static Verdict verdict_of(const char *script, bool stopped)
{
    int status = 0;

    temp_write(temp_path(dir, "job"), script);
    CHECK_OK(attempt_start(&attempt, &jobs, &jobs.jobs[0], dir, 2));
    assert_int_equal(waitpid(attempt.pid, &status, 0), attempt.pid);
    return attempt_end(&attempt, &jobs, &jobs.jobs[0], launch_code(status), stopped);
}

/* The line of the log with this number, from the end; 1 is the last. */
static const char *log_line(int back)
{
    static char line[1024];
    const char *text = temp_read(temp_path(dir, "logs/a.txt"));
    const char *end = text + strlen(text);

    for (const char *at = end; back >= 0; at--) {
        const bool begins = at == text || at[-1] == '\n';
        if (begins && back-- == 0) {
            (void)snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
            return line;
        }
        if (at == text) {
            break;
        }
    }
    return "";
}

static void what_ends_in_vain_three_times_has_failed(void **state)
{
    (void)state;
    static const char *const scripts[] = {"exit 137\n", "kill -9 $$\n", "exit 75\n", "exit 134\n"};

    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        attempt.in_vain = 0;
        assert_int_equal(verdict_of(scripts[i], false), ATTEMPT_AGAIN);
        assert_int_equal(verdict_of(scripts[i], false), ATTEMPT_AGAIN);
        assert_int_equal(verdict_of(scripts[i], false), ATTEMPT_FAILED);
    }
}

static void a_new_checkpoint_begins_the_count_anew(void **state)
{
    (void)state;
    char script[2 * TEMP_PATH_MAX];

    (void)snprintf(script, sizeof script, "echo policy-$$ >%s/cell/ckpt/LATEST\nexit 137\n", dir);
    assert_int_equal(verdict_of("exit 137\n", false), ATTEMPT_AGAIN);
    assert_int_equal(verdict_of("exit 137\n", false), ATTEMPT_AGAIN);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(verdict_of(script, false), ATTEMPT_AGAIN);
    }
    assert_int_equal(verdict_of("exit 137\n", false), ATTEMPT_AGAIN);
    assert_int_equal(verdict_of("exit 137\n", false), ATTEMPT_AGAIN);
    assert_int_equal(verdict_of("exit 137\n", false), ATTEMPT_FAILED);
}

static const char wrong[] = "echo 'mopo train: wrong' >&2; exit 1\n";

static void an_error_is_not_tried_again(void **state)
{
    (void)state;
    assert_int_equal(verdict_of("exit 0\n", false), ATTEMPT_DONE);
    assert_int_equal(verdict_of(wrong, false), ATTEMPT_FAILED);
    assert_int_equal(verdict_of("exit 2\n", false), ATTEMPT_FAILED);
    assert_int_equal(verdict_of("exit 76\n", false), ATTEMPT_FAILED);
}

/* An mpirun that hangs after the ranks have gone is ended with 1, or crashes. */
static void what_the_watch_ended_is_tried_again(void **state)
{
    (void)state;
    const char *script =
        "echo 'mopo: rank 2: no sign of life for 60 s (ranks.patience): rank 0 (host a, pid 7) at '"
        "'updates. The job ends here; the same command goes on from what was saved' >&2\nexit 1\n";

    assert_int_equal(verdict_of(script, false), ATTEMPT_AGAIN);
    assert_int_equal(verdict_of(wrong, false), ATTEMPT_FAILED);
}

/* Two processes that begin at once make the same folder in /tmp, and one of them ends with 1 before mopo begins. */
static void what_open_mpi_ended_alone_is_tried_again(void **state)
{
    (void)state;
    const char *script = "echo 'orte_init failed for some reason' >&2; exit 1\n";

    assert_int_equal(verdict_of(script, false), ATTEMPT_AGAIN);
    assert_int_equal(verdict_of(script, false), ATTEMPT_AGAIN);
    assert_int_equal(verdict_of(script, false), ATTEMPT_FAILED);
}

static void who_finds_another_process_comes_again(void **state)
{
    (void)state;
    const char *script =
        "echo 'mopo train: a: another process is running here (host a)' >&2; exit 2\n";

    assert_int_equal(verdict_of(script, false), ATTEMPT_AGAIN);
}

/* It stops itself early, however often it is started. */
static void whose_allocation_ends_has_not_failed(void **state)
{
    (void)state;
    const char *script = "echo 'mopo train: stopped after epoch 3 of 9 as asked (time limit of "
                         "SLURM)' >&2; exit 75\n";

    for (int i = 0; i < 4; i++) {
        assert_int_equal(verdict_of(script, false), ATTEMPT_AGAIN);
        assert_true(attempt.out_of_time);
    }
    assert_int_equal(verdict_of("exit 75\n", false), ATTEMPT_AGAIN);
    assert_false(attempt.out_of_time);
}

/* Whatever a launcher makes of it. */
static void who_was_stopped_goes_on_later(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(verdict_of("exit 75\n", true), ATTEMPT_AGAIN);
        assert_int_equal(verdict_of("exit 1\n", true), ATTEMPT_AGAIN);
        assert_int_equal(verdict_of("kill -USR2 $$\n", true), ATTEMPT_AGAIN);
    }
    assert_int_equal(verdict_of("exit 2\n", true), ATTEMPT_FAILED);
    assert_int_equal(verdict_of("exit 0\n", true), ATTEMPT_DONE);
}

static void the_log_tells_each_start(void **state)
{
    (void)state;
    assert_int_equal(
        verdict_of("echo here; echo 'mopo train: a.yaml:1: wrong' >&2; echo mpirun says\nexit 2\n",
                   false),
        ATTEMPT_FAILED);
    assert_string_equal(attempt.reason, "a.yaml:1: wrong");
    assert_memory_equal(log_line(1), "# end 2 failed 20", 17);
    assert_string_equal(log_line(1) + strlen("# end 2 failed 2026-11-28T12:00:00Z"),
                        " a.yaml:1: wrong");
    assert_string_equal(log_line(2), "mpirun says");
    assert_string_equal(log_line(4), "here");
    assert_memory_equal(log_line(5), "# start 20", 10);
    assert_non_null(strstr(log_line(5), " host "));
    assert_non_null(strstr(log_line(5), " job -"));
    /* what an earlier start said is not the reason of this one; a last line without an end gets one */
    assert_int_equal(verdict_of("printf 'no end'\nkill -9 $$\n", false), ATTEMPT_AGAIN);
    assert_string_equal(attempt.reason, "a process was ended by signal 9 (Killed)");
    assert_string_equal(log_line(2), "no end");
    assert_memory_equal(log_line(1), "# end 137 again 20", 18);
    assert_int_equal(verdict_of("exit 0\n", false), ATTEMPT_DONE);
    assert_memory_equal(log_line(1), "# end 0 done 20", 15);
    assert_int_equal(strlen(log_line(1)), strlen("# end 0 done 2026-11-28T12:00:00Z"));
}

static void what_cannot_be_started_has_failed(void **state)
{
    (void)state;
    (void)setenv("MOPO_MPIRUN", "no-such-mpirun", 1);
    assert_int_equal(attempt_start(&attempt, &jobs, &jobs.jobs[0], dir, 2), ERR_IO);
    assert_non_null(strstr(attempt.reason, "no-such-mpirun: cannot be started"));
    assert_memory_equal(log_line(1), "# end 1 failed 20", 17);
    assert_int_equal(attempt.pid, 0);
    assert_int_equal(attempt.log.fd, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_ends_in_vain_three_times_has_failed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_new_checkpoint_begins_the_count_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(an_error_is_not_tried_again, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_watch_ended_is_tried_again, setup, teardown),
        cmocka_unit_test_setup_teardown(what_open_mpi_ended_alone_is_tried_again, setup, teardown),
        cmocka_unit_test_setup_teardown(who_finds_another_process_comes_again, setup, teardown),
        cmocka_unit_test_setup_teardown(whose_allocation_ends_has_not_failed, setup, teardown),
        cmocka_unit_test_setup_teardown(who_was_stopped_goes_on_later, setup, teardown),
        cmocka_unit_test_setup_teardown(the_log_tells_each_start, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_started_has_failed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
