#include "run/online.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/timer.h"
#include "comm/comm.h"
#include "data/buffer.h"
#include "run/evaluate.h"
#include "run/online_state.h"
#include "run/policy_file.h"
#include "run/session.h"
#include "run/stop.h"

/* The action of the next step into o->action, and its log density. */
static double choose_action(Online *o)
{
    const int A = o->rec.A;
    const size_t mark = o->tmp.used;
    Rng rng = rng_make((uint64_t)o->cfg->top.seed, RNG_ONLINE_ACTION, (uint64_t)o->step, 0);
    float log_prob = 0.0F;

    if (o->step < o->cfg->collect.start_steps) {
        rng_fill_uniform(&rng, -1.0F, 1.0F, o->action, (size_t)A);
        return collect_uniform_log_prob(A);
    }
    float *eps = arena_floats(&o->tmp, (size_t)A);
    float *head = arena_floats(&o->tmp, 2 * (size_t)A);
    rng_fill_normal(&rng, eps, (size_t)A);
    mlp_infer(&o->agent.actor, agent_actor(&o->agent), o->s, 1, &o->tmp, head);
    squash_forward(&o->agent.squash, head, eps, 1, o->action, A, &log_prob);
    arena_reset(&o->tmp, mark);
    return (double)log_prob;
}

static Status update(Online *o)
{
    const Config *cfg = o->cfg;
    const uint64_t seed = (uint64_t)cfg->top.seed;
    const uint64_t k = (uint64_t)o->agent.updates;
    float stats[STAT_COUNT];
    float *rows = o->batch;

    for (int i = 0; i < o->reduce.count; i++) {
        const int shard = o->reduce.first + i;
        const int n = plan_deal(cfg->train.batch, cfg->train.shards, shard);
        Rng rng = rng_make(seed, RNG_ONLINE_BATCH, k, (uint32_t)shard);
        records_gather(o->records, o->rec.stride, o->step, &rng, n, rows);
        o->shards[i] = (Batch){rows, n};
        rows += (size_t)n * o->rec.stride;
    }
    return o->agent.kind->update(&o->agent, o->shards, cfg->train.batch, &o->reduce, seed, &o->tmp,
                                 stats);
}

/* Between episodes nothing has to be kept of the simulator, so here is the place to save and stop. */
static Status begin_episode(Online *o)
{
    Status st = OK;
    int stop = o->lead && stop_wanted() ? 1 : 0;
    int save = o->lead && stop_save_wanted() ? 1 : 0;

    comm_reduce_bcast(&o->reduce, &stop, sizeof stop);
    comm_reduce_bcast(&o->reduce, &save, sizeof save);
    if (o->step >= o->next_save || ((stop != 0 || save != 0) && o->fresh.rows > 0)) {
        TRY(online_save(o));
    }
    if (stop != 0) {
        st = status_fail(ERR_INTERRUPTED,
                         "stopped after step %lld of %d as asked (%s); the same command goes on "
                         "from here",
                         (long long)o->step, o->cfg->collect.steps, o->lead ? stop_reason() : "");
        goto done;
    }
    Rng rng = rng_make((uint64_t)o->cfg->top.seed, RNG_ONLINE_RESET, 0, (uint32_t)o->episodes);
    TRY(status_while(o->task.reset(o->env, &rng), "episode %lld", (long long)o->episodes));
    o->task.observe(o->env, o->s);
done:
    return st;
}

static Status one_step(Online *o)
{
    Status st = OK;
    bool ended = false;

    if (o->in_episode == 0) {
        TRY(begin_episode(o));
    }
    const double log_prob = choose_action(o);
    o->in_episode++;
    st = collect_step(&o->fresh, &o->task, o->env, o->s, o->action, log_prob,
                      o->in_episode == o->task.horizon, &ended);
    TRY(status_while(st, "step %lld", (long long)o->step));
    collect_to_record(&o->fresh, o->fresh.rows - 1, o->records + (size_t)o->step * o->rec.stride);
    o->step++;
    if (ended) {
        o->in_episode = 0;
        o->episodes++;
    }
    if (o->step > o->cfg->collect.start_steps) {
        TRY(update(o));
    }
done:
    return st;
}

static Status advance(Online *o, int64_t until)
{
    Status st = OK;
    while (st == OK && o->step < until) {
        st = one_step(o);
    }
    return st;
}

static void log_progress(Online *o, const OnlineEval *e)
{
    const double now = timer_now();
    const double each = (now - o->since) / (double)(o->step - o->since_step);

    log_info("step %lld of %d: return %.1f (%.1f to %.1f), length %.0f, alpha %.3g; %.2f ms/step, "
             "%.2f h left",
             (long long)o->step, o->cfg->collect.steps, e->mean, e->min, e->max, e->length,
             agent_alpha(&o->agent), 1e3 * each,
             each * (double)(o->cfg->collect.steps - o->step) / 3600);
    o->since_step = o->step;
}

static Status save_policy(const Online *o)
{
    Status st = OK;
    char path[ONLINE_PATH_MAX];
    PolicyInfo info = {.epoch = o->step};

    (void)snprintf(info.algorithm, sizeof info.algorithm, "SAC");
    (void)snprintf(info.task, sizeof info.task, "%s", o->task.name);
    TRY(session_settings_digest(o->cfg, info.config_digest));
    TRY(policy_save(online_policy_path(o->dir, o->step, path), &info, &o->agent.actor,
                    &o->agent.squash, agent_actor(&o->agent), NULL));
done:
    return st;
}

/* Environments of unlike machines could differ in a last bit; then learners would part unnoticed. */
static Status compare_agents(const Online *o)
{
    const uint64_t mine = bytes_hash(o->agent.params, o->agent.trained * sizeof *o->agent.params);
    uint64_t leads = mine;

    coll_bcast(&leads, sizeof leads, 0);
    if (o->learner && mine != leads) {
        return comm_agree(status_fail(ERR_NUMERIC,
                                      "step %lld: the agent of rank %d is not that of rank 0; the "
                                      "ranks that share updates must run on CPUs of one type: set "
                                      "ranks.learners=1, or name other hosts",
                                      (long long)o->step, comm_rank()));
    }
    return comm_agree(OK);
}

/* Evaluate the policy as it is; rank 0 writes and says how it did. */
static Status measure(Online *o)
{
    Status st = OK;
    const int episodes = o->cfg->eval.episodes;
    EpisodeEntry *entries = NULL;

    TRY(comm_agree(mem_alloc(&entries, (size_t)episodes, sizeof *entries, "an evaluation")));
    TRY(compare_agents(o));
    coll_bcast(agent_actor(&o->agent), o->agent.actor.count * sizeof(float), 0);
    const Player player = {.env = &o->task,
                           .actor = &o->agent.actor,
                           .squash = &o->agent.squash,
                           .params = agent_actor(&o->agent),
                           .seed = (uint64_t)o->cfg->top.seed,
                           .epoch = o->step};
    TRY(evaluate(&player, episodes, entries));
    const ReturnSummary r = summarize_returns(&o->task, entries, episodes);
    o->evals[o->count++] = (OnlineEval){.step = (double)o->step,
                                        .episodes = (double)o->episodes,
                                        .mean = r.mean,
                                        .min = r.min,
                                        .max = r.max,
                                        .length = r.length,
                                        .score = r.score};
    if (o->lead) {
        log_progress(o, &o->evals[o->count - 1]);
        st = save_policy(o);
        st = st != OK ? st : online_write_progress(o->dir, o->evals, o->count);
    }
    TRY(comm_agree(st));
    o->since = timer_now();
done:
    mem_free(&entries);
    return st;
}

static int64_t next_evaluation(const Online *o)
{
    const int64_t every = o->cfg->collect.eval_every;
    const int64_t next = (o->step / every + 1) * every;
    return next < o->cfg->collect.steps ? next : o->cfg->collect.steps;
}

Status online_run(const Config *cfg, const char *dir, bool force)
{
    Status st = OK;
    Online o;

    TRY(online_open(&o, cfg, dir, force));
    if (o.done) {
        log_info("%s: online SAC is done here", dir);
        goto done;
    }
    TRY(online_resume(&o));
    o.since = timer_now();
    o.since_step = o.step;
    while (o.step < cfg->collect.steps) {
        const int64_t until = next_evaluation(&o);
        TRY(comm_agree(o.learner ? advance(&o, until) : OK));
        o.step = until; /* of those who did not take the steps */
        TRY(measure(&o));
    }
    if (o.learner && o.fresh.rows > 0) {
        st = online_save(&o);
    }
    TRY(comm_agree(st));
    TRY(comm_agree(o.lead ? online_write_replay(&o) : OK));
done:
    online_close(&o);
    return st;
}
