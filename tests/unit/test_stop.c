/* stop: each signal, the time limit and the file, in a process of their own. */
#include "support/check.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "run/stop.h"
#include "support/temp_dir.h"

static char dir[TEMP_PATH_MAX];

static int make_dir(void **state)
{
    return temp_dir_setup(state, dir);
}

static int remove_dir(void **state)
{
    return temp_dir_teardown(state, dir);
}

static void rest(long milliseconds)
{
    const struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    (void)nanosleep(&time, NULL);
}

static bool reason_is(const char *text)
{
    return strcmp(stop_reason(), text) == 0;
}

/* Run `body` in a child; it returns true if all is well. Signals stay caught after stop_listen. */
static void in_child(bool (*body)(int), int argument)
{
    int how = 0;
    const pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        _exit(body(argument) ? 0 : 1);
    }
    assert_true(waitpid(child, &how, 0) == child);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 0);
}

static bool signal_is_told(int number)
{
    const char *name = number == SIGTERM ? "SIGTERM" : number == SIGINT ? "SIGINT" : "SIGUSR2";
    stop_listen(0, NULL);
    const bool quiet = !stop_wanted();
    return quiet && raise(number) == 0 && stop_wanted() && reason_is(name) && stop_wanted();
}

static bool usr1_asks_once(int unused)
{
    (void)unused;
    stop_listen(0, NULL);
    const bool quiet = !stop_save_wanted();
    return quiet && raise(SIGUSR1) == 0 && raise(SIGUSR1) == 0 && stop_save_wanted() &&
           !stop_save_wanted() && !stop_wanted();
}

static void usr1_saves_and_does_not_stop(void **state)
{
    (void)state;
    in_child(usr1_asks_once, 0);
}

static bool requests_wait(int unused)
{
    (void)unused;
    stop_hold();
    const bool held = raise(SIGUSR1) == 0 && raise(SIGUSR2) == 0;
    stop_listen(0, NULL);
    return held && stop_save_wanted() && stop_wanted() && reason_is("SIGUSR2");
}

static void requests_wait_until_one_listens(void **state)
{
    (void)state;
    in_child(requests_wait, 0);
}

/* Whoever presses Ctrl-C twice does not want to wait. */
static void the_second_interrupt_ends_the_process(void **state)
{
    (void)state;
    int how = 0;
    const pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        stop_listen(0, NULL);
        (void)raise(SIGINT);
        (void)raise(SIGINT);
        _exit(0);
    }
    assert_true(waitpid(child, &how, 0) == child);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGINT);
}

static void signals_are_requests(void **state)
{
    (void)state;
    in_child(signal_is_told, SIGTERM);
    in_child(signal_is_told, SIGINT);
    in_child(signal_is_told, SIGUSR2);
}

static bool time_runs_out(int unused)
{
    (void)unused;
    stop_listen(0.05, NULL);
    const bool quiet = !stop_wanted();
    rest(80);
    return quiet && stop_wanted() && reason_is("time limit of --max-time");
}

/* Intervals of 450 ms and a limit of 1200: after the second there is no time for a third, unless another loop
 * begins, of which nothing is known yet. */
static bool no_interval_begins_that_would_end_too_late(int another)
{
    stop_listen(1.2, NULL);
    const bool first = !stop_wanted();
    rest(450);
    const bool second = !stop_wanted();
    rest(450);
    if (another != 0) {
        stop_begin();
        return first && second && !stop_wanted();
    }
    return first && second && stop_wanted() && reason_is("time limit of --max-time");
}

static bool slurm_counts_from(int left)
{
    char text[32];

    (void)snprintf(text, sizeof text, "%lld", (long long)time(NULL) + left);
    (void)setenv("SLURM_JOB_END_TIME", text, 1);
    stop_listen(0, NULL);
    const bool first = stop_wanted();
    rest(1100);
    return !first && stop_wanted() == (left == 10) &&
           (left != 10 || reason_is("time limit of SLURM"));
}

static bool no_time_of_slurm(int k)
{
    static const char *const texts[] = {"", "soon", "1000000000", "nan"};

    (void)setenv("SLURM_JOB_END_TIME", texts[k], 1);
    stop_listen(0, NULL);
    rest(20);
    return !stop_wanted();
}

static bool zero_is_no_limit(int unused)
{
    (void)unused;
    stop_listen(0, NULL);
    rest(20);
    return !stop_wanted();
}

static void the_time_limit_counts_from_the_start(void **state)
{
    (void)state;
    in_child(time_runs_out, 0);
    in_child(no_interval_begins_that_would_end_too_late, 0);
    in_child(no_interval_begins_that_would_end_too_late, 1);
    in_child(zero_is_no_limit, 0);
}

/* 15 seconds are kept for saving; a job that ends before them stops at once, one that has ended is another's. */
static void slurm_s_limit_is_known(void **state)
{
    (void)state;
    in_child(slurm_counts_from, 10);
    in_child(slurm_counts_from, 1000);
    for (int k = 0; k < 4; k++) {
        in_child(no_time_of_slurm, k);
    }
}

static bool file_stops_once(int unused)
{
    (void)unused;
    const char *path = temp_path(dir, "stop");

    stop_listen(0, dir);
    const bool quiet = !stop_wanted();
    temp_write(path, "");
    const bool told = stop_wanted() && reason_is("stop file");
    const bool taken = !file_exists(path);
    const bool stays = stop_wanted(); /* the request, though its file is gone */
    stop_listen(0, dir);              /* the next start */
    return quiet && told && taken && stays && !stop_wanted();
}

/* One that cannot be deleted stops all the same; that it stays is told, once. */
static bool file_stays(int unused)
{
    (void)unused;
    const char *path = temp_path(dir, "stop");

    if (freopen(temp_path(dir, "err"), "w", stderr) == NULL) {
        return false;
    }
    temp_write(path, "");
    stop_listen(0, dir);
    file_fail_at(1, EROFS);
    const bool first = stop_wanted();
    const bool stops = first && stop_wanted() && reason_is("stop file");
    (void)fflush(stderr);
    const char *text = temp_read(temp_path(dir, "err"));
    const char *told = strstr(text, "stop: cannot delete the file: Read-only file system");
    const bool once = told != NULL && strstr(told, "warning") == NULL;
    return stops && once && file_exists(path) && unlink(path) == 0;
}

static bool file_is_not_looked_for(int unused)
{
    (void)unused;
    temp_write(temp_path(dir, "stop"), "");
    stop_listen(0, NULL); /* ranks but 0 */
    return !stop_wanted() && file_exists(temp_path(dir, "stop"));
}

static void the_file_is_taken_away_once_seen(void **state)
{
    (void)state;
    in_child(file_stops_once, 0);
    in_child(file_stays, 0);
    in_child(file_is_not_looked_for, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals_are_requests),
        cmocka_unit_test(usr1_saves_and_does_not_stop),
        cmocka_unit_test(requests_wait_until_one_listens),
        cmocka_unit_test(the_second_interrupt_ends_the_process),
        cmocka_unit_test(the_time_limit_counts_from_the_start),
        cmocka_unit_test(slurm_s_limit_is_known),
        cmocka_unit_test_setup_teardown(the_file_is_taken_away_once_seen, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
