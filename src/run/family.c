#include "run/family.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/panic.h"
#include "base/text.h"
#include "comm/comm.h"
#include "data/dataset.h"
#include "run/collect_job.h"
#include "run/online.h"
#include "run/parts.h"
#include "run/policy_file.h"
#include "run/relabel.h"
#include "run/rundir.h"
#include "run/session.h"

/* Order of making and of family.txt; names of the files. */
typedef enum {
    SET_RANDOM,
    SET_MEDIUM,
    SET_MIXED,
    SET_EXPERT,
    SET_MEDIUM_EXPERT,
    SET_BEHAVIOR,
    SET_TASK,
    SET_COUNT
} Set;

static const char *const suffix[SET_COUNT] = {"-random",        "-medium",   "-mixed", "-expert",
                                              "-medium-expert", "-behavior", ""};

/* What is told of a set; rows 0: not of this family. */
typedef struct {
    int64_t rows, episodes, step; /* step of the policy or the buffer; -1: none */
    double mean, min, max;        /* returns of whole episodes */
} Facts;

typedef struct {
    const Config *cfg;
    const char *dir;
    EnvKind task;
    int64_t rows;
    bool lead;
    Facts facts[SET_COUNT]; /* rank 0 */
} Family;

static const char *set_path(const Family *f, Set set, char *path)
{
    const int len =
        snprintf(path, ONLINE_PATH_MAX, "%s/%s%s.hdf5", f->dir, f->cfg->top.task, suffix[set]);
    REQUIRE(len > 0 && len < ONLINE_PATH_MAX); /* online_run has made longer ones */
    return path;
}

/* Rank 0's view. Collective. */
static bool is_there(const Family *f, Set set)
{
    char path[ONLINE_PATH_MAX];
    int there = f->lead && file_exists(set_path(f, set, path)) ? 1 : 0;
    coll_bcast(&there, sizeof there, 0);
    return there != 0;
}

/* rows 0: any number of rows is fine. Local, rank 0. */
static Status note_facts(Family *f, Set set, int64_t step, int64_t rows)
{
    Status st = OK;
    char path[ONLINE_PATH_MAX];
    Dataset data = {0};
    const DatasetOptions options = {.state_dim = f->task.state_dim, .act_dim = f->task.act_dim};

    TRY(dataset_read(&data, set_path(f, set, path), &options));
    TRY(parts_remove_rest(path));
    if (rows > 0 && data.file_rows != rows) {
        st = status_fail(ERR_CONFIG,
                         "%s has %lld rows, not %lld: give its --rows, or --force to make all sets "
                         "anew",
                         path, (long long)data.file_rows, (long long)rows);
        goto done;
    }
    f->facts[set] = (Facts){.rows = data.file_rows,
                            .episodes = data.episodes,
                            .step = step,
                            .mean = data.return_mean,
                            .min = data.return_min,
                            .max = data.return_max};
    log_info("%s: %lld rows, %lld episodes, return %.1f (%.1f to %.1f)", path,
             (long long)data.file_rows, (long long)data.episodes, data.return_mean, data.return_min,
             data.return_max);
done:
    dataset_release(&data);
    return st;
}

/* Local, rank 0. */
static Status write_set(const Family *f, Set set, const Recording *rec)
{
    char path[ONLINE_PATH_MAX];
    const H5Text name = {.name = "task", .text = f->task.name};
    return recording_write(set_path(f, set, path), rec, NULL, 0, &name, 1);
}

/* Rows of uniform actions (step -1), or drawn from the policy of a step. Collective. */
static Status record(const Family *f, Set set, int64_t step)
{
    Status st = OK;
    char path[ONLINE_PATH_MAX];
    char policy_path[ONLINE_PATH_MAX];
    PolicyFile policy = {0};
    CollectJob job = {.env = &f->task,
                      .source = {.sample = step >= 0},
                      /* starts of its own for each set; seeds of the configuration have 31 bits */
                      .seed = (uint64_t)f->cfg->top.seed + ((uint64_t)set << 32),
                      .rows = f->rows,
                      .path = set_path(f, set, path)};

    if (step >= 0) {
        (void)online_policy_path(f->dir, step, policy_path);
        TRY(comm_agree(f->lead ? policy_load(policy_path, &policy) : OK));
        TRY(policy_share(&policy));
        job.source.policy = &policy;
    }
    TRY(collect_job(&job));
done:
    policy_release(&policy);
    return st;
}

/* The same, unless it is there. Collective. */
static Status make_set(Family *f, Set set, int64_t step)
{
    Status st = OK;

    if (!is_there(f, set)) {
        TRY(record(f, set, step));
    }
    TRY(comm_agree(f->lead ? note_facts(f, set, step, f->rows) : OK));
done:
    return st;
}

/* The steps of the medium and the best policy. Local, rank 0. */
static Status choose(const Family *f, int64_t *medium, int64_t *best)
{
    Status st = OK;
    OnlineEval *evals = NULL;
    int64_t count = 0;
    int64_t top = 0;
    const double random = f->facts[SET_RANDOM].mean;

    TRY(online_read_progress(f->dir, &evals, &count));
    for (int64_t i = 1; i < count; i++) {
        top = evals[i].mean > evals[top].mean ? i : top;
    }
    if (count < 1 || !(evals[top].mean > random)) {
        st = status_fail(ERR_CONFIG,
                         "%s: no policy returns more than the %.1f of random actions; train longer "
                         "(collect.steps)",
                         f->dir, random);
        goto done;
    }
    const double enough = random + (evals[top].mean - random) / 3;
    int64_t first = 0;
    while (evals[first].mean < enough) {
        first++;
    }
    *medium = (int64_t)evals[first].step;
    *best = (int64_t)evals[top].step;
    log_info("random actions return %.1f, medium (step %lld) %.1f, expert (step %lld) %.1f", random,
             (long long)*medium, evals[first].mean, (long long)*best, evals[top].mean);
done:
    mem_free(&evals);
    return st;
}

/* The replay buffer as it was after `step` steps. Local, rank 0. */
static Status cut_replay(Family *f, int64_t step)
{
    Status st = OK;
    char path[ONLINE_PATH_MAX];
    Recording rec = {0};

    if (!file_exists(set_path(f, SET_MIXED, path))) {
        TRY(recording_read(&rec, online_replay_path(f->dir, path)));
        rec.rows = step < rec.rows ? step : rec.rows;
        rec.iteration = step;
        TRY(write_set(f, SET_MIXED, &rec));
    }
    TRY(note_facts(f, SET_MIXED, step, 0));
done:
    recording_release(&rec);
    return st;
}

/* ---- one recording behind another ---- */

static Status join_numbers(double **to, int64_t have, const double *from, int64_t more, int cols)
{
    double *all = NULL;
    const size_t first = (size_t)have * (size_t)cols;
    const size_t second = (size_t)more * (size_t)cols;

    if (*to == NULL || from == NULL) {
        mem_free(to);
        return OK;
    }
    const Status st = mem_alloc(&all, first + second, sizeof *all, "a joined column");
    if (st == OK) {
        memcpy(all, *to, first * sizeof *all);
        memcpy(all + first, from, second * sizeof *all);
        mem_free(to);
        *to = all;
    }
    return st;
}

static Status join_flags(uint8_t **to, int64_t have, const uint8_t *from, int64_t more)
{
    uint8_t *all = NULL;

    if (*to == NULL || from == NULL) {
        mem_free(to);
        return OK;
    }
    const Status st = mem_alloc(&all, (size_t)(have + more), 1, "a joined column");
    if (st == OK) {
        memcpy(all, *to, (size_t)have);
        memcpy(all + have, from, (size_t)more);
        mem_free(to);
        *to = all;
    }
    return st;
}

/* Columns that only one of them has are dropped. Both are of one task. */
static Status join(Recording *to, const Recording *from)
{
    Status st = OK;
    const int64_t n = to->rows;
    const int64_t m = from->rows;

    TRY(join_numbers(&to->observations, n, from->observations, m, to->state_dim));
    TRY(join_numbers(&to->actions, n, from->actions, m, to->act_dim));
    TRY(join_numbers(&to->rewards, n, from->rewards, m, 1));
    TRY(join_numbers(&to->next_observations, n, from->next_observations, m, to->state_dim));
    TRY(join_flags(&to->terminals, n, from->terminals, m));
    TRY(join_flags(&to->timeouts, n, from->timeouts, m));
    TRY(join_numbers(&to->log_probs, n, from->log_probs, m, 1));
    TRY(join_numbers(&to->qpos, n, from->qpos, m, to->nq));
    TRY(join_numbers(&to->qvel, n, from->qvel, m, to->nv));
    TRY(join_numbers(&to->xpos, n, from->xpos, m, 3));
    TRY(join_numbers(&to->next_xpos, n, from->next_xpos, m, 3));
    to->rows = n + m;
done:
    return st;
}

/* D4RL drops medium's last episode where it is cut: without a flag it would run on into expert. */
static Status join_levels(Family *f)
{
    Status st = OK;
    char path[ONLINE_PATH_MAX];
    Recording all = {0};
    Recording expert = {0};

    if (!file_exists(set_path(f, SET_MEDIUM_EXPERT, path))) {
        TRY(recording_read(&all, set_path(f, SET_MEDIUM, path)));
        TRY(recording_read(&expert, set_path(f, SET_EXPERT, path)));
        while (all.rows > 0 && all.terminals[all.rows - 1] == 0 &&
               all.timeouts[all.rows - 1] == 0) {
            all.rows--;
        }
        TRY(join(&all, &expert));
        all.algorithm[0] = '\0';
        all.iteration = -1;
        TRY(write_set(f, SET_MEDIUM_EXPERT, &all));
    }
    TRY(note_facts(f, SET_MEDIUM_EXPERT, -1, 0));
done:
    recording_release(&all);
    recording_release(&expert);
    return st;
}

static Status make_levels(Family *f)
{
    Status st = OK;
    int64_t steps[2] = {0, 0}; /* medium, best */

    TRY(make_set(f, SET_RANDOM, -1));
    TRY(comm_agree(f->lead ? choose(f, &steps[0], &steps[1]) : OK));
    coll_bcast(steps, sizeof steps, 0);
    TRY(make_set(f, SET_MEDIUM, steps[0]));
    TRY(comm_agree(f->lead ? cut_replay(f, steps[0]) : OK));
    TRY(make_set(f, SET_EXPERT, steps[1]));
    TRY(comm_agree(f->lead ? join_levels(f) : OK));
done:
    return st;
}

/* The whole replay buffer, as it is and with the task's reward. Local, rank 0. */
static Status make_relabeled(Family *f)
{
    Status st = OK;
    char path[ONLINE_PATH_MAX];
    Recording rec = {0};
    const int64_t steps = f->cfg->collect.steps;

    if (!file_exists(set_path(f, SET_BEHAVIOR, path)) ||
        !file_exists(set_path(f, SET_TASK, path))) {
        TRY(recording_read(&rec, online_replay_path(f->dir, path)));
        TRY(write_set(f, SET_BEHAVIOR, &rec));
        TRY(relabel_rewards(&rec, &f->task));
        TRY(write_set(f, SET_TASK, &rec));
    }
    TRY(note_facts(f, SET_BEHAVIOR, steps, 0));
    TRY(note_facts(f, SET_TASK, steps, 0));
done:
    recording_release(&rec);
    return st;
}

/* ---- family.txt ---- */

static Status write_table(const Family *f)
{
    char data[(SET_COUNT + 1) * 256];
    char path[ONLINE_PATH_MAX];
    Text text = text_over(data, sizeof data);

    text_add(&text, "%-32s %10s %9s %12s %12s %12s %10s\n", "set", "rows", "episodes",
             "return_mean", "return_min", "return_max", "step");
    for (int i = 0; i < SET_COUNT; i++) {
        const Facts *s = &f->facts[i];
        char name[64];
        (void)snprintf(name, sizeof name, "%.40s%s", f->cfg->top.task, suffix[i]);
        if (s->rows > 0) {
            text_add(&text, "%-32s %10lld %9lld %12.3f %12.3f %12.3f", name, (long long)s->rows,
                     (long long)s->episodes, s->mean, s->min, s->max);
            if (s->step >= 0) {
                text_add(&text, " %10lld\n", (long long)s->step);
            } else {
                text_add(&text, " %10s\n", "-");
            }
        }
    }
    REQUIRE(!text.cut);
    (void)snprintf(path, sizeof path, "%s/family.txt", f->dir);
    return file_write(path, data, text.used);
}

/* Whether the task's data come from another reward: then the two differ for some motion. */
static bool has_behavior(const EnvKind *task)
{
    static const double still[32]; /* an action */
    const Motion motion = {.after = {0.1, 0.2, 0.3}, .healthy = true};
    EnvKind behavior = *task;

    behavior.config.behavior_reward = true;
    return task->reward != NULL &&
           task->reward(task, &motion, still) != task->reward(&behavior, &motion, still);
}

/* Of all sets, files and parts. Local, rank 0. */
static Status delete_sets(const Family *f)
{
    enum { EACH = 2 };
    char names[SET_COUNT * EACH][256];
    const char *all[SET_COUNT * EACH];

    for (int i = 0; i < SET_COUNT * EACH; i++) {
        const char *end = i % EACH == 0 ? ".hdf5" : ".hdf5.parts/";
        (void)snprintf(names[i], sizeof names[i], "%s%s%s", f->cfg->top.task, suffix[i / EACH],
                       end);
        all[i] = names[i];
    }
    return rundir_delete(f->dir, all, SET_COUNT * EACH);
}

Status family_run(const Config *cfg, const char *dir, int64_t rows, bool force)
{
    Status st = OK;
    Config trained = *cfg;
    Config plain = *cfg;
    Family f = {.cfg = cfg, .dir = dir, .rows = rows, .lead = comm_rank() == 0};
    RunDir rundir = {.lock.fd = -1};

    (void)snprintf(plain.env.reward, sizeof plain.env.reward, "task");
    TRY(comm_agree(session_task(&plain, &f.task)));
    const bool relabeled = has_behavior(&f.task);
    if (relabeled) {
        (void)snprintf(trained.env.reward, sizeof trained.env.reward, "behavior");
    }
    TRY(comm_agree(f.lead && force ? delete_sets(&f) : OK));
    TRY(online_run(&trained, dir, force));
    TRY(comm_agree(f.lead ? rundir_open(&rundir, dir, &trained, NULL) : OK));
    if (relabeled) {
        TRY(comm_agree(f.lead ? make_relabeled(&f) : OK));
    } else {
        TRY(make_levels(&f));
    }
    TRY(comm_agree(f.lead ? write_table(&f) : OK));
done:
    rundir_close(&rundir);
    return st;
}
