/* collect_job over ranks: the file is that of one rank, whatever the rounds and however often it was
 * stopped; and what fails on one rank is told to all. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "comm/comm.h"
#include "run/collect_job.h"
#include "run/stop.h"
#include "support/mpi_check.h"
#include "support/temp_dir.h"

enum { ROWS = 2500, EPISODES = 23 };
static const double shortest = 1e-9; /* a round then is one episode of each rank */

static char folder[TEMP_PATH_MAX];
static char file[TEMP_PATH_MAX];
static PolicyFile policy;

/* Any network will do. */
static void make_policy(void)
{
    policy = (PolicyFile){.info = {.algorithm = "SAC", .epoch = 3},
                          .state_dim = 4,
                          .act_dim = 2,
                          .actor = mlp_make(4, 16, 2, 4, 1, ACT_RELU),
                          .squash = {.A = 2, .low = -20, .high = 2}};
    Rng rng = rng_make(1, RNG_TEST, 0, 0);
    MPI_CHECK_OK(mem_alloc(&policy.params, policy.actor.count, sizeof(float), "a policy"));
    mlp_init_glorot(&policy.actor, policy.params, &rng);
}

static CollectJob make_job(void)
{
    return (CollectJob){.env = env_find("pointmass"), .seed = 5, .rows = ROWS, .path = file};
}

/* What rank 0 alone writes: no rounds, no parts, no other ranks. */
static void write_alone(const CollectJob *job, const char *path)
{
    CollectRows rows = {0};
    CollectRows cut = {0};

    MPI_CHECK_OK(collect_episodes(job->env, &job->source, job->seed, 0,
                                  job->rows > 0 ? job->rows : job->episodes, &rows));
    MPI_CHECK_OK(collect_init(&cut, job->env, 0));
    MPI_CHECK_OK(collect_join(&cut, &rows, 1, job->rows));
    collect_release(&rows);
    MPI_CHECK_OK(collect_write(path, job->env, &cut, &job->source));
}

static bool same_bytes(const char *a, const char *b)
{
    const char *const paths[2] = {a, b};
    unsigned char *bytes[2] = {NULL, NULL};
    size_t n[2] = {0, 1};

    for (int i = 0; i < 2; i++) {
        MPI_CHECK_OK(file_read(paths[i], 1 << 26, &bytes[i], &n[i]));
    }
    const bool same = n[0] == n[1] && memcmp(bytes[0], bytes[1], n[0]) == 0;
    mem_free(&bytes[0]);
    mem_free(&bytes[1]);
    return same;
}

static void check_file(const CollectJob *job)
{
    if (comm_rank() == 0) {
        char alone[TEMP_PATH_MAX];
        (void)snprintf(alone, sizeof alone, "%s", temp_path(folder, "alone.hdf5"));
        write_alone(job, alone);
        MPI_CHECK(same_bytes(alone, file));
        MPI_CHECK(!file_exists(temp_path(folder, "data.hdf5.parts")));
        MPI_CHECK(remove(file) == 0);
    }
    comm_barrier();
}

static void the_file_is_that_of_one_rank(void)
{
    const int64_t before = mem_count();
    const CollectSource sources[] = {{0},
                                     {.policy = &policy},
                                     {.policy = &policy, .sample = true},
                                     {.policy = &policy, .noise = 0.2}};

    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        CollectJob job = make_job();
        job.source = sources[i];
        MPI_CHECK_OK(collect_job(&job));
        check_file(&job);
    }
    MPI_CHECK(mem_count() == before);
}

static void rounds_and_parts_do_not_show(void)
{
    CollectJob job = make_job();

    job.round = shortest;
    job.part = shortest;
    MPI_CHECK_OK(collect_job(&job));
    check_file(&job);
}

static void episodes_are_counted_whole(void)
{
    CollectJob job = make_job();

    job.rows = 0;
    job.episodes = EPISODES;
    MPI_CHECK_OK(collect_job(&job));
    check_file(&job);
}

/* Ask for a stop; the first round is the last. */
static void stop_at_once(const CollectJob *job)
{
    if (comm_rank() == 0) {
        MPI_CHECK_OK(file_write(temp_path(folder, "stop"), "", 0));
    }
    comm_barrier();
    stop_listen(0, comm_rank() == 0 ? folder : NULL);
    MPI_CHECK(collect_job(job) == ERR_INTERRUPTED);
    MPI_CHECK(strstr(status_reason(), "the same command goes on from here") != NULL);
    stop_listen(0, NULL);
    MPI_CHECK(comm_rank() != 0 || file_exists(temp_path(folder, "data.hdf5.parts")));
    MPI_CHECK(comm_rank() != 0 || !file_exists(file));
}

static void a_stopped_job_goes_on_to_the_same_bytes(void)
{
    const int64_t before = mem_count();
    CollectJob job = make_job();

    job.round = shortest;
    for (int i = 0; i < 3; i++) {
        stop_at_once(&job);
    }
    MPI_CHECK_OK(collect_job(&job));
    check_file(&job);
    job.source = (CollectSource){.policy = &policy, .sample = true};
    job.rows = 0;
    job.episodes = EPISODES;
    stop_at_once(&job);
    job.round = 0;
    MPI_CHECK_OK(collect_job(&job));
    check_file(&job);
    MPI_CHECK(mem_count() == before);
}

static void a_lower_goal_is_reached_at_once(void)
{
    CollectJob job = make_job();

    job.round = shortest;
    stop_at_once(&job);
    job.rows = 3; /* less than the first episode */
    MPI_CHECK_OK(collect_job(&job));
    check_file(&job);
    job = make_job();
    job.round = shortest;
    stop_at_once(&job);
    stop_at_once(&job);
    job.rows = 0;
    job.episodes = 1; /* of at least two */
    MPI_CHECK_OK(collect_job(&job));
    check_file(&job);
}

static void other_settings_do_not_mix(void)
{
    CollectJob job = make_job();
    EnvKind changed = *job.env;

    job.round = shortest;
    stop_at_once(&job);
    job.seed++;
    MPI_CHECK(collect_job(&job) == ERR_CONFIG);
    job.seed--;
    job.source.policy = &policy;
    MPI_CHECK(collect_job(&job) == ERR_CONFIG);
    job.source.policy = NULL;
    changed.config.clip_actions = !changed.config.clip_actions;
    job.env = &changed;
    MPI_CHECK(collect_job(&job) == ERR_CONFIG);
    MPI_CHECK(strstr(status_reason(), "other settings") != NULL);
    job.seed++;
    job.force = true;
    MPI_CHECK_OK(collect_job(&job));
    check_file(&job);
}

/* A process that lives on after its job was given up may go on to save parts beside the new one's. */
static void parts_of_two_processes_do_not_mix(void)
{
    CollectJob job = make_job();
    unsigned char *bytes = NULL;
    size_t n = 0;

    job.round = shortest;
    stop_at_once(&job);
    stop_at_once(&job);
    if (comm_rank() == 0) {
        MPI_CHECK_OK(
            file_read(temp_path(folder, "data.hdf5.parts/part-000001.h5"), 1 << 24, &bytes, &n));
        MPI_CHECK_OK(file_write(temp_path(folder, "data.hdf5.parts/part-000000.h5"), bytes, n));
        mem_free(&bytes);
    }
    MPI_CHECK(collect_job(&job) == ERR_FORMAT);
    MPI_CHECK(strstr(status_reason(), "two have collected here at once") != NULL);
    job.force = true;
    MPI_CHECK_OK(collect_job(&job));
    check_file(&job);
}

static Status refuse(Env *env, Rng *rng)
{
    const Status st = env_find("pointmass")->reset(env, rng);
    return comm_rank() < comm_size() - 1 ? st : status_fail(ERR_ENV, "the last rank's simulator");
}

static void a_failure_of_one_rank_is_told_to_all(void)
{
    const int64_t before = mem_count();
    EnvKind broken = *env_find("pointmass");
    CollectJob job = make_job();

    broken.reset = refuse;
    job.env = &broken;
    MPI_CHECK(collect_job(&job) == ERR_ENV);
    MPI_CHECK(strstr(status_reason(), "the last rank's simulator") != NULL);
    job.env = env_find("hopper");
    job.source.policy = &policy;
    MPI_CHECK(collect_job(&job) == ERR_CONFIG);
    job.env = env_find("none");
    MPI_CHECK(collect_job(&job) == ERR_CONFIG);
    MPI_CHECK(mem_count() == before);
}

int main(int argc, char **argv)
{
    if (comm_open(&argc, &argv) != OK) {
        return 1;
    }
    log_start(comm_rank(), comm_size());
    log_set_level(LOG_WARN);
    if (comm_rank() == 0) {
        temp_dir_make(folder);
        (void)snprintf(file, sizeof file, "%s", temp_path(folder, "data.hdf5"));
    }
    coll_bcast(folder, sizeof folder, 0);
    coll_bcast(file, sizeof file, 0);
    make_policy();
    MPI_CASE(the_file_is_that_of_one_rank);
    MPI_CASE(rounds_and_parts_do_not_show);
    MPI_CASE(episodes_are_counted_whole);
    MPI_CASE(a_stopped_job_goes_on_to_the_same_bytes);
    MPI_CASE(a_lower_goal_is_reached_at_once);
    MPI_CASE(other_settings_do_not_mix);
    MPI_CASE(parts_of_two_processes_do_not_mix);
    MPI_CASE(a_failure_of_one_rank_is_told_to_all);
    policy_release(&policy);
    if (comm_rank() == 0) {
        temp_dir_remove(folder);
    }
    const int code = mpi_check_end();
    comm_close();
    return code;
}
