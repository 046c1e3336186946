/* Bounded text: appending, the nearest known word, and what may stand in a one-line text. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* A caller's buffer that is appended to; always ends in '\0' (size >= 1). */
typedef struct {
    char *data; /* borrowed */
    size_t size, used;
    bool cut; /* something did not fit and was dropped */
} Text;

Text text_over(char *data, size_t size);
void text_add(Text *text, const char *format, ...) PRINTF_LIKE(2, 3);
/* A blank, and the word as a shell reads it back. */
void text_add_word(Text *text, const char *word);

enum { TEXT_WORD_MAX = 64 };
/* Letters to insert, delete, replace or swap with their neighbor to get from a to b (Damerau 1964, Levenshtein
 * 1966), capitals or not; words of TEXT_WORD_MAX characters and more are far from everything: INT_MAX. */
int text_distance(const char *a, const char *b);
/* Whether `known` may have been meant by `word`: at most a quarter of its letters differ, or two. */
bool text_close(const char *word, const char *known);
/* The close word that is nearest, the first of equals; NULL when none is close. */
const char *text_nearest(const char *word, const char *const known[], int count);

/* Why these bytes are no one-line text ("a control character" or "bytes that are not UTF-8"), or NULL
 * when they are: UTF-8 without control characters, line separators and byte order marks. */
const char *text_flaw(const char *text, size_t size);

/* Make it fit for a terminal: control characters and bytes that are not UTF-8 become '?'. */
void text_make_plain(char *text);

#endif
