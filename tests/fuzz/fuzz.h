/* What the fuzzers share. Each is one file fuzz_NAME.c with LLVMFuzzerTestOneInput: bytes in, and out comes a
 * Status; the sanitizers, REQUIRE and EXPECT say what may not happen. Seeds in seeds/NAME, made by hand.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "data/h5.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold after any input. */
#define EXPECT(condition)                                \
    do {                                                 \
        if (!(condition)) {                              \
            fuzz_failed(#condition, __FILE__, __LINE__); \
        }                                                \
    } while (0)
_Noreturn void fuzz_failed(const char *what, const char *file, int line);

/* A directory of this process, in memory where there is one; "DIR/name" in one of four buffers. */
const char *fuzz_path(const char *name);
/* The bytes as a file of this name there; its path. */
const char *fuzz_file(const char *name, const void *data, size_t size);

/* Bytes as numbers; 0 behind the end. */
typedef struct {
    const uint8_t *data;
    size_t left;
} FuzzBytes;
unsigned fuzz_byte(FuzzBytes *in);
double fuzz_number(FuzzBytes *in);

/* HDF5 files are not mutated as bytes here: the library is not ours, and knows no coverage (tests/e2e/test_hostile.sh
 * does that). A valid file is made, whose arrays the bytes leave out, reshape, retype or fill with numbers. */
typedef struct {
    const char *name; /* "policy/fc0/weight" */
    int rank;
    int64_t dims[H5_RANK_MAX];
    double value; /* of all its numbers */
} FuzzArray;
/* Writes it, with or without a seal, as `name`; NULL when even that was refused. texts as in h5_write. */
const char *fuzz_h5(const char *name, bool sealed, FuzzBytes *in, const FuzzArray *arrays, int n,
                    const H5Text *texts, int m);

#endif
