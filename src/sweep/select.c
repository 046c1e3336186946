#include "sweep/select.h"

#include <fnmatch.h>
#include <stdio.h>
#include <time.h>

JobState job_state(const Job *job, const char *out, char reason[TAIL_REASON])
{
    char log[PROGRESS_PATH_MAX];
    Progress progress = {0};
    const ProgressJob look = progress_job(job, out, log);

    progress_look(&look, (double)time(NULL), &progress);
    (void)snprintf(reason, TAIL_REASON, "%s", progress.reason);
    return progress.state;
}

Status select_jobs(const JobList *jobs, const char *pattern, bool wanted[])
{
    int count = 0;

    for (int i = 0; i < jobs->count; i++) {
        wanted[i] = pattern == NULL || fnmatch(pattern, jobs->jobs[i].name, 0) == 0;
        count += wanted[i];
    }
    for (int i = jobs->count - 1; i >= 0; i--) { /* what is needed stands before */
        const Job *job = &jobs->jobs[i];
        if (wanted[i] && job->data >= 0) {
            wanted[job->data] = true;
        }
        if (wanted[i] && job->model >= 0) {
            wanted[job->model] = true;
        }
    }
    return count > 0 ? OK
                     : status_fail(
                           ERR_USAGE,
                           "--only: no job is called %.200s; `mopo sweep GRID --print` lists their "
                           "names, and * stands for any characters",
                           pattern);
}
