#include "run/rerun.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "comm/comm.h"
#include "run/manifest.h"
#include "run/parting.h"

static size_t length_without_slashes(const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') {
        n--;
    }
    return n;
}

const char *rerun_out(const RerunJob *job, char *path)
{
    if (job->out != NULL) {
        (void)snprintf(path, RUNDIR_PATH_MAX, "%s", job->out);
    } else {
        (void)snprintf(path, RUNDIR_PATH_MAX, "%.*s-rerun", (int)length_without_slashes(job->run),
                       job->run);
    }
    return path;
}

static Status check_words(const RerunJob *job)
{
    for (int i = 0; i < job->count; i++) {
        if (strncmp(job->words[i], "ranks.", 6) != 0) {
            return status_fail(ERR_USAGE,
                               "%.80s: a run is repeated with its own settings; only ranks.* may "
                               "be given, on which no result depends",
                               job->words[i]);
        }
    }
    return OK;
}

/* Lines of the metrics: epochs that the run has done. */
static Status count_epochs(const char *run, int *epochs)
{
    Status st = OK;
    char path[RUNDIR_PATH_MAX];
    unsigned char *bytes = NULL;
    size_t n = 0;

    *epochs = 0;
    (void)snprintf(path, sizeof path, "%s/metrics.jsonl", run);
    if (!file_exists(path)) {
        return OK;
    }
    TRY(file_read(path, SIZE_MAX - 1, &bytes, &n));
    for (size_t i = 0; i < n; i++) {
        *epochs += bytes[i] == '\n';
    }
done:
    mem_free(&bytes);
    return st;
}

/* A run that has not ended is repeated as far as it came; with one epoch, where it came to none. */
static Status set_epochs(const char *run, Config *config)
{
    Status st = OK;
    char path[RUNDIR_PATH_MAX];
    int done = 0;

    (void)snprintf(path, sizeof path, "%s/manifest.json", run);
    if (!file_exists(path)) {
        return status_fail(ERR_USAGE,
                           "%s: this run was stopped before it made anything; start it with `mopo "
                           "train %s/used.yaml run_dir=%s`",
                           run, run, run);
    }
    TRY(count_epochs(run, &done));
    done = done > 1 ? done : 1;
    if (done < config->train.epochs) {
        log_info("rerun: %s has done %d of %d epochs; so many are repeated", run, done,
                 config->train.epochs);
        config->train.epochs = done;
    }
done:
    return st;
}

static Status read_settings(const RerunJob *job, Config *config)
{
    Status st = OK;
    char path[RUNDIR_PATH_MAX];

    TRY(check_words(job));
    TRY(rundir_settings(job->run, config));
    TRY(config_words_over(config, job->count, job->words));
    TRY(config_check(config));
    TRY(set_epochs(job->run, config));
    if (strlen(rerun_out(job, path)) >= sizeof config->top.run_dir) {
        return status_fail(ERR_USAGE, "%s: the path is too long; give a shorter one with --out",
                           path);
    }
    config->model.share[0] = '\0'; /* a repetition fits anew what it compares */
    (void)snprintf(config->top.run_dir, sizeof config->top.run_dir, "%s", path);
done:
    return st;
}

/* Before hours are spent: what is not as it was then. */
static Status say_changes(const char *run)
{
    Status st = OK;
    char path[RUNDIR_PATH_MAX];
    json_t *then = NULL;
    PartingPair pairs[FACT_ROWS];
    const RunFacts here = facts_here();

    (void)snprintf(path, sizeof path, "%s/manifest.json", run);
    TRY(manifest_read(path, &then));
    json_t *now = facts_json(&here);
    parting_facts(then, now, pairs);
    for (int i = 0; i < FACT_ROWS; i++) {
        if (parting_pair_differs(&pairs[i])) {
            log_info("rerun: %s is not as it was: %s then, %s now", fact_rows[i].name,
                     pairs[i].then, pairs[i].now);
        }
    }
    json_decref(now);
done:
    json_decref(then);
    return st;
}

static Status prepare(const RerunJob *job, Config *config)
{
    Status st = OK;

    TRY(read_settings(job, config));
    TRY(say_changes(job->run));
done:
    return st;
}

Status rerun(const RerunJob *job)
{
    Status st = OK;
    Config config;
    TrainSummary summary;

    config_default(&config);
    TRY(comm_agree(comm_rank() == 0 ? prepare(job, &config) : OK));
    coll_bcast(&config, sizeof config, 0);
    TRY(train(&config, NULL, &job->options, &summary));
done:
    return st;
}
