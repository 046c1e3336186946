/* The tables of variants, for the configuration and for people. */
#ifndef RUN_TABLES_H
#define RUN_TABLES_H

#include <stdio.h>

/* Tell the configuration what algo, penalty.type and train.agent may name; before any is loaded. */
void tables_register(void);
/* All tables with sources, for `mopo config tables`. */
void tables_print(FILE *out);

#endif
