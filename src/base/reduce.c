#include "base/reduce.h"

#include "base/panic.h"

void reduce_block(float *rows, int count, size_t stride, size_t n)
{
    for (int half = 1; half < count; half *= 2) {
        for (int i = 0; i + half < count; i += 2 * half) {
            float *restrict to = rows + (size_t)i * stride;
            const float *restrict from = rows + (size_t)(i + half) * stride;
            for (size_t j = 0; j < n; j++) {
                to[j] += from[j];
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
