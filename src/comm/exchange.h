/* Inside comm/ only: which exchange this rank is in. The watch names it (comm/watch.h), and a check compares it
 * with what the partners call: in builds with MOPO_ASSERTS, or where rank 0 has MOPO_CHECK_EXCHANGES=1 in its
 * environment. A difference ends all ranks with one message: "rank 1 calls coll_sum of 8 numbers, rank 0
 * comm_agree". A rank that does not come at all is the watch's.
 */
#ifndef COMM_EXCHANGE_H
#define COMM_EXCHANGE_H

#include <mpi.h>
#include <stdatomic.h>
#include <stddef.h>

/* NAME, as messages call it, what its size counts (NULL: sizes may differ) */
#define EXCHANGE_LIST(X)                          \
    X(NONE, "-", NULL)                            \
    X(OPEN, "comm_open", NULL)                    \
    X(AGREE, "comm_agree", NULL)                  \
    X(BARRIER, "comm_barrier", NULL)              \
    X(BCAST, "coll_bcast", "bytes")               \
    X(SUM, "coll_sum", "numbers")                 \
    X(SIZES, "coll_sizes", NULL)                  \
    X(GATHER, "coll_gather", NULL)                \
    X(SHARE_OPEN, "comm_share_open", "bytes")     \
    X(SHARE_SPREAD, "comm_share_spread", "bytes") \
    X(SHARE_CLOSE, "comm_share_close", NULL)      \
    X(GROUP_OPEN, "comm_reduce_open", "shards")   \
    X(GROUP_ROWS, "comm_reduce_rows", "floats")   \
    X(GROUP_AGREE, "comm_reduce_agree", NULL)     \
    X(GROUP_SUM, "reduce->sum", "floats")         \
    X(GROUP_BCAST, "comm_reduce_bcast", "bytes")  \
    X(GROUP_CLOSE, "comm_reduce_close", NULL)     \
    X(SEND, "mail_send", NULL)                    \
    X(RECEIVE, "mail_receive", NULL)              \
    X(CLOSE, "comm_close", NULL)                  \
    X(ABORT, "comm_abort", NULL)

typedef enum {
#define EXCHANGE_ENUM(name, word, unit) EXCHANGE_##name,
    EXCHANGE_LIST(EXCHANGE_ENUM)
#undef EXCHANGE_ENUM
} Exchange;

/* Once. Collective over the world. */
void exchange_open(const MPI_Comm *world);
/* From now on this rank is in `exchange`; nobody else is asked. */
void exchange_note(Exchange exchange);
/* The same, and all ranks of `comm` must be in it with this size and root. Collective over `comm`. */
void exchange_begin(Exchange exchange, const MPI_Comm *comm, size_t size, int root);
/* Where others see the one noted last; NULL: nowhere. */
void exchange_show(atomic_int *to);
const char *exchange_name(Exchange exchange);

#endif
