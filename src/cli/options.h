/* Commands and their options as tables: parsing, --help of the program and of each command.
 *
 *   static const Option options[] = {
 *       {"json", 'j', NULL, "print one JSON object"},
 *       {"episodes", 'n', "N", "how many episodes"},
 *       {0}};
 *   const Command cmd_eval = {"eval", "POLICY [key=value ...]", "measure a policy",
 *                             "Plays episodes ...", options, cmd_eval_run};
 *
 * Accepted: --name value, --name=value, --name, -x, -x value; `--` ends the options; they may stand
 * before, between and behind the words. -h and --help belong to every command. An option given twice
 * is an error, so that none is overruled unnoticed.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/status.h"

typedef struct Command Command;

typedef struct {
    const char *name;  /* without dashes; NULL ends a table */
    char letter;       /* 0: none */
    const char *value; /* what --help calls it, "FILE"; NULL: a flag, which takes none */
    const char *help;  /* a phrase; wrapped by --help */
} Option;

enum { OPTIONS_MAX = 32 };

typedef struct {
    const Command *command;
    const char
        *given[OPTIONS_MAX]; /* by row of the command's table: value, "" of a flag, or NULL */
    bool help;               /* --help was given; nothing else is checked then */
    int count;
    char **words; /* (count) the other words in their order, borrowed from argv */
} OptionValues;

struct Command {
    const char *verb;    /* `mopo verb` */
    const char *args;    /* its words, for the usage line: "CONFIG [key=value ...]" */
    const char *summary; /* one line of the program's --help */
    const char
        *detail; /* paragraphs between newlines; a line that starts with a blank is not wrapped */
    const Option *options; /* ends with {0}; NULL: none */
    /* Its Status becomes the exit code. Called on every rank, with MPI open, unless `alone`. */
    Status (*run)(const OptionValues *in);
    bool
        alone; /* one process, and MPI is not opened: it runs on login nodes, and may start mpirun */
    const char *const *actions; /* what the first word may be, ends with NULL; NULL: anything */
};

typedef struct {
    const char *name, *summary;
    const char *detail; /* examples; as in Command */
    const Command *const *commands;
    int count;
} Program;

/* Words behind the verb: argv[0] is the first of them. argv is reordered, words in front. Error:
 * ERR_USAGE, with the nearest option. *out is then without meaning. */
NODISCARD Status options_parse(const Command *command, int argc, char **argv, OptionValues *out);

/* What was given for the option; NULL when it was not. A name that is not in the table is a bug. */
const char *option_text(const OptionValues *in, const char *name);
bool option_flag(const OptionValues *in, const char *name);
/* A whole number from min to max; *out stays as it is when the option was not given. ERR_USAGE. */
NODISCARD Status option_int(const OptionValues *in, const char *name, int min, int max, int *out);
/* The same for a number. */
NODISCARD Status option_real(const OptionValues *in, const char *name, double min, double max,
                             double *out);

/* The command called `verb`; ERR_USAGE with the nearest one, or, for a setting or a file, with the
 * first command of the table. *command is then NULL. */
NODISCARD Status options_command(const Program *program, const char *verb, const Command **command);
/* The first word as the number of one of the command's actions, as in `mopo config show`. ERR_USAGE with the
 * choice. */
NODISCARD Status options_action(const OptionValues *in, int *action);
/* The number of words is from min to max (-1: any); ERR_USAGE with the usage line. */
NODISCARD Status options_count(const OptionValues *in, int min, int max);

/* The option that belongs to every command. */
extern const Option option_help;
/* Whether it takes settings: NULL when it does not, else what their keys begin with, "" for all of them. In `buffer`. */
const char *options_settings(const Command *command, char *buffer, size_t size);
/* The exit code that comes after `last` (-1: the first) and all its meanings; -1 behind the last one. */
int options_next_exit_code(int last, char *text, size_t size);

/* `mopo --help`: commands, examples, exit codes. */
void options_help(FILE *out, const Program *program);
/* `mopo verb --help`. */
void options_command_help(FILE *out, const Command *command);

#endif
