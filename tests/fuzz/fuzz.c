#include "fuzz/fuzz.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "run/sealed.h"

static char folder[64];

void fuzz_failed(const char *what, const char *file, int line)
{
    (void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

static void remove_folder(void)
{
    char command[128];
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    const int code = system(command);
    (void)code;
}

const char *fuzz_path(const char *name)
{
    static char paths[4][256];
    static int next;
    char *path = paths[next++ % 4];

    if (folder[0] == '\0') {
        const bool memory = access("/dev/shm", W_OK) == 0;
        (void)snprintf(folder, sizeof folder, "%s/mopo-fuzz.XXXXXX", memory ? "/dev/shm" : "/tmp");
        EXPECT(mkdtemp(folder) != NULL);
        (void)atexit(remove_folder);
    }
    (void)snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

const char *fuzz_file(const char *name, const void *data, size_t size)
{
    const char *path = fuzz_path(name);
    FILE *file = fopen(path, "wb");

    EXPECT(file != NULL && fwrite(data, 1, size, file) == size);
    EXPECT(fclose(file) == 0);
    return path;
}

unsigned fuzz_byte(FuzzBytes *in)
{
    if (in->left == 0) {
        return 0;
    }
    in->left--;
    return *in->data++;
}

double fuzz_number(FuzzBytes *in)
{
    static const double odd[] = {0,   -1,         1e300,  -1e300,  1e-310, 0.5,
                                 2e9, 4294967296, 9.3e18, 1 << 20, 255,    3};
    enum { ODD = sizeof odd / sizeof *odd };
    const unsigned kind = fuzz_byte(in);

    return kind == 254   ? (double)NAN
           : kind == 255 ? (double)INFINITY
           : kind >= 128 ? odd[kind % ODD]
                         : kind;
}

/* One array as it shall be or, where the bytes say so, with something else. */
static void change(H5Item *item, FuzzBytes *in, const FuzzArray *array, double *value)
{
    const unsigned how = fuzz_byte(in);

    *item = (H5Item){.type = SLAB_F64, .rank = array->rank};
    (void)snprintf(item->name, sizeof item->name, "%s", array->name);
    memcpy(item->dims, array->dims, sizeof item->dims);
    *value = array->value;
    if (how & 1) {
        item->rank = (int)(fuzz_byte(in) % (H5_RANK_MAX + 1));
        for (int i = 0; i < item->rank; i++) {
            item->dims[i] = (int64_t)(fuzz_byte(in) % 24);
        }
    }
    if (how & 2) {
        *value = fuzz_number(in);
    }
    item->type = (how & 4) != 0 ? SLAB_F32 : (how & 8) != 0 ? SLAB_I64 : SLAB_F64;
    item->compress = (how & 16) != 0;
}

static size_t fill(const H5Item *item, double value, FuzzBytes *in, double *block)
{
    size_t n = 1;
    for (int i = 0; i < item->rank; i++) {
        n *= (size_t)item->dims[i];
    }
    const size_t odd = n > 0 ? fuzz_byte(in) % n : 0; /* one that differs */
    const double other = fuzz_number(in);
    for (size_t i = 0; i < n; i++) {
        const double x = i == odd ? other : value;
        if (item->type == SLAB_F32) {
            ((float *)block)[i] = (float)x;
        } else if (item->type == SLAB_I64) {
            ((int64_t *)block)[i] = fabs(x) < 9e18 ? (int64_t)x : INT64_MIN;
        } else {
            block[i] = x;
        }
    }
    return n;
}

const char *fuzz_h5(const char *name, bool sealed, FuzzBytes *in, const FuzzArray *arrays, int n,
                    const H5Text *texts, int m)
{
    enum { ARRAYS_MAX = 64, NUMBERS_MAX = 24 * 24 * 24 };
    static double blocks[ARRAYS_MAX][NUMBERS_MAX];
    H5Item items[ARRAYS_MAX];
    int count = 0;

    EXPECT(n <= ARRAYS_MAX);
    for (int i = 0; i < n; i++) {
        double value = 0;
        if (fuzz_byte(in) % 16 == 15) {
            continue; /* left out */
        }
        change(&items[count], in, &arrays[i], &value);
        (void)fill(&items[count], value, in, blocks[count]);
        items[count].data = blocks[count];
        count++;
    }
    const char *path = fuzz_path(name);
    const Status st = sealed ? sealed_write(path, items, count, texts, m)
                             : h5_write(path, items, count, texts, m);
    return st == OK ? path : NULL;
}
