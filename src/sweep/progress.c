#include "sweep/progress.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

enum { PATH = PROGRESS_PATH_MAX, PATIENCE = 40, STARTING = 60, COLLECTING = 180 };

const char *const job_state_names[JOB_STATE_COUNT] = {
#define JOB_STATE_NAME(name, word) [JOB_##name] = (word),
    JOB_STATES(JOB_STATE_NAME)
#undef JOB_STATE_NAME
};

/* What the files say, before it is weighed. */
typedef struct {
    Tail tail; /* the one that is read just now */
    LogNews log;
    MarkNews mark;
    MetricNews metric;
    double log_changed, mark_changed; /* 0: no such file */
    int epochs, patience;
    bool policy, replay; /* results that end a training run, a collection */
} News;

static void read_end(News *news, const char *dir, const char *name)
{
    char path[PATH];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    tail_read(path, &news->tail);
}

static bool is_there(const char *dir, const char *name)
{
    char path[PATH];
    struct stat info;
    (void)snprintf(path, sizeof path, "%s%s", dir, name);
    return stat(path, &info) == 0;
}

/* ---- reading ---- */

static void read_log(News *news, const char *dir)
{
    read_end(news, dir, "log.txt");
    news->log_changed = news->tail.changed;
    log_news(news->tail.text, &news->log);
}

static void read_marks(News *news, const char *log, Progress *p)
{
    if (log != NULL) {
        tail_read(log, &news->tail);
        news->mark_changed = news->tail.changed;
        mark_news(news->tail.text, &news->mark);
        p->slurm = news->mark.slurm;
    }
}

static void read_settings(News *news, const ProgressJob *job)
{
    char path[PATH];

    (void)snprintf(path, sizeof path, "%s/used.yaml", job->dir);
    tail_read_head(path, &news->tail);
    news->epochs =
        job->epochs > 0 ? job->epochs : used_number(news->tail.text, "train", "epochs", 0);
    news->patience = used_number(news->tail.text, "ranks", "patience", PATIENCE);
}

static void read_manifest(News *news, const char *dir, Progress *p)
{
    char path[PATH];

    (void)snprintf(path, sizeof path, "%s/manifest.json", dir);
    tail_read_head(path, &news->tail);
    json_t *all = json_loads(news->tail.text, 0, NULL);
    const json_t *ranks = json_object_get(json_object_get(all, "machine"), "ranks");
    news->policy = json_object_get(json_object_get(all, "results"), "policy.h5") != NULL;
    p->ranks = json_is_integer(ranks) ? (int)json_integer_value(ranks) : 0;
    json_decref(all);
}

/* "policy-000012" */
static void read_latest(News *news, const char *dir, Progress *p)
{
    read_end(news, dir, "ckpt/LATEST");
    news->tail.text[strcspn(news->tail.text, "\n")] = '\0';
    (void)snprintf(p->saved, sizeof p->saved, "%.*s", TAIL_WORD - 1, news->tail.text);
    text_make_plain(p->saved);
    const char *dash = strrchr(p->saved, '-');
    p->saved_at = dash != NULL ? strtoll(dash + 1, NULL, 10) : 0;
}

/* ---- what it does, and when it ends ---- */

static bool saved_in(const Progress *p, const char *phase)
{
    return strncmp(p->saved, phase, strlen(phase)) == 0;
}

static void count_units(const News *news, Progress *p)
{
    const LogNews *log = &news->log;
    const bool epochs = log->unit == UNIT_EPOCH || saved_in(p, "policy-");

    if (epochs && log->unit != UNIT_STEP) {
        p->unit = UNIT_EPOCH;
        p->of = news->epochs > 0 ? news->epochs : log->of;
        p->at = log->unit == UNIT_EPOCH ? log->at : p->saved_at;
    } else {
        p->unit = log->unit;
        p->at = log->at;
        p->of = log->of;
    }
    if (p->unit == UNIT_NONE && saved_in(p, "model-")) { /* its start has not come so far yet */
        p->unit = UNIT_PASS;
        p->at = p->saved_at;
    }
    p->rate = log->unit == p->unit ? log->rate : 0;
}

static void foresee_end(const News *news, double now, Progress *p)
{
    const bool last = p->unit == UNIT_EPOCH || p->unit == UNIT_STEP; /* what ends a job */

    p->ends = 0;
    if (p->state == JOB_RUNNING && last && p->rate > 0 && p->of >= p->at) {
        const double line = fmin(now, news->log_changed) - news->log.age;
        p->ends = fmax(now, line + (double)(p->of - p->at) * p->rate);
    }
}

/* What stands on the disk to go on from, where nothing runs. */
static void count_saved(const News *news, Progress *p)
{
    if (p->saved[0] == '\0') {
        return;
    }
    p->unit = saved_in(p, "model-")     ? UNIT_PASS
              : saved_in(p, "prepare-") ? UNIT_UPDATE
                                        : UNIT_EPOCH;
    p->at = p->saved_at;
    p->of = p->unit == UNIT_EPOCH ? news->epochs : 0;
}

/* ---- the state ---- */

/* The launcher's last word, unless somebody has started the job by hand since. */
static Mark valid_mark(const News *news)
{
    static const double slack = 2; /* the two files are not written at once */
    return news->log_changed > news->mark_changed + slack ? MARK_NONE : news->mark.last;
}

/* Told to start, but no line in its log yet. */
static bool is_starting(const News *news, double now)
{
    return valid_mark(news) == MARK_START && fabs(now - news->mark.at) < STARTING &&
           floor(news->log_changed) <= news->mark.at;
}

static void say(Progress *p, const char *reason)
{
    (void)snprintf(p->reason, sizeof p->reason, "%s", reason);
}

/* Of a job in whose directory no process is. */
static JobState state_at_rest(const News *news, Progress *p)
{
    const Mark mark = valid_mark(news);

    if (mark == MARK_FAILED || mark == MARK_AGAIN) {
        say(p, news->mark.reason[0] != '\0' ? news->mark.reason : news->log.reason);
        p->code = news->mark.code;
        return mark == MARK_FAILED ? JOB_FAILED : JOB_WAITING;
    }
    if (news->log.end != LOG_GOES_ON) {
        say(p, news->log.reason);
    }
    if (news->log.end == LOG_ERROR) {
        return JOB_FAILED;
    }
    return p->life.sign == LIFE_SILENT ? JOB_STALE : JOB_WAITING;
}

static bool is_finished(const News *news, const ProgressJob *job, const Progress *p)
{
    if (job->kind == JOB_MODEL) {
        return is_there(job->dir, "/model.h5");
    }
    if (p->life.sign != LIFE_NONE) {
        return false;
    }
    return news->policy ? saved_in(p, "policy-") && p->saved_at >= news->epochs
                        : news->replay && news->log.end == LOG_GOES_ON;
}

static void look_at_run(const ProgressJob *job, double now, Progress *p)
{
    News news = {0};

    read_settings(&news, job);
    life_look(job->dir, now, news.patience, &p->life); /* first: what ended before is complete */
    read_marks(&news, job->log, p);
    read_log(&news, job->dir);
    read_latest(&news, job->dir, p);
    read_manifest(&news, job->dir, p);
    read_end(&news, job->dir, "metrics.jsonl");
    metric_news(news.tail.text, &news.metric);
    news.replay = !is_there(job->dir, "/manifest.json") && is_there(job->dir, "/replay.hdf5") &&
                  !is_there(job->dir, "/replay.hdf5.parts");

    p->last_return = news.metric.mean;
    p->score = news.metric.score;
    p->ranks = p->life.ranks > 0 ? p->life.ranks : p->ranks;
    p->begun = news.log_changed > 0;
    p->waits_for_model = news.log.waits && p->life.sign == LIFE_RUNS;
    count_units(&news, p);
    const bool finished = p->life.sign != LIFE_RUNS && is_finished(&news, job, p);
    if (finished) {
        p->state = JOB_DONE;
    } else if (p->life.sign == LIFE_RUNS || is_starting(&news, now)) {
        p->state = JOB_RUNNING;
    } else {
        p->state = state_at_rest(&news, p);
        count_saved(&news, p);
    }
    foresee_end(&news, now, p);
}

static double changed(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (double)info.st_mtim.tv_sec : 0;
}

static void look_at_data(const ProgressJob *job, double now, Progress *p)
{
    News news = {0};
    char lock[PATH];
    char parts[PATH];

    (void)snprintf(lock, sizeof lock, "%s.lock", job->dir);
    (void)snprintf(parts, sizeof parts, "%s.parts", job->dir);
    life_look_at_lock(lock, now, &p->life);
    const bool killed = p->life.sign == LIFE_SILENT && p->life.certain;
    read_marks(&news, job->log, p);
    const double parted = changed(parts);
    const bool told = news.mark.last == MARK_START;
    p->begun = news.mark.last != MARK_NONE || parted > 0;
    if (is_there(job->dir, "")) {
        p->state = JOB_DONE;
    } else if (p->life.sign == LIFE_RUNS) {
        p->state = JOB_RUNNING;
    } else if (!killed && (told || (news.mark.last == MARK_NONE && parted > 0))) {
        p->life.seen = told ? fmax(news.mark_changed, parted) : parted;
        p->state = fabs(now - p->life.seen) < COLLECTING ? JOB_RUNNING : JOB_STALE;
    } else {
        p->state = state_at_rest(&news, p);
    }
}

ProgressJob progress_job(const Job *job, const char *out, char log[PROGRESS_PATH_MAX])
{
    static const char epochs[] = "train.epochs=";
    ProgressJob look = {.kind = job->kind, .dir = job->dir, .log = log};

    (void)snprintf(log, PROGRESS_PATH_MAX, "%s/logs/%s.txt", out, job->name);
    for (int i = 0; i < job->count; i++) { /* the last one counts */
        if (strncmp(job->words[i], epochs, sizeof epochs - 1) == 0) {
            look.epochs = (int)strtol(job->words[i] + sizeof epochs - 1, NULL, 10);
        }
    }
    return look;
}

void progress_look(const ProgressJob *job, double now, Progress *progress)
{
    const Life life = progress->life;

    *progress =
        (Progress){.life = life, .last_return = (double)NAN, .score = (double)NAN, .code = -1};
    if (job->kind == JOB_DATA) {
        look_at_data(job, now, progress);
    } else {
        look_at_run(job, now, progress);
    }
}
