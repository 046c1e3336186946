#include "base/reduce.h"

#include <stdint.h>

#include "base/panic.h"

int reduce_row(int n, int shards, int s)
{
    return (int)((int64_t)n * s / shards);
}

enum { PIECE = 4096 }; /* floats: what a piece of all rows is small enough for, stays in cache */

void reduce_block(float *rows, int count, size_t stride, size_t n)
{
    for (size_t at = 0; at < n; at += PIECE) {
        const size_t piece = n - at < PIECE ? n - at : PIECE;
        for (int half = 1; half < count; half *= 2) {
            for (int i = 0; i + half < count; i += 2 * half) {
                float *restrict to = rows + (size_t)i * stride + at;
                const float *restrict from = rows + (size_t)(i + half) * stride + at;
                for (size_t j = 0; j < piece; j++) {
                    to[j] += from[j];
                }
            }
        }
    }
}

static Status sum_local(const Reduce *reduce, float *rows, size_t stride, size_t n)
{
    reduce_block(rows, reduce->count, stride, n);
    return OK;
}

Reduce reduce_local(int shards)
{
    REQUIRE(shards > 0 && (shards & (shards - 1)) == 0);
    return (Reduce){.shards = shards, .first = 0, .count = shards, .sum = sum_local, .ctx = NULL};
}
