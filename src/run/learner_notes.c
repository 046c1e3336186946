#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/panic.h"
#include "base/text.h"
#include "run/diverged.h"
#include "run/learner_state.h"
#include "run/timing.h"

/* Rows in all shards' rings, from the list of phases: the same on any number of learners. */
static double buffered_rows(const Learner *l)
{
    int64_t sum = 0;
    for (int v = 0; v < l->s->plan.shards; v++) {
        const int64_t most = learner_shard_capacity(l->s, v);
        int64_t rows = 0;
        for (int64_t i = 0; i < l->history.count; i++) {
            rows += l->history.rows[i * l->history.shards + v];
        }
        sum += rows < most ? rows : most;
    }
    return (double)sum;
}

static const Metric metric_of[STAT_COUNT] = {
    [STAT_CRITIC_LOSS] = METRIC_CRITIC_LOSS, [STAT_ACTOR_LOSS] = METRIC_ACTOR_LOSS,
    [STAT_ALPHA_LOSS] = METRIC_ALPHA_LOSS,   [STAT_Q] = METRIC_Q_MEAN,
    [STAT_ENTROPY] = METRIC_ENTROPY,         [STAT_DIVERGENCE] = METRIC_DIVERGENCE,
    [STAT_BEHAVIOR] = METRIC_BEHAVIOR_LOSS,
};

void learner_begin_line(Learner *l, int64_t e, const double *sums)
{
    const Session *s = l->s;
    const Config *cfg = &s->cfg;
    const double n = (double)cfg->train.updates_per_epoch;
    double *v = l->line.value;

    if (!l->lead) {
        return;
    }
    metrics_clear(&l->line);
    v[METRIC_EPOCH] = (double)e;
    v[METRIC_UPDATES] = (double)s->agent.updates;
    for (int k = 0; k < STAT_COUNT; k++) {
        const bool measured = (s->agent.kind->stats >> k & 1U) != 0;
        v[metric_of[k]] = measured ? sums[k] / n : (double)NAN;
    }
    if (isnan(l->first.value[METRIC_EPOCH])) {
        l->first = l->line;
    }
    v[METRIC_ALPHA] = agent_alpha(&s->agent);
    v[METRIC_LAG] = (double)cfg->rollout.lag;
    const int64_t at = history_find(&l->history, e);
    if (at < 0) {
        return;
    }
    const double *sum = l->history.sums + at * SUM_COUNT;
    const double rows = sum[SUM_ROWS];
    v[METRIC_MODEL_ROWS] = rows;
    v[METRIC_TERMINATIONS] = sum[SUM_ENDED];
    v[METRIC_DROPPED_ROWS] = sum[SUM_DROPPED];
    if (!s->roll.penalty->halts) { /* then nothing is subtracted */
        v[METRIC_PENALTY_MEAN] = cfg->penalty.lambda * sum[SUM_PENALTY] / rows;
        v[METRIC_PENALTY_MAX] = cfg->penalty.lambda * sum[SUM_PENALTY_MAX];
    }
    v[METRIC_UNCERTAINTY_MEAN] = sum[SUM_PENALTY] / rows;
    v[METRIC_UNCERTAINTY_MAX] = sum[SUM_PENALTY_MAX];
    v[METRIC_HALTED] = s->roll.penalty->halts ? sum[SUM_HALTED] : (double)NAN;
    v[METRIC_MODEL_REWARD] = sum[SUM_REWARD] / rows;
    v[METRIC_BUFFER_ROWS] = buffered_rows(l);
}

void learner_tell_dropped(Learner *l, int64_t e)
{
    const int64_t at = history_find(&l->history, e);
    REQUIRE(at >= 0);
    const double *sum = l->history.sums + at * SUM_COUNT;
    const double dropped = sum[SUM_DROPPED];

    if (dropped <= 0 || dropped < 10 * l->dropped) {
        return;
    }
    l->dropped = dropped;
    log_warn(
        "epoch %lld: of %.0f predicted rows %.0f are left out and end their rollouts: %s; usual "
        "cures: %s",
        (long long)e, sum[SUM_ROWS] + dropped, dropped,
        l->s->roll.penalty->needs_truth
            ? "they are not finite, or the simulator could not follow them"
            : "they, or their penalty, are not finite",
        diverged_cure(DIVERGED_ROLLOUT));
}

/* Mean reward of the rows that the model made for epoch e; NaN: none are known. */
static double model_reward(const Learner *l, int64_t e)
{
    const int64_t at = history_find(&l->history, e);
    const double *sum = at >= 0 ? l->history.sums + at * SUM_COUNT : NULL;
    return sum != NULL ? sum[SUM_REWARD] / sum[SUM_ROWS] : (double)NAN;
}

Status learner_tell_growth(const Learner *l, int64_t e, Status st)
{
    static const double far = 1e3;
    char words[256] = "";
    Text text = text_over(words, sizeof words);
    const double *a = l->first.value;
    const double *b = l->line.value;

    if (st != ERR_NUMERIC || !l->lead) {
        return st;
    }
    const double most = fmax(fabs(l->s->data.reward_min), fabs(l->s->data.reward_max));
    const double reward = model_reward(l, e);
    if (fabs(reward) > far * most) {
        text_add(&text,
                 "; the model went first: its rewards of this epoch are %.3g on average, those of "
                 "the data %.3g at most",
                 reward, most);
    }
    if (b[METRIC_EPOCH] > a[METRIC_EPOCH]) {
        text_add(&text, "; the mean Q went from %.3g in epoch %.0f to %.3g in epoch %.0f",
                 a[METRIC_Q_MEAN], a[METRIC_EPOCH], b[METRIC_Q_MEAN], b[METRIC_EPOCH]);
    }
    return status_fail(st, "%s%s", status_reason(), words);
}

static void add_returns(Learner *l)
{
    const ReturnSummary r = summarize_returns(l->s->env, l->episodes, l->s->plan.episodes);
    char whose[32];
    double *v = l->line.value;

    v[METRIC_RETURN_MEAN] = r.mean;
    v[METRIC_RETURN_STD] = r.std;
    v[METRIC_RETURN_MIN] = r.min;
    v[METRIC_RETURN_MAX] = r.max;
    v[METRIC_LENGTH_MEAN] = r.length;
    v[METRIC_SCORE] = r.score;
    (void)snprintf(whose, sizeof whose, "epoch %lld", (long long)l->task.epoch);
    warn_of_cut_episodes(&r, whose, l->s->plan.episodes);
}

static void note_result(LearnResult *r, const double *v)
{
    const double mean = v[METRIC_RETURN_MEAN];

    if (isnan(r->first_return)) {
        r->first_return = mean;
    }
    if (!(mean <= r->best_return)) {
        r->best_return = mean;
        r->best_epoch = (int64_t)v[METRIC_EPOCH];
    }
    r->last_return = mean;
    r->last_score = v[METRIC_SCORE];
}

/* What is measured of it, in a line for people. */
static void log_epoch(const Learner *l, const double *v)
{
    static const struct {
        Metric metric;
        const char *name;
        int width;
        bool fixed; /* one digit behind the point; not: three digits that count */
    } parts[] = {{METRIC_RETURN_MEAN, "  return", 9, true},
                 {METRIC_RETURN_STD, " +-", 6, true},
                 {METRIC_SCORE, "  score", 6, true},
                 {METRIC_Q_MEAN, "  Q", 8, true},
                 {METRIC_CRITIC_LOSS, "  critic", 8, false},
                 {METRIC_ALPHA, "  alpha", 6, false},
                 {METRIC_DIVERGENCE, "  divergence", 6, false},
                 {METRIC_PENALTY_MEAN, "  penalty", 6, false},
                 {METRIC_HALTED, "  halted rows", 6, false}};
    char line[256];
    Text text = text_over(line, sizeof line);

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const double x = v[parts[i].metric];
        if (parts[i].fixed && !isnan(x)) {
            text_add(&text, "%s %*.1f", parts[i].name, parts[i].width, x);
        } else if (!isnan(x)) {
            text_add(&text, "%s %*.3g", parts[i].name, parts[i].width, x);
        }
    }
    log_info("epoch %4lld/%d%s", (long long)l->task.epoch, l->s->cfg.train.epochs, line);
}

Status learner_note_epoch(Learner *l)
{
    const double *v = l->line.value;

    if (isnan(v[METRIC_EPOCH]) || (int64_t)v[METRIC_EPOCH] != l->task.epoch) {
        return OK; /* the first task of a run belongs to no epoch */
    }
    l->result.epochs = l->task.epoch;
    if (l->task.eval != 0) {
        add_returns(l);
        if (!isfinite(v[METRIC_RETURN_MEAN])) {
            const Status st = status_fail(ERR_NUMERIC, "the mean return of epoch %lld is %g",
                                          (long long)l->task.epoch, v[METRIC_RETURN_MEAN]);
            return diverged_cures(st, l->s,
                                  l->s->env->open != NULL ? DIVERGED_AGENT : DIVERGED_ROLLOUT);
        }
        note_result(&l->result, v);
    }
    log_epoch(l, v);
    return metrics_append(&l->log, &l->line);
}

void learner_note_tasks(const Learner *l)
{
    const Plan *plan = &l->s->plan;

    for (int r = plan_first_worker(plan); l->lead && r < plan->ranks; r++) {
        timing_line(
            "{\"rank\": %d, \"phase\": \"crew\", \"policy_epoch\": %lld, \"rollout\": %.4f, "
            "\"eval\": %.4f, \"wait\": %.4f}",
            r, (long long)l->task.epoch, l->rolled[r].busy, l->played[r].busy,
            l->rolled[r].wait + l->played[r].wait);
    }
}

void learner_note_updates(int64_t epoch, const AccountSheet *before)
{
    const AccountSheet now = account_sheet();
    const double *from = before->of[ACCOUNT_UPDATE];
    const double *to = now.of[ACCOUNT_UPDATE];

    timing_line(
        "{\"rank\": 0, \"phase\": \"learn\", \"epoch\": %lld, \"update\": %.4f, "
        "\"exchange\": %.4f, \"wait\": %.4f}",
        (long long)epoch, to[ACCOUNT_COMPUTE] - from[ACCOUNT_COMPUTE],
        to[ACCOUNT_EXCHANGE] - from[ACCOUNT_EXCHANGE] + to[ACCOUNT_WAIT] - from[ACCOUNT_WAIT],
        now.of[ACCOUNT_HANDOVER][ACCOUNT_WAIT] - before->of[ACCOUNT_HANDOVER][ACCOUNT_WAIT]);
}

/* --- checkpoints -------------------------------------------------------------------------------- */

enum { RESULT_NUMBERS = 4 };

/* Agent, metrics line and result: everything of fixed size. */
static int fixed_slabs(Learner *l, double result[RESULT_NUMBERS], Slab *slabs)
{
    int n = agent_slabs(&l->s->agent, slabs);
    slabs[n++] = slab_f64("line", l->line.value, METRIC_COUNT);
    slabs[n++] = slab_f64("result", result, RESULT_NUMBERS);
    return n;
}

Status learner_save(Learner *l, Phase phase, int64_t step)
{
    Status st = OK;
    Slab slabs[CHECKPOINT_SLABS_MAX];
    int64_t lengths[METRICS_FILES];
    char digest[SLAB_DIGEST_MAX];
    double result[RESULT_NUMBERS] = {l->result.first_return, l->result.best_return,
                                     (double)l->result.best_epoch, l->result.last_return};

    if (!l->lead) {
        return OK;
    }
    const AccountKind before = account_kind(ACCOUNT_SAVE);
    TRY(metrics_lengths(&l->log, lengths));
    int n = fixed_slabs(l, result, slabs);
    n += history_slabs(&l->history, slabs + n);
    slab_digest(slabs, n, digest);
    const CheckpointNote notes[] = {
        {.key = "metrics_jsonl", .number = lengths[METRICS_JSONL]},
        {.key = "metrics_csv", .number = lengths[METRICS_CSV]},
        {.key = "digest", .text = digest},
    };
    TRY(checkpoint_save(l->dir->path, phase, step, slabs, n, notes,
                        (int)(sizeof notes / sizeof *notes), l->s->cfg.checkpoint.keep));
    (void)account_kind(before);
done:
    return status_while(st, "saving %s %lld", phase == PHASE_POLICY ? "epoch" : "piece",
                        (long long)step);
}

static Status load_state(Learner *l, const Checkpoint *from, History *past)
{
    Status st = OK;
    Slab slabs[CHECKPOINT_SLABS_MAX];
    double result[RESULT_NUMBERS];
    const int64_t count = checkpoint_slab_length(from, "history.epoch");

    TRY(history_init(past, l->s->plan.shards, l->s->agent.actor.count, count > 0 ? count : 1));
    past->count = count > 0 ? count : 0;
    int n = fixed_slabs(l, result, slabs);
    n += history_slabs(past, slabs + n);
    TRY(checkpoint_load(from, slabs, n));
    l->result.first_return = result[0];
    l->result.best_return = result[1];
    l->result.best_epoch = (int64_t)result[2];
    l->result.last_return = result[3];
done:
    return st;
}

Status learner_load(Learner *l, const Checkpoint *from, History *past, int64_t *epoch)
{
    Status st = OK;
    int64_t lengths[METRICS_FILES] = {0};

    metrics_clear(&l->line);
    metrics_clear(&l->first);
    l->result = (LearnResult){.first_return = nan(""),
                              .last_return = nan(""),
                              .best_return = nan(""),
                              .last_score = nan("")};
    if (from != NULL) {
        TRY(load_state(l, from, past));
        TRY(checkpoint_note_int(from, "metrics_jsonl", &lengths[METRICS_JSONL]));
        TRY(checkpoint_note_int(from, "metrics_csv", &lengths[METRICS_CSV]));
        *epoch = from->phase == PHASE_POLICY ? from->step : 0;
        if (from->phase == PHASE_POLICY) {
            log_info("policy: going on after epoch %lld", (long long)*epoch);
        } else {
            log_info("behavior's model: going on after update %lld",
                     (long long)l->s->agent.prepared);
        }
    }
    TRY(metrics_open(&l->log, l->dir->path, from != NULL ? lengths : NULL));
done:
    return from != NULL ? status_while(st, "going on from %s", from->path)
                        : status_while(st, "starting the epochs");
}
