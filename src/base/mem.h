/* The one place that allocates. Blocks are zeroed and 64-byte aligned. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Once at the start: large blocks go back to the system when they are freed, at any time. By itself glibc keeps
 * blocks of sizes that were freed before, so the fit's memory would stay behind in every rank. */
void mem_setup(void);
/* *block gets `count` elements of `size` bytes, zeroed; NULL on ERR_NOMEM (reason names `what`). */
NODISCARD Status mem_alloc(void *block, size_t count, size_t size, const char *what);
/* Free *block and set it to NULL; NULL is fine. `block` is the address of the pointer. */
void mem_free(void *block);

/* Blocks alive now; tests use it for leaks and for "nothing is allocated in the loop". */
int64_t mem_count(void);
/* Blocks asked for so far, given or refused: how far mem_fail_at has to go. For tests. */
int64_t mem_asked(void);
/* Let the k-th allocation from now fail (1 = the next); 0 switches off. For tests. */
void mem_fail_at(int64_t k);

#endif
