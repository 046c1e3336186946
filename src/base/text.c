#include "base/text.h"

#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

Text text_over(char *data, size_t size)
{
    data[0] = '\0';
    return (Text){.data = data, .size = size};
}

void text_add(Text *text, const char *format, ...)
{
    const size_t room = text->size - text->used;
    va_list args;

    va_start(args, format);
    const int wanted = vsnprintf(text->data + text->used, room, format, args);
    va_end(args);
    if (wanted < 0 || (size_t)wanted >= room) {
        text->cut = true;
        text->used = text->size - 1;
    } else {
        text->used += (size_t)wanted;
    }
}

void text_add_word(Text *text, const char *word)
{
    bool plain = word[0] != '\0';

    for (const char *c = word; *c != '\0'; c++) {
        plain = plain && (isalnum((unsigned char)*c) || strchr("_-./=:,+@%", *c) != NULL);
    }
    text_add(text, plain ? " " : " '");
    for (const char *c = word; *c != '\0'; c++) {
        text_add(text, *c == '\'' ? "'\\''" : "%c", *c);
    }
    text_add(text, plain ? "" : "'");
}

static int least(int a, int b, int c)
{
    const int ab = a < b ? a : b;
    return ab < c ? ab : c;
}

static bool same_letter(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

int text_distance(const char *a, const char *b)
{
    /* distances of the first i - 2, i - 1, i letters of a to each start of b */
    int rows[3][TEXT_WORD_MAX];
    const int la = (int)strnlen(a, TEXT_WORD_MAX);
    const int lb = (int)strnlen(b, TEXT_WORD_MAX);

    if (la >= TEXT_WORD_MAX || lb >= TEXT_WORD_MAX) {
        return INT_MAX;
    }
    for (int i = 0; i <= la; i++) {
        int *row = rows[i % 3];
        const int *above = rows[(i + 2) % 3];
        const int *before = rows[(i + 1) % 3];
        row[0] = i;
        for (int j = 1; j <= lb; j++) {
            const int other = i > 0 && same_letter(a[i - 1], b[j - 1]) ? 0 : 1;
            row[j] = i == 0 ? j : least(above[j] + 1, row[j - 1] + 1, above[j - 1] + other);
            const bool swapped = i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
                                 same_letter(a[i - 2], b[j - 1]);
            if (swapped && before[j - 2] + 1 < row[j]) {
                row[j] = before[j - 2] + 1;
            }
        }
    }
    return rows[la % 3][lb];
}

bool text_close(const char *word, const char *known)
{
    const int letters = (int)strnlen(known, TEXT_WORD_MAX);
    const int most = letters <= 3 ? 1 : letters <= 8 ? 2 : letters / 4;
    const int longer = (int)strnlen(word, TEXT_WORD_MAX) - letters;
    return longer <= most && -longer <= most && text_distance(word, known) <= most;
}

const char *text_nearest(const char *word, const char *const known[], int count)
{
    const char *best = NULL;
    for (int i = 0; i < count; i++) {
        const bool nearer =
            best == NULL || text_distance(word, known[i]) < text_distance(word, best);
        if (text_close(word, known[i]) && nearer) {
            best = known[i];
        }
    }
    return best;
}

/* Bytes of the UTF-8 sequence that starts at p, its value in *code; 0 when it is none. */
static size_t utf8_read(const unsigned char *p, size_t left, uint32_t *code)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000}; /* shorter ones must be used */
    const size_t n = p[0] < 0x80 ? 1 : p[0] < 0xC0 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;

    if (n == 0 || n > left || p[0] >= 0xF8) {
        return 0;
    }
    *code = n == 1 ? p[0] : p[0] & (0x7FU >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return 0;
        }
        *code = (*code << 6) | (p[i] & 0x3FU);
    }
    const bool surrogate = *code >= 0xD800 && *code <= 0xDFFF;
    return *code < smallest[n] || *code > 0x10FFFF || surrogate ? 0 : n;
}

/* What is wrong with the character at p, NULL when nothing is; its bytes in *n. */
static const char *flaw_of(const unsigned char *p, size_t left, size_t *n)
{
    uint32_t c = 0;

    *n = utf8_read(p, left, &c);
    if (*n == 0) {
        *n = 1;
        return "bytes that are not UTF-8";
    }
    const bool control = c < 0x20 || (c >= 0x7F && c < 0xA0);
    const bool separator = c == 0x2028 || c == 0x2029 || c == 0xFEFF || c == 0xFFFE || c == 0xFFFF;
    return control || separator ? "a control character" : NULL;
}

const char *text_flaw(const char *text, size_t size)
{
    const unsigned char *p = (const unsigned char *)text;
    const char *flaw = NULL;
    size_t n = 0;

    for (size_t i = 0; i < size && flaw == NULL; i += n) {
        flaw = flaw_of(p + i, size - i, &n);
    }
    return flaw;
}

void text_make_plain(char *text)
{
    const size_t size = strlen(text);
    size_t n = 0;

    for (size_t i = 0; i < size; i += n) {
        if (flaw_of((const unsigned char *)text + i, size - i, &n) != NULL) {
            memset(text + i, '?', n);
        }
    }
}
