/* Inside comm/ only: error checks and the yielding wait. */
#ifndef COMM_WAIT_H
#define COMM_WAIT_H

#include <mpi.h>
#include <stdbool.h>

_Noreturn void mpi_failed(int code, const char *call);

#define MPI_CHECK(call)                  \
    do {                                 \
        const int mpi_code = (call);     \
        if (mpi_code != MPI_SUCCESS) {   \
            mpi_failed(mpi_code, #call); \
        }                                \
    } while (0)

/* The communicator of all ranks (an MPI_Comm *). */
void *comm_world(void);
/* Wait without holding the core; the request must be active. */
void wait_request(MPI_Request *request, MPI_Status *status);

#endif
