/* Configurations of several commands. */
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "comm/comm.h"

/* "configs/paper/x.yaml" gives "x", no file gives "demo"; with "algo=bear" behind it "x-bear", so that
 * the methods of a comparison do not ask for each other's directory. */
static void default_run_dir(const OptionValues *in, int skip, Config *config)
{
    const char *file =
        in->count > skip && strchr(in->words[skip], '=') == NULL ? in->words[skip] : "demo.yaml";
    const char *slash = strrchr(file, '/');
    const char *stem = slash != NULL ? slash + 1 : file;
    const int length = (int)strcspn(stem, ".");

    bool named = false;
    for (int i = skip; i < in->count; i++) {
        named = named || strncmp(in->words[i], "algo=", 5) == 0;
    }
    (void)snprintf(config->top.run_dir, sizeof config->top.run_dir, "runs/%.*s%s%s-s%d", length,
                   stem, named ? "-" : "", named ? config->top.algo : "", config->top.seed);
}

Status cmd_share_config(const OptionValues *in, int skip, Config *config, ConfigOrigins **origins)
{
    Status st = OK;

    *origins = NULL;
    if (comm_rank() == 0) {
        st = cmd_load_config(in, skip, config, origins);
        st = st != OK ? st : config_check(config);
        if (st == OK && config->top.run_dir[0] == '\0') {
            default_run_dir(in, skip, config);
        }
    }
    st = comm_agree(st);
    if (st == OK) {
        coll_bcast(config, sizeof *config, 0);
    }
    return st;
}

Status cmd_policy_config(const OptionValues *in, const char *task, Config *config)
{
    Status st = OK;

    config_default(config);
    if (task != NULL) {
        (void)snprintf(config->top.task, sizeof config->top.task, "%s", task);
    }
    TRY(config_words_over(config, in->count - 1, in->words + 1));
    if (config->top.task[0] == '\0') {
        st = status_fail(ERR_USAGE, "the policy's file does not say its task; say task=NAME "
                                    "(`mopo config tables` lists them)");
    }
done:
    return st;
}
