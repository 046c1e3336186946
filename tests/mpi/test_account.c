/* The account of whole runs on one to four ranks: a rank's seconds add up to the run's, and nothing is allocated
 * per update, rollout, episode, message or pass, for every agent and penalty. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/account.h"
#include "base/file.h"
#include "base/log.h"
#include "comm/comm.h"
#include "model/penalty.h"
#include "nn/gemm.h"
#include "policy/agent.h"
#include "run/tables.h"
#include "run/train.h"
#include "support/count_mallocs.h"
#include "support/mpi_check.h"
#include "support/temp_dir.h"

static char folder[TEMP_PATH_MAX];
static int runs;

/* Three members on pointmass, two epochs of 10 updates; a directory of its own. */
static Config small_config(void)
{
    Config c;

    config_default(&c);
    (void)snprintf(c.top.task, sizeof c.top.task, "pointmass");
    (void)snprintf(c.top.dataset, sizeof c.top.dataset, "%s/data.hdf5", folder);
    (void)snprintf(c.top.run_dir, sizeof c.top.run_dir, "%s/run%d", folder, runs++);
    c.collect.rows = 600;
    c.model.members = 3;
    c.model.elites = 2;
    c.model.hidden = 16;
    c.model.layers = 2;
    c.model.max_epochs = 2;
    c.model.patience = 100;
    c.rollout.batch = 64;
    c.rollout.units = 8;
    c.rollout.horizon = 3;
    c.rollout.retain = 2;
    c.train.epochs = 3;
    c.train.updates_per_epoch = 10;
    c.train.batch = 32;
    c.sac.hidden = 16;
    c.bear.hidden = c.bear.vae_hidden = c.bc.hidden = 16;
    c.brac.actor_hidden = c.brac.critic_hidden = 16;
    c.brac.clone_updates = c.npg.clone_updates = 10;
    c.npg.hidden = c.npg.value_hidden = 16;
    c.eval.episodes = 3;
    return c;
}

static bool run(const Config *c)
{
    const TrainOptions options = {0};
    TrainSummary summary;

    return MPI_CHECK_OK(train(c, NULL, &options, &summary));
}

/* ---- seconds ---- */

/* Seconds of all kinds of all ways in a line of phase "run". */
static double added(const json_t *line)
{
    double sum = 0;
    const char *word;
    json_t *seconds;

    for (int w = 0; w < ACCOUNT_WAYS; w++) {
        json_t *kinds = json_object_get(line, account_way_name((AccountWay)w));
        MPI_CHECK(json_object_size(kinds) == ACCOUNT_KINDS);
        json_object_foreach(kinds, word, seconds)
        {
            MPI_CHECK(json_real_value(seconds) >= 0);
            sum += json_real_value(seconds);
        }
    }
    return sum;
}

enum { RANKS_MOST = 64 };

/* On rank 0: how many lines of phase "run" each rank has, each of them checked. */
static void count_lines(const Config *c, int seen[RANKS_MOST])
{
    char line[2048];
    FILE *file = comm_rank() == 0 ? fopen(temp_path(c->top.run_dir, "timing.jsonl"), "re") : NULL;

    MPI_CHECK(comm_rank() != 0 || file != NULL);
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        json_t *object = json_loads(line, 0, NULL);
        const char *phase = json_string_value(json_object_get(object, "phase"));
        const json_int_t rank = json_integer_value(json_object_get(object, "rank"));
        MPI_CHECK(phase != NULL && rank >= 0 && rank < comm_size());
        if (phase != NULL && strcmp(phase, "run") == 0) {
            const double seconds = json_real_value(json_object_get(object, "seconds"));
            const json_t *compute = json_object_get(object, "compute");
            /* 27 numbers of six digits; between two reads of the clock a rank may lose its core */
            MPI_CHECK_NEAR(added(object), seconds, 0, 0.01);
            MPI_CHECK(json_real_value(json_object_get(compute, "load")) > 0);
            MPI_CHECK(json_real_value(json_object_get(object, "peak_mb")) > 1);
            seen[rank]++;
        }
        json_decref(object);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

static void the_seconds_of_a_rank_add_up_to_the_run(void)
{
    const TrainOptions options = {0};
    TrainSummary summary;
    int seen[2][RANKS_MOST] = {0};
    Config c = small_config();

    c.ranks.learners = comm_size() > 3 ? 2 : 0;
    (void)run(&c);
    count_lines(&c, seen[0]);
    if (comm_rank() == 0) {
        MPI_CHECK_OK(file_write(temp_path(c.top.run_dir, "stop"), "", 0));
    }
    comm_barrier();
    c.train.epochs++;
    MPI_CHECK(train(&c, NULL, &options, &summary) == ERR_INTERRUPTED); /* tells it, too */
    c.train.epochs++;
    (void)run(&c);
    count_lines(&c, seen[1]);
    for (int r = 0; comm_rank() == 0 && r < comm_size(); r++) {
        MPI_CHECK(seen[0][r] == 1 && seen[1][r] == 3);
    }
}

/* ---- allocations ---- */

/* A run of twice as many passes, epochs and updates: as many allocations while computing. */
static void same_in_a_longer_run(const Config *c, const char *what)
{
    static const AccountKind kinds[] = {ACCOUNT_FIT, ACCOUNT_UPDATE, ACCOUNT_ROLLOUT, ACCOUNT_EVAL,
                                        ACCOUNT_HANDOVER};
    enum { KINDS = sizeof kinds / sizeof *kinds };
    int64_t count[2][KINDS];

    for (int k = 0; k < 2; k++) {
        int64_t before[KINDS];
        Config longer = *c;
        (void)snprintf(longer.top.run_dir, sizeof longer.top.run_dir, "%s/run%d", folder, runs++);
        longer.model.max_epochs *= k + 1;
        longer.train.epochs *= k + 1;
        longer.train.updates_per_epoch *= c->train.updates_per_epoch > 1 ? k + 1 : 1;
        longer.brac.clone_updates *= k + 1;
        longer.npg.clone_updates *= k + 1;
        for (int i = 0; i < KINDS; i++) {
            before[i] = mallocs[kinds[i]][ACCOUNT_COMPUTE];
        }
        (void)run(&longer);
        for (int i = 0; i < KINDS; i++) {
            count[k][i] = mallocs[kinds[i]][ACCOUNT_COMPUTE] - before[i];
        }
    }
    for (int i = 0; i < KINDS; i++) {
        if (!MPI_CHECK(count[0][i] == count[1][i])) {
            (void)fprintf(stderr, "rank %d, %s: %lld allocations for %s, twice as long %lld\n",
                          comm_rank(), what, (long long)count[0][i], account_kind_name(kinds[i]),
                          (long long)count[1][i]);
        }
    }
}

static void no_agents_loop_allocates(void)
{
    Config c = small_config();

    (void)run(&c); /* what is set up once in a process */
    for (int i = 0; agent_row(i) != NULL; i++) {
        const AgentKind *kind = agent_row(i);
        (void)snprintf(c.train.agent, sizeof c.train.agent, "%s", kind->name);
        c.train.updates_per_epoch = kind->on_policy ? 1 : 10;
        c.train.real_ratio = kind->on_policy ? 0 : 0.25;
        c.rollout.lag = kind->on_policy ? 0 : 1;
        c.rollout.retain = kind->on_policy ? 1 : 2;
        c.ranks.learners = 0;
        same_in_a_longer_run(&c, kind->name);
        c.ranks.learners = 2;
        if (comm_size() > 1) {
            same_in_a_longer_run(&c, kind->name);
        }
    }
}

static void no_penaltys_loop_allocates(void)
{
    Config c = small_config();

    for (int i = 0; penalty_row(i) != NULL; i++) {
        (void)snprintf(c.penalty.type, sizeof c.penalty.type, "%s", penalty_row(i)->name);
        c.rollout.horizon = penalty_row(i)->halts ? 1 : 3; /* see below */
        same_in_a_longer_run(&c, penalty_row(i)->name);
    }
}

/* MuJoCo, and the other lag. Of one step, since rows that end early make short phases, and the list of phases
 * that the rings hold grows with them: by doubling, after an epoch (run/history.h). */
static void no_tasks_loop_allocates(void)
{
    Config c = small_config();

    (void)snprintf(c.top.task, sizeof c.top.task, "hopper");
    (void)snprintf(c.top.dataset, sizeof c.top.dataset, "%s/hopper.hdf5", folder);
    c.rollout.lag = 0;
    c.rollout.horizon = 1;
    (void)run(&c);
    same_in_a_longer_run(&c, c.top.task);
    (void)snprintf(c.top.task, sizeof c.top.task, "none"); /* plays in the model */
    same_in_a_longer_run(&c, c.top.task);
}

int main(int argc, char **argv)
{
    if (comm_open(&argc, &argv) != OK) {
        return 1;
    }
    log_start(comm_rank(), comm_size());
    log_set_level(LOG_WARN);
    gemm_setup();
    tables_register();
    if (comm_rank() == 0) {
        temp_dir_make(folder);
    }
    coll_bcast(folder, sizeof folder, 0);
    MPI_CASE(the_seconds_of_a_rank_add_up_to_the_run);
    MPI_CASE(no_agents_loop_allocates);
    MPI_CASE(no_penaltys_loop_allocates);
    MPI_CASE(no_tasks_loop_allocates);
    if (comm_rank() == 0) {
        temp_dir_remove(folder);
    }
    const int code = mpi_check_end();
    comm_close();
    return code;
}
