/* Inside comm/ only: error checks, the yielding wait, communicators. */
#ifndef COMM_WAIT_H
#define COMM_WAIT_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/account.h"
#include "base/status.h"

_Noreturn void mpi_failed(int code, const char *call);

/* A call of MPI: its time is exchange, its failure the end. */
#define MPI_CHECK(call)                                              \
    do {                                                             \
        const AccountWay mpi_before = account_way(ACCOUNT_EXCHANGE); \
        const int mpi_code = (call);                                 \
        (void)account_way(mpi_before);                               \
        if (mpi_code != MPI_SUCCESS) {                               \
            mpi_failed(mpi_code, #call);                             \
        }                                                            \
    } while (0)

/* The communicator of all ranks (an MPI_Comm *). */
void *comm_world(void);
/* The communicator of this host's ranks. */
void *comm_node(void);
/* A number that the ranks of one host share, and no others. */
int comm_host_number(void);
/* True where this host has more ranks than cores. */
bool comm_crowded(void);
/* Bytes from `root` to all ranks of an MPI_Comm (by address), in pieces below INT_MAX. */
void bcast_bytes(void *comm, void *data, size_t bytes, int root);
/* comm_agree among the ranks of an MPI_Comm (by address), of which this one is number `rank` of `size`. */
NODISCARD Status agree_on(void *comm, int rank, int size, Status mine);
/* Wait without holding the core; the request must be active. */
void wait_request(MPI_Request *request, MPI_Status *status);

/* Between two looks for what a partner will do, `tries` so far: spin, then yield the core, then sleep. */
void wait_rest(int tries);

#endif
