#include "support/golden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "support/check.h"

enum { RECORDS_MAX = 512, NAME_SIZE = 64 };

typedef struct {
    char name[NAME_SIZE];
    size_t at, n; /* into values */
} Entry;

struct Golden {
    char path[512];
    Entry entries[RECORDS_MAX];
    int count;
    float *values; /* owned */
};

static _Noreturn void give_up(const Golden *golden, const char *what, const char *name)
{
    print_error("%s: %s%s (tools/golden/ makes these files)\n", golden->path, what, name);
    fail();
    abort(); /* not reached; cmocka does not say so to the compiler */
}

/* "3x7" -> 21; 0 if it is no shape. */
static size_t shape_size(const char *text)
{
    size_t n = 1;
    for (;;) {
        char *end = NULL;
        n *= strtoul(text, &end, 10);
        if (end == text || (*end != 'x' && *end != '\0')) {
            return 0;
        }
        if (*end == '\0') {
            return n;
        }
        text = end + 1;
    }
}

/* Words of the text, in place; comment lines are gone already. */
static void parse(Golden *golden, char *text)
{
    const char *blank = " \n";
    char *rest = NULL;
    size_t used = 0;

    for (char *word = strtok_r(text, blank, &rest); word != NULL;
         word = strtok_r(NULL, blank, &rest)) {
        if (golden->count == RECORDS_MAX || strlen(word) >= NAME_SIZE) {
            give_up(golden, "too many records, or too long a name: ", word);
        }
        Entry *entry = &golden->entries[golden->count++];
        memcpy(entry->name, word, strlen(word) + 1);
        const char *shape = strtok_r(NULL, blank, &rest);
        entry->at = used;
        entry->n = shape != NULL ? shape_size(shape) : 0;
        if (entry->n == 0) {
            give_up(golden, "no shape after ", entry->name);
        }
        for (size_t i = 0; i < entry->n; i++) {
            char *end = NULL;
            const char *value = strtok_r(NULL, blank, &rest);
            golden->values[used++] = value != NULL ? strtof(value, &end) : 0.0F;
            if (value == NULL || *end != '\0') {
                give_up(golden, "not enough numbers in ", entry->name);
            }
        }
    }
}

static void read_all(Golden *golden, FILE *file)
{
    char *text = NULL;
    size_t used = 0;

    if (fseek(file, 0, SEEK_END) != 0 || ftell(file) < 0) {
        give_up(golden, "cannot be read", "");
    }
    const size_t size = (size_t)ftell(file);
    rewind(file);
    CHECK_OK(mem_alloc(&text, size + 1, 1, "golden text"));
    CHECK_OK(mem_alloc(&golden->values, size / 2 + 1, sizeof(float), "golden values"));
    while (fgets(text + used, (int)(size + 1 - used), file) != NULL) {
        used += text[used] == '#' ? 0 : strlen(text + used);
    }
    text[used] = '\0';
    parse(golden, text);
    mem_free(&text);
}

Golden *golden_open(const char *name)
{
    Golden *golden = NULL;
    CHECK_OK(mem_alloc(&golden, 1, sizeof *golden, "golden"));
    snprintf(golden->path, sizeof golden->path, "%s/tests/golden/%s.txt", MOPO_SOURCE_DIR, name);
    FILE *file = fopen(golden->path, "r");
    if (file == NULL) {
        give_up(golden, "cannot be opened", "");
    }
    read_all(golden, file);
    fclose(file);
    return golden;
}

void golden_close(Golden *golden)
{
    mem_free(&golden->values);
    mem_free(&golden);
}

static const Entry *look_up(const Golden *golden, const char *name)
{
    for (int i = 0; i < golden->count; i++) {
        if (strcmp(golden->entries[i].name, name) == 0) {
            return &golden->entries[i];
        }
    }
    return NULL;
}

static const Entry *find(const Golden *golden, const char *name)
{
    const Entry *entry = look_up(golden, name);
    if (entry == NULL) {
        give_up(golden, "has no record ", name);
    }
    return entry;
}

bool golden_has(const Golden *golden, const char *format, ...)
{
    char name[NAME_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    return look_up(golden, name) != NULL;
}

const float *golden_get(const Golden *golden, size_t *n, const char *format, ...)
{
    char name[NAME_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    const Entry *entry = find(golden, name);
    if (n != NULL) {
        *n = entry->n;
    }
    return golden->values + entry->at;
}

const float *golden_array(const Golden *golden, size_t n, const char *format, ...)
{
    char name[NAME_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    const Entry *entry = find(golden, name);
    if (entry->n != n) {
        give_up(golden, "has another size than the test wants: ", name);
    }
    return golden->values + entry->at;
}

float golden_number(const Golden *golden, const char *name)
{
    return *golden_array(golden, 1, "%s", name);
}

void golden_load_net(const Golden *golden, const char *prefix, const Mlp *net, int group,
                     float *params)
{
    for (int l = 0; l <= net->layers; l++) {
        const MlpMatrix m = mlp_matrix(net, l, group);
        const size_t rows = (size_t)m.rows;
        const size_t cols = (size_t)m.cols;
        const float *w = golden_array(golden, rows * cols, "%s.w%d", prefix, l);
        for (size_t i = 0; i < rows; i++) {
            memcpy(params + m.at + i * (size_t)m.ld, w + i * cols, cols * sizeof *w);
        }
        memcpy(params + m.bias, golden_array(golden, cols, "%s.b%d", prefix, l), cols * sizeof *w);
    }
}

void golden_check_net(const Golden *golden, const char *prefix, const Mlp *net, int group,
                      const float *got, double rel, double abs)
{
    for (int l = 0; l <= net->layers; l++) {
        const MlpMatrix m = mlp_matrix(net, l, group);
        const size_t rows = (size_t)m.rows;
        const size_t cols = (size_t)m.cols;
        char what[NAME_SIZE];
        float *w = NULL;

        CHECK_OK(mem_alloc(&w, rows * cols, sizeof *w, "golden matrix"));
        for (size_t i = 0; i < rows; i++) {
            memcpy(w + i * cols, got + m.at + i * (size_t)m.ld, cols * sizeof *w);
        }
        snprintf(what, sizeof what, "%s.w%d", prefix, l);
        check_close(w, golden_array(golden, rows * cols, "%s", what), rows * cols, rel, abs, what,
                    __FILE__, __LINE__);
        snprintf(what, sizeof what, "%s.b%d", prefix, l);
        check_close(got + m.bias, golden_array(golden, cols, "%s", what), cols, rel, abs, what,
                    __FILE__, __LINE__);
        mem_free(&w);
    }
}
