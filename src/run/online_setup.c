#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "comm/comm.h"
#include "comm/watch.h"
#include "run/evaluate.h"
#include "run/online_state.h"
#include "run/session.h"

/* Updates are nearly all of the work, so as many learners as share them evenly and have a core. */
static int count_learners(const Config *cfg)
{
    const int ranks = comm_size();
    const int most = cfg->train.shards < ranks ? cfg->train.shards : ranks;
    int wanted = cfg->ranks.learners;
    int learners = 1;

    if (wanted == 0) {
        wanted = comm_local_size() <= comm_cores() ? most : 1;
        coll_bcast(&wanted, sizeof wanted, 0);
    }
    while (2 * learners <= wanted && 2 * learners <= most) {
        learners *= 2;
    }
    return learners;
}

static size_t scratch_bytes(const Online *o)
{
    const int shard_rows = o->cfg->train.batch / o->cfg->train.shards + 1;
    const size_t update = o->agent.kind->update_cost(&o->agent, shard_rows);
    const size_t act = agent_act_cost(&o->agent, 1) + arena_cost((size_t)o->rec.A);
    return update > act ? update : act;
}

static Status alloc_learner(Online *o)
{
    Status st = OK;
    const size_t stride = o->rec.stride;

    TRY(mem_alloc(&o->records, (size_t)o->cfg->collect.steps, stride * sizeof(float),
                  "the replay buffer"));
    TRY(mem_alloc(&o->batch, (size_t)o->cfg->train.batch, stride * sizeof(float), "a batch"));
    TRY(mem_alloc(&o->s, (size_t)(o->rec.S + o->rec.A), sizeof(float), "a state"));
    o->action = o->s + o->rec.S;
    TRY(arena_init(&o->tmp, scratch_bytes(o)));
    TRY(collect_init(&o->fresh, &o->task, (int64_t)o->cfg->collect.save_every + o->task.horizon));
    TRY(o->task.open(&o->env, &o->task));
done:
    return st;
}

/* Rank 0: what is there, or nothing by force; then lock, settings, log. */
static Status open_folder(Online *o, bool force)
{
    static const char *const made[] = {"replay.hdf5.parts/", "policies/", "replay.hdf5",
                                       "progress.csv"};
    Status st = OK;
    char path[ONLINE_PATH_MAX];

    if (force) {
        TRY(rundir_delete(o->dir, made, sizeof made / sizeof *made));
    }
    TRY(rundir_open(&o->rundir, o->dir, o->cfg, NULL));
    TRY(file_make_dirs(online_file(o->dir, "policies", path)));
    o->done = file_exists(online_replay_path(o->dir, path));
    if (o->done) {
        TRY(parts_remove_rest(path));
    }
done:
    return st;
}

static Status open_agent(Online *o)
{
    Status st = OK;
    AgentConfig agent = session_agent_config(o->cfg, &o->task);

    agent.target_entropy = o->cfg->collect.target_entropy != 0
                               ? (float)o->cfg->collect.target_entropy
                               : -(float)o->task.act_dim;
    TRY(agent_init(&o->agent, agent_find("sac"), &agent, 0, (uint64_t)o->cfg->top.seed));
    TRY(mem_alloc(&o->evals, (size_t)o->evals_max, sizeof *o->evals, "evaluations"));
    if (o->learner) {
        TRY(alloc_learner(o));
    }
done:
    return st;
}

Status online_open(Online *o, const Config *cfg, const char *dir, bool force)
{
    Status st = OK;
    float *rows = NULL;

    *o = (Online){.cfg = cfg, .dir = dir, .lead = comm_rank() == 0, .rundir = {.lock.fd = -1}};
    TRY(comm_agree(session_task(cfg, &o->task)));
    TRY(comm_agree(env_need_simulator(&o->task, "online SAC")));
    TRY(comm_agree(o->lead ? open_folder(o, force) : OK));
    coll_bcast(&o->done, sizeof o->done, 0);
    watch_folder(o->dir);
    if (o->done) {
        goto done;
    }
    o->rec = record_make(o->task.state_dim, o->task.act_dim);
    o->evals_max = cfg->collect.steps / cfg->collect.eval_every + 1;
    const int learners = count_learners(cfg);
    o->learner = comm_rank() < learners;
    TRY(comm_reduce_open(&o->reduce, cfg->train.shards, learners));
    TRY(comm_agree(open_agent(o)));
    TRY(comm_reduce_rows(&o->reduce, o->agent.grad_stride, &rows));
    agent_use_rows(&o->agent, o->reduce.count, rows);
    log_info("online SAC on %s: %d steps, %d of %d ranks share the updates", o->task.name,
             cfg->collect.steps, learners, comm_size());
done:
    return st;
}

void online_close(Online *o)
{
    watch_leave_folder();
    rundir_close(&o->rundir);
    if (o->env != NULL) {
        o->task.close(o->env);
    }
    collect_release(&o->fresh);
    mem_free(&o->records);
    mem_free(&o->batch);
    mem_free(&o->s);
    mem_free(&o->evals);
    arena_release(&o->tmp);
    agent_release(&o->agent);
    comm_reduce_close(&o->reduce);
    *o = (Online){0};
}

static int list_state(Online *o, Slab slabs[ONLINE_SLABS_MAX])
{
    int n = agent_slabs(&o->agent, slabs);
    slabs[n++] = slab_i64("step", &o->step, 1);
    slabs[n++] = slab_i64("episodes", &o->episodes, 1);
    slabs[n++] = slab_i64("evaluations", &o->count, 1);
    slabs[n++] = slab_f64("progress", (double *)o->evals,
                          (size_t)o->evals_max * sizeof *o->evals / sizeof(double));
    return n;
}

Status online_save(Online *o)
{
    Slab slabs[ONLINE_SLABS_MAX];
    int code = OK;

    if (o->lead) {
        code = (int)parts_add(&o->parts, &o->fresh, slabs, list_state(o, slabs));
    }
    comm_reduce_bcast(&o->reduce, &code, sizeof code);
    if (code == OK) {
        o->fresh.rows = 0;
        o->next_save = (o->step / o->cfg->collect.save_every + 1) * o->cfg->collect.save_every;
    } else if (!o->lead) {
        return status_fail((Status)code, "rank 0 could not save");
    }
    return (Status)code;
}

/* The rows of one part to the replay buffer of every learner. */
static Status spread_part(Online *o, int64_t k, int64_t *have)
{
    Status st = OK;
    int64_t rows = 0;

    o->fresh.rows = 0;
    if (o->lead) {
        st = parts_load(&o->parts, k, &o->fresh);
        rows = o->fresh.rows;
        if (st == OK && rows > o->step - *have) {
            st = status_fail(ERR_FORMAT,
                             "%s: the parts hold more rows than the %lld steps of their state; "
                             "start again with --force",
                             o->parts.path, (long long)o->step);
        }
    }
    TRY(comm_agree(st));
    coll_bcast(&rows, sizeof rows, 0);
    if (o->learner) {
        float *to = o->records + (size_t)*have * o->rec.stride;
        for (int64_t i = 0; o->lead && i < rows; i++) {
            collect_to_record(&o->fresh, i, to + (size_t)i * o->rec.stride);
        }
        comm_reduce_bcast(&o->reduce, to, (size_t)rows * o->rec.stride * sizeof *to);
    }
    *have += rows;
done:
    o->fresh.rows = 0;
    return st;
}

static Status load_state(Online *o)
{
    Status st = OK;
    Slab slabs[ONLINE_SLABS_MAX];
    char path[ONLINE_PATH_MAX];

    /* the run directory has compared the settings */
    TRY(parts_open(&o->parts, online_replay_path(o->dir, path), "online SAC", false));
    if (o->parts.count > 0) {
        TRY(parts_state(&o->parts, o->parts.count - 1, slabs, list_state(o, slabs)));
    }
    if (o->step < 0 || o->step > o->cfg->collect.steps || o->count < 0 || o->count > o->evals_max) {
        st = status_fail(ERR_FORMAT,
                         "%s: step %lld, evaluation %lld cannot be; start again with "
                         "--force",
                         o->parts.path, (long long)o->step, (long long)o->count);
    }
done:
    return st;
}

Status online_resume(Online *o)
{
    Status st = OK;
    Slab slabs[ONLINE_SLABS_MAX];
    int64_t have = 0;

    TRY(comm_agree(o->lead ? load_state(o) : OK));
    int64_t parts = o->parts.count;
    coll_bcast(&parts, sizeof parts, 0);
    const int n = list_state(o, slabs);
    for (int i = 0; i < n; i++) {
        coll_bcast(slabs[i].data, slab_bytes(&slabs[i]), 0);
    }
    for (int64_t k = 0; k < parts; k++) {
        TRY(spread_part(o, k, &have));
    }
    if (have != o->step) {
        st = status_fail(ERR_FORMAT,
                         "%s: the parts hold %lld rows, their state is of step %lld; start again "
                         "with --force",
                         o->parts.path, (long long)have, (long long)o->step);
        goto done;
    }
    o->next_save = (o->step / o->cfg->collect.save_every + 1) * o->cfg->collect.save_every;
    if (parts > 0) {
        log_info("going on from step %lld, %lld episodes", (long long)o->step,
                 (long long)o->episodes);
    }
done:
    return st;
}

Status online_write_replay(Online *o)
{
    Status st = OK;
    CollectRows all = {0};
    Recording rec = {0};
    const H5Text name = {.name = "task", .text = o->task.name};
    char path[ONLINE_PATH_MAX];

    mem_free(&o->records); /* room for the rows */
    TRY(collect_init(&all, &o->task, o->step));
    for (int64_t k = 0; k < o->parts.count; k++) {
        TRY(parts_load(&o->parts, k, &all));
    }
    TRY(collect_columns(&all, &rec));
    collect_release(&all);
    (void)snprintf(rec.algorithm, sizeof rec.algorithm, "SAC");
    rec.iteration = o->step;
    TRY(recording_write(online_replay_path(o->dir, path), &rec, NULL, 0, &name, 1));
    TRY(parts_remove(&o->parts));
done:
    collect_release(&all);
    recording_release(&rec);
    return st;
}
