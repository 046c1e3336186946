#include "data/buffer.h"

#include <string.h>

#include "base/mem.h"
#include "base/panic.h"

Status buffer_init(Buffer *buffer, Record rec, int64_t capacity)
{
    *buffer = (Buffer){0};
    if (capacity < 1) {
        return status_fail(ERR_ARG, "a buffer of %lld rows; at least one is needed",
                           (long long)capacity);
    }
    Buffer fresh = {.rec = rec, .capacity = capacity};
    const Status st = mem_alloc(&fresh.records, (size_t)capacity, rec.stride * sizeof(float),
                                "a buffer of transitions");
    if (st == OK) {
        *buffer = fresh;
    }
    return st;
}

void buffer_release(Buffer *buffer)
{
    mem_free(&buffer->records);
    *buffer = (Buffer){0};
}

void buffer_clear(Buffer *buffer)
{
    buffer->rows = 0;
    buffer->head = 0;
}

void buffer_push(Buffer *buffer, const float *records, int64_t rows)
{
    const size_t stride = buffer->rec.stride;

    if (rows > buffer->capacity) {
        records += (size_t)(rows - buffer->capacity) * stride;
        rows = buffer->capacity;
    }
    while (rows > 0) { /* twice at most: up to the end, then from the front */
        const int64_t room = buffer->capacity - buffer->head;
        const int64_t take = rows < room ? rows : room;
        memcpy(buffer->records + (size_t)buffer->head * stride, records,
               (size_t)take * stride * sizeof *records);
        records += (size_t)take * stride;
        rows -= take;
        buffer->head = (buffer->head + take) % buffer->capacity;
        buffer->rows += take;
    }
    if (buffer->rows > buffer->capacity) {
        buffer->rows = buffer->capacity;
    }
}

const float *buffer_row(const Buffer *buffer, int64_t i)
{
    REQUIRE(i >= 0 && i < buffer->rows);
    const int64_t oldest = buffer->rows == buffer->capacity ? buffer->head : 0;
    return buffer->records + (size_t)((oldest + i) % buffer->capacity) * buffer->rec.stride;
}

void records_gather(const float *records, size_t stride, int64_t n_rows, Rng *rng, int rows,
                    float *out)
{
    REQUIRE(n_rows >= 1 && n_rows <= UINT32_MAX);
    for (int b = 0; b < rows; b++) {
        const size_t row = rng_below(rng, (uint32_t)n_rows);
        memcpy(out + (size_t)b * stride, records + row * stride, stride * sizeof *out);
    }
}

void buffer_gather(const Buffer *buffer, Rng *rng, int rows, float *out)
{
    const size_t stride = buffer->rec.stride;

    REQUIRE(buffer->rows >= 1 && buffer->rows <= UINT32_MAX);
    for (int b = 0; b < rows; b++) {
        const float *row = buffer_row(buffer, rng_below(rng, (uint32_t)buffer->rows));
        memcpy(out + (size_t)b * stride, row, stride * sizeof *out);
    }
}
