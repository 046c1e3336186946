/* NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming): for sigaltstack */
#define _XOPEN_SOURCE 700
#include "data/h5_guard.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/status.h"
#include "base/text.h"
#include "base/timer.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#    define GUARDED false
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer)
#        define GUARDED false
#    endif
#endif
#ifndef GUARDED
#    define GUARDED true
#endif

enum { SECONDS = 5, BYTES_PER_SECOND = 1000000, STACK = 1 << 16 };
static const int64_t memory_least = INT64_C(512) << 20;
static const int64_t memory_per_byte = 128;

static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM};
enum { SIGNALS = sizeof signals / sizeof *signals };

static int depth;
static char message[512];
static size_t length;
static struct sigaction handlers[SIGNALS]; /* as they were before */
static stack_t stack_before;
static struct rlimit limit_before;
static bool limited;
static char stack[STACK]; /* the process's own may be what overflowed */

static void give_up(int number)
{
    (void)number;
    const ssize_t written = write(STDERR_FILENO, message, length);
    (void)written;
    _exit(76);
}

/* Bytes of address space in use; 0: not known. */
static int64_t address_space(void)
{
    long long pages = 0;
    char line[64] = "";
    FILE *file = fopen("/proc/self/statm", "re");

    if (file != NULL) {
        pages = fgets(line, sizeof line, file) != NULL ? strtoll(line, NULL, 10) : 0;
        (void)fclose(file);
    }
    return pages * sysconf(_SC_PAGESIZE);
}

static void limit_memory(int64_t bytes)
{
    const int64_t used = address_space();
    int64_t most = 0;

    limited = used > 0 && !__builtin_mul_overflow(bytes, memory_per_byte, &most) &&
              !__builtin_add_overflow(most, used + memory_least, &most) &&
              getrlimit(RLIMIT_AS, &limit_before) == 0 && (rlim_t)most < limit_before.rlim_cur;
    if (limited) {
        const struct rlimit now = {.rlim_cur = (rlim_t)most, .rlim_max = limit_before.rlim_max};
        limited = setrlimit(RLIMIT_AS, &now) == 0;
    }
}

static double cpu_end; /* of timer_cpu */

/* Not ITIMER_PROF: while a timer of processor time runs, Linux tells the process's own in ticks, and others
 * measure with it. So look at it once a second. */
static void on_alarm(int number)
{
    if (timer_cpu() > cpu_end) {
        give_up(number);
    }
}

static void set_timer(time_t period)
{
    const struct itimerval timer = {.it_interval = {.tv_sec = period},
                                    .it_value = {.tv_sec = period}};
    (void)setitimer(ITIMER_REAL, &timer, NULL);
}

void h5_guard_begin(const char *name, int64_t bytes)
{
    const stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = give_up, .sa_flags = SA_ONSTACK | SA_RESTART};

    if (!GUARDED || depth++ > 0) {
        return;
    }
    Text text = text_over(message, sizeof message);
    text_add(&text,
             "mopo: %.300s: HDF5 itself failed on this file, or found no end: it is damaged or "
             "hostile; take another copy",
             name);
    text_make_plain(message);
    text_add(&text, "\n");
    length = text.used;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaltstack(&own, &stack_before);
    for (int i = 0; i < SIGNALS; i++) {
        action.sa_handler = signals[i] == SIGALRM ? on_alarm : give_up;
        (void)sigaction(signals[i], &action, &handlers[i]);
    }
    limit_memory(bytes);
    cpu_end = timer_cpu() + SECONDS + (double)bytes / BYTES_PER_SECOND;
    set_timer(1);
}

void h5_guard_end(void)
{
    if (!GUARDED || --depth > 0) {
        return;
    }
    set_timer(0);
    if (limited) {
        (void)setrlimit(RLIMIT_AS, &limit_before);
    }
    for (int i = 0; i < SIGNALS; i++) {
        (void)sigaction(signals[i], &handlers[i], NULL);
    }
    (void)sigaltstack(&stack_before, NULL);
}

bool h5_guard_works(void)
{
    return GUARDED;
}
