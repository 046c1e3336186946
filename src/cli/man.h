/* Manual pages in roff (man(7)), made of the tables of commands and of settings, so that they say what the program
 * does. Their date is the commit's: the same source gives the same bytes.
 */
#ifndef CLI_MAN_H
#define CLI_MAN_H

#include <stdio.h>

#include "cli/options.h"

/* mopo(1): commands, exit codes, environment, files. */
void man_program(FILE *out, const Program *program);
/* mopo-VERB(1). */
void man_command(FILE *out, const Program *program, const Command *command);
/* mopo-settings(5): every setting. */
void man_settings(FILE *out, const Program *program);

#endif
