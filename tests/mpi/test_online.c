/* SAC in the true environment: it learns, leaves the same bytes whoever shares the updates and however
 * often it is broken off, and an error of rank 0 alone ends all ranks. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/slab.h"
#include "comm/comm.h"
#include "data/dataset.h"
#include "env/env.h"
#include "nn/gemm.h"
#include "run/online.h"
#include "run/policy_file.h"
#include "run/tables.h"
#include "support/mpi_check.h"
#include "support/temp_dir.h"

static char folder[TEMP_PATH_MAX];

static Config small_config(void)
{
    Config c;

    config_default(&c);
    (void)snprintf(c.top.task, sizeof c.top.task, "pointmass");
    c.collect.steps = 2500;
    c.collect.start_steps = 300;
    c.collect.eval_every = 1000;
    c.collect.save_every = 400;
    c.train.batch = 64;
    c.sac.hidden = 32;
    c.sac.actor_lr = 1e-3;
    c.sac.critic_lr = 1e-3;
    c.sac.alpha_lr = 1e-3;
    c.eval.episodes = 5;
    return c;
}

/* The same name on all ranks. */
static const char *in_folder(const char *name)
{
    return temp_path(folder, "%s", name);
}

/* Whether both runs left the same files; rank 0 looks. */
static void check_same(const char *a, const char *b)
{
    static const char *const files[] = {"replay.hdf5", "progress.csv",
                                        "policies/policy-0000001000.h5",
                                        "policies/policy-0000002500.h5"};
    for (size_t i = 0; comm_rank() == 0 && i < sizeof files / sizeof *files; i++) {
        const char *const runs[] = {a, b};
        char digest[2][SLAB_DIGEST_MAX];
        for (int k = 0; k < 2; k++) {
            unsigned char *bytes = NULL;
            size_t n = 0;
            MPI_CHECK_OK(
                file_read(temp_path(folder, "%s/%s", runs[k], files[i]), 1 << 24, &bytes, &n));
            bytes_digest(bytes, n, digest[k]);
            mem_free(&bytes);
        }
        if (!MPI_CHECK(strcmp(digest[0], digest[1]) == 0)) {
            (void)fprintf(stderr, "%s of %s and %s differ\n", files[i], a, b);
        }
    }
}

static void the_policy_becomes_much_better_than_random(void)
{
    const Config c = small_config();
    const int64_t before = mem_count();
    OnlineEval *evals = NULL;
    int64_t count = 0;

    MPI_CHECK_OK(online_run(&c, in_folder("one"), false));
    MPI_CHECK(mem_count() == before);
    if (comm_rank() == 0 && MPI_CHECK_OK(online_read_progress(in_folder("one"), &evals, &count))) {
        const EnvKind *task = env_find("pointmass");
        MPI_CHECK(count == 3 && evals[0].step == 1000 && evals[1].step == 2000 &&
                  evals[2].step == 2500);
        /* random actions return ref_min; half of the way to the best controller */
        MPI_CHECK(evals[2].mean > (task->ref_min + task->ref_max) / 2);
        MPI_CHECK_NEAR(evals[2].score, env_normalized_score(task, evals[2].mean), 1e-12, 0);
        mem_free(&evals);
    }
}

static void the_replay_buffer_is_a_dataset(void)
{
    const DatasetOptions options = {.state_dim = 4, .act_dim = 2, .next = NEXT_STORED};
    Dataset data = {0};
    PolicyFile policy = {0};
    int ended = 0;

    if (comm_rank() != 0) {
        return;
    }
    MPI_CHECK_OK(dataset_read(&data, temp_path(folder, "one/replay.hdf5"), &options));
    MPI_CHECK(data.rows == 2500);
    for (int64_t i = 0; i < data.rows; i++) {
        const float *row = data.records + (size_t)i * data.rec.stride;
        const bool out = !(row[data.rec.s2] <= 2 && row[data.rec.s2] >= -2 &&
                           row[data.rec.s2 + 1] <= 2 && row[data.rec.s2 + 1] >= -2);
        ended += out ? 1 : 0;
        MPI_CHECK((row[data.rec.cont] == 0) == out); /* only leaving the box is an end */
    }
    MPI_CHECK(ended > 0);
    dataset_release(&data);
    char path[ONLINE_PATH_MAX];
    MPI_CHECK_OK(policy_load(online_policy_path(in_folder("one"), 2500, path), &policy));
    MPI_CHECK(policy.info.epoch == 2500 && strcmp(policy.info.algorithm, "SAC") == 0);
    policy_release(&policy);
}

static void the_learners_do_not_show(void)
{
    static const char *const names[] = {"two", "four"};
    for (int k = 0; k < 2; k++) {
        Config c = small_config();
        c.ranks.learners = 2 << k;
        MPI_CHECK_OK(online_run(&c, in_folder(names[k]), false));
        check_same("one", names[k]);
    }
}

static void a_broken_off_run_goes_on_to_the_same_bytes(void)
{
    Config c = small_config();
    Status st = ERR_IO;
    int tries = 0;

    /* each start breaks at a later call of the file system than the one before */
    for (; st == ERR_IO && tries < 40; tries++) {
        c.ranks.learners = 1 + tries % 2;
        file_fail_at(comm_rank() == 0 ? 12 + 7 * tries : 0, 28 /* ENOSPC */);
        st = online_run(&c, in_folder("broken"), false);
        file_fail_at(0, 0);
        MPI_CHECK(st == OK || st == ERR_IO);
    }
    MPI_CHECK(st == OK && tries > 3);
    check_same("one", "broken");
}

static void other_settings_are_refused(void)
{
    Config c = small_config();

    file_fail_at(comm_rank() == 0 ? 150 : 0, 28);
    MPI_CHECK(online_run(&c, in_folder("other"), false) == ERR_IO);
    file_fail_at(0, 0);
    c.top.seed = 1;
    MPI_CHECK(online_run(&c, in_folder("other"), false) == ERR_CONFIG);
    MPI_CHECK_OK(online_run(&c, in_folder("other"), true)); /* by force */
}

int main(int argc, char **argv)
{
    Status st = comm_open(&argc, &argv);

    if (st != OK) {
        (void)fprintf(stderr, "%s\n", status_reason());
        return 1;
    }
    log_start(comm_rank(), comm_size());
    log_set_level(LOG_QUIET);
    gemm_setup();
    tables_register();
    if (comm_rank() == 0) {
        temp_dir_make(folder);
    }
    coll_bcast(folder, sizeof folder, 0);
    MPI_CASE(the_policy_becomes_much_better_than_random);
    MPI_CASE(the_replay_buffer_is_a_dataset);
    MPI_CASE(the_learners_do_not_show);
    MPI_CASE(a_broken_off_run_goes_on_to_the_same_bytes);
    MPI_CASE(other_settings_are_refused);
    comm_barrier();
    if (comm_rank() == 0) {
        temp_dir_remove(folder);
    }
    const int code = mpi_check_end();
    comm_close();
    return code;
}
