/* mopo collect: make a dataset. */
#include <stdio.h>

#include "base/file.h"
#include "cli/cmd.h"
#include "comm/comm.h"
#include "run/collect_job.h"
#include "run/session.h"

enum { ROWS_DEFAULT = 1000000, ROWS_MOST = 100000000 };

static Status run(const OptionValues *in)
{
    Status st = OK;
    Config config;
    EnvKind env;
    int rows = ROWS_DEFAULT;

    TRY(options_count(in, 1, -1));
    TRY(option_int(in, "rows", 1, ROWS_MOST, &rows));
    config_default(&config);
    TRY(config_words_over(&config, in->count - 1, in->words + 1));
    TRY(session_task(&config, &env));
    int taken = comm_rank() == 0 && file_exists(in->words[0]) ? 1 : 0;
    coll_bcast(&taken, sizeof taken, 0);
    if (taken != 0 && !option_flag(in, "force")) {
        return status_fail(ERR_USAGE, "%s is there already; --force writes over it", in->words[0]);
    }
    TRY(collect_job(&env, (uint64_t)config.top.seed, rows, in->words[0]));
done:
    return st;
}

static const Option options[] = {
    {"rows", 'n', "N", "transitions to record (1000000)"},
    {"force", 'f', NULL, "write over a file that is there"},
    {0},
};

const Command cmd_collect = {
    .verb = "collect",
    .args = "FILE [key=value ...]",
    .summary = "record a dataset in D4RL's layout",
    .detail = "Plays episodes with uniformly random actions, as D4RL's random sets, and writes the "
              "transitions to FILE (HDF5, D4RL layout, with infos/qpos and infos/qvel). The file "
              "depends on task, env.*, seed and rows only, not on the number of ranks.\n"
              "\n"
              "  mpirun mopo collect data/hc-random.hdf5 task=halfcheetah seed=1 --rows 100000\n",
    .options = options,
    .run = run,
};
