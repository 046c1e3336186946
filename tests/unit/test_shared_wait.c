/* shared_wait: what a process finds that needs a shared ensemble: it is there, free, or another has it; and whether
 * that one is alive where the file system has no locks. */
#include "support/check.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "run/shared_wait.h"
#include "run/stop.h"
#include "support/temp_dir.h"

static char dir[TEMP_PATH_MAX];
static char path[2 * TEMP_PATH_MAX];
static Config settings;

static int make_dir(void **state)
{
    const int code = temp_dir_setup(state, dir);
    (void)snprintf(path, sizeof path, "%s/models/0123456789abcdef", dir);
    config_default(&settings);
    return code;
}

static int remove_dir(void **state)
{
    return temp_dir_teardown(state, dir);
}

static SharedWait a_wait(void)
{
    return (SharedWait){.path = path, .settings = &settings, .patience = 20, .dir.lock.fd = -1};
}

static SharedTurn look(SharedWait *wait)
{
    SharedTurn turn = SHARED_STOP;
    CHECK_OK(shared_look(wait, &turn));
    return turn;
}

/* Another process that has the directory. */
static pid_t owner(void)
{
    int ends[2];
    char byte = 0;

    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        SharedWait wait = a_wait();
        SharedTurn turn = SHARED_STOP;
        if (shared_look(&wait, &turn) == OK && turn == SHARED_OURS && write(ends[1], "x", 1) == 1) {
            (void)pause();
        }
        _exit(1);
    }
    (void)close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    (void)close(ends[0]);
    return child;
}

static void end(pid_t child)
{
    int how = 0;
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_true(waitpid(child, &how, 0) == child);
}

static void a_free_directory_is_ours(void **state)
{
    (void)state;
    SharedWait wait = a_wait();
    const int64_t blocks = mem_count();

    assert_int_equal(look(&wait), SHARED_OURS);
    assert_true(file_exists(temp_path(path, "used.yaml")));
    assert_true(wait.dir.lock.signed_in);
    rundir_close(&wait.dir);
    assert_int_equal(mem_count(), blocks);
}

static void a_model_needs_no_lock(void **state)
{
    (void)state;
    SharedWait wait = a_wait();

    CHECK_OK(file_make_dirs(path));
    temp_write(temp_path(path, "model.h5"), "a model");
    assert_int_equal(look(&wait), SHARED_THERE);
    assert_false(file_exists(temp_path(path, "lock")));
}

static void the_dead_are_followed_and_the_living_waited_for(void **state)
{
    (void)state;
    SharedWait wait = a_wait();
    char pid[32];

    const pid_t child = owner();
    assert_int_equal(look(&wait), SHARED_BUSY);
    assert_int_equal(wait.dir.lock.fd, -1);
    (void)snprintf(pid, sizeof pid, "pid %ld,", (long)child);
    assert_non_null(strstr(wait.holder, pid));
    wait.pulse_at -= 1e6; /* with locks its silence is nothing against it */
    assert_int_equal(look(&wait), SHARED_BUSY);
    end(child);
    assert_int_equal(look(&wait), SHARED_OURS);
    assert_non_null(strstr(wait.dir.lock.held, pid));
    assert_non_null(strstr(temp_read(temp_path(path, "log.txt")), "was killed; its lock is void"));
    rundir_close(&wait.dir);
}

static void who_waits_can_be_stopped(void **state)
{
    (void)state;
    SharedWait wait = a_wait();

    const pid_t child = owner();
    stop_listen(0, dir);
    assert_int_equal(look(&wait), SHARED_BUSY);
    temp_write(temp_path(dir, "stop"), "");
    assert_int_equal(look(&wait), SHARED_STOP);
    stop_listen(0, NULL);
    end(child);
}

/* What is found where locks are refused: the first file operation whose refusal is no error, but for those that read
 * the sign of life. */
static const char foreign[] = "host elsewhere, pid 1, since 2024-05-01T12:00:00Z\n";

static SharedTurn look_without_locks(SharedWait *wait)
{
    SharedTurn turn = SHARED_STOP;
    const SharedWait before = *wait;

    for (int k = 1; k < 20; k++) {
        *wait = before;
        file_fail_at(k, ENOLCK);
        const Status st = shared_look(wait, &turn);
        file_fail_at(0, 0);
        if (st == OK && wait->pulse[0] != '\0') {
            return turn;
        }
        rundir_close(&wait->dir);
        temp_write(temp_path(path, "lock"), foreign);
    }
    fail();
    return turn;
}

static void without_locks_a_sign_of_life_is_waited_for(void **state)
{
    (void)state;
    SharedWait wait = a_wait();

    assert_int_equal(look(&wait),
                     SHARED_OURS); /* a run of its own, so that there is no other doubt */
    rundir_close(&wait.dir);
    CHECK_OK(file_make_dirs(temp_path(path, "beat")));
    temp_write(temp_path(path, "lock"), foreign);
    temp_write(temp_path(path, "beat/0"), "one");
    wait = a_wait();
    assert_int_equal(look_without_locks(&wait), SHARED_BUSY);
    wait.pulse_at -= 39; /* twice the patience is 40 */
    assert_int_equal(look_without_locks(&wait), SHARED_BUSY);
    temp_write(temp_path(path, "beat/0"), "two");
    assert_int_equal(look_without_locks(&wait), SHARED_BUSY);
    wait.pulse_at -= 39; /* it has begun again */
    assert_int_equal(look_without_locks(&wait), SHARED_BUSY);
    wait.patience = 0; /* never */
    wait.pulse_at -= 1e6;
    assert_int_equal(look_without_locks(&wait), SHARED_BUSY);
    wait.patience = 20;
    assert_int_equal(look_without_locks(&wait), SHARED_OURS);
    rundir_close(&wait.dir);
}

static void looking_may_fail_anywhere(void **state)
{
    (void)state;
    SharedWait wait = a_wait();
    SharedTurn turn;
    Status st = OK;
    int k = 0;

    do {
        file_fail_at(++k, EIO);
        st = shared_look(&wait, &turn);
        file_fail_at(0, 0);
        assert_true(st == OK || st == ERR_IO);
        assert_true(st == OK || strstr(status_reason(), "model.share: ") == status_reason());
        assert_true(st == OK || wait.dir.lock.fd == -1);
    } while (st != OK);
    rundir_close(&wait.dir);
    assert_in_range(k, 10, 80);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_free_directory_is_ours, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_model_needs_no_lock, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(the_dead_are_followed_and_the_living_waited_for, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(who_waits_can_be_stopped, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(without_locks_a_sign_of_life_is_waited_for, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(looking_may_fail_anywhere, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
