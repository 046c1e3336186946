#include "run/session.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/panic.h"
#include "data/registry.h"
#include "run/data_options.h"
#include "run/model_world.h"

/* Seconds of an epoch from counts, for the choice of learners only. The rates are those of a core of our
 * measurements (docs/parallel.md); where all are off by one factor the choice is the same. */
static PlanCost epoch_cost(const Session *s)
{
    enum { EPISODE_STEP = 4000000 };    /* FLOP that pass while MuJoCo takes a step, about */
    static const double flop = 1.1e-11; /* in matrix products */
    static const double full = 1.0e-9;  /* of a trained float: what every learner does */
    static const double sum = 0.3e-9;   /* of a trained float: its sum with one partner */
    const Config *c = &s->cfg;
    const double actor = (double)s->agent.actor.count;
    const double critic = (double)s->agent.critic.count;
    const double member = (double)s->ens.net.count;
    const double trained = (double)s->agent.trained * c->train.updates_per_epoch;
    const double rollout =
        (double)c->rollout.batch * c->rollout.horizon * (member * c->model.members + actor) * 2.0;
    /* an on-policy update: about a forward and a backward pass for each product with the Fisher matrix */
    const double rows = s->agent.kind->on_policy
                            ? (double)c->rollout.batch * c->rollout.horizon * c->npg.cg_iterations
                            : (double)c->train.batch * c->train.updates_per_epoch;
    const double episodes = (double)c->eval.episodes * s->env->horizon * EPISODE_STEP;
    return (PlanCost){.update = 2.0 * (4.0 * actor + 6.0 * critic) * rows * flop + trained * full,
                      .fixed = trained * full,
                      .exchange = trained * sum,
                      .rollout = s->uses_model ? rollout * flop : 0,
                      .eval = episodes * flop,
                      .in_turn = c->rollout.lag == 0};
}

static int cores_of_all_hosts(void)
{
    const long mine = comm_local_rank() == 0 ? comm_cores() : 0;
    double sum = (double)mine;
    coll_sum(&sum, 1);
    return (int)sum;
}

/* A name becomes the path of its file; what is known of the file goes to the log. */
static Status find_dataset(Config *cfg)
{
    Status st = OK;
    char path[CONFIG_TEXT_MAX] = "";
    const RegistryRow *row = NULL;
    Recognition rec;

    TRY(status_while(registry_locate(cfg->top.dataset, path, sizeof path, &row), "dataset"));
    memcpy(cfg->top.dataset, path, sizeof path);
    TRY(registry_recognize(&rec, path, row));
    if (rec.suspect) {
        log_warn("dataset %s: %s", path, rec.note);
    } else if (rec.note[0] != '\0') {
        log_info("dataset %s: %s", path, rec.note);
    }
done:
    return st;
}

/* Rank 0 reads the file straight into its host's shared memory; the other hosts get copies. */
static Status load_dataset(Session *s)
{
    Status st = OK;
    DatasetReader *reader = NULL;
    void *records = NULL;
    DatasetOptions options;
    ActionBounds bounds; /* lives as long as the reader */

    if (comm_rank() == 0) {
        st = data_options(&s->cfg, s->env, &bounds, &options);
        st = st != OK ? st : dataset_open(&reader, s->cfg.top.dataset, &options, &s->data);
    }
    TRY(comm_agree(st));
    coll_bcast(&s->data, sizeof s->data, 0);
    const size_t bytes = (size_t)s->data.rows * s->data.rec.stride * sizeof(float);
    TRY(comm_share_open(&s->share, bytes, &records));
    if (comm_rank() == 0) {
        st = dataset_fill(reader, records, &s->data);
    }
    TRY(comm_agree(st));
    coll_bcast(&s->data, sizeof s->data, 0);
    s->data.records = records;
    comm_share_spread(s->share, bytes);
done:
    dataset_close(&reader);
    return st;
}

/* Random rows in the same place, in episodes. */
static Status draw_dataset(Session *s, const Record *rec, int64_t rows)
{
    enum { EPISODE = 1000 };
    Status st = OK;
    void *block = NULL;
    const size_t floats = (size_t)rows * rec->stride;

    TRY(comm_share_open(&s->share, floats * sizeof(float), &block));
    s->data = (Dataset){.rec = *rec,
                        .rows = rows,
                        .file_rows = rows,
                        .records = block,
                        .borrowed = true,
                        .reward_min = -1,
                        .reward_max = 1};
    if (comm_rank() == 0) {
        Rng rng = rng_make((uint64_t)s->cfg.top.seed, RNG_TEST, 0, 0);
        rng_fill_uniform(&rng, -1.0F, 1.0F, block, floats);
        for (size_t i = 0; i < (size_t)rows; i++) {
            float *row = s->data.records + i * rec->stride;
            const bool last = i % EPISODE == EPISODE - 1 || i + 1 == (size_t)rows;
            row[rec->cont] = last ? 0.0F : 1.0F;
            if (!last) {
                memcpy(row + rec->s2, row + rec->stride, (size_t)rec->S * sizeof *row);
            }
        }
    }
    comm_share_spread(s->share, floats * sizeof(float));
done:
    return st;
}

/* Rows of a shard at most: of a batch and, where an update takes a whole phase, of that. */
static int shard_rows(const Session *s)
{
    const Config *c = &s->cfg;
    const int of_batch = c->train.batch / c->train.shards + 1;
    const int64_t units = c->rollout.units / c->train.shards;
    const int64_t all = (int64_t)c->rollout.batch * c->rollout.horizon; /* config_check: fits */

    if (!s->agent.kind->on_policy) {
        return of_batch;
    }
    const int64_t of_units = units * rollout_unit_most(&s->roll); /* rounded up */
    const int64_t of_phase = of_units < all ? of_units : all;
    return of_phase > of_batch ? (int)of_phase : of_batch;
}

static size_t scratch_bytes(const Session *s)
{
    const AgentKind *kind = s->agent.kind;
    const Player player = {.env = s->env,
                           .actor = &s->agent.actor,
                           .critic = &s->agent.critic,
                           .candidates = s->agent.cfg.candidates};
    const size_t episode =
        s->env->open != NULL ? play_cost(&player) : model_episode_cost(&s->roll, &player);
    const size_t batch = arena_cost((size_t)s->cfg.train.batch * s->data.rec.stride +
                                    16 * (size_t)s->cfg.train.shards);
    size_t most = kind->update_cost(&s->agent, shard_rows(s)) + batch;
    if (s->uses_model && rollout_cost(&s->roll) > most) {
        most = rollout_cost(&s->roll);
    }
    return episode > most ? episode : most;
}

static Status set_termination(Session *s)
{
    static const char *const words[] = {[END_TASK] = "task",
                                        [END_NEVER] = "never",
                                        [END_BOUNDS] = "bounds",
                                        [END_LEARNED] = "learned"};
    Status st = OK;
    Termination *end = &s->roll.end;

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        end->rule = strcmp(s->cfg.termination.rule, words[i]) == 0 ? (EndRule)i : end->rule;
    }
    if (end->rule == END_BOUNDS) {
        TRY(termination_bounds(end, s->cfg.termination.bounds, s->data.rec.S));
    }
    if (end->rule == END_LEARNED) {
        TRY(terminal_head_init(&s->head, s->data.rec, s->cfg.termination.hidden,
                               (uint64_t)s->cfg.top.seed));
        end->head = &s->head;
    }
done:
    return st;
}

static void set_rollout(Session *s)
{
    const Config *c = &s->cfg;
    s->roll = (Rollout){.ens = &s->ens,
                        .agent = &s->agent,
                        .env = s->env,
                        .penalty = penalty_find(c->penalty.type),
                        .rec = s->data.rec,
                        .dataset = s->data.records,
                        .dataset_rows = s->data.rows,
                        .batch = c->rollout.batch,
                        .units = c->rollout.units,
                        .horizon = c->rollout.horizon,
                        .halt = session_halt(c, s->data.reward_min),
                        .truth = s->truth.next != NULL ? &s->truth : NULL,
                        .starts = s->starts.rows,
                        .n_starts = s->starts.n,
                        .lambda = (float)c->penalty.lambda,
                        .guard = (float)c->rollout.guard,
                        .uniform_actions = strcmp(c->rollout.actions, "uniform") == 0,
                        .by_trajectory = s->agent.kind->on_policy,
                        .keeps_member = strcmp(c->rollout.member, "trajectory") == 0,
                        .seed = (uint64_t)c->top.seed};
    REQUIRE(s->roll.penalty != NULL);
}

/* What rollouts and reports of penalties look at besides the model, on this rank. */
static Status open_sources(Session *s)
{
    Status st = OK;

    if (s->uses_model && strcmp(s->cfg.rollout.starts, "initial") == 0) {
        TRY(episode_starts(&s->data, &s->starts));
        if (2 * s->starts.n > s->data.rows || s->starts.n == EPISODE_STARTS_MAX) {
            log_warn("rollout.starts=initial: %lld of %lld rows begin an episode; are the rows in "
                     "order? At most the first %d are used",
                     (long long)s->starts.n, (long long)s->data.rows, (int)EPISODE_STARTS_MAX);
        }
    }
    if (s->uses_model && oracle_possible(s->env)) {
        TRY(oracle_open(&s->oracle, s->env, "penalty.type"));
        s->truth = oracle_truth(&s->oracle);
    }
done:
    return st;
}

/* rec NULL: the dataset of the configuration; else `rows` random ones. */
static Status open_on(Session *s, const Config *cfg, const Record *rec, int64_t rows)
{
    Status st = OK;
    float *grads = NULL;

    *s = (Session){.cfg = *cfg};
    const AgentKind *kind = agent_find(cfg->train.agent);
    REQUIRE(kind != NULL);
    TRY(comm_agree(session_task(cfg, &s->task)));
    TRY(comm_agree(session_check(cfg)));
    s->env = &s->task;
    s->real_rows = session_real_rows(cfg);
    s->uses_model = s->real_rows < cfg->train.batch;
    s->needs_model = session_needs_model(cfg, s->env);
    if (rec == NULL) {
        TRY(comm_agree(comm_rank() == 0 ? find_dataset(&s->cfg) : OK));
        TRY(load_dataset(s));
    } else {
        TRY(draw_dataset(s, rec, rows));
    }
    if (s->env->open == NULL) { /* task none is as large as its data */
        s->task.state_dim = s->data.rec.S;
        s->task.act_dim = s->data.rec.A;
    }
    const EnsembleConfig ens = session_ensemble_config(cfg, s->env);
    TRY(comm_agree(ensemble_init(&s->ens, &ens, session_model_seed(cfg))));

    const AgentConfig agent = session_agent_config(cfg, s->env);
    TRY(comm_agree(agent_init(&s->agent, kind, &agent, 0, (uint64_t)cfg->top.seed)));
    s->plan = plan_make(comm_size(), cores_of_all_hosts(), cfg->ranks.learners, cfg->train.shards,
                        cfg->rollout.units, cfg->eval.episodes, epoch_cost(s));
    TRY(comm_reduce_open(&s->reduce, cfg->train.shards, s->plan.learners));
    TRY(comm_reduce_rows(&s->reduce, s->agent.grad_stride, &grads));
    agent_use_rows(&s->agent, s->reduce.count, grads);
    TRY(comm_agree(open_sources(s)));
    set_rollout(s);
    TRY(comm_agree(set_termination(s)));
    TRY(comm_agree(arena_init(&s->tmp, scratch_bytes(s))));
done:
    return st;
}

Status session_open(Session *s, const Config *cfg)
{
    return open_on(s, cfg, NULL, 0);
}

Status session_open_random(Session *s, const Config *cfg, const Record *rec, int64_t rows)
{
    return open_on(s, cfg, rec, rows);
}

void session_close(Session *s)
{
    arena_release(&s->tmp);
    agent_release(&s->agent);
    ensemble_release(&s->ens);
    terminal_head_release(&s->head);
    episode_starts_release(&s->starts);
    oracle_close(&s->oracle);
    comm_reduce_close(&s->reduce);
    comm_share_close(&s->share);
    *s = (Session){0};
}

Status session_settings_digest(const Config *cfg, char digest[SLAB_DIGEST_MAX])
{
    Config same = *cfg;
    Config defaults;

    config_default(&defaults);
    same.top.run_dir[0] = '\0';
    same.top.dataset[0] = '\0';
    same.model.share[0] = '\0';
    same.ranks = defaults.ranks;
    same.checkpoint = defaults.checkpoint;
    return config_digest(&same, digest);
}
