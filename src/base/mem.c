#include "base/mem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#    include <malloc.h>
#endif

enum { ALIGN = 64 };

static int64_t blocks;
static int64_t asked;
static int64_t fail_at;

void mem_setup(void)
{
#ifdef M_MMAP_THRESHOLD
    /* above a chunk of HDF5 with its copy: mapped for each chunk, a dataset took a third longer to load */
    enum { LARGE = 4 << 20 };
    (void)mallopt(M_MMAP_THRESHOLD, LARGE);
    (void)mallopt(M_TRIM_THRESHOLD, 2 * LARGE);
#endif
}

Status mem_alloc(void *block, size_t count, size_t size, const char *what)
{
    void *fresh = NULL;
    const size_t most = SIZE_MAX - ALIGN;

    memcpy(block, &fresh, sizeof fresh);
    asked++;
    const bool refused = fail_at > 0 && --fail_at == 0;
    if (refused || (size != 0 && count > most / size)) {
        return status_fail(ERR_NOMEM, "no memory for %s (%zu x %zu bytes)", what, count, size);
    }
    const size_t bytes = count * size;
    const size_t padded = (bytes / ALIGN + 1) * ALIGN;
    fresh = aligned_alloc(ALIGN, padded);
    if (fresh == NULL) {
        return status_fail(ERR_NOMEM, "no memory for %s (%zu bytes)", what, bytes);
    }
    memset(fresh, 0, padded);
    memcpy(block, &fresh, sizeof fresh);
    blocks++;
    return OK;
}

void mem_free(void *block)
{
    void *old = NULL;
    void *const none = NULL;

    memcpy(&old, block, sizeof old);
    if (old != NULL) {
        free(old);
        blocks--;
    }
    memcpy(block, &none, sizeof none);
}

int64_t mem_count(void)
{
    return blocks;
}

int64_t mem_asked(void)
{
    return asked;
}

void mem_fail_at(int64_t k)
{
    fail_at = k;
}
