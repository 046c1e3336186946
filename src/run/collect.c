#include "run/collect.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/panic.h"
#include "policy/actor.h"

static const int64_t episodes_max = (int64_t)1 << 32; /* a stream's item has 32 bits */

/* Columns of a row. */
typedef struct {
    size_t a, r, s2, terminal, timeout, qpos, qvel, log_prob, before, after, end;
} Columns;

static Columns columns(const CollectRows *rows)
{
    const size_t S = (size_t)rows->state_dim;
    const size_t A = (size_t)rows->act_dim;
    Columns at = {.a = S, .r = S + A, .s2 = S + A + 1, .terminal = S + A + 1 + S};
    at.timeout = at.terminal + 1;
    at.qpos = at.timeout + 1;
    at.qvel = at.qpos + (size_t)rows->nq;
    at.log_prob = at.qvel + (size_t)rows->nv;
    at.before = at.log_prob + 1;
    at.after = at.before + (size_t)rows->torso;
    at.end = at.after + (size_t)rows->torso;
    return at;
}

static Status reserve(CollectRows *rows, int64_t capacity)
{
    double *data = NULL;

    if (capacity <= rows->capacity) {
        return OK;
    }
    const Status st =
        mem_alloc(&data, (size_t)capacity, rows->stride * sizeof *data, "recorded transitions");
    if (st == OK) {
        if (rows->rows > 0) {
            memcpy(data, rows->data, (size_t)rows->rows * rows->stride * sizeof *data);
        }
        mem_free(&rows->data);
        rows->data = data;
        rows->capacity = capacity;
    }
    return st;
}

Status collect_init(CollectRows *rows, const EnvKind *kind, int64_t capacity)
{
    *rows = (CollectRows){.state_dim = kind->state_dim,
                          .act_dim = kind->act_dim,
                          .nq = kind->nq,
                          .nv = kind->nv,
                          .torso = kind->motion != NULL ? 3 : 0};
    rows->stride = columns(rows).end;
    const Status st = reserve(rows, capacity);
    if (st != OK) {
        collect_release(rows);
    }
    return st;
}

void collect_release(CollectRows *rows)
{
    mem_free(&rows->data);
    *rows = (CollectRows){0};
}

static void widen(double *to, const float *from, int n)
{
    for (int i = 0; i < n; i++) {
        to[i] = (double)from[i];
    }
}

/* A row behind the last one; at least doubling keeps the copying linear. */
static Status append(CollectRows *rows, double **row)
{
    Status st = OK;

    if (rows->rows == rows->capacity) {
        TRY(reserve(rows, rows->capacity < 512 ? 1024 : 2 * rows->capacity));
    }
    *row = rows->data + (size_t)rows->rows * rows->stride;
    rows->rows++;
done:
    return st;
}

Status collect_step(CollectRows *rows, const EnvKind *kind, Env *env, float *s, const float *action,
                    double log_prob, bool last, bool *ended)
{
    Status st = OK;
    const Columns at = columns(rows);
    EnvStep step = {0};
    double *row = NULL;

    TRY(append(rows, &row));
    widen(row, s, kind->state_dim);
    widen(row + at.a, action, kind->act_dim);
    row[at.log_prob] = log_prob;
    kind->get_state(env, row + at.qpos, row + at.qvel);
    TRY(kind->step(env, action, &step));
    kind->observe(env, s);
    row[at.r] = (double)step.reward;
    widen(row + at.s2, s, kind->state_dim);
    row[at.terminal] = step.terminal && !last ? 1 : 0;
    row[at.timeout] = last ? 1 : 0;
    if (rows->torso > 0) {
        Motion motion;
        kind->motion(env, &motion);
        memcpy(row + at.before, motion.before, sizeof motion.before);
        memcpy(row + at.after, motion.after, sizeof motion.after);
    }
    *ended = step.terminal || last;
done:
    return st;
}

double collect_uniform_log_prob(int act_dim)
{
    return -act_dim * log(2.0);
}

CollectEnd collect_end(const CollectRows *rows, int64_t i)
{
    const Columns at = columns(rows);
    const double *row = rows->data + (size_t)i * rows->stride;
    return (CollectEnd){.reward = row[at.r], .ended = row[at.terminal] + row[at.timeout] > 0};
}

void collect_to_record(const CollectRows *rows, int64_t i, float *record)
{
    const Columns at = columns(rows);
    const double *row = rows->data + (size_t)i * rows->stride;

    for (size_t j = 0; j < at.terminal; j++) { /* s, a, r, s' stand alike in both */
        record[j] = (float)row[j];
    }
    record[at.terminal] = (float)(1 - row[at.terminal]);
}

/* ---- episodes ---- */

/* What playing an episode needs. */
typedef struct {
    const EnvKind *kind;
    const CollectSource *source;
    Env *env;
    Arena tmp;               /* for the network */
    float *s, *action, *eps; /* (S), (A), (A); one block, s is owned */
} Stage;

static Status check_policy(const EnvKind *kind, const PolicyFile *policy)
{
    if (policy == NULL ||
        (policy->state_dim == kind->state_dim && policy->act_dim == kind->act_dim)) {
        return OK;
    }
    return status_fail(ERR_CONFIG,
                       "the policy has %d inputs and %d actions, task %s has %d and %d; say "
                       "task=NAME (`mopo config tables` lists them)",
                       policy->state_dim, policy->act_dim, kind->name, kind->state_dim,
                       kind->act_dim);
}

static Status open_stage(Stage *stage, const EnvKind *kind, const CollectSource *source)
{
    Status st = OK;
    const size_t S = (size_t)kind->state_dim;
    const size_t A = (size_t)kind->act_dim;

    *stage = (Stage){.kind = kind, .source = source};
    TRY(check_policy(kind, source->policy));
    TRY(mem_alloc(&stage->s, S + 2 * A, sizeof *stage->s, "an episode"));
    stage->action = stage->s + S;
    stage->eps = stage->action + A;
    if (source->policy != NULL) {
        TRY(arena_init(&stage->tmp, policy_act_cost(&source->policy->actor, 1)));
    }
    TRY(kind->open(&stage->env, kind));
done:
    return st;
}

static void close_stage(Stage *stage)
{
    if (stage->env != NULL) {
        stage->kind->close(stage->env);
    }
    mem_free(&stage->s);
    arena_release(&stage->tmp);
}

/* The action in state s into stage->action; its log density, NaN where it has none. */
static double choose_action(Stage *stage, Rng *draw)
{
    const int A = stage->kind->act_dim;
    const CollectSource *source = stage->source;
    const PolicyFile *p = source->policy;
    float log_prob = 0;

    if (p == NULL) {
        for (int i = 0; i < A; i++) {
            stage->action[i] = (float)(2 * rng_uniform(draw) - 1);
        }
        return collect_uniform_log_prob(A);
    }
    if (source->sample) {
        rng_fill_normal(draw, stage->eps, (size_t)A);
    }
    policy_act(&p->actor, &p->squash, p->params, stage->s, source->sample ? stage->eps : NULL, 1,
               &stage->tmp, stage->action, &log_prob);
    for (int i = 0; i < A; i++) {
        const double noise = source->noise > 0 ? source->noise * rng_normal(draw) : 0;
        stage->action[i] = (float)fmin(1, fmax(-1, (double)stage->action[i] + noise));
    }
    return source->sample && !p->squash.linear ? (double)log_prob : (double)NAN;
}

static Status record_episode(Stage *stage, uint64_t seed, uint32_t episode, CollectRows *out)
{
    Status st = OK;
    const EnvKind *kind = stage->kind;
    Rng reset = rng_make(seed, RNG_COLLECT_RESET, 0, episode);
    Rng draw = rng_make(seed, RNG_COLLECT_ACTION, 0, episode);
    bool ended = false;

    TRY(kind->reset(stage->env, &reset));
    kind->observe(stage->env, stage->s);
    for (int t = 1; !ended; t++) {
        const double log_prob = choose_action(stage, &draw);
        TRY(collect_step(out, kind, stage->env, stage->s, stage->action, log_prob,
                         t == kind->horizon, &ended));
    }
done:
    return status_while(st, "episode %lu of %s", (unsigned long)episode, kind->name);
}

Status collect_episodes(const EnvKind *kind, const CollectSource *source, uint64_t seed,
                        int64_t first, int64_t count, CollectRows *out)
{
    Status st = OK;
    Stage stage = {0};

    *out = (CollectRows){0};
    if (first < 0 || count < 0 || count > episodes_max || first > episodes_max - count) {
        return status_fail(ERR_ARG,
                           "%lld episodes from number %lld; numbers below 2^32 are allowed",
                           (long long)count, (long long)first);
    }
    TRY(collect_init(out, kind, 0));
    TRY(open_stage(&stage, kind, source));
    for (int64_t k = 0; k < count; k++) {
        TRY(record_episode(&stage, seed, (uint32_t)(first + k), out));
    }
done:
    close_stage(&stage);
    if (st != OK) {
        collect_release(out);
    }
    return st;
}

Status collect_join(CollectRows *out, const CollectRows *pieces, int n, int64_t max_rows)
{
    Status st = OK;
    int64_t rows = out->rows;

    for (int i = 0; i < n; i++) {
        rows += pieces[i].rows;
    }
    rows = max_rows > 0 && rows > max_rows ? max_rows : rows;
    if (rows > out->capacity) { /* pieces come again and again: at least double */
        TRY(reserve(out, rows > 2 * out->capacity ? rows : 2 * out->capacity));
    }
    for (int i = 0; i < n && out->rows < rows; i++) {
        REQUIRE(pieces[i].rows == 0 || pieces[i].stride == out->stride);
        const int64_t room = rows - out->rows;
        const int64_t take = pieces[i].rows < room ? pieces[i].rows : room;
        if (take > 0) {
            memcpy(out->data + (size_t)out->rows * out->stride, pieces[i].data,
                   (size_t)take * out->stride * sizeof *out->data);
            out->rows += take;
        }
    }
done:
    return st;
}

/* ---- writing: columns of the rows as arrays of their own ---- */

static Status take_doubles(const CollectRows *rows, size_t first, int cols, double **out)
{
    const Status st = mem_alloc(out, (size_t)rows->rows, (size_t)cols * sizeof **out, "a column");
    for (size_t i = 0; st == OK && i < (size_t)rows->rows; i++) {
        memcpy(*out + i * (size_t)cols, rows->data + i * rows->stride + first,
               (size_t)cols * sizeof **out);
    }
    return st;
}

static Status take_flags(const CollectRows *rows, size_t column, uint8_t **out)
{
    const Status st = mem_alloc(out, (size_t)rows->rows, 1, "a column");
    for (size_t i = 0; st == OK && i < (size_t)rows->rows; i++) {
        (*out)[i] = rows->data[i * rows->stride + column] != 0.0;
    }
    return st;
}

/* A column that is not there stays NULL. */
static Status take_torso(const CollectRows *rows, size_t first, double **out)
{
    return rows->torso > 0 ? take_doubles(rows, first, rows->torso, out) : OK;
}

static bool has_log_probs(const CollectRows *rows)
{
    const size_t column = columns(rows).log_prob;
    bool all = true;
    for (size_t i = 0; all && i < (size_t)rows->rows; i++) {
        all = !isnan(rows->data[i * rows->stride + column]);
    }
    return all;
}

Status collect_columns(const CollectRows *rows, Recording *rec)
{
    Status st = OK;
    const Columns at = columns(rows);

    *rec = (Recording){.state_dim = rows->state_dim,
                       .act_dim = rows->act_dim,
                       .nq = rows->nq,
                       .nv = rows->nv,
                       .rows = rows->rows,
                       .iteration = -1};
    TRY(take_doubles(rows, 0, rows->state_dim, &rec->observations));
    TRY(take_doubles(rows, at.a, rows->act_dim, &rec->actions));
    TRY(take_doubles(rows, at.r, 1, &rec->rewards));
    TRY(take_doubles(rows, at.s2, rows->state_dim, &rec->next_observations));
    TRY(take_flags(rows, at.terminal, &rec->terminals));
    TRY(take_flags(rows, at.timeout, &rec->timeouts));
    TRY(take_doubles(rows, at.qpos, rows->nq, &rec->qpos));
    TRY(take_doubles(rows, at.qvel, rows->nv, &rec->qvel));
    if (has_log_probs(rows)) {
        TRY(take_doubles(rows, at.log_prob, 1, &rec->log_probs));
    }
    TRY(take_torso(rows, at.before, &rec->xpos));
    TRY(take_torso(rows, at.after, &rec->next_xpos));
done:
    if (st != OK) {
        recording_release(rec);
    }
    return st;
}

Status collect_write(const char *path, const EnvKind *kind, CollectRows *rows,
                     const CollectSource *source)
{
    Status st = OK;
    Recording rec = {0};
    PolicyItems items = {0};
    H5Text texts[1 + POLICY_TEXTS_MAX] = {{.name = "task", .text = kind->name}};
    const PolicyFile *p = source->policy;

    TRY(collect_columns(rows, &rec));
    collect_release(rows);
    (void)snprintf(rec.algorithm, sizeof rec.algorithm, "%.*s", (int)sizeof rec.algorithm - 1,
                   p != NULL ? p->info.algorithm : "random");
    if (p != NULL) {
        rec.iteration = p->info.epoch;
        TRY(policy_items(&items, &p->actor, &p->squash, p->params));
        memcpy(texts + 1, items.texts, sizeof items.texts);
    }
    TRY(recording_write(path, &rec, items.items, items.n, texts, 1 + items.m));
done:
    policy_items_release(&items);
    recording_release(&rec);
    return st;
}
