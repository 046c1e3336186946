/* Lines as words "key=value", and as names of datasets and files. */
#include <string.h>

#include "base/text.h"
#include "config/config.h"
#include "data/registry.h"
#include "fuzz/fuzz.h"
#include "run/tables.h"

enum { WORDS_MAX = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool started;
    char *words[WORDS_MAX];
    char path[4096];
    int count = 0;
    Config config;
    const RegistryRow *row = NULL;

    if (!started) {
        tables_register();
        started = true;
    }
    char *text = malloc(size + 1);
    EXPECT(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    for (char *p = text; *p != '\0' && count < WORDS_MAX; p += *p == '\n') {
        words[count++] = p;
        p += strcspn(p, "\n");
        if (*p == '\n') {
            *p++ = '\0';
            p -= *p == '\n';
        }
    }
    config_default(&config);
    if (config_words_over(&config, count, words) != OK) {
        EXPECT(text_flaw(status_reason(), strlen(status_reason())) == NULL);
    }
    for (int i = 0; i < count; i++) {
        const Status known = registry_find(words[i], &row);
        EXPECT((known == OK) == (row != NULL));
        const Status located = registry_locate(words[i], path, sizeof path, &row);
        EXPECT(located != OK || strlen(path) < sizeof path);
    }
    free(text);
    return 0;
}
