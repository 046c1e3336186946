#include "run/collect_job.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/disk.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/panic.h"
#include "base/text.h"
#include "base/timer.h"
#include "comm/comm.h"
#include "run/lock.h"
#include "run/parts.h"
#include "run/stop.h"
#include "run/timing.h"

static const double round_seconds = 2;
static const double part_seconds = 60;
static const double line_seconds = 10;
static const size_t part_bytes = (size_t)1 << 30; /* reading a part takes three times its size */

/* What rank 0 keeps. */
typedef struct {
    const CollectJob *job;
    Lock lock; /* on FILE.lock, as long as FILE is being made */
    Parts parts;
    CollectRows total;                 /* whole episodes, until the goal is reached */
    int64_t next;                      /* episode */
    int64_t saved;                     /* rows that are in parts */
    int64_t counted;                   /* rows that the next three tell about */
    int64_t episodes;                  /* whole ones */
    double returns;                    /* their sum */
    double open;                       /* return so far of the one that has no end yet */
    double start, part_at, line_at;    /* when this process began, and last did these */
    int64_t start_rows, start_episode; /* where */
} Ledger;

/* One round: these episodes over all ranks. count 0: the goal is reached. */
typedef struct {
    int64_t first, count;
} Round;

/* ---- rank 0's part ---- */

/* Of all that the rows depend on; not of how many are wanted. */
static void settings_digest(const CollectJob *job, char digest[SLAB_DIGEST_MAX])
{
    char data[1024];
    char weights[SLAB_DIGEST_MAX];
    Text text = text_over(data, sizeof data);
    const EnvConfig *env = &job->env->config;
    const PolicyFile *p = job->source.policy;

    text_add(&text, "collect 2 %s seed %llu simulator %s settings", job->env->name,
             (unsigned long long)job->seed, env_simulator_version());
#define SETTING(type, name, meaning) text_add(&text, " %d", (int)env->name);
    ENV_CONFIG(SETTING)
#undef SETTING
    if (p != NULL) {
        bytes_digest(p->params, p->actor.count * sizeof *p->params, weights);
        text_add(&text, " policy %s %d %d %d %.9g %.9g %d sample %d noise %.17g", weights,
                 p->actor.layers, p->actor.hidden, (int)p->actor.act, (double)p->squash.low,
                 (double)p->squash.high, p->squash.linear, job->source.sample, job->source.noise);
    }
    REQUIRE(!text.cut);
    bytes_digest(data, text.used, digest);
}

static Status make_folder_of(const char *path)
{
    char folder[PARTS_PATH_MAX];
    const char *slash = strrchr(path, '/');

    if (slash == NULL || slash == path) {
        return OK;
    }
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
    return file_make_dirs(folder);
}

/* ---- one process at a time ---- */

/* False: the path is too long. */
static bool lock_path(const CollectJob *job, char path[PARTS_PATH_MAX])
{
    const int len = snprintf(path, PARTS_PATH_MAX, "%s.lock", job->path);
    return len > 0 && len < PARTS_PATH_MAX;
}

/* Whether the file that we locked has its name still: who had it before deletes it at its end. */
static bool is_in_place(const Lock *lock, const char *path)
{
    struct stat ours;
    struct stat there;

    return fstat(lock->fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_ino == there.st_ino;
}

static Status lock_file(Ledger *ledger)
{
    Status st = OK;
    Lock *lock = &ledger->lock;
    LockAnswer answer = LOCK_OURS;
    char path[PARTS_PATH_MAX];

    if (!lock_path(ledger->job, path)) {
        return status_fail(ERR_IO, "%s: the path is too long", ledger->job->path);
    }
    TRY(lock_take(lock, path, true, &answer));
    while (answer == LOCK_OURS && !is_in_place(lock, path)) {
        lock_give_back(lock, path);
        TRY(lock_take(lock, path, true, &answer));
    }
    if (answer != LOCK_OURS) {
        return status_fail(
            ERR_CONFIG,
            "%s: another process is collecting this file (%s); wait for it, stop it, "
            "or name another file",
            ledger->job->path, lock->held[0] != '\0' ? lock->held : "it has just started");
    }
    if (lock->held[0] != '\0') {
        log_info("the process that collected here before (%s) was killed; its lock is void",
                 lock->held);
    }
done:
    return st;
}

static void unlock_file(Ledger *ledger)
{
    char path[PARTS_PATH_MAX];

    if (ledger->lock.fd >= 0 && lock_path(ledger->job, path)) {
        (void)disk_unlink(path); /* or it stays, and is empty */
        lock_give_back(&ledger->lock, path);
    }
}

/* ---- what there is ---- */

/* Count what is new, and cut to the goal: parts may hold more than is wanted now. */
static void count_rows(Ledger *ledger)
{
    CollectRows *total = &ledger->total;
    const CollectJob *job = ledger->job;
    const int64_t rows = job->rows > 0 ? job->rows : INT64_MAX;
    const int64_t episodes = job->rows > 0 ? INT64_MAX : job->episodes;

    for (; ledger->counted < total->rows; ledger->counted++) {
        if (ledger->counted == rows || ledger->episodes == episodes) {
            total->rows = ledger->counted;
            return;
        }
        const CollectEnd end = collect_end(total, ledger->counted);
        ledger->open += end.reward;
        if (end.ended) {
            ledger->episodes++;
            ledger->returns += ledger->open;
            ledger->open = 0;
        }
    }
}

static double mean_return(const Ledger *ledger)
{
    return ledger->episodes > 0 ? ledger->returns / (double)ledger->episodes : ledger->open;
}

/* Part k behind those before: two processes that collected here at once would leave parts that overlap. */
static Status take_part(Ledger *ledger, int64_t k, int64_t *episodes)
{
    Status st = OK;
    CollectRows *total = &ledger->total;
    const int64_t before = total->rows;
    const Slab state[] = {slab_i64("next", &ledger->next, 1)};

    TRY(parts_state(&ledger->parts, k, state, 1));
    TRY(parts_load(&ledger->parts, k, total));
    for (int64_t i = before; i < total->rows; i++) {
        *episodes += collect_end(total, i).ended;
    }
    if (*episodes != ledger->next) {
        st = status_fail(ERR_FORMAT,
                         "%s: part %lld is not of the process that saved the others (it ends with "
                         "episode %lld, they make %lld): two have collected here at once; begin "
                         "anew with --force",
                         ledger->parts.path, (long long)k, (long long)ledger->next,
                         (long long)*episodes);
    }
done:
    return st;
}

static Status take_parts(Ledger *ledger)
{
    Status st = OK;
    int64_t episodes = 0;

    for (int64_t k = 0; k < ledger->parts.count; k++) {
        TRY(take_part(ledger, k, &episodes));
    }
done:
    return st;
}

static Status take_up(Ledger *ledger)
{
    Status st = take_parts(ledger);

    if (st == ERR_FORMAT && ledger->job->force) {
        log_info("beginning anew: %s", status_reason());
        ledger->total.rows = 0;
        ledger->next = 0;
        return parts_remove(&ledger->parts);
    }
    TRY(st);
    if (ledger->parts.count > 0) {
        ledger->saved = ledger->total.rows;
        log_info("going on after %lld rows, %lld episodes in %s", (long long)ledger->total.rows,
                 (long long)ledger->next, ledger->parts.path);
        count_rows(ledger);
    }
done:
    return st;
}

static Status open_ledger(Ledger *ledger)
{
    Status st = OK;
    const CollectJob *job = ledger->job;
    char digest[SLAB_DIGEST_MAX];

    TRY(make_folder_of(job->path));
    TRY(lock_file(ledger));
    TRY(collect_init(&ledger->total, job->env, job->rows));
    settings_digest(job, digest);
    TRY(parts_open(&ledger->parts, job->path, digest, job->force));
    TRY(take_up(ledger));
    ledger->start = timer_now();
    ledger->part_at = ledger->start;
    ledger->line_at = ledger->start;
    ledger->start_rows = ledger->total.rows;
    ledger->start_episode = ledger->next;
done:
    return st;
}

/* Episodes that the goal still needs, as far as one knows. */
static int64_t episodes_left(const Ledger *ledger)
{
    const CollectJob *job = ledger->job;
    const int64_t rows = ledger->total.rows;

    if (job->rows == 0) {
        return job->episodes > ledger->next ? job->episodes - ledger->next : 0;
    }
    const double length =
        ledger->next > 0 ? (double)rows / (double)ledger->next : (double)job->env->horizon;
    return rows < job->rows ? (int64_t)ceil((double)(job->rows - rows) / length) : 0;
}

/* As many as were made lately in the time of a round, but no large share of what is left, which is a
 * guess; and work for every rank. */
static Round next_round(const Ledger *ledger)
{
    const double seconds = ledger->job->round > 0 ? ledger->job->round : round_seconds;
    const double gone = timer_now() - ledger->start;
    const int64_t made = ledger->next - ledger->start_episode;
    const int64_t left = episodes_left(ledger);
    int64_t count = made > 0 ? (int64_t)((double)made * seconds / gone) : 0;

    count = count < left / 4 ? count : left / 4;
    count = count > comm_size() ? count : comm_size();
    return (Round){ledger->next, count < left ? count : left};
}

static Status save_part(Ledger *ledger)
{
    CollectRows fresh = ledger->total; /* a view */
    const Slab state[] = {slab_i64("next", &ledger->next, 1)};

    fresh.data += (size_t)ledger->saved * fresh.stride;
    fresh.rows -= ledger->saved;
    const Status st = parts_add(&ledger->parts, &fresh, state, 1);
    ledger->saved = ledger->total.rows;
    ledger->part_at = timer_now();
    return st;
}

static void log_line(Ledger *ledger)
{
    const CollectJob *job = ledger->job;
    const double now = timer_now();
    const double gone = now - ledger->start;
    const double rows = (double)ledger->total.rows;
    const double rate = (rows - (double)ledger->start_rows) / gone;
    const double episode_rate = (double)(ledger->next - ledger->start_episode) / gone;
    const double left = job->rows > 0 ? ((double)job->rows - rows) / rate
                                      : (double)(job->episodes - ledger->next) / episode_rate;

    log_info("%.0f rows, %lld episodes, mean return %.1f; %.0f rows/s, %.0f s left", rows,
             (long long)ledger->next, mean_return(ledger), rate, left);
    ledger->line_at = now;
}

/* Enter a round's rows; then it may be time to tell, to save, or to stop. */
static Status enter(Ledger *ledger, const Round *round, const CollectRows *rows)
{
    Status st = OK;
    const double part = ledger->job->part > 0 ? ledger->job->part : part_seconds;

    TRY(collect_join(&ledger->total, rows, 1, ledger->job->rows));
    count_rows(ledger);
    ledger->next += round->count;
    if (episodes_left(ledger) == 0) {
        return OK;
    }
    if (timer_now() - ledger->line_at >= line_seconds) {
        log_line(ledger);
    }
    const bool stop = stop_wanted();
    const size_t fresh = (size_t)(ledger->total.rows - ledger->saved) * rows->stride;
    if (stop || stop_save_wanted() || timer_now() - ledger->part_at >= part ||
        fresh * sizeof(double) >= part_bytes) {
        TRY(save_part(ledger));
    }
    if (stop) {
        st = status_fail(ERR_INTERRUPTED,
                         "stopped after %lld rows as asked (%s); the same command goes on from "
                         "here",
                         (long long)ledger->total.rows, stop_reason());
    }
done:
    return st;
}

static Status finish(Ledger *ledger)
{
    Status st = OK;
    const CollectJob *job = ledger->job;
    const long long rows = (long long)ledger->total.rows;

    TRY(collect_write(job->path, job->env, &ledger->total, &job->source));
    TRY(parts_remove(&ledger->parts));
    log_info("collected %lld rows, %lld whole episodes, mean return %.1f, in %.1f s: %s", rows,
             (long long)ledger->episodes, mean_return(ledger), timer_now() - ledger->start,
             job->path);
done:
    return st;
}

/* ---- all ranks ---- */

/* Whole episodes of all ranks, in episode order, on rank 0. */
static Status gather_rows(const EnvKind *env, const CollectRows *mine, CollectRows *all)
{
    Status st = OK;
    size_t *sizes = NULL;
    size_t sum = 0;
    const size_t row = mine->stride * sizeof(double);

    TRY(comm_agree(mem_alloc(&sizes, (size_t)comm_size(), sizeof *sizes, "sizes")));
    coll_sizes((size_t)mine->rows * row, sizes);
    for (int r = 0; r < comm_size(); r++) {
        sum += sizes[r];
    }
    if (comm_rank() == 0) {
        st = collect_init(all, env, (int64_t)(sum / row));
    }
    TRY(comm_agree(st));
    coll_gather(mine->data, (size_t)mine->rows * row, all->data, sizes);
    all->rows = comm_rank() == 0 ? (int64_t)(sum / row) : 0;
done:
    mem_free(&sizes);
    return st;
}

/* The round's episodes, dealt in blocks; all rows to rank 0. *busy: seconds of this rank's work. */
static Status play(const CollectJob *job, const Round *round, CollectRows *rows, double *busy)
{
    Status st = OK;
    CollectRows mine = {0};
    const int64_t r = comm_rank();
    const int64_t n = comm_size();
    const int64_t from = round->first + round->count * r / n;
    const int64_t to = round->first + round->count * (r + 1) / n;
    const double start = timer_now();

    st = collect_episodes(job->env, &job->source, job->seed, from, to - from, &mine);
    *busy += timer_now() - start;
    TRY(comm_agree(st));
    TRY(gather_rows(job->env, &mine, rows));
done:
    collect_release(&mine);
    return st;
}

static const char *source_text(const CollectSource *source)
{
    return source->policy == NULL ? "uniform actions"
           : source->sample       ? "actions drawn from the policy"
           : source->noise > 0    ? "the policy's mean action and noise"
                                  : "the policy's mean action";
}

Status collect_job(const CollectJob *job)
{
    Status st = OK;
    const bool lead = comm_rank() == 0;
    Ledger ledger = {.job = job, .lock.fd = -1};
    CollectRows rows = {0};
    double busy = 0;
    const double start = timer_now();

    TRY(comm_agree(env_need_simulator(job->env, "collecting a dataset")));
    log_info("collecting %lld %s of %s: %s", (long long)(job->rows > 0 ? job->rows : job->episodes),
             job->rows > 0 ? "rows" : "episodes", job->env->name, source_text(&job->source));
    TRY(comm_agree(lead ? open_ledger(&ledger) : OK));
    for (;;) {
        Round round = lead ? next_round(&ledger) : (Round){0};
        coll_bcast(&round, sizeof round, 0);
        if (round.count == 0) {
            break;
        }
        TRY(play(job, &round, &rows, &busy));
        TRY(comm_agree(lead ? enter(&ledger, &round, &rows) : OK));
        collect_release(&rows);
    }
    timing_phase("collect", busy, timer_now() - start - busy);
    TRY(comm_agree(lead ? finish(&ledger) : OK));
done:
    unlock_file(&ledger);
    collect_release(&rows);
    collect_release(&ledger.total);
    return st;
}
