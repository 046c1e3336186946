/* Memory that all ranks of a host see. A host with one rank takes ordinary memory. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "base/mem.h"
#include "comm/comm.h"
#include "comm/wait.h"

struct CommShare {
    MPI_Win window;   /* MPI_WIN_NULL: ordinary memory */
    MPI_Comm leaders; /* first rank of each host; MPI_COMM_NULL elsewhere */
    void *data;       /* owned if ordinary */
};

/* Open MPI maps a file of this size without asking whether it fits: a container with the usual
 * 64 MB of /dev/shm would die of SIGBUS in the middle of a copy. */
static Status check_room(size_t bytes)
{
    const char *set = getenv("OMPI_MCA_osc_sm_backing_directory");
    const char *folder = set != NULL ? set : "/dev/shm";
    struct statvfs fs;

    if (statvfs(folder, &fs) != 0) {
        return OK; /* not the kind of system that this is about */
    }
    const double room = (double)fs.f_bavail * (double)fs.f_frsize;
    if (room < (double)bytes + 1e6) {
        return status_fail(ERR_NOMEM,
                           "%s: the dataset needs %.1f MB in %s, which has %.1f MB; enlarge it "
                           "(docker: --shm-size) or set OMPI_MCA_osc_sm_backing_directory=/tmp",
                           comm_host(), (double)bytes / 1e6, folder, room / 1e6);
    }
    return OK;
}

static Status take_memory(CommShare *s, size_t bytes)
{
    Status st = OK;
    const MPI_Comm *node = comm_node();
    const bool first = comm_local_rank() == 0;
    MPI_Aint size = 0;
    int unit = 0;
    void *base = NULL;

    /* hosts may differ in their number of ranks: all agree at the same places */
    if (comm_local_size() == 1) {
        st = mem_alloc(&s->data, bytes, 1, "the dataset");
    } else if (first) {
        st = check_room(bytes);
    }
    TRY(comm_agree(st));
    if (comm_local_size() > 1) {
        const MPI_Aint mine = first ? (MPI_Aint)bytes : 0;
        if (MPI_Win_allocate_shared(mine, 1, MPI_INFO_NULL, *node, &base, &s->window) !=
            MPI_SUCCESS) {
            st = status_fail(ERR_NOMEM, "%s: no %zu bytes of shared memory", comm_host(), bytes);
        } else {
            MPI_CHECK(MPI_Win_shared_query(s->window, 0, &size, &unit, &s->data));
            MPI_CHECK(MPI_Win_lock_all(MPI_MODE_NOCHECK, s->window)); /* until it is closed */
        }
    }
    st = comm_agree(st);
done:
    return st;
}

Status comm_share_open(CommShare **share, size_t bytes, void **data)
{
    Status st = OK;
    CommShare *s = NULL;
    const MPI_Comm *world = comm_world();

    *share = NULL;
    TRY(comm_agree(mem_alloc(&s, 1, sizeof *s, "shared memory")));
    s->window = MPI_WIN_NULL;
    s->leaders = MPI_COMM_NULL;
    TRY(take_memory(s, bytes));
    const int color = comm_local_rank() == 0 ? 0 : MPI_UNDEFINED;
    MPI_CHECK(MPI_Comm_split(*world, color, comm_rank(), &s->leaders));
    *data = s->data;
    *share = s;
done:
    if (st != OK && s != NULL) {
        if (s->window == MPI_WIN_NULL) {
            mem_free(&s->data);
        }
        mem_free(&s);
    }
    return st;
}

void comm_share_spread(CommShare *share, size_t bytes)
{
    if (share->leaders != MPI_COMM_NULL) {
        int hosts = 1;
        MPI_CHECK(MPI_Comm_size(share->leaders, &hosts));
        if (hosts > 1) {
            bcast_bytes(&share->leaders, share->data, bytes, 0);
        }
    }
    if (share->window != MPI_WIN_NULL) {
        MPI_CHECK(MPI_Win_sync(share->window)); /* what was written before the barrier */
    }
    comm_barrier();
    if (share->window != MPI_WIN_NULL) {
        MPI_CHECK(MPI_Win_sync(share->window)); /* is seen behind it */
    }
}

void comm_share_close(CommShare **share)
{
    CommShare *s = *share;
    if (s == NULL) {
        return;
    }
    if (s->window != MPI_WIN_NULL) {
        (void)MPI_Win_unlock_all(s->window);
        (void)MPI_Win_free(&s->window);
    } else {
        mem_free(&s->data);
    }
    if (s->leaders != MPI_COMM_NULL) {
        (void)MPI_Comm_free(&s->leaders);
    }
    mem_free(share);
}
