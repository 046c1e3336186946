#include "cli/completion.h"

#include <stdbool.h>
#include <string.h>

#include "config/config.h"
#include "env/env.h"

/* src/cli/shell: what bash and zsh do with the tables. */
extern const char asset_complete_bash[], asset_complete_zsh[];

/* The task is text to the configuration, since only src/env knows what tasks there are. */
static bool is_task(const ConfigAbout *about)
{
    return strcmp(about->name, "task") == 0;
}

static bool has_values(const ConfigAbout *about)
{
    return about->words != NULL || is_task(about);
}

/* The words that a key may have, each behind a blank and, for fish, its key and =. */
static void put_values(FILE *out, const ConfigAbout *about, const char *key, const char *equals)
{
    for (const char *p = about->words; p != NULL && *p != '\0';) {
        const size_t n = strcspn(p, "|");
        (void)fprintf(out, " %s%s%.*s", key, equals, (int)n, p);
        p += n + (p[n] == '|');
    }
    for (int i = 0; is_task(about) && env_kind(i) != NULL; i++) {
        (void)fprintf(out, " %s%s%s", key, equals, env_kind(i)->name);
    }
    if (is_task(about)) {
        (void)fprintf(out, " %s%snone", key, equals);
    }
}

/* By what the help texts call a value. */
static bool is_file(const Option *option)
{
    return option->value != NULL &&
           (strstr(option->value, "FILE") != NULL || strstr(option->value, "DIR") != NULL ||
            strchr(option->value, '.') != NULL);
}

typedef bool (*OptionTest)(const Option *);

static bool is_flag(const Option *option)
{
    return option->value == NULL;
}

static bool is_valued(const Option *option)
{
    return option->value != NULL;
}

static void put_option(FILE *out, const Option *option)
{
    (void)fprintf(out, " --%s", option->name);
    if (option->letter != 0) {
        (void)fprintf(out, " -%c", option->letter);
    }
}

static void put_options(FILE *out, const char *name, const Command *command, OptionTest wanted)
{
    (void)fprintf(out, "        %s='", name);
    for (const Option *o = command->options; o != NULL && o->name != NULL; o++) {
        if (wanted(o)) {
            put_option(out, o);
        }
    }
    if (wanted(&option_help)) {
        put_option(out, &option_help);
    }
}

static void put_command(FILE *out, const Command *command)
{
    char buffer[64];
    ConfigAbout about;
    const char *prefix = options_settings(command, buffer, sizeof buffer);

    (void)fprintf(out, "    %s)\n        actions='", command->verb);
    for (int i = 0; command->actions != NULL && command->actions[i] != NULL; i++) {
        (void)fprintf(out, "%s%s", i > 0 ? " " : "", command->actions[i]);
    }
    (void)fprintf(out, "'\n");
    put_options(out, "options", command, is_flag);
    (void)fprintf(out, "'\n");
    put_options(out, "valued", command, is_valued);
    (void)fprintf(out, "'\n");
    put_options(out, "files", command, is_file);
    for (int i = 0; prefix != NULL && config_about(i, &about); i++) {
        if (about.is_text && !has_values(&about)) {
            (void)fprintf(out, " %s", about.name);
        }
    }
    (void)fprintf(out, "'\n        settings=%s\n        ;;\n", prefix != NULL ? prefix : "-");
}

/* What both shells read: the verbs, what each takes, the keys, the words of each. */
static void put_tables(FILE *out, const Program *program)
{
    ConfigAbout about;

    (void)fprintf(out, "_mopo_verbs='");
    for (int i = 0; i < program->count; i++) {
        (void)fprintf(out, "%s%s", i > 0 ? " " : "", program->commands[i]->verb);
    }
    (void)fprintf(out, "'\n_mopo_keys='");
    for (int i = 0; config_about(i, &about); i++) {
        (void)fprintf(out, "%s%s", i > 0 ? " " : "", about.name);
    }
    (void)fprintf(out, "'\n_mopo_about() {\n    case $1 in\n");
    for (int i = 0; i < program->count; i++) {
        put_command(out, program->commands[i]);
    }
    (void)fprintf(out, "    esac\n}\n_mopo_values() {\n    case $1 in\n");
    for (int i = 0; config_about(i, &about); i++) {
        if (has_values(&about)) {
            (void)fprintf(out, "    %s) values='", about.name);
            put_values(out, &about, "", "");
            (void)fprintf(out, "' ;;\n");
        }
    }
    (void)fprintf(out, "    esac\n}\n");
}

void completion_bash(FILE *out, const Program *program)
{
    (void)fprintf(out, "# Made by `%s completion bash`.\n", program->name);
    put_tables(out, program);
    (void)fprintf(out, "%s", asset_complete_bash);
}

void completion_zsh(FILE *out, const Program *program)
{
    (void)fprintf(out, "#compdef %s\n# Made by `%s completion zsh`.\n", program->name,
                  program->name);
    put_tables(out, program);
    (void)fprintf(out, "%s", asset_complete_zsh);
}

/* ---- fish: a line for each word that may be meant ---- */

static void put_quoted(FILE *out, const char *text)
{
    (void)fprintf(out, "'");
    for (; *text != '\0'; text++) {
        (void)fprintf(out, "%s%c", *text == '\'' || *text == '\\' ? "\\" : "", *text);
    }
    (void)fprintf(out, "'");
}

static void put_begin(FILE *out, const Command *command)
{
    (void)fprintf(out, "complete -c mopo -n '__fish_seen_subcommand_from %s'", command->verb);
}

static void put_fish_option(FILE *out, const Command *command, const Option *option)
{
    put_begin(out, command);
    (void)fprintf(out, " -l %s", option->name);
    if (option->letter != 0) {
        (void)fprintf(out, " -s %c", option->letter);
    }
    (void)fprintf(out, "%s -d ", is_flag(option) ? "" : is_file(option) ? " -r -F" : " -x");
    put_quoted(out, option->help);
    (void)fprintf(out, "\n");
}

static void put_fish_command(FILE *out, const Command *command)
{
    (void)fprintf(out, "complete -c mopo -n __fish_use_subcommand -f -a %s -d ", command->verb);
    put_quoted(out, command->summary);
    (void)fprintf(out, "\n");
    for (int i = 0; command->actions != NULL && command->actions[i] != NULL; i++) {
        put_begin(out, command);
        (void)fprintf(out, " -a %s\n", command->actions[i]);
    }
    for (const Option *o = command->options; o != NULL && o->name != NULL; o++) {
        put_fish_option(out, command, o);
    }
    put_fish_option(out, command, &option_help);
}

/* key=, or with its words key=word; for the commands that take it. */
static void put_fish_key(FILE *out, const Program *program, const ConfigAbout *about)
{
    char buffer[64];

    (void)fprintf(out, "complete -c mopo -n '__fish_seen_subcommand_from");
    for (int i = 0; i < program->count; i++) {
        const char *prefix = options_settings(program->commands[i], buffer, sizeof buffer);
        if (prefix != NULL && strncmp(about->name, prefix, strlen(prefix)) == 0) {
            (void)fprintf(out, " %s", program->commands[i]->verb);
        }
    }
    (void)fprintf(out, "' -a '");
    if (has_values(about)) {
        put_values(out, about, about->name, "=");
    } else {
        (void)fprintf(out, "%s=", about->name);
    }
    (void)fprintf(out, "' -d ");
    put_quoted(out, about->help);
    (void)fprintf(out, "\n");
}

void completion_fish(FILE *out, const Program *program)
{
    ConfigAbout about;

    (void)fprintf(out, "# Made by `%s completion fish`.\n", program->name);
    for (int i = 0; i < program->count; i++) {
        put_fish_command(out, program->commands[i]);
    }
    for (int i = 0; config_about(i, &about); i++) {
        put_fish_key(out, program, &about);
    }
}
