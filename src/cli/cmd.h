/* The commands of the program, one file cmd_<verb>.c each, and what several of them share. */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include "cli/options.h"
#include "config/config.h"

extern const Command cmd_train, cmd_eval, cmd_rerun, cmd_collect, cmd_data, cmd_model, cmd_plan,
    cmd_sweep, cmd_status, cmd_bench, cmd_config, cmd_man, cmd_completion;
/* All of them. */
extern const Program cmd_program;

/* [CONFIG] [key=value ...] from the words behind the first `skip`: the first is a file unless it
 * holds '='; without one the built-in configuration is taken. Errors and `origins` as in config_load. */
NODISCARD Status cmd_load_config(const OptionValues *in, int skip, Config *config,
                                 ConfigOrigins **origins);

/* The same on all ranks: rank 0 loads and checks, the others get the result; *origins is rank 0's,
 * NULL elsewhere. An empty run_dir becomes runs/<stem of the file>-s<seed>. Collective. */
NODISCARD Status cmd_share_config(const OptionValues *in, int skip, Config *config,
                                  ConfigOrigins **origins);

/* Warn, on rank 0, where a word behind the first `skip` sets a key that is not in `used`, the list that ends with
 * NULL of "key" and "section.*": who types a setting means it. */
void cmd_warn_unused(const OptionValues *in, int skip, const char *const used[]);

/* The default settings with a policy's own task (empty: its file does not say it; NULL: no policy), then
 * the words behind the first. Local. Errors: those of config_words_over, ERR_USAGE (nobody names the task). */
NODISCARD Status cmd_policy_config(const OptionValues *in, const char *task, Config *config);

/* `mopo model fit`, cli/model_fit.c. Collective. */
NODISCARD Status cmd_model_fit(const OptionValues *in);

#endif
