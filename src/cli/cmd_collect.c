/* mopo collect: make a dataset. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cli/cmd.h"
#include "comm/comm.h"
#include "comm/watch.h"
#include "run/collect_job.h"
#include "run/family.h"
#include "run/online.h"
#include "run/session.h"
#include "run/stop.h"

enum { ROWS_DEFAULT = 1000000, ROWS_MOST = 100000000 };
static const double noise_most = 10;

/* What cannot stand together. */
static Status check_options(const OptionValues *in)
{
    static const struct {
        const char *name, *other;
        bool needs; /* the other option; else it excludes it */
    } rules[] = {
        {"online", "family", false},   {"online", "rows", false},   {"online", "episodes", false},
        {"online", "policy", false},   {"online", "sample", false}, {"online", "noise", false},
        {"family", "episodes", false}, {"family", "policy", false}, {"family", "sample", false},
        {"family", "noise", false},    {"sample", "policy", true},  {"noise", "policy", true},
        {"noise", "sample", false},    {"rows", "episodes", false}};

    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (option_flag(in, rules[i].name) && option_flag(in, rules[i].other) != rules[i].needs) {
            return status_fail(ERR_USAGE, "--%s %s --%s", rules[i].name,
                               rules[i].needs ? "needs" : "cannot stand beside", rules[i].other);
        }
    }
    return OK;
}

/* What to record: one of rows and episodes; how actions are chosen. */
static Status read_goal(const OptionValues *in, CollectJob *job)
{
    Status st = OK;
    int rows = option_flag(in, "episodes") ? 0 : ROWS_DEFAULT;
    int episodes = 0;

    TRY(option_int(in, "rows", 1, ROWS_MOST, &rows));
    TRY(option_int(in, "episodes", 1, ROWS_MOST, &episodes));
    TRY(option_real(in, "noise", 0, noise_most, &job->source.noise));
    job->rows = rows;
    job->episodes = episodes;
    job->source.sample = option_flag(in, "sample");
done:
    return st;
}

/* The task of the policy (NULL: none), and the words over that. */
static Status read_task(const OptionValues *in, const PolicyFile *policy, Config *config,
                        EnvKind *env)
{
    Status st = OK;

    static const char *const used[] = {"task", "seed", "env.*", "ranks.patience", NULL};
    TRY(cmd_policy_config(in, policy != NULL ? policy->info.task : NULL, config));
    cmd_warn_unused(in, 1, used);
    TRY(session_task(config, env));
done:
    return st;
}

/* Settings in its place would become a file of that name. */
static Status check_target(const OptionValues *in)
{
    const char *word = in->words[0];

    if (config_is_setting(word)) {
        return status_fail(ERR_USAGE, "the first word is the FILE or DIR to make; found %.80s",
                           word);
    }
    return OK;
}

static Status check_free(const OptionValues *in)
{
    enum { FREE, TAKEN, FOLDER };
    const char *path = in->words[0];
    char inside[4096 + 2];
    int found = FREE;

    if (comm_rank() == 0) {
        (void)snprintf(inside, sizeof inside, "%s/.", path);
        found = file_exists(inside) ? FOLDER : file_exists(path) ? TAKEN : FREE;
    }
    coll_bcast(&found, sizeof found, 0);
    if (found == FOLDER) {
        return status_fail(ERR_USAGE,
                           "%s is a directory; name the file to make, such as %s/data.hdf5", path,
                           path);
    }
    if (found == TAKEN && !option_flag(in, "force")) {
        return status_fail(ERR_USAGE, "%s is there already; --force writes over it", path);
    }
    return OK;
}

/* Training in the task, alone or with the datasets that come of it. */
static Status run_training(const OptionValues *in)
{
    Status st = OK;
    Config config;
    int rows = ROWS_DEFAULT;
    const char *dir = in->words[0];
    const bool force = option_flag(in, "force");

    TRY(option_int(in, "rows", 1, ROWS_MOST, &rows));
    config_default(&config);
    TRY(config_words_over(&config, in->count - 1, in->words + 1));
    TRY(config_check(&config));
    watch_patience(config.ranks.patience);
    stop_listen(0, comm_rank() == 0 ? dir : NULL);
    TRY(option_flag(in, "family") ? family_run(&config, dir, rows, force)
                                  : online_run(&config, dir, force));
done:
    return st;
}

static Status run(const OptionValues *in)
{
    Status st = OK;
    Config config;
    EnvKind env;
    PolicyFile policy = {0};
    CollectJob job = {.env = &env, .force = option_flag(in, "force")};
    const char *policy_path = option_text(in, "policy");

    TRY(options_count(in, 1, -1));
    TRY(check_target(in));
    TRY(check_options(in));
    if (option_flag(in, "online") || option_flag(in, "family")) {
        return run_training(in);
    }
    TRY(read_goal(in, &job));
    if (policy_path != NULL) {
        TRY(comm_agree(comm_rank() == 0 ? policy_load(policy_path, &policy) : OK));
        TRY(policy_share(&policy));
        job.source.policy = &policy;
    }
    TRY(read_task(in, job.source.policy, &config, &env));
    watch_patience(config.ranks.patience);
    TRY(check_free(in));
    job.seed = (uint64_t)config.top.seed;
    job.path = in->words[0];
    stop_listen(0, NULL);
    TRY(collect_job(&job));
done:
    policy_release(&policy);
    return st;
}

static const Option options[] = {
    {"rows", 'n', "N", "transitions to record (1000000); the last episode is cut there"},
    {"episodes", 'e', "N", "episodes to record, whole, instead"},
    {"policy", 'p', "FILE", "act by this policy: policy.h5, or a dataset that carries one"},
    {"sample", 's', NULL, "draw the policy's actions; otherwise its mean action is taken"},
    {"noise", 0, "S", "add Gaussian noise of deviation S to the policy's mean action"},
    {"online", 'o', NULL, "train SAC in the task; keep replay buffer and policies in DIR"},
    {"family", 0, NULL, "that, then random, medium, mixed, expert and medium-expert sets in DIR"},
    {"force", 'f', NULL, "write over a file that is there"},
    {0},
};

const Command cmd_collect = {
    .verb = "collect",
    .args = "FILE|DIR [key=value ...]",
    .summary = "make a dataset: random actions, a policy's, or online SAC and its stages",
    .detail =
        "Records a dataset of a task in D4RL's layout (HDF5, with infos). Actions are uniformly "
        "random, as in D4RL's random sets, or with --policy those of a policy, clipped to [-1, "
        "1]; the policy then goes into FILE as metadata. FILE depends on task, env.*, seed, "
        "policy and the options only, not on the number of ranks.\n"
        "With --online it trains SAC in the task for collect.steps steps and leaves in the "
        "folder DIR its replay buffer (replay.hdf5), the policy of each evaluation (policies/) "
        "and how well it did (progress.csv). With --family the sets that D4RL has of a task are "
        "made from that, with --rows rows where a policy acts; for halfcheetah-jump and "
        "ant-angle the replay buffer with the task's rewards. What is in DIR already is kept.\n"
        "What takes longer than a minute is saved beside FILE or in DIR. After a stop (SIGUSR2, "
        "SIGTERM, SIGINT, a file DIR/stop: exit code 75) or a kill the same command goes on "
        "from there, on any number of ranks, to the same bytes.\n"
        "\n"
        "  mpirun mopo collect hc.hdf5 task=halfcheetah seed=1 --rows 100000\n"
        "  mpirun mopo collect mine.hdf5 --policy runs/demo-s0/policy.h5 --sample\n"
        "  mpirun mopo collect hopper --online task=hopper collect.steps=200000\n"
        "  mpirun mopo collect hopper --family task=hopper collect.steps=200000 --rows 200000\n",
    .options = options,
    .run = run,
};
