/* Updates, rollouts, episodes and what reports ask for; the loop that all measurements share. */
#include "run/unit_cost.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/panic.h"
#include "base/timer.h"
#include "run/collect.h"
#include "run/learner_state.h"
#include "run/model_world.h"

static const double sustained = 0.8; /* seconds for what a run does most */
static const double brief = 0.3;

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

Status unit_cost_typical(const CostPiece *piece, int count, double budget, double *seconds)
{
    enum { LEAST = 3, MOST = 2048, PIECES = 2 };
    Status st = OK;
    double taken[PIECES][MOST];
    double spent = 0;
    double units = 0;
    int n = 0;

    REQUIRE(count <= PIECES);
    for (int i = 0; i < count; i++) { /* page faults and cold caches: not typical */
        TRY(piece[i].run(piece[i].ctx, &units));
    }
    while (n < MOST && (n < LEAST || spent < budget)) {
        for (int i = 0; i < count; i++) {
            const double start = timer_cpu();
            TRY(piece[i].run(piece[i].ctx, &units));
            const double used = timer_cpu() - start;
            taken[i][n] = units > 0 ? used / units : 0;
            spent += used;
        }
        n++;
    }
    for (int i = 0; i < count; i++) {
        qsort(taken[i], (size_t)n, sizeof *taken[i], ascending);
        seconds[i] = taken[i][n / 2];
    }
done:
    return st;
}

/* ---- a learner on random rows ---- */

typedef struct {
    Session *s;
    Learner l;      /* ring, batch and history only: nobody to talk to */
    Reduce part;    /* one shard of all */
    float *records; /* of a unit, owned */
    int unit, episode;
    Arena tmp; /* of predictions */
    Env *env;
    EpisodeStarts starts;
    float *sa, *mean, *std; /* of PIECE rows, owned */
} Rehearsal;

enum {
    PIECE = 500,
    TRUTHS = 100
}; /* rows of a prediction, as in reports; states for the simulator */

static Status update_by(Rehearsal *r, const Reduce *reduce)
{
    Session *s = r->s;
    float stats[STAT_COUNT];
    const int rows = learner_gather(&r->l);

    return s->agent.kind->update(&s->agent, r->l.shard, rows, reduce, (uint64_t)s->cfg.top.seed,
                                 &s->tmp, stats);
}

static Status update_run(void *ctx, double *units)
{
    Rehearsal *r = ctx;
    *units = 1;
    return update_by(r, &r->s->reduce);
}

static Status shard_run(void *ctx, double *units)
{
    Rehearsal *r = ctx;
    *units = 1;
    return update_by(r, &r->part);
}

static Status gather_run(void *ctx, double *units)
{
    Rehearsal *r = ctx;
    *units = 1;
    (void)learner_gather(&r->l);
    return OK;
}

static Status prepare_run(void *ctx, double *units)
{
    Rehearsal *r = ctx;
    Session *s = r->s;
    float stats[STAT_COUNT];

    *units = 1;
    learner_gather_prepare(&r->l);
    return s->agent.kind->prepare(&s->agent, r->l.shard, s->cfg.train.batch, &s->reduce,
                                  (uint64_t)s->cfg.top.seed, &s->tmp, stats);
}

/* One unit after the other, into the ring of its shard. */
static Status rollout_unit_run(void *ctx, double *units)
{
    Rehearsal *r = ctx;
    Session *s = r->s;
    UnitReport report;

    rollout_run(&s->roll, agent_actor(&s->agent), 1, r->unit, &s->tmp, r->records, &report);
    buffer_push(&r->l.buffer[plan_unit_shard(&s->plan, r->unit)], r->records, report.rows);
    *units = (double)report.rows;
    r->unit = (r->unit + 1) % s->plan.units;
    return OK;
}

static Status episode_run(void *ctx, double *units)
{
    Rehearsal *r = ctx;
    Session *s = r->s;
    EpisodeEntry entry = {0};
    Status st = OK;
    const Player player = session_player(s, agent_actor(&s->agent), 0);

    if (r->env != NULL) {
        st = play_episode(&player, r->env, r->episode, &s->tmp, &entry);
    } else {
        model_episode(&s->roll, &r->starts, &player, s->cfg.eval.model_steps, r->episode, &s->tmp,
                      &entry);
    }
    r->episode++;
    *units = entry.length;
    return st;
}

static Status collect_run(void *ctx, double *units)
{
    Rehearsal *r = ctx;
    CollectRows rows;
    const Status st = collect_episodes(r->s->env, &(CollectSource){0}, 1, r->episode++, 1, &rows);

    *units = (double)rows.rows;
    collect_release(&rows);
    return st;
}

static Status predict_run(void *ctx, double *units)
{
    Rehearsal *r = ctx;
    *units = PIECE;
    ensemble_predict(&r->s->ens, r->sa, PIECE, &r->tmp, r->mean, r->std);
    return OK;
}

static Status truth_run(void *ctx, double *units)
{
    Rehearsal *r = ctx;
    *units = TRUTHS;
    r->s->truth.next(r->s->truth.ctx, r->sa, TRUTHS, r->mean);
    return OK;
}

/* ---- setting up ---- */

/* Rows of a shard's ring: as in a run, but with at most so many bytes in all. */
static int64_t ring_rows(const Session *s, int shard)
{
    static const double most = 1e9;
    const int64_t rows = learner_shard_capacity(s, shard);
    const double room =
        most / ((double)s->data.rec.stride * sizeof(float) * (double)s->plan.shards);
    return (double)rows > room ? (int64_t)room + 1 : rows;
}

/* Nothing ends early, and predictions stay near the data: an untrained ensemble may say anything. */
static void tame(Session *s)
{
    enum { Y_MAX = ENSEMBLE_DIM_MAX };
    for (int j = 0; j < 1 + s->data.rec.S && j < Y_MAX; j++) {
        s->ens.out_std[j] = 0.01F;
    }
    s->roll.end.rule = END_NEVER;
    ensemble_freeze(&s->ens);
}

static Status open_learner(Rehearsal *r)
{
    Session *s = r->s;
    Learner *l = &r->l;
    Status st = OK;
    const size_t batch = (size_t)s->cfg.train.batch * s->data.rec.stride;
    const size_t unit = (size_t)rollout_unit_most(&s->roll) * s->data.rec.stride;

    *l = (Learner){.s = s, .lead = true};
    TRY(mem_alloc(&l->buffer, (size_t)s->reduce.count, sizeof *l->buffer, "shard buffers"));
    TRY(mem_alloc(&l->batch, batch, sizeof(float), "a batch"));
    TRY(mem_alloc(&l->shard, (size_t)s->reduce.count, sizeof *l->shard, "a batch"));
    TRY(history_init(&l->history, s->plan.shards, s->agent.actor.count, 1));
    for (int v = 0; s->uses_model && v < s->reduce.count; v++) {
        TRY(buffer_init(&l->buffer[v], s->data.rec, ring_rows(s, v)));
    }
    if (s->uses_model) {
        TRY(mem_alloc(&r->records, unit, sizeof(float), "records of a unit"));
    }
done:
    return st;
}

static Status open(Rehearsal *r, Session *s)
{
    Status st = OK;
    const size_t D = (size_t)s->data.rec.S + (size_t)s->data.rec.A;
    const size_t outs = PIECE * (size_t)s->ens.cfg.members * (size_t)(s->data.rec.S + 1);
    Rng rng = rng_make((uint64_t)s->cfg.top.seed, RNG_TEST, 1, 0);

    *r = (Rehearsal){.s = s, .part = reduce_local(s->reduce.shards)};
    r->part.count = 1; /* as a learner's before the exchange */
    TRY(open_learner(r));
    TRY(mem_alloc(&r->sa, PIECE * D, sizeof(float), "rows to predict"));
    TRY(mem_alloc(&r->mean, outs, sizeof(float), "predictions"));
    TRY(mem_alloc(&r->std, outs, sizeof(float), "predictions"));
    TRY(arena_init(&r->tmp, ensemble_predict_cost(&s->ens, PIECE)));
    rng_fill_uniform(&rng, -1.0F, 1.0F, r->sa, PIECE * D);
    if (s->env->open != NULL) {
        TRY(s->env->open(&r->env, s->env));
    } else {
        TRY(episode_starts(&s->data, &r->starts));
    }
    for (size_t i = 0; r->env != NULL && i < TRUTHS;
         i++) { /* states that the simulator can be in */
        TRY(s->env->reset(r->env, &rng));
        s->env->observe(r->env, r->sa + i * D);
    }
    tame(s);
    /* an agent may begin otherwise than it goes on: as in the middle of the run */
    s->agent.updates = (int64_t)s->cfg.train.epochs * s->cfg.train.updates_per_epoch / 2;
done:
    return st;
}

static void release(Rehearsal *r)
{
    Learner *l = &r->l;

    for (int v = 0; l->buffer != NULL && v < r->s->reduce.count; v++) {
        buffer_release(&l->buffer[v]);
    }
    mem_free(&l->buffer);
    mem_free(&l->batch);
    mem_free(&l->shard);
    history_release(&l->history);
    mem_free(&r->records);
    mem_free(&r->sa);
    mem_free(&r->mean);
    mem_free(&r->std);
    arena_release(&r->tmp);
    episode_starts_release(&r->starts);
    if (r->env != NULL) {
        r->s->env->close(r->env);
    }
}

/* All rings full, with the rows of a unit over and over; and for an agent that takes whole phases a history
 * that says so. */
static Status fill(Rehearsal *r)
{
    Session *s = r->s;
    Status st = OK;
    UnitReport report;
    UnitReport *units = NULL;

    rollout_run(&s->roll, agent_actor(&s->agent), 1, 0, &s->tmp, r->records, &report);
    if (report.rows == 0) {
        return status_fail(ERR_NUMERIC, "a model that was not fitted predicts no finite number");
    }
    for (int v = 0; v < s->reduce.count; v++) {
        Buffer *ring = &r->l.buffer[v];
        while (ring->rows < ring->capacity) {
            const int64_t left = ring->capacity - ring->rows;
            buffer_push(ring, r->records, left < report.rows ? left : report.rows);
        }
    }
    if (s->agent.kind->on_policy) {
        TRY(mem_alloc(&units, (size_t)s->plan.units, sizeof *units, "unit reports"));
        const int64_t each = s->plan.units / s->plan.shards;
        for (int u = 0; u < s->plan.units; u++) {
            units[u].rows = r->l.buffer[plan_unit_shard(&s->plan, u)].rows / each;
        }
        TRY(history_add(&r->l.history, 1, agent_actor(&s->agent), units, s->plan.units));
    }
done:
    mem_free(&units);
    return st;
}

/* ---- the measurements ---- */

static Status typical_of(Rehearsal *r, Status (*run)(void *ctx, double *units), double budget,
                         double *seconds)
{
    return unit_cost_typical(&(CostPiece){run, r}, 1, budget, seconds);
}

/* What an epoch is made of, in `part` of the time that a plan takes for it. */
static Status measure_epoch(Rehearsal *r, double part, UnitCost *cost)
{
    const int V = r->s->reduce.count;
    const CostPiece pieces[] = {{update_run, r}, {shard_run, r}};
    double each[2] = {0};
    Status st = OK;

    TRY(unit_cost_typical(pieces, V > 1 ? 2 : 1, part * (V > 1 ? 2 : 1) * sustained, each));
    TRY(typical_of(r, gather_run, part * brief / 4, &cost->gather));
    cost->update = cost->update_fixed = each[0];
    if (V > 1) { /* fixed + V shards, each with its rows to gather; fixed + one shard + all rows */
        const double shard = (each[0] - each[1]) / (V - 1);
        cost->update_fixed = fmax(0, each[1] - shard - cost->gather);
    }
    TRY(typical_of(r, episode_run, part * brief, &cost->eval));
    if (r->s->uses_model) {
        TRY(typical_of(r, rollout_unit_run, part * sustained, &cost->rollout));
    }
done:
    return st;
}

static Status measure_head(Session *s, UnitCost *cost)
{
    enum { UPDATES = 200, ROWS = 20000 };
    Status st = OK;
    TerminalReport report;
    const int64_t rows = s->data.rows < ROWS ? s->data.rows : ROWS;
    const double start = timer_cpu();

    TRY(terminal_head_fit(&s->head, s->data.records, rows, UPDATES, 1, &report));
    cost->terminal = report.trained_on > 0 ? (timer_cpu() - start) / UPDATES : 0;
done:
    return st;
}

/* What else a run does with networks and simulator. */
static Status measure_rest(Rehearsal *r, UnitCost *cost)
{
    const Session *s = r->s;
    const AgentKind *kind = s->agent.kind;
    Status st = OK;

    if (kind->prepare != NULL && kind->prepare_updates(&s->agent) > 0) {
        TRY(typical_of(r, prepare_run, brief, &cost->prepare));
    }
    if (r->env != NULL) {
        TRY(typical_of(r, collect_run, brief, &cost->collect));
    }
    if (s->needs_model) {
        TRY(typical_of(r, predict_run, brief, &cost->predict));
    }
    if (s->truth.next != NULL) {
        TRY(typical_of(r, truth_run, brief, &cost->truth));
    }
done:
    return st;
}

static Status measure_learning(Session *s, double part, bool all, UnitCost *cost)
{
    Status st = OK;
    Rehearsal r;

    TRY(open(&r, s));
    if (s->uses_model) {
        TRY(fill(&r));
    }
    TRY(measure_epoch(&r, part, cost));
    if (all) {
        TRY(measure_rest(&r, cost));
    }
done:
    release(&r);
    return st;
}

static Status measure_alone(Session *s, UnitCost *cost)
{
    Status st = OK;
    const bool learned = s->roll.end.rule == END_LEARNED; /* measuring rollouts changes it */

    TRY(measure_learning(s, 1, true, cost));
    if (learned) {
        TRY(measure_head(s, cost));
    }
    if (s->needs_model) {
        TRY(unit_cost_fit(s, cost));
    }
    TRY(unit_cost_files(s, cost));
done:
    return st;
}

Status unit_cost_measure(Session *s, UnitCost *cost)
{
    Status st = OK;

    *cost = (UnitCost){0};
    TRY(comm_agree(comm_rank() == 0 ? measure_alone(s, cost) : OK));
    TRY(unit_cost_messages(cost));
done:
    return status_while(st, "measuring what a run costs here");
}

Status unit_cost_measure_epoch(Session *s, UnitCost *cost)
{
    static const double part = 0.25;
    Status st = OK;

    *cost = (UnitCost){0};
    TRY(comm_agree(comm_rank() == 0 ? measure_learning(s, part, false, cost) : OK));
    TRY(unit_cost_messages(cost));
done:
    return status_while(st, "measuring what an epoch costs here");
}
