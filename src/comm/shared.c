#include "comm/shared.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "base/mem.h"
#include "comm/comm.h"
#include "comm/wait.h"

enum { LINE = 64 }; /* bytes of a line of the cache */

/* Open MPI maps a file of this size without asking whether it fits: a container with the usual
 * 64 MB of /dev/shm would die of SIGBUS in the middle of a copy. */
static Status check_room(size_t bytes, const char *what)
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
                           "%s: %s: %.1f MB are needed in %s, which has %.1f MB; enlarge it "
                           "(docker: --shm-size) or set OMPI_MCA_osc_sm_backing_directory=/tmp",
                           comm_host(), what, (double)bytes / 1e6, folder, room / 1e6);
    }
    return OK;
}

/* The first rank gives all of the memory. */
static Status map_window(Shared *s, MPI_Comm comm, int rank, size_t bytes, const char *what)
{
    const MPI_Aint mine = rank == 0 ? (MPI_Aint)(bytes + LINE) : 0;
    MPI_Aint size = 0;
    int unit = 0;
    void *base = NULL;

    const AccountWay before = account_way(ACCOUNT_EXCHANGE);
    const int code = MPI_Win_allocate_shared(mine, 1, MPI_INFO_NULL, comm, &base, &s->window);
    (void)account_way(before);
    if (code != MPI_SUCCESS) {
        return status_fail(ERR_NOMEM, "%s: %s: no %zu bytes of shared memory", comm_host(), what,
                           bytes);
    }
    s->mapped = true;
    MPI_CHECK(MPI_Win_shared_query(s->window, 0, &size, &unit, &s->block));
    MPI_CHECK(MPI_Win_lock_all(MPI_MODE_NOCHECK, s->window));
    return OK;
}

Status shared_open(Shared *shared, MPI_Comm comm, size_t bytes, const char *what, void **data)
{
    Status st = OK;
    int rank = 0;
    int size = 0;

    *shared = (Shared){0};
    *data = NULL;
    if (comm != MPI_COMM_NULL) {
        MPI_CHECK(MPI_Comm_rank(comm, &rank));
        MPI_CHECK(MPI_Comm_size(comm, &size));
    }
    /* communicators differ in size: all agree at the same places */
    if (size == 1) {
        st = mem_alloc(&shared->block, bytes, 1, what);
    } else if (size > 1 && rank == 0) {
        st = check_room(bytes, what);
    }
    TRY(comm_agree(st));
    if (size > 1) {
        st = map_window(shared, comm, rank, bytes, what);
    }
    TRY(comm_agree(st));
    /* pages are mapped at other addresses in each process, lines of the cache are not */
    unsigned char *block = shared->block;
    *data = size > 1 ? block + (LINE - (uintptr_t)block % LINE) % LINE : block;
done:
    if (st != OK) {
        shared_close(shared);
    }
    return st;
}

void shared_sync(const Shared *shared)
{
    if (shared->mapped) {
        MPI_CHECK(MPI_Win_sync(shared->window));
    }
}

void shared_close(Shared *shared)
{
    if (shared->mapped) {
        const AccountWay before = account_way(ACCOUNT_EXCHANGE);
        (void)MPI_Win_unlock_all(shared->window);
        (void)MPI_Win_free(&shared->window);
        (void)account_way(before);
    } else {
        mem_free(&shared->block);
    }
    *shared = (Shared){0};
}
