/* The guard: what HDF5 might do ends the process with 76 and a message, and nothing of it stays behind. */
#include "support/check.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/timer.h"
#include "data/h5_guard.h"

static void need_guard(void)
{
    if (!h5_guard_works()) {
        skip();
    }
}

static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

/* The exit code of a child that runs `what`, or 128 and the signal that ended it; what it wrote to stderr. */
static int child(void (*what)(void), char said[512])
{
    int ends[2];
    int status = 0;

    assert_int_equal(pipe(ends), 0);
    (void)fflush(stdout);
    const pid_t pid = fork();
    if (pid == 0) {
        const struct rlimit none = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)dup2(ends[1], STDERR_FILENO);
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
            (void)signal(numbers[i], SIG_DFL); /* cmocka has handlers of its own */
        }
        what();
        _exit(0);
    }
    (void)close(ends[1]);
    const ssize_t n = read(ends[0], said, 511);
    said[n > 0 ? n : 0] = '\0';
    (void)close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int number;

static void fail_inside(void)
{
    h5_guard_begin("a\x1b.hdf5", 1000);
    (void)raise(number);
    h5_guard_end();
}

static void fail_behind(void)
{
    h5_guard_begin("outer", 1000);
    h5_guard_begin("inner", 1000);
    h5_guard_end();
    h5_guard_end();
    (void)raise(number);
}

static void fail_between(void)
{
    h5_guard_begin("outer", 1000);
    h5_guard_begin("inner", 1000);
    h5_guard_end();
    (void)raise(number);
}

static void crashes_and_loops_end_with_76(void **state)
{
    (void)state;
    char said[512];

    need_guard();
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        number = numbers[i];
        assert_int_equal(child(fail_inside, said), 76);
        assert_string_equal(
            said, "mopo: a?.hdf5: HDF5 itself failed on this file, or found no end: it is damaged "
                  "or hostile; take another copy\n");
        assert_int_equal(child(fail_between, said), 76);
        assert_int_equal(child(fail_behind, said), 128 + numbers[i]);
        assert_string_equal(said, "");
    }
}

static int overflow(int depth)
{
    volatile char room[4096];
    room[0] = (char)depth;
    return depth < 0 ? 0 : overflow(depth + 1) + room[0]; /* never comes so deep */
}

static void overflow_inside(void)
{
    const struct rlimit small = {1 << 20, 1 << 20};
    (void)setrlimit(RLIMIT_STACK, &small);
    h5_guard_begin("deep.hdf5", 1000);
    number = overflow(0);
}

static void a_stack_that_overflows_too(void **state)
{
    (void)state;
    char said[512];

    need_guard();
    assert_int_equal(child(overflow_inside, said), 76);
    assert_non_null(strstr(said, "deep.hdf5"));
}

static void loop_inside(void)
{
    h5_guard_begin("endless.hdf5", 1000);
    for (volatile int i = 0; i >= 0;) {
    }
}

static void a_loop_without_an_end_takes_5_seconds(void **state)
{
    (void)state;
    char said[512];
    struct rusage used;

    need_guard();
    assert_int_equal(child(loop_inside, said), 76);
    assert_int_equal(getrusage(RUSAGE_CHILDREN, &used), 0);
    assert_true(used.ru_utime.tv_sec + used.ru_stime.tv_sec < 8);
}

/* Rates in the bench and in timing.jsonl are of this clock. */
static void the_clock_of_processor_time_stays_exact(void **state)
{
    (void)state;
    double least = 1;

    need_guard();
    h5_guard_begin("any", 1000);
    for (int i = 0; i < 1000; i++) {
        const double start = timer_cpu();
        double now = start;
        while (now == start) {
            now = timer_cpu();
        }
        least = now - start < least ? now - start : least;
    }
    h5_guard_end();
    assert_true(least < 1e-4); /* a tick is 1 ms or more */
}

static void memory_is_bounded_only_inside(void **state)
{
    (void)state;
    const size_t bytes = (size_t)700 << 20;

    need_guard();
    h5_guard_begin("large", 1000);
    void *volatile block = malloc(bytes); /* or Clang leaves it out */
    assert_null(block);
    h5_guard_end();
    h5_guard_begin("larger", 10000000); /* 10 MB may hold so much */
    block = malloc(bytes);
    h5_guard_end();
    assert_non_null(block);
    free(block);
    block = malloc(bytes);
    assert_non_null(block);
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crashes_and_loops_end_with_76),
        cmocka_unit_test(a_stack_that_overflows_too),
        cmocka_unit_test(a_loop_without_an_end_takes_5_seconds),
        cmocka_unit_test(the_clock_of_processor_time_stays_exact),
        cmocka_unit_test(memory_is_bounded_only_inside),
    };
    return cmocka_run_group_tests_name("h5 guard", tests, NULL, NULL);
}
