/* A ring of records with fixed capacity: new rows replace the oldest. Also uniform sampling, from a ring
 * and from any array of records.
 */
#ifndef DATA_BUFFER_H
#define DATA_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "base/status.h"
#include "data/record.h"

typedef struct {
    Record rec;
    int64_t capacity;
    int64_t rows;   /* valid rows; always slots 0 .. rows - 1 of `records` */
    int64_t head;   /* slot of the next row to be written; the oldest row once the ring is full */
    float *records; /* (capacity, rec.stride) owned */
} Buffer;

/* Errors: ERR_ARG (capacity < 1), ERR_NOMEM. *buffer is then zero. */
NODISCARD Status buffer_init(Buffer *buffer, Record rec, int64_t capacity);
void buffer_release(Buffer *buffer);
/* No rows any more; the room stays. The next rows begin at the front. */
void buffer_clear(Buffer *buffer);
/* Append rows: (rows, stride). Of more than capacity rows only the last stay. */
void buffer_push(Buffer *buffer, const float *records, int64_t rows);
/* Row i counted from the oldest, 0 .. rows - 1; valid until the next push. */
const float *buffer_row(const Buffer *buffer, int64_t i);

/* Copy `rows` records, drawn uniformly with replacement, to out (rows, stride). 1 <= n_rows < 2^32. */
void records_gather(const float *records, size_t stride, int64_t n_rows, Rng *rng, int rows,
                    float *out);
/* The same from a ring that is not empty. Rows are drawn by age, so a ring that was filled again from its
 * youngest rows gives the same draws as the one that has been going round. */
void buffer_gather(const Buffer *buffer, Rng *rng, int rows, float *out);

#endif
