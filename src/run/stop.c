#include "run/stop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/disk.h"
#include "base/file.h"
#include "base/log.h"
#include "base/timer.h"

static volatile sig_atomic_t caught;
static double deadline;
static char stop_file[4096];
static bool found; /* the stop file has been there */
static const char *reason = "no reason";

static void on_signal(int number)
{
    caught = number;
}

void stop_listen(double seconds, const char *run_dir)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGUSR2, &action, NULL);
    deadline = seconds > 0 ? timer_now() + seconds : 0;
    found = false;
    stop_file[0] = '\0';
    if (run_dir != NULL) {
        (void)snprintf(stop_file, sizeof stop_file, "%s/stop", run_dir);
    }
}

bool stop_wanted(void)
{
    if (caught != 0) {
        reason = caught == SIGUSR2 ? "SIGUSR2" : caught == SIGINT ? "SIGINT" : "SIGTERM";
        return true;
    }
    if (deadline > 0 && timer_now() >= deadline) {
        reason = "time limit";
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

const char *stop_reason(void)
{
    return reason;
}
