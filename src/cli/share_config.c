/* Configurations of several commands. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "comm/comm.h"
#include "comm/watch.h"
#include "policy/agent.h"

/* "configs/paper/x.yaml" gives "x", no file gives "demo"; with "algo=bear" behind it "x-bear", so that
 * the methods of a comparison do not ask for each other's directory. */
static void default_run_dir(const OptionValues *in, int skip, Config *config)
{
    const char *file =
        in->count > skip && !config_is_setting(in->words[skip]) ? in->words[skip] : "demo.yaml";
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

/* Settings of another agent do nothing; a file may carry them for all, but who types one means it. */
static void warn_unused(const OptionValues *in, int skip, const Config *config)
{
    static const char *const shared[] = {"sac.gamma=", "sac.tau=", "sac.reward_scale=",
                                         "sac.hidden=", "sac.layers="}; /* fqe has the last two */
    for (int i = skip; i < in->count; i++) {
        const char *word = in->words[i];
        char section[16];
        bool used = false;
        (void)snprintf(section, sizeof section, "%.*s", (int)strcspn(word, ".="), word);
        for (size_t k = 0; k < sizeof shared / sizeof *shared; k++) {
            used = used || strncmp(word, shared[k], strlen(shared[k])) == 0;
        }
        if (!used && agent_find(section) != NULL && strcmp(section, config->train.agent) != 0) {
            log_warn("%s: not used, since train.agent is %s", word, config->train.agent);
        }
    }
}

static bool key_in(const char *key, const char *const list[])
{
    for (; *list != NULL; list++) {
        const size_t n = strlen(*list);
        const bool section = n > 0 && (*list)[n - 1] == '*';
        if (section ? strncmp(key, *list, n - 1) == 0 : strcmp(key, *list) == 0) {
            return true;
        }
    }
    return false;
}

void cmd_warn_unused(const OptionValues *in, int skip, const char *const used[])
{
    char names[256];
    Text list = text_over(names, sizeof names);

    for (int k = 0; used[k] != NULL; k++) {
        text_add(&list, "%s%s", k > 0 ? ", " : "", used[k]);
    }
    for (int i = skip; i < in->count && comm_rank() == 0; i++) {
        char key[CONFIG_TEXT_MAX];
        (void)snprintf(key, sizeof key, "%.*s", (int)strcspn(in->words[i], "="), in->words[i]);
        if (!key_in(key, used)) {
            log_warn("%.200s: not used; mopo %s uses %s", in->words[i], in->command->verb, names);
        }
    }
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
        if (st == OK) {
            warn_unused(in, skip, config);
        }
    }
    st = comm_agree(st);
    if (st == OK) {
        coll_bcast(config, sizeof *config, 0);
        watch_patience(config->ranks.patience);
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
