#include "base/arena.h"

#include "base/mem.h"
#include "base/panic.h"

enum { ALIGN = 64 };

static size_t round_up(size_t bytes)
{
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

Status arena_init(Arena *arena, size_t bytes)
{
    *arena = (Arena){0};
    const Status st = mem_alloc(&arena->block, round_up(bytes), 1, "scratch");
    arena->size = st == OK ? round_up(bytes) : 0;
    return st;
}

void arena_release(Arena *arena)
{
    mem_free(&arena->block);
    *arena = (Arena){0};
}

void *arena_bytes(Arena *arena, size_t n)
{
    const size_t take = round_up(n);
    if (take > arena->size - arena->used) {
        panic(__FILE__, __LINE__, "scratch of %zu bytes is full: %zu used, %zu wanted", arena->size,
              arena->used, take);
    }
    unsigned char *at = arena->block + arena->used;
    arena->used += take;
    if (arena->used > arena->high) {
        arena->high = arena->used;
    }
    return at;
}

float *arena_floats(Arena *arena, size_t n)
{
    return arena_bytes(arena, n * sizeof(float));
}

size_t arena_cost(size_t floats)
{
    return round_up(floats * sizeof(float));
}

void arena_reset(Arena *arena, size_t mark)
{
    REQUIRE(mark <= arena->used);
    arena->used = mark;
}
