/* How the gradients of V shards become one. The numerical code calls reduce->sum and does not know
 * whether the shards live on one rank or on several.
 *
 * The sum follows a fixed binary tree over shard numbers, ((0+1)+(2+3))+..., so its bits depend on
 * V alone. V is a power of two; a rank owns an aligned block of shards.
 */
#ifndef BASE_REDUCE_H
#define BASE_REDUCE_H

#include <stddef.h>

#include "base/status.h"

typedef struct Reduce Reduce;
struct Reduce {
    int shards;       /* V in all */
    int first, count; /* this rank owns shards first .. first + count - 1 */
    /* rows: (count, stride) floats, the reduction's own (comm_reduce_rows) or others; row i is shard
     * first + i. Afterwards row 0 holds the sum of the first n floats over all V shards, on every owner;
     * the other rows are garbage. Collective over the owners. Error: ERR_MPI. */
    Status (*sum)(const Reduce *reduce, float *rows, size_t stride, size_t n);
    void *ctx; /* of the implementation; NULL for the local one */
};

/* How n rows are dealt to V shards: shard s has those from floor(n s / V) to before reduce_row(s + 1),
 * none where there are fewer rows than shards. */
int reduce_row(int n, int shards, int s);
/* All V shards on this rank. */
Reduce reduce_local(int shards);
/* The part of the tree inside a block of `count` rows (a power of two); result in row 0. */
void reduce_block(float *rows, int count, size_t stride, size_t n);

#endif
