/* Inside comm/ only: memory that the ranks of a communicator see, all of them on one host. */
#ifndef COMM_SHARED_H
#define COMM_SHARED_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* All zero: none. */
typedef struct {
    bool mapped;    /* a window; else ordinary memory, owned */
    MPI_Win window; /* locked by all until it is closed */
    void *block;
} Shared;

/* Collective over all ranks, each with a communicator of its own (one rank alone takes ordinary memory) or
 * MPI_COMM_NULL for none. *data gets `bytes` (the same for all of a communicator; not zeroed where several
 * share them), 64-byte aligned. `what` is for messages. Errors, the same on all ranks: ERR_NOMEM. */
NODISCARD Status shared_open(Shared *shared, MPI_Comm comm, size_t bytes, const char *what,
                             void **data);
/* Put around a barrier of MPI: what was written before it is seen behind it. */
void shared_sync(const Shared *shared);
/* Collective over the communicator. */
void shared_close(Shared *shared);

#endif
