#include "run/stop.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/file.h"
#include "base/log.h"
#include "base/timer.h"
#include "comm/comm.h"

static volatile sig_atomic_t caught, save_asked;
static volatile sig_atomic_t
    tells; /* a process without mpirun, which will kill ranks that TERM reaches */
static struct {
    double at; /* when the time is up; 0: never */
    const char *whose;
} limit;
static bool speaks;     /* this rank does, for the run */
static double asked_at; /* when stop_wanted was last called, 0: never */
static double longest;  /* between calls, of late */
static char stop_file[4096];
static bool found; /* the stop file has been there */
static const char *reason = "no reason";

static void on_save(int number)
{
    (void)number;
    save_asked = 1;
}

static void on_stop(int number)
{
    static const char text[] =
        "mopo: asked to stop: saving after the running epoch; if this ends before, "
        "the run goes on from its last checkpoint\n";
    const int before = errno;

    if (caught == 0 && tells != 0 && write(STDERR_FILENO, text, sizeof text - 1) < 0) {
        tells = 0; /* nobody to tell */
    }
    caught = number;
    errno = before;
}

static void handle(int number, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART | flags};

    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(number, &action, NULL);
}

/* how: SIG_BLOCK or SIG_UNBLOCK. */
static void mask_requests(int how)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGUSR1);
    (void)sigaddset(&set, SIGUSR2);
    (void)pthread_sigmask(how, &set, NULL);
}

void stop_hold(void)
{
    mask_requests(SIG_BLOCK);
}

static void set_limit(double seconds, const char *whose)
{
    const double at = timer_now() + seconds;

    if (seconds > 0 && (limit.at == 0 || at < limit.at)) {
        limit.at = at;
        limit.whose = whose;
    }
}

/* Seconds until SLURM ends the job, less what it takes to save and leave; 0 where it is not known. */
static double slurm_seconds(void)
{
    static const double reserve = 15;
    const char *text = getenv("SLURM_JOB_END_TIME");
    char *end = NULL;
    const double at = text != NULL ? strtod(text, &end) : 0;
    const double left = at - (double)time(NULL);

    return text != NULL && *text != '\0' && *end == '\0' && left > 0 ? fmax(1, left - reserve) : 0;
}

void stop_listen(double seconds, const char *run_dir)
{
    const double slurm = slurm_seconds();

    speaks = run_dir != NULL;
    tells = speaks && comm_size() == 1 ? 1 : 0;
    handle(SIGUSR1, on_save, 0);
    handle(SIGUSR2, on_stop, 0);
    handle(SIGTERM, on_stop, 0);
    handle(SIGINT, on_stop, (int)SA_RESETHAND);
    mask_requests(SIG_UNBLOCK);
    limit.at = 0;
    stop_begin();
    set_limit(seconds, "time limit of --max-time");
    set_limit(slurm, "time limit of SLURM");
    found = false;
    stop_file[0] = '\0';
    if (run_dir != NULL) {
        (void)snprintf(stop_file, sizeof stop_file, "%s/stop", run_dir);
    }
    if (run_dir != NULL && slurm > 0) {
        log_info("SLURM ends this job in %.0f s: the run saves itself before", slurm);
    }
}

void stop_begin(void)
{
    asked_at = longest = 0;
}

/* Whether another interval as long as the longest of late, and a quarter more, would end too late. */
static bool time_is_up(void)
{
    const double now = timer_now();
    const double last = asked_at > 0 ? now - asked_at : 0;

    longest = fmax(last, 0.9 * longest); /* a long one is forgotten by and by */
    asked_at = now;
    return limit.at > 0 && now + 1.25 * longest >= limit.at;
}

bool stop_wanted(void)
{
    const bool late = time_is_up();

    if (caught != 0) {
        reason = caught == SIGUSR2 ? "SIGUSR2" : caught == SIGINT ? "SIGINT" : "SIGTERM";
        return true;
    }
    if (late) {
        reason = limit.whose;
        return true;
    }
    if (!found && stop_file[0] != '\0' && file_exists(stop_file)) {
        reason = "stop file";
        found = true;
        if (!disk_unlink(stop_file)) { /* or the next start would stop at once */
            log_warn("%s: cannot delete the file: %s; delete it before the next start", stop_file,
                     strerror(errno));
        }
    }
    return found;
}

bool stop_save_wanted(void)
{
    const bool wanted = save_asked != 0;

    save_asked = 0;
    if (wanted && speaks) {
        log_info("SIGUSR1: saved as asked, going on");
    }
    return wanted;
}

const char *stop_reason(void)
{
    return reason;
}
