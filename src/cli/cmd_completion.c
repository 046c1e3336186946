/* mopo completion: what shells need to complete a command line of mopo. */
#include "cli/cmd.h"
#include "cli/completion.h"

static const char *const actions[] = {"bash", "zsh", "fish", NULL};
static void (*const scripts[])(FILE *, const Program *) = {completion_bash, completion_zsh,
                                                           completion_fish};

static Status run(const OptionValues *in)
{
    int action = 0;
    Status st = OK;

    TRY(options_action(in, &action));
    TRY(options_count(in, 1, 1));
    scripts[action](stdout, &cmd_program);
done:
    return st;
}

const Command cmd_completion = {
    .verb = "completion",
    .args = "bash | zsh | fish",
    .summary = "print a script with which a shell completes commands, options and settings",
    .detail = "`cmake --install` puts the scripts where each shell looks. By hand, for bash, in "
              "~/.bashrc:\n"
              "\n"
              "  source <(mopo completion bash)\n"
              "  complete -o bashdefault -o default -F _mopo mpirun    # behind mpirun, too\n",
    .run = run,
    .alone = true,
    .actions = actions,
};
