#include "sweep/local.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/timer.h"
#include "run/plan_report.h"
#include "sweep/attempt.h"
#include "sweep/launch.h"
#include "sweep/select.h"

typedef enum {
    TASK_OTHER,   /* not wanted */
    TASK_READY,   /* to be started once what it needs is done */
    TASK_OURS,    /* runs, started by this process */
    TASK_FOREIGN, /* runs, started by another one: a sweep that was killed, or somebody by hand */
    TASK_DONE,
    TASK_FAILED,
    TASK_BLOCKED, /* what it needs has failed */
    TASK_STATES
} TaskState;

typedef struct {
    TaskState state;
    Attempt attempt;
} Task;

typedef struct {
    const LocalRun *run;
    Task *tasks;    /* (jobs) owned */
    int at_once;    /* jobs */
    int stopping;   /* signals that asked to */
    double seconds; /* of cells that this process has seen from start to end */
    int timed;      /* their number */
    sigset_t signals;
} Local;

static const Job *job_of(const Local *l, int i)
{
    return &l->run->jobs->jobs[i];
}

static int count(const Local *l, TaskState state)
{
    int n = 0;
    for (int i = 0; i < l->run->jobs->count; i++) {
        n += l->tasks[i].state == state;
    }
    return n;
}

static int wanted(const Local *l)
{
    return l->run->jobs->count - count(l, TASK_OTHER);
}

/* ---- what was there before ---- */

static Status take_stock(Local *l)
{
    Status st = OK;
    const JobList *jobs = l->run->jobs;
    bool *chosen = NULL;

    TRY(mem_alloc(&chosen, (size_t)jobs->count, sizeof *chosen, "the jobs of a sweep"));
    TRY(select_jobs(jobs, l->run->only, chosen));
    for (int i = 0; i < jobs->count; i++) {
        Task *task = &l->tasks[i];
        task->attempt.log.fd = -1;
        if (!chosen[i]) {
            continue; /* TASK_OTHER */
        }
        const JobState state = job_state(job_of(l, i), l->run->out, task->attempt.reason);
        task->state = state == JOB_DONE                       ? TASK_DONE
                      : state == JOB_RUNNING                  ? TASK_FOREIGN
                      : state == JOB_FAILED && !l->run->retry ? TASK_FAILED
                                                              : TASK_READY;
    }
done:
    mem_free(&chosen);
    return st;
}

static void tell_stock(const Local *l)
{
    const int foreign = count(l, TASK_FOREIGN);

    log_info("%d jobs: %d done, %d failed before, %d to do; %d at once, each on %d rank%s",
             wanted(l), count(l, TASK_DONE), count(l, TASK_FAILED), count(l, TASK_READY) + foreign,
             l->at_once, l->run->ranks, l->run->ranks == 1 ? "" : "s");
    if (foreign > 0) {
        log_info("%d of them run%s already, from before: waiting for %s", foreign,
                 foreign == 1 ? "s" : "", foreign == 1 ? "it" : "them");
    }
}

/* ---- events ---- */

/* "3 of 24 done, about 12 min left" */
static void tell(const Local *l, const char *what, int i, const char *reason)
{
    char left[DURATION_MAX] = "";
    const int to_do = count(l, TASK_READY) + count(l, TASK_OURS) + count(l, TASK_FOREIGN);

    if (l->timed > 0 && to_do > 0) {
        const int rounds = (to_do + l->at_once - 1) / l->at_once;
        plan_duration(l->seconds / l->timed * rounds, left);
    }
    log_info("%-7s %s%s%s  (%d of %d done%s%s%s)", what, job_of(l, i)->name,
             reason[0] != '\0' ? ": " : "", reason, count(l, TASK_DONE), wanted(l),
             left[0] != '\0' ? ", about " : "", left, left[0] != '\0' ? " left" : "");
}

/* Ranks whose mpirun was killed take a moment to notice. */
static bool lives_on(const Local *l, int i)
{
    char reason[TAIL_REASON];
    return job_state(job_of(l, i), l->run->out, reason) == JOB_RUNNING;
}

static void note_end(Local *l, int i, Verdict verdict)
{
    Task *task = &l->tasks[i];

    if (verdict == ATTEMPT_DONE) {
        task->state = TASK_DONE;
        if (job_of(l, i)->kind == JOB_CELL) {
            l->seconds += timer_now() - task->attempt.begun;
            l->timed++;
        }
        tell(l, "done", i, "");
    } else if (verdict == ATTEMPT_FAILED) {
        task->state = TASK_FAILED;
        tell(l, "FAILED", i, task->attempt.reason);
    } else {
        task->state = lives_on(l, i) ? TASK_FOREIGN : TASK_READY;
        tell(l, l->stopping > 0 ? "stopped" : "again", i, task->attempt.reason);
        if (task->attempt.out_of_time && l->stopping++ == 0) {
            log_info("the time limit of SLURM is near: nothing more is started; what runs (%d) "
                     "saves itself",
                     count(l, TASK_OURS));
        }
    }
}

/* ---- starting ---- */

static bool failed(const Local *l, int i)
{
    return i >= 0 && (l->tasks[i].state == TASK_FAILED || l->tasks[i].state == TASK_BLOCKED);
}

static bool done(const Local *l, int i)
{
    return i < 0 || l->tasks[i].state == TASK_DONE;
}

/* Begin what can begin, in order. */
static void start_jobs(Local *l)
{
    int busy = count(l, TASK_OURS) + count(l, TASK_FOREIGN);

    for (int i = 0; i < l->run->jobs->count && l->stopping == 0; i++) {
        const Job *job = job_of(l, i);
        Task *task = &l->tasks[i];
        if (task->state != TASK_READY) {
            continue;
        }
        if (failed(l, job->data) || failed(l, job->model)) {
            task->state = TASK_BLOCKED;
        } else if (busy < l->at_once && done(l, job->data) && done(l, job->model)) {
            busy++;
            if (attempt_start(&task->attempt, l->run->jobs, job, l->run->out, l->run->ranks) ==
                OK) {
                task->state = TASK_OURS;
                tell(l, "started", i, "");
            } else {
                note_end(l, i, ATTEMPT_FAILED);
            }
        }
    }
}

/* ---- waiting ---- */

static void signal_jobs(const Local *l, int number, bool group)
{
    for (int i = 0; i < l->run->jobs->count; i++) {
        if (l->tasks[i].state == TASK_OURS) {
            const pid_t pid = l->tasks[i].attempt.pid;
            (void)kill(group ? -pid : pid, number);
        }
    }
}

static void reap(Local *l)
{
    int status = 0;
    pid_t pid = 0;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (int i = 0; i < l->run->jobs->count; i++) {
            Task *task = &l->tasks[i];
            if (task->state == TASK_OURS && task->attempt.pid == pid) {
                note_end(l, i,
                         attempt_end(&task->attempt, l->run->jobs, job_of(l, i),
                                     launch_code(status), l->stopping > 0));
            }
        }
    }
}

static void look_at_foreign(Local *l)
{
    for (int i = 0; i < l->run->jobs->count; i++) {
        Task *task = &l->tasks[i];
        if (task->state != TASK_FOREIGN) {
            continue;
        }
        const JobState state = job_state(job_of(l, i), l->run->out, task->attempt.reason);
        if (state == JOB_DONE || state == JOB_FAILED) {
            task->state = state == JOB_DONE ? TASK_DONE : TASK_FAILED;
            tell(l, state == JOB_DONE ? "done" : "FAILED", i, task->attempt.reason);
        } else if (state != JOB_RUNNING) {
            task->state = TASK_READY;
        }
    }
}

static void on_signal(Local *l, int number)
{
    switch (number) {
    case SIGCHLD:
        return;
    case SIGUSR1:
        signal_jobs(l, SIGUSR1, false);
        return;
    case SIGINT:
        if (l->stopping > 0) {
            log_info("ending what runs (%d) at once; it goes on from the last checkpoint",
                     count(l, TASK_OURS));
            signal_jobs(l, SIGKILL, true);
            return;
        }
        break;
    default:
        break;
    }
    if (l->stopping++ == 0 && count(l, TASK_OURS) > 0) {
        log_info("stopping: what runs (%d) saves and ends; a second Ctrl-C ends it at once",
                 count(l, TASK_OURS));
    }
    signal_jobs(l, SIGUSR2, false);
}

/* Until something happens, a second at most. */
static void await(Local *l)
{
    const struct timespec most = {.tv_sec = 1};
    const int number = sigtimedwait(&l->signals, NULL, &most);

    if (number > 0) {
        on_signal(l, number);
    }
}

static void block_signals(Local *l)
{
    static const int numbers[] = {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};

    struct sigaction before;

    (void)sigemptyset(&l->signals);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        /* what is ignored, as under nohup, would be delivered all the same once it is blocked */
        if (sigaction(numbers[i], NULL, &before) != 0 || before.sa_handler != SIG_IGN) {
            (void)sigaddset(&l->signals, numbers[i]);
        }
    }
    (void)sigprocmask(SIG_BLOCK, &l->signals, NULL);
}

/* ---- the whole ---- */

static Status outcome(const Local *l)
{
    const int bad = count(l, TASK_FAILED);
    const int blocked = count(l, TASK_BLOCKED);
    char others[64] = "";

    for (int i = 0; i < l->run->jobs->count; i++) {
        if (l->tasks[i].state == TASK_FAILED) {
            log_info("failed: %s: %s (%s/logs/%s.txt)", job_of(l, i)->name,
                     l->tasks[i].attempt.reason, l->run->out, job_of(l, i)->name);
        }
    }
    if (l->stopping > 0) {
        return status_fail(ERR_INTERRUPTED,
                           "stopped with %d of %d jobs done; the same command goes on",
                           count(l, TASK_DONE), wanted(l));
    }
    if (bad == 0) {
        log_info("all %d jobs are done; everything lies in %s; results: mopo status %s --means",
                 wanted(l), l->run->out, l->run->out);
        return OK;
    }
    if (blocked > 0) {
        (void)snprintf(others, sizeof others, ", and %d that need them were not started", blocked);
    }
    return status_fail(ERR_JOB,
                       "%d of %d jobs failed%s; once the cause is mended: mopo sweep %s --local %d "
                       "--retry failed",
                       bad, wanted(l), others, l->run->jobs->grid, l->run->ranks);
}

Status local_run(const LocalRun *run)
{
    Status st = OK;
    const int cores = launch_cores();
    Local l = {.run = run, .at_once = cores / run->ranks > 0 ? cores / run->ranks : 1};

    TRY(mem_alloc(&l.tasks, (size_t)run->jobs->count, sizeof *l.tasks, "the jobs of a sweep"));
    TRY(take_stock(&l));
    tell_stock(&l);
    launch_share_cores();
    block_signals(&l);
    for (;;) {
        start_jobs(&l);
        if (count(&l, TASK_OURS) == 0 && (count(&l, TASK_FOREIGN) == 0 || l.stopping > 0)) {
            break;
        }
        await(&l);
        reap(&l);
        look_at_foreign(&l);
    }
    st = outcome(&l);
done:
    mem_free(&l.tasks);
    return st;
}
