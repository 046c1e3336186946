/* fuzz_NAME RUNS FOLDER: where libFuzzer is not: all seeds of the folder as they are, then so many mutations of
 * them, the same ones each time.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "fuzz/fuzz.h"

enum { SEEDS_MAX = 256, BYTES_MAX = 4096 };

static struct {
    uint8_t data[BYTES_MAX];
    size_t size;
} seeds[SEEDS_MAX];
static int count = 1; /* the first is empty */

static void read_seeds(const char *path)
{
    struct dirent **list = NULL;
    const int n = scandir(path, &list, NULL, alphasort); /* the same order everywhere */

    for (int i = 0; i < n; i++) {
        char name[512];
        (void)snprintf(name, sizeof name, "%s/%s", path, list[i]->d_name);
        FILE *file = list[i]->d_name[0] != '.' && count < SEEDS_MAX ? fopen(name, "rb") : NULL;
        if (file != NULL) {
            seeds[count].size = fread(seeds[count].data, 1, BYTES_MAX, file);
            count++;
            (void)fclose(file);
        }
        free(list[i]);
    }
    free(list);
}

static size_t below(Rng *rng, size_t n)
{
    return n > 0 ? rng_below(rng, (uint32_t)n) : 0;
}

/* Take out or put in a piece, in front of byte `at`. */
static size_t resize(Rng *rng, uint8_t *data, size_t size, size_t at, bool grow)
{
    const size_t n = 1 + below(rng, 8);

    if (grow && size + n <= BYTES_MAX) {
        const size_t from = below(rng, size);
        memmove(data + at + n, data + at, size - at);
        for (size_t i = 0; i < n; i++) { /* of its own, or anything */
            data[at + i] = size > n && from + i < at ? data[from + i] : (uint8_t)rng_u32(rng);
        }
        return size + n;
    }
    if (!grow && at + n <= size) {
        memmove(data + at, data + at + n, size - at - n);
        return size - n;
    }
    return size;
}

static size_t mutate(Rng *rng, uint8_t *data, size_t size)
{
    static const uint8_t odd[] = {0, 0x7F, 0x80, 0xFF, '"', '{', '[', '\n', ':', ',', '-', '9'};
    const size_t at = below(rng, size);

    switch (rng_below(rng, 5)) {
    case 0:
        return resize(rng, data, size, at, true);
    case 1:
        return resize(rng, data, size, at, false);
    case 2:
        if (size > 0) {
            data[at] ^= (uint8_t)(1U << rng_below(rng, 8));
        }
        return size;
    case 3:
        if (size > 0) {
            data[at] = odd[rng_below(rng, sizeof odd)];
        }
        return size;
    default:
        if (size > 0) {
            data[at] = (uint8_t)rng_u32(rng);
        }
        return size;
    }
}

int main(int argc, char **argv)
{
    static uint8_t data[BYTES_MAX];

    if (argc != 3) {
        (void)fprintf(stderr, "usage: %s RUNS FOLDER\n", argv[0]);
        return 2;
    }
    read_seeds(argv[2]);
    for (int i = 0; i < count; i++) {
        (void)LLVMFuzzerTestOneInput(seeds[i].data, seeds[i].size);
    }
    const long runs = strtol(argv[1], NULL, 10);
    for (long run = 0; run < runs; run++) {
        Rng rng = rng_make(1, RNG_TEST, (uint64_t)run, 0);
        const int seed = (int)rng_below(&rng, (uint32_t)count);
        size_t size = seeds[seed].size;
        memcpy(data, seeds[seed].data, size);
        for (uint32_t k = 1 + rng_below(&rng, 16); k > 0; k--) {
            size = mutate(&rng, data, size);
        }
        (void)LLVMFuzzerTestOneInput(data, size);
    }
    printf("%d seeds, %ld mutations\n", count, runs);
    return 0;
}
