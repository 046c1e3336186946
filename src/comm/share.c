/* One block of memory per host, with rank 0's content. */
#include <mpi.h>

#include "base/mem.h"
#include "comm/comm.h"
#include "comm/exchange.h"
#include "comm/shared.h"
#include "comm/wait.h"

struct CommShare {
    Shared shared;
    MPI_Comm leaders; /* first rank of each host; MPI_COMM_NULL elsewhere */
    void *data;
};

Status comm_share_open(CommShare **share, size_t bytes, void **data)
{
    Status st = OK;
    CommShare *s = NULL;
    const MPI_Comm *world = comm_world();
    const MPI_Comm *node = comm_node();

    *share = NULL;
    exchange_begin(EXCHANGE_SHARE_OPEN, world, bytes, 0);
    TRY(comm_agree(mem_alloc(&s, 1, sizeof *s, "shared memory")));
    s->leaders = MPI_COMM_NULL;
    TRY(shared_open(&s->shared, *node, bytes, "the dataset", &s->data));
    const int color = comm_local_rank() == 0 ? 0 : MPI_UNDEFINED;
    MPI_CHECK(MPI_Comm_split(*world, color, comm_rank(), &s->leaders));
    *data = s->data;
    *share = s;
done:
    if (st != OK) {
        mem_free(&s);
    }
    return st;
}

void comm_share_spread(CommShare *share, size_t bytes)
{
    exchange_begin(EXCHANGE_SHARE_SPREAD, comm_world(), bytes, 0);
    if (share->leaders != MPI_COMM_NULL) {
        int hosts = 1;
        MPI_CHECK(MPI_Comm_size(share->leaders, &hosts));
        if (hosts > 1) {
            bcast_bytes(&share->leaders, share->data, bytes, 0);
        }
    }
    shared_sync(&share->shared);
    comm_barrier();
    shared_sync(&share->shared);
}

void comm_share_close(CommShare **share)
{
    CommShare *s = *share;
    if (s == NULL) {
        return;
    }
    exchange_begin(EXCHANGE_SHARE_CLOSE, comm_world(), 0, 0);
    shared_close(&s->shared);
    if (s->leaders != MPI_COMM_NULL) {
        (void)MPI_Comm_free(&s->leaders);
    }
    mem_free(share);
}
