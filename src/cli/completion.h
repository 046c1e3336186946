/* Completion of the command line by shells, made of the tables of commands and of settings. */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include <stdio.h>

#include "cli/options.h"

/* A script for the shell: a file that it loads by itself, or reads with `source`. */
void completion_bash(FILE *out, const Program *program);
void completion_zsh(FILE *out, const Program *program);
void completion_fish(FILE *out, const Program *program);

#endif
