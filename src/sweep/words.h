/* The words of a command line, with their memory. */
#ifndef SWEEP_WORDS_H
#define SWEEP_WORDS_H

#include "base/text.h"
#include "sweep/cells.h"
#include "sweep/grid.h"

typedef struct {
    int count;
    char *words[JOB_WORDS_MAX + 1]; /* NULL behind the last */
    Text text;                      /* the words, each with its '\0' */
    char data[2 * GRID_TEXT_MAX];
} Words;

/* No word yet. It must not be moved from then on: it points into itself. */
void words_begin(Words *words);
/* One more; dropped where there is no room (Words.text.cut). */
void words_add(Words *words, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
