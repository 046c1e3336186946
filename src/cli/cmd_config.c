/* mopo config: what can be configured, and what a configuration amounts to. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/cmd.h"
#include "comm/comm.h"
#include "run/tables.h"

Status cmd_load_config(const OptionValues *in, int skip, Config *config, ConfigOrigins **origins)
{
    char **words = in->words + skip;
    const int count = in->count - skip;
    const char *path = count > 0 && !config_is_setting(words[0]) ? words[0] : NULL;
    const int files = path != NULL ? 1 : 0;

    return config_load(config, origins, path, count - files, words + files);
}

static Status keys(const OptionValues *in)
{
    Status st = OK;
    TRY(options_count(in, 1, 1));
    config_print_keys(stdout, option_flag(in, "markdown"));
done:
    return st;
}

static Status tables(const OptionValues *in)
{
    Status st = OK;

    TRY(options_count(in, 1, 1));
    tables_print(stdout);
done:
    return st;
}

/* Only keys has another form. */
static Status check_markdown(const OptionValues *in, const char *action)
{
    return option_flag(in, "markdown") && strcmp(action, "keys") != 0
               ? status_fail(ERR_USAGE, "--markdown has no meaning with %s", action)
               : OK;
}

/* The values are printed even when they do not fit together: they show why. */
static Status show(const OptionValues *in)
{
    if (in->count == 2 && strcmp(in->words[1], "tables") == 0) {
        tables_print(stdout);
        return OK;
    }
    Config config;
    ConfigOrigins *origins = NULL;
    char *text = NULL;
    Status st = OK;

    TRY(mem_alloc(&text, CONFIG_YAML_MAX, 1, "a configuration as text"));
    TRY(cmd_load_config(in, 1, &config, &origins));
    TRY(config_write(&config, origins, text, CONFIG_YAML_MAX));
    (void)fputs(text, stdout);
    TRY(config_check(&config));
done:
    config_origins_free(&origins);
    mem_free(&text);
    return st;
}

static const char *const actions[] = {"show", "keys", "tables", NULL};

static Status run(const OptionValues *in)
{
    static Status (*const run_action[])(const OptionValues *) = {show, keys, tables};
    int action = 0;
    Status st = OK;

    if (comm_rank() != 0) {
        return OK;
    }
    TRY(options_action(in, &action));
    TRY(check_markdown(in, actions[action]));
    TRY(run_action[action](in));
done:
    return st;
}

static const Option options[] = {
    {"markdown", 0, NULL, "with keys: print docs/config.md"},
    {0},
};

const Command cmd_config = {
    .verb = "config",
    .args = "show [CONFIG] [key=value ...] | keys | tables",
    .summary = "print a configuration with the origin of each value, all keys, all tables",
    .detail =
        "show prints every value of a configuration and where it came from, as YAML that can be "
        "used again. Without CONFIG it is the one built into the program.\n"
        "keys prints every key with default, allowed values and meaning.\n"
        "tables (or show tables) prints the tasks, presets, agents and penalties that the program "
        "knows, with their sources.\n"
        "\n"
        "  mopo config show configs/paper/halfcheetah-random.yaml seed=3 rollout.horizon=5\n"
        "  mopo config keys --markdown > docs/config.md\n",
    .options = options,
    .run = run,
    .actions = actions,
};
