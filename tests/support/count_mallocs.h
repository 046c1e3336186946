/* Counts every allocation of the process: ours, OpenBLAS', MuJoCo's, HDF5's. One file of a test program
 * includes it, and so replaces malloc and its relatives by functions that count and hand on to the C library's
 * own; under the address sanitizer its hook counts instead.
 *
 * An allocation counts for the account's kind and way that are running (base/account.h). What MPI allocates falls
 * under exchange and wait: how many requests and fragments it keeps depends on timing, so tests leave that out.
 */
#ifndef SUPPORT_COUNT_MALLOCS_H
#define SUPPORT_COUNT_MALLOCS_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "base/account.h"

static int64_t mallocs[ACCOUNT_KINDS][ACCOUNT_WAYS];

static void count_malloc(void)
{
    mallocs[account_current_kind()][account_current_way()]++;
}

#if defined __has_feature
#    if __has_feature(address_sanitizer)
#        define COUNT_BY_HOOK 1
#    endif
#endif
#if defined __SANITIZE_ADDRESS__
#    define COUNT_BY_HOOK 1
#endif

/* Libraries shall find these: the build hides what is not asked for. */
#pragma GCC visibility push(default)

#if defined COUNT_BY_HOOK

void __sanitizer_malloc_hook(const volatile void *block, size_t size);
void __sanitizer_malloc_hook(const volatile void *block, size_t size)
{
    (void)block;
    (void)size;
    count_malloc();
}

#else

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t align, size_t size);

void *malloc(size_t size);
void *malloc(size_t size)
{
    count_malloc();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size);
void *calloc(size_t count, size_t size)
{
    count_malloc();
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size);
void *realloc(void *block, size_t size)
{
    count_malloc();
    return __libc_realloc(block, size);
}

void *memalign(size_t align, size_t size);
void *memalign(size_t align, size_t size)
{
    count_malloc();
    return __libc_memalign(align, size);
}

void *aligned_alloc(size_t align, size_t size);
void *aligned_alloc(size_t align, size_t size)
{
    return memalign(align, size);
}

int posix_memalign(void **block, size_t align, size_t size);
int posix_memalign(void **block, size_t align, size_t size)
{
    *block = memalign(align, size);
    return *block != NULL ? 0 : ENOMEM;
}

#endif

#pragma GCC visibility pop

/* All so far. */
static inline int64_t mallocs_counted(void)
{
    int64_t sum = 0;

    for (int k = 0; k < ACCOUNT_KINDS; k++) {
        for (int w = 0; w < ACCOUNT_WAYS; w++) {
            sum += mallocs[k][w];
        }
    }
    return sum;
}

#endif
