/* Scratch memory: one block, taken from the front, given back to a mark. No allocation in loops. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/status.h"

typedef struct {
    unsigned char *block;
    size_t size, used, high; /* bytes; `high` is the most ever used */
} Arena;

NODISCARD Status arena_init(Arena *arena, size_t bytes);
void arena_release(Arena *arena);

/* n floats, not cleared, 64-byte aligned. Running out is a bug: panics. */
float *arena_floats(Arena *arena, size_t n);
void *arena_bytes(Arena *arena, size_t n);
/* Bytes that arena_floats(n) takes; for sizing an arena beforehand. */
size_t arena_cost(size_t floats);

/* size_t mark = arena->used; ... arena_reset(arena, mark) gives back what came after. */
void arena_reset(Arena *arena, size_t mark);

#endif
