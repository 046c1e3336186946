/* The main job inside one process group: it improves nothing here, but it must leave no memory behind,
 * stop when asked, end on all ranks when a simulator fails on one, and go on to the same bytes. That it
 * allocates nothing on the way is in test_account.c. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/slab.h"
#include "comm/comm.h"
#include "nn/gemm.h"
#include "run/checkpoint.h"
#include "run/evaluate.h"
#include "run/tables.h"
#include "run/train.h"
#include "support/mpi_check.h"
#include "support/temp_dir.h"

static char folder[TEMP_PATH_MAX];

/* Three members on pointmass, four epochs of 20 updates. */
static Config small_config(const char *run)
{
    Config c;

    config_default(&c);
    (void)snprintf(c.top.task, sizeof c.top.task, "pointmass");
    (void)snprintf(c.top.dataset, sizeof c.top.dataset, "%s/data.hdf5", folder);
    (void)snprintf(c.top.run_dir, sizeof c.top.run_dir, "%s/%s", folder, run);
    c.collect.rows = 600;
    c.model.members = 3;
    c.model.elites = 2;
    c.model.hidden = 16;
    c.model.layers = 2;
    c.model.max_epochs = 2;
    c.model.spectral_norm = true;
    c.rollout.batch = 64;
    c.rollout.units = 8;
    c.rollout.horizon = 3;
    c.rollout.retain = 2;
    c.train.epochs = 4;
    c.train.updates_per_epoch = 20;
    c.train.batch = 32;
    c.sac.hidden = 16;
    c.eval.episodes = 3;
    return c;
}

/* ---- a simulator that fails while an episode is played ---- */

static Status (*true_step)(Env *env, const float *action, EnvStep *out);
static int64_t steps;     /* in this rank's evaluation episodes */
static int64_t fail_step; /* this one fails on this rank; 0: none */

static Status counted_step(Env *env, const float *action, EnvStep *out)
{
    if (++steps == fail_step) {
        return status_fail(ERR_ENV, "the simulator fails");
    }
    return true_step(env, action, out);
}

/* The linker calls the first in place of play_episode, and that the second (cmake/tests.cmake). */
/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
Status __wrap_play_episode(const Player *player, Env *env, int episode, Arena *tmp,
                           EpisodeEntry *entry);
Status __real_play_episode(const Player *player, Env *env, int episode, Arena *tmp,
                           EpisodeEntry *entry);

Status __wrap_play_episode(const Player *player, Env *env, int episode, Arena *tmp,
                           EpisodeEntry *entry)
{
    EnvKind kind = *player->env;
    Player here = *player;

    true_step = kind.step;
    kind.step = counted_step;
    here.env = &kind;
    return __real_play_episode(&here, env, episode, tmp, entry);
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

/* Digest of a file of the run on rank 0, "" elsewhere. */
static void digest_of(const char *run, const char *name, char text[SLAB_DIGEST_MAX])
{
    unsigned char *bytes = NULL;
    size_t n = 0;

    text[0] = '\0';
    if (comm_rank() == 0) {
        MPI_CHECK_OK(file_read(temp_path(folder, "%s/%s", run, name), 1 << 24, &bytes, &n));
        bytes_digest(bytes, n, text);
        mem_free(&bytes);
    }
}

/* Everything that two runs must have in common. */
static void same_files(const char *a, const char *b)
{
    static const char *const files[] = {"policy.h5",       "model.h5",    "metrics.csv",
                                        "metrics.jsonl",   "penalty.txt", "model-report.txt",
                                        "model-report.svg"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char one[SLAB_DIGEST_MAX];
        char other[SLAB_DIGEST_MAX];
        digest_of(a, files[i], one);
        digest_of(b, files[i], other);
        if (!MPI_CHECK(strcmp(one, other) == 0)) {
            (void)fprintf(stderr, "%s of %s differs from that of %s\n", files[i], b, a);
        }
    }
}

static void training_leaves_no_memory_behind(void)
{
    const Config c = small_config("plain");
    const TrainOptions options = {0};
    const int64_t before = mem_count();
    TrainSummary summary;

    MPI_CHECK_OK(train(&c, NULL, &options, &summary));
    MPI_CHECK(mem_count() == before);
    MPI_CHECK(comm_rank() != 0 || summary.learned.epochs == 4);
}

static void a_stopped_run_goes_on_to_the_same_bytes(void)
{
    const Config c = small_config("halted");
    const TrainOptions options = {0};
    const int64_t before = mem_count();
    TrainSummary summary;
    char stop_path[TEMP_PATH_MAX];
    Config first = c;

    (void)snprintf(stop_path, sizeof stop_path, "%s", temp_path(folder, "halted/stop"));
    first.train.epochs = 2;
    MPI_CHECK_OK(train(&first, NULL, &options, &summary));
    if (comm_rank() == 0) {
        MPI_CHECK_OK(file_write(stop_path, "", 0));
    }
    comm_barrier();
    MPI_CHECK(train(&c, NULL, &options, &summary) == ERR_INTERRUPTED);
    MPI_CHECK(strstr(status_reason(), "stop file") != NULL);
    MPI_CHECK(comm_rank() != 0 || !file_exists(stop_path)); /* or the next start would stop, too */
    MPI_CHECK_OK(train(&c, NULL, &options, &summary));
    MPI_CHECK(mem_count() == before);
    same_files("plain", "halted");
}

/* The evaluation's k-th step fails on rank `who`: all ranks end with its error, and what was saved is whole. */
static void fail_and_go_on(const Config *c, const char *plain, int who, int64_t k)
{
    const TrainOptions options = {0};
    const int64_t before = mem_count();
    const char *run = strrchr(c->top.run_dir, '/') + 1;
    Checkpoint last = {0};
    TrainSummary summary;
    char place[64] = "evaluation episode ";
    bool found = false;

    if (comm_size() > 1) {
        (void)snprintf(place, sizeof place, "rank %d: evaluation episode ", who);
    }
    steps = 0;
    fail_step = comm_rank() == who ? k : 0;
    MPI_CHECK(train(c, NULL, &options, &summary) == ERR_ENV);
    fail_step = 0;
    MPI_CHECK(strstr(status_reason(), place) != NULL);
    MPI_CHECK(strstr(status_reason(), "the simulator fails") != NULL);
    MPI_CHECK(mem_count() == before);
    if (comm_rank() == 0) {
        MPI_CHECK_OK(checkpoint_find(c->top.run_dir, &last, &found));
        MPI_CHECK(found); /* of the model's fit at least */
        checkpoint_release(&last);
    }
    MPI_CHECK_OK(train(c, NULL, &options, &summary));
    same_files(plain, run);
}

/* With these learners: at the first step of the first evaluation, in the middle, at the last step of all. */
static void fail_three_times(const char *plain, int lag, int learners)
{
    const TrainOptions options = {0};
    const int who = comm_size() - 1; /* it plays in any case */
    TrainSummary summary;
    char run[64];

    (void)snprintf(run, sizeof run, "learners-%d-%d", lag, learners);
    Config c = small_config(run);
    c.rollout.lag = lag;
    c.ranks.learners = learners;
    steps = 0;
    MPI_CHECK_OK(train(&c, NULL, &options, &summary));
    same_files(plain, run);
    int64_t all = steps;
    coll_bcast(&all, sizeof all, who);
    MPI_CHECK(all > 2);
    for (int64_t i = 0; i < 3; i++) {
        (void)snprintf(run, sizeof run, "fails-%d-%d-%d", lag, learners, (int)i);
        (void)snprintf(c.top.run_dir, sizeof c.top.run_dir, "%s/%s", folder, run);
        fail_and_go_on(&c, plain, who, i == 0 ? 1 : all * i / 2);
    }
}

/* While the learner updates, waits for the rollout, or plays itself. */
static void a_simulator_that_fails_on_one_rank_ends_all(void)
{
    const TrainOptions options = {0};
    TrainSummary summary;
    Config c = small_config("lag0");

    c.rollout.lag = 0;
    MPI_CHECK_OK(train(&c, NULL, &options, &summary));
    for (int lag = 0; lag < 2; lag++) {
        for (int learners = 1; learners <= comm_size() && learners <= 4; learners *= 2) {
            fail_three_times(lag == 0 ? "lag0" : "plain", lag, learners);
        }
    }
}

/* All rows of a phase in one update, shared by as many learners as can be. */
static void an_on_policy_agent_leaves_no_memory_behind(void)
{
    Config c = small_config("own");
    const TrainOptions options = {0};
    const int64_t before = mem_count();
    TrainSummary summary;

    (void)snprintf(c.train.agent, sizeof c.train.agent, "npg");
    c.train.updates_per_epoch = 1;
    c.train.real_ratio = 0;
    c.rollout.lag = 0;
    c.rollout.retain = 1;
    c.npg.clone_updates = 10;
    c.ranks.learners = comm_size() > 1 ? 2 : 1;
    MPI_CHECK_OK(train(&c, NULL, &options, &summary));
    MPI_CHECK(mem_count() == before);
    MPI_CHECK(comm_rank() != 0 || summary.learned.epochs == 4);
}

static void a_missing_dataset_is_an_error_of_all_ranks(void)
{
    Config c = small_config("none");
    const TrainOptions options = {0};
    TrainSummary summary;

    c.collect.rows = 0;
    (void)snprintf(c.top.dataset, sizeof c.top.dataset, "%s/absent.hdf5", folder);
    MPI_CHECK(train(&c, NULL, &options, &summary) == ERR_CONFIG);
    MPI_CHECK(strstr(status_reason(), "absent.hdf5") != NULL);
    MPI_CHECK(strstr(status_reason(), "mopo collect") != NULL);
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
    MPI_CASE(training_leaves_no_memory_behind);
    MPI_CASE(a_stopped_run_goes_on_to_the_same_bytes);
    MPI_CASE(a_simulator_that_fails_on_one_rank_ends_all);
    MPI_CASE(an_on_policy_agent_leaves_no_memory_behind);
    MPI_CASE(a_missing_dataset_is_an_error_of_all_ranks);
    if (comm_rank() == 0) {
        temp_dir_remove(folder);
    }
    const int code = mpi_check_end();
    comm_close();
    return code;
}
