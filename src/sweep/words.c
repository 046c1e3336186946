#include "sweep/words.h"

#include <stdarg.h>
#include <stdio.h>

void words_begin(Words *words)
{
    words->text = text_over(words->data, sizeof words->data);
    words->count = 0;
    words->words[0] = NULL;
}

void words_add(Words *words, const char *format, ...)
{
    char word[JOB_PATH_MAX + 64];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(word, sizeof word, format, args);
    va_end(args);
    if (words->count == JOB_WORDS_MAX) {
        words->text.cut = true;
    }
    if (!words->text.cut) {
        words->words[words->count++] = words->text.data + words->text.used;
        words->words[words->count] = NULL;
        text_add(&words->text, "%s", word);
        words->text.used += !words->text.cut; /* '\0' stays */
    }
}
