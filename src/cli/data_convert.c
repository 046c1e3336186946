/* mopo data convert and relabel: datasets made of datasets. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cli/cmd.h"
#include "cli/data_actions.h"
#include "data/registry.h"
#include "run/convert.h"
#include "run/relabel.h"
#include "run/session.h"

enum { PATH_SIZE = 4096 };

/* Words: action, source, target, then settings. The task is *task, NULL when none was named. */
static Status open_words(const OptionValues *in, char *source, EnvKind *row, const EnvKind **task)
{
    Status st = OK;
    const RegistryRow *known = NULL;
    Config config;

    TRY(options_count(in, 3, -1));
    const char *end = strrchr(in->words[2], '.');
    if (end != NULL && strcmp(end, ".csv") == 0) {
        return status_fail(ERR_USAGE,
                           "%s: tables are only read; write FILE.hdf5, or a folder in "
                           "Minari's layout",
                           in->words[2]);
    }
    config_default(&config);
    config.top.task[0] = '\0';
    TRY(config_words_over(&config, in->count - 3, in->words + 3));
    cmd_warn_unused(in, 3, data_words);
    *task = NULL;
    if (config.top.task[0] != '\0') {
        TRY(session_task(&config, row));
        *task = row;
    }
    TRY(registry_locate(in->words[1], source, PATH_SIZE, &known));
    if (file_exists(in->words[2]) && !option_flag(in, "force")) {
        st = status_fail(ERR_USAGE, "%s is there already; --force writes over it", in->words[2]);
    }
done:
    return st;
}

static Status write_out(const char *to, const Recording *rec, const EnvKind *task)
{
    Converted done;
    const Status st = convert_write(to, rec, task, &done);
    if (st == OK) {
        printf("%s: %lld rows in %lld episodes\n", done.path, (long long)done.rows,
               (long long)done.episodes);
    }
    return st;
}

Status data_convert(const OptionValues *in)
{
    Status st = OK;
    char source[PATH_SIZE];
    EnvKind row;
    const EnvKind *task = NULL;
    Recording rec = {0};

    TRY(open_words(in, source, &row, &task));
    TRY(convert_read(&rec, source));
    TRY(write_out(in->words[2], &rec, task));
done:
    recording_release(&rec);
    return st;
}

/* Mean over the rows. */
static double mean_reward(const Recording *rec)
{
    double sum = 0;
    for (int64_t i = 0; i < rec->rows; i++) {
        sum += rec->rewards[i];
    }
    return sum / (double)rec->rows;
}

Status data_relabel(const OptionValues *in)
{
    Status st = OK;
    char source[PATH_SIZE];
    EnvKind row;
    const EnvKind *task = NULL;
    Recording rec = {0};

    TRY(open_words(in, source, &row, &task));
    if (task == NULL) {
        return status_fail(ERR_USAGE,
                           "relabel wants task=NAME: whose rewards? `mopo config tables` "
                           "lists the tasks");
    }
    TRY(convert_read(&rec, source));
    const double before = mean_reward(&rec);
    TRY(relabel_rewards(&rec, task));
    printf("mean reward of a row: %.4f before, %.4f as task %s\n", before, mean_reward(&rec),
           task->name);
    TRY(write_out(in->words[2], &rec, task));
done:
    recording_release(&rec);
    return st;
}
