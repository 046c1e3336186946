#include "sweep/attempt.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/stamp.h"
#include "base/timer.h"
#include "sweep/launch.h"

enum { PATH = JOB_PATH_MAX + JOB_NAME_MAX + 64 };

/* ---- progress ---- */

/* The name of the newest checkpoint below a directory; "" where there is none. */
static void newest(const char *dir, char name[TAIL_WORD])
{
    char path[PATH];
    Tail tail;

    (void)snprintf(path, sizeof path, "%s/ckpt/LATEST", dir);
    tail_read(path, &tail);
    (void)snprintf(name, TAIL_WORD, "%.*s", (int)strcspn(tail.text, "\n"), tail.text);
}

static int count_parts(const char *file)
{
    char path[PATH];
    DirList list = {0};

    (void)snprintf(path, sizeof path, "%s.parts", file);
    const int count = dir_list(&list, path) == OK ? list.count : 0;
    dir_list_release(&list);
    return count;
}

/* Something that changes when the job gets on; a run may be fitting the ensemble that it needs. */
static void mark_progress(const JobList *jobs, const Job *job, char mark[ATTEMPT_MARK])
{
    char own[TAIL_WORD] = "";
    char model[TAIL_WORD] = "";

    if (job->kind == JOB_DATA) {
        (void)snprintf(mark, ATTEMPT_MARK, "%d parts", count_parts(job->dir));
        return;
    }
    newest(job->dir, own);
    if (job->model >= 0) {
        newest(jobs->jobs[job->model].dir, model);
    }
    (void)snprintf(mark, ATTEMPT_MARK, "%s %s", own, model);
}

/* ---- start ---- */

Status attempt_start(Attempt *a, const JobList *jobs, const Job *job, const char *out, int ranks)
{
    Status st = OK;
    char path[PATH];
    char host[STAMP_HOST];
    char now[STAMP_TIME];
    struct stat info;
    LaunchLine line;

    a->pid = 0;
    a->reason[0] = '\0';
    mark_progress(jobs, job, a->mark);
    (void)snprintf(path, sizeof path, "%s/logs/%s.txt", out, job->name);
    TRY(lines_open(&a->log, path));
    lines_add(&a->log, "# start %s host %s job -\n", stamp_time(now), stamp_host(host));
    a->from = fstat(a->log.fd, &info) == 0 ? info.st_size : 0;
    a->begun = timer_now();
    TRY(launch_command(&line, ranks, job->count, job->words));
    TRY(launch_start(line.argv, a->log.fd, &a->pid));
done:
    if (st != OK) {
        (void)snprintf(a->reason, sizeof a->reason, "%.*s", TAIL_REASON - 1, status_reason());
        lines_add(&a->log, "# end 1 failed %s %s\n", stamp_time(now), a->reason);
        lines_close(&a->log);
    }
    return st;
}

/* ---- end ---- */

/* The last line of this start that mopo itself has said, without its name; "" when there is none. *whole: what is in
 * the log ends with a line. */
static void last_words(const Attempt *a, char said[TAIL_REASON], bool *whole)
{
    enum { ROOM = 1 << 13 };
    char text[ROOM + 1];
    struct stat info;
    const int fd = open(a->log.path, O_RDONLY | O_CLOEXEC);

    said[0] = '\0';
    *whole = true;
    if (fd < 0) {
        return;
    }
    const off_t end = fstat(fd, &info) == 0 ? info.st_size : 0;
    const off_t from = end - a->from > ROOM ? end - ROOM : a->from;
    const ssize_t n = pread(fd, text, ROOM, from);
    (void)close(fd);
    text[n > 0 ? n : 0] = '\0';
    *whole = n <= 0 || text[n - 1] == '\n';
    for (char *line = text; line != NULL && *line != '\0';) {
        char *next = strchr(line, '\n');
        const size_t size = next != NULL ? (size_t)(next - line) : strlen(line);
        if (strncmp(line, "mopo: ", 6) == 0 || strncmp(line, "mopo ", 5) == 0) {
            const char *colon = strstr(line, ": ");
            const char *rest = colon != NULL && colon < line + size ? colon + 2 : line;
            (void)snprintf(said, TAIL_REASON, "%.*s", (int)(line + size - rest), rest);
        }
        line = next != NULL ? next + 1 : NULL;
    }
}

static bool says(const Attempt *a, const char *words)
{
    return strstr(a->reason, words) != NULL;
}

/* mpirun's 1 may be its own: it is killed with the machine, or had to be ended after ranks that the watch ended. One
 * without a word from mopo is Open MPI's, which could not start: two that do so at once disturb each other. And a
 * killed mpirun leaves ranks behind for a moment. */
static bool ends_the_same(const Attempt *a, int code, bool stopped)
{
    switch (code) {
    case 1:
        return !stopped && a->reason[0] != '\0' && !says(a, "The job ends here");
    case 2:
        return !says(a, "another process is ");
    default:
        return code == 76;
    }
}

static Verdict judge(const Attempt *a, int code, bool stopped)
{
    if (code == 0) {
        return ATTEMPT_DONE;
    }
    if (ends_the_same(a, code, stopped)) {
        return ATTEMPT_FAILED;
    }
    return a->in_vain < ATTEMPTS_IN_VAIN || stopped ? ATTEMPT_AGAIN : ATTEMPT_FAILED;
}

Verdict attempt_end(Attempt *a, const JobList *jobs, const Job *job, int code, bool stopped)
{
    static const char *const words[] = {
        [ATTEMPT_DONE] = "done", [ATTEMPT_AGAIN] = "again", [ATTEMPT_FAILED] = "failed"};
    char mark[ATTEMPT_MARK];
    char now[STAMP_TIME];
    bool whole = true;

    mark_progress(jobs, job, mark);
    last_words(a, a->reason, &whole);
    a->out_of_time = code == 75 && says(a, "time limit of SLURM");
    stopped = stopped || a->out_of_time;
    a->in_vain = stopped ? a->in_vain : strcmp(mark, a->mark) == 0 ? a->in_vain + 1 : 0;
    const Verdict verdict = judge(a, code, stopped);
    if (code == 0) {
        a->reason[0] = '\0';
    } else if (a->reason[0] == '\0' && code > 128) {
        (void)snprintf(a->reason, sizeof a->reason, "a process was ended by signal %d (%s)",
                       code - 128, strsignal(code - 128));
    } else if (a->reason[0] == '\0') {
        (void)snprintf(a->reason, sizeof a->reason, "exit code %d; the log may say why", code);
    }
    lines_add(&a->log, "%s# end %d %s %s%s%s\n", whole ? "" : "\n", code, words[verdict],
              stamp_time(now), a->reason[0] != '\0' ? " " : "", a->reason);
    lines_close(&a->log);
    a->pid = 0;
    return verdict;
}
