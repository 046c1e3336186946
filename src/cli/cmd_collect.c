/* mopo collect: make a dataset. */
#include <stdio.h>

#include "base/file.h"
#include "cli/cmd.h"
#include "comm/comm.h"
#include "run/collect_job.h"
#include "run/online.h"
#include "run/session.h"
#include "run/stop.h"

enum { ROWS_DEFAULT = 1000000, ROWS_MOST = 100000000 };

/* Collective. */
static Status check_free(const char *path, bool force)
{
    int taken = comm_rank() == 0 && file_exists(path) ? 1 : 0;
    coll_bcast(&taken, sizeof taken, 0);
    return taken == 0 || force
               ? OK
               : status_fail(ERR_USAGE, "%s is there already; --force writes over it", path);
}

static Status run_online(const Config *config, const char *dir, bool force)
{
    Status st = OK;

    TRY(config_check(config));
    stop_listen(0, dir);
    TRY(online_run(config, dir, force));
done:
    return st;
}

static Status run(const OptionValues *in)
{
    Status st = OK;
    Config config;
    EnvKind env;
    int rows = ROWS_DEFAULT;
    const bool force = option_flag(in, "force");

    TRY(options_count(in, 1, -1));
    TRY(option_int(in, "rows", 1, ROWS_MOST, &rows));
    config_default(&config);
    TRY(config_words_over(&config, in->count - 1, in->words + 1));
    if (option_flag(in, "online")) {
        return run_online(&config, in->words[0], force);
    }
    TRY(session_task(&config, &env));
    TRY(check_free(in->words[0], force));
    TRY(collect_job(&env, (uint64_t)config.top.seed, rows, in->words[0]));
done:
    return st;
}

static const Option options[] = {
    {"rows", 'n', "N", "transitions to record (1000000)"},
    {"online", 'o', NULL, "train SAC in the task, keep its replay buffer and policies"},
    {"force", 'f', NULL, "write over what is there"},
    {0},
};

const Command cmd_collect = {
    .verb = "collect",
    .args = "FILE|DIR [key=value ...]",
    .summary = "record a dataset in D4RL's layout",
    .detail =
        "Plays episodes with uniformly random actions, as D4RL's random sets, and writes the "
        "transitions to FILE (HDF5, D4RL layout, with infos/qpos and infos/qvel). The file "
        "depends on task, env.*, seed and rows only, not on the number of ranks.\n"
        "\n"
        "  mpirun mopo collect data/hc-random.hdf5 task=halfcheetah seed=1 --rows 100000\n"
        "\n"
        "With --online it trains SAC in the task for collect.steps steps and leaves in the "
        "folder DIR its replay buffer (replay.hdf5), the policy of each evaluation (policies/) "
        "and how well it did (progress.csv). Stopped by SIGTERM, SIGUSR2 or a file DIR/stop, "
        "it saves and exits with 75; the same command goes on to the same bytes.\n"
        "\n"
        "  mpirun mopo collect data/hc-sac --online task=halfcheetah collect.steps=200000\n",
    .options = options,
    .run = run,
};
