/* mopo data: look at a dataset before it is used. */
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "comm/comm.h"
#include "data/dataset.h"
#include "data/registry.h"
#include "run/session.h"

static void print_info(const char *path, const Dataset *d, const EnvKind *env)
{
    printf("%s\n", path);
    printf("  rows         %lld in the file, %lld transitions used\n", (long long)d->file_rows,
           (long long)d->rows);
    printf("  dimensions   %d state, %d action%s%s\n", d->rec.S, d->rec.A,
           env != NULL ? ", as task " : "", env != NULL ? env->name : "");
    printf("  episodes     %lld complete; %lld terminal rows, %lld timeouts\n",
           (long long)d->episodes, (long long)d->terminals, (long long)d->timeouts);
    printf("  return       mean %.1f, from %.1f to %.1f\n", d->return_mean, d->return_min,
           d->return_max);
    if (env != NULL && env->ref_max > env->ref_min) {
        printf("  score        mean %.2f, best %.2f (random policy 0, expert 100)\n",
               env_normalized_score(env, d->return_mean), env_normalized_score(env, d->return_max));
    }
    printf("  reward       from %g to %g\n", d->reward_min, d->reward_max);
    printf("  rule         %s\n", d->rule);
    printf("  digest       %s\n", d->digest);
}

static Status info(const OptionValues *in)
{
    Status st = OK;
    Config config;
    EnvKind task;
    const EnvKind *env = NULL;
    Dataset data = {0};
    char path[CONFIG_TEXT_MAX];
    const RegistryRow *row = NULL;
    Recognition published;

    TRY(options_count(in, 2, -1));
    config_default(&config);
    config.top.task[0] = '\0'; /* any dimensions, unless a task is given */
    TRY(config_words_over(&config, in->count - 2, in->words + 2));
    if (config.top.task[0] != '\0') {
        TRY(session_task(&config, &task));
        env = &task;
    }
    DatasetOptions options = session_dataset_options(&config, env);
    TRY(registry_locate(in->words[1], path, sizeof path, &row));
    TRY(dataset_read(&data, path, &options));
    TRY(registry_recognize(&published, path, row));
    print_info(path, &data, env);
    if (published.note[0] != '\0') {
        printf("  published    %s\n", published.note);
    }
done:
    dataset_release(&data);
    return st;
}

static Status run(const OptionValues *in)
{
    static const char *const actions[] = {"info"};
    int action = 0;
    Status st = OK;

    TRY(options_action(in, actions, 1, &action));
    st = comm_agree(comm_rank() == 0 ? info(in) : OK);
done:
    return st;
}

const Command cmd_data = {
    .verb = "data",
    .args = "info FILE_OR_NAME [key=value ...]",
    .summary = "check a dataset and say what is in it",
    .detail = "info reads the file as training would (data.next, data.max_rows), checks every row, "
              "and prints counts, returns, the rule that s' comes from, and the digest.\n"
              "\n"
              "  mopo data info data/halfcheetah-random.hdf5 task=halfcheetah\n",
    .options = NULL,
    .run = run,
};
