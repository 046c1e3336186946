/* mopo man: the manual pages, for man and for the installation. */
#include <string.h>

#include "cli/cmd.h"
#include "cli/man.h"

static Status run(const OptionValues *in)
{
    Status st = OK;
    const Command *command = NULL;

    TRY(options_count(in, 0, 1));
    if (in->count == 0) {
        man_program(stdout, &cmd_program);
    } else if (strcmp(in->words[0], "settings") == 0) {
        man_settings(stdout, &cmd_program);
    } else {
        TRY(options_command(&cmd_program, in->words[0], &command));
        man_command(stdout, &cmd_program, command);
    }
done:
    return st;
}

const Command cmd_man = {
    .verb = "man",
    .args = "[COMMAND | settings]",
    .summary = "print a manual page",
    .detail = "Prints the page of mopo, of one of its commands, or of all settings, in the form "
              "that man reads. `cmake --install` puts them where man looks: `man mopo`, `man "
              "mopo-train`, `man mopo-settings`.\n"
              "\n"
              "  mopo man train | man -l -\n"
              "  mopo man settings | man -l -\n",
    .run = run,
    .alone = true,
};
