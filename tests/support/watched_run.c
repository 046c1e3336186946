#include "support/watched_run.h"

#include "support/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"

WatchedRun watched;

int run_setup(void **state)
{
    const int code = temp_dir_setup(state, watched.dir);

    (void)snprintf(watched.run, sizeof watched.run, "%s/run", watched.dir);
    (void)snprintf(watched.launcher, sizeof watched.launcher, "%s/run.txt", watched.dir);
    watched.now = (double)time(NULL);
    watched.job = (ProgressJob){.kind = JOB_CELL, .dir = watched.run};
    watched.p = (Progress){0};
    return code;
}

int run_teardown(void **state)
{
    return temp_dir_teardown(state, watched.dir);
}

const char *run_file(const char *name)
{
    return temp_path(watched.run, "%s", name);
}

JobState run_look(void)
{
    progress_look(&watched.job, watched.now, &watched.p);
    return watched.p.state;
}

void run_age(const char *path, double seconds)
{
    const struct timespec times[2] = {{.tv_sec = (time_t)(watched.now - seconds)},
                                      {.tv_sec = (time_t)(watched.now - seconds)}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

const char *run_ago(double seconds)
{
    static char texts[2][32];
    static int next;
    char *text = texts[next++ % 2];
    struct tm utc;
    const time_t at = (time_t)(watched.now - seconds);

    (void)strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &utc));
    return text;
}

void run_begin(const char *saved)
{
    CHECK_OK(file_make_dirs(run_file("ckpt")));
    temp_write(run_file("used.yaml"), "train:\n  agent: sac\n  epochs: 4   # default\n");
    temp_write(run_file("lock"), "");
    temp_write(run_file("log.txt"), "    0.00  run r\n    1.00  epoch    1/4  return  5.0\n"
                                    "    3.00  epoch    2/4  return  6.0\n");
    temp_write(run_file("metrics.jsonl"), "{\"epoch\": 1, \"return_mean\": 5, \"score\": 1}\n"
                                          "{\"epoch\": 2, \"return_mean\": 6, \"score\": 2}\n");
    temp_write(run_file("ckpt/LATEST"), saved);
}

void run_finish(void)
{
    run_begin("policy-000004\n");
    temp_write(run_file("manifest.json"),
               "{\"machine\": {\"ranks\": 3}, \"results\": {\"policy.h5\": \"0\"}}");
}

void run_sign_at(const char *path, const char *host, long pid, double seconds)
{
    char line[256];
    (void)snprintf(line, sizeof line, "host %s, pid %ld, since %s\n", host, pid, run_ago(seconds));
    temp_write(path, line);
}

void run_sign(const char *host, long pid, double seconds)
{
    run_sign_at(run_file("lock"), host, pid, seconds);
}

void run_beat(double age)
{
    CHECK_OK(file_make_dirs(run_file("beat")));
    temp_write(
        run_file("beat/0"),
        "mopo-beat 1 77-1 1795867200 16\n0 n1 77 updates - 0 9 9\n1 n1 78 rollouts - 0 9 9\n");
    run_age(run_file("beat/0"), age);
}

void run_mark(const char *text)
{
    temp_write(watched.launcher, text);
    watched.job.log = watched.launcher;
}
