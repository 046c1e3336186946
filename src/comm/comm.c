#include "comm/comm.h"

#include <assert.h>
#include <limits.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/account.h"
#include "base/panic.h"
#include "base/timer.h"
#include "comm/exchange.h"
#include "comm/wait.h"
#include "comm/watch.h"

static struct {
    MPI_Comm world, node;
    int rank, size, node_rank, node_size;
    int node_number; /* rank of the node's first in the world */
    bool crowded;
    char host[MPI_MAX_PROCESSOR_NAME];
    char library[MPI_MAX_LIBRARY_VERSION_STRING];
} self = {.size = 1, .node_size = 1};

static void panic_all(const char *text)
{
    comm_abort(1, text);
}

/* The ranks of this host; with MOPO_HOST_RANKS=k each k of them pass for a host of their own. */
static void open_node(void)
{
    const char *set = getenv("MOPO_HOST_RANKS");
    const long most = set != NULL ? strtol(set, NULL, 10) : 0;

    MPI_CHECK(MPI_Comm_split_type(self.world, MPI_COMM_TYPE_SHARED, self.rank, MPI_INFO_NULL,
                                  &self.node));
    MPI_CHECK(MPI_Comm_rank(self.node, &self.node_rank));
    MPI_CHECK(MPI_Comm_size(self.node, &self.node_size));
    self.crowded = self.node_size > comm_cores();
    if (most > 0 && most < self.node_size) {
        MPI_Comm whole = self.node;
        MPI_CHECK(MPI_Comm_split(whole, (int)(self.node_rank / most), self.rank, &self.node));
        MPI_CHECK(MPI_Comm_free(&whole));
        MPI_CHECK(MPI_Comm_rank(self.node, &self.node_rank));
        MPI_CHECK(MPI_Comm_size(self.node, &self.node_size));
    }
    self.node_number = self.rank;
    MPI_CHECK(MPI_Bcast(&self.node_number, 1, MPI_INT, 0, self.node));
}

Status comm_open(int *argc, char ***argv)
{
    int len = 0;
    int given = 0;

    exchange_note(EXCHANGE_OPEN);
    watch_start();
    /* an oversubscribed node must not spin: our own waits sleep, MPI's inner ones should yield */
    (void)setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
    /* without mpirun no helper process is needed, and none is left to race with the next start */
    (void)setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
    if (MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &given) != MPI_SUCCESS ||
        MPI_Comm_dup(MPI_COMM_WORLD, &self.world) != MPI_SUCCESS) {
        return status_fail(ERR_MPI, "MPI could not be started");
    }
    (void)MPI_Comm_set_errhandler(self.world, MPI_ERRORS_RETURN);
    MPI_CHECK(MPI_Comm_rank(self.world, &self.rank));
    MPI_CHECK(MPI_Comm_size(self.world, &self.size));
    open_node();
    MPI_CHECK(MPI_Get_processor_name(self.host, &len));
    MPI_CHECK(MPI_Get_library_version(self.library, &len));
    self.library[strcspn(self.library, ",\n")] = '\0';
    for (char *at = self.library; (at = strchr(at, '\t')) != NULL;) {
        *at = ' '; /* MPICH makes columns */
    }
    panic_set_hook(panic_all);
    exchange_open(&self.world);
    watch_open();
    watch_started();
    return OK;
}

/* PMIx waits two seconds for mpirun to note that a rank has ended well, and then gives up. Where mpirun gets no
 * core for so long, it would see the process gone first, and call the job failed: let it catch up. */
static void close_mpi(void)
{
    const double begun = timer_now();

    (void)MPI_Finalize();
    if (self.size > 1 && timer_now() - begun > 1.5) {
        (void)sleep(4);
    }
}

void comm_close(void)
{
    exchange_begin(EXCHANGE_CLOSE, &self.world, 0, 0);
    panic_set_hook(NULL);
    (void)account_way(ACCOUNT_EXCHANGE);
    (void)MPI_Comm_free(&self.node);
    (void)MPI_Comm_free(&self.world);
    close_mpi();
    watch_close();
}

int comm_rank(void)
{
    return self.rank;
}

int comm_size(void)
{
    return self.size;
}

int comm_local_rank(void)
{
    return self.node_rank;
}

int comm_local_size(void)
{
    return self.node_size;
}

int comm_host_number(void)
{
    return self.node_number;
}

bool comm_crowded(void)
{
    return self.crowded;
}

const char *comm_host(void)
{
    return self.host;
}

int comm_cores(void)
{
    const long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}

const char *comm_library(void)
{
    return self.library;
}

void comm_abort(int exit_code, const char *text)
{
    (void)fflush(stdout);
    if (self.size > 1) {
        (void)fprintf(stderr, "mopo: rank %d: %s\n", self.rank, text);
    } else {
        (void)fprintf(stderr, "mopo: %s\n", text);
    }
    (void)fflush(stderr);
    if (self.size > 1) {
        exchange_note(EXCHANGE_ABORT);
        (void)account_way(ACCOUNT_EXCHANGE);
        (void)MPI_Abort(MPI_COMM_WORLD, exit_code);
    }
    _Exit(exit_code);
}

void mpi_failed(int code, const char *call)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    char line[MPI_MAX_ERROR_STRING + 128];
    int len = 0;

    (void)MPI_Error_string(code, text, &len);
    (void)snprintf(line, sizeof line, "%s: %s", call, text);
    comm_abort(1, line);
}

void *comm_world(void)
{
    return &self.world;
}

void *comm_node(void)
{
    return &self.node;
}

/* What went wrong on some ranks only, and is not a fact of rank 0's files, says where. */
static Status say_where(Status st, bool all, int rank)
{
    const bool matters = !all && (rank > 0 || st == ERR_NOMEM);
    return matters ? status_while(st, "rank %d on %s", rank, self.host) : st;
}

Status agree_on(void *comm, int rank, int size, Status mine)
{
    const MPI_Comm *on = comm;
    int far[2] = {mine != OK ? size - rank : 0,
                  mine == OK ? 1 : 0}; /* how low it failed; not here */
    struct {
        int status;
        char reason[STATUS_REASON_MAX];
    } worst = {.status = (int)mine};
    MPI_Request request;

    if (size == 1) {
        return mine;
    }
    MPI_CHECK(MPI_Iallreduce(MPI_IN_PLACE, far, 2, MPI_INT, MPI_MAX, *on, &request));
    wait_request(&request, MPI_STATUS_IGNORE);
    if (far[0] == 0) {
        return OK;
    }
    const int lowest = size - far[0];
    if (rank == lowest) {
        worst.status = (int)say_where(mine, far[1] == 0, self.rank);
        (void)snprintf(worst.reason, sizeof worst.reason, "%s", status_reason());
    }
    bcast_bytes(comm, &worst, sizeof worst, lowest);
    return status_fail((Status)worst.status, "%s", worst.reason);
}

Status comm_agree(Status mine)
{
    exchange_begin(EXCHANGE_AGREE, &self.world, 0, 0);
    return agree_on(&self.world, self.rank, self.size, mine);
}

void comm_barrier(void)
{
    MPI_Request request;

    exchange_begin(EXCHANGE_BARRIER, &self.world, 0, 0);
    MPI_CHECK(MPI_Ibarrier(self.world, &request));
    wait_request(&request, MPI_STATUS_IGNORE);
}

enum { PIECE = 1 << 26 }; /* bytes of one transfer: far below INT_MAX */

void bcast_bytes(void *comm, void *data, size_t bytes, int root)
{
    const MPI_Comm *on = comm;
    unsigned char *at = data;
    while (bytes > 0) {
        const size_t part = bytes < PIECE ? bytes : PIECE;
        MPI_Request request;
        MPI_CHECK(MPI_Ibcast(at, (int)part, MPI_BYTE, root, *on, &request));
        wait_request(&request, MPI_STATUS_IGNORE);
        at += part;
        bytes -= part;
    }
}

void coll_bcast(void *data, size_t bytes, int root)
{
    if (self.size > 1) {
        exchange_begin(EXCHANGE_BCAST, &self.world, bytes, root);
        bcast_bytes(&self.world, data, bytes, root);
    }
}

void coll_sum(double *x, int n)
{
    MPI_Request request;

    exchange_begin(EXCHANGE_SUM, &self.world, (size_t)n, 0);
    MPI_CHECK(MPI_Iallreduce(MPI_IN_PLACE, x, n, MPI_DOUBLE, MPI_SUM, self.world, &request));
    wait_request(&request, MPI_STATUS_IGNORE);
}

static_assert(sizeof(size_t) == sizeof(uint64_t), "sizes are sent as MPI_UINT64_T");

void coll_sizes(size_t bytes, size_t *sizes)
{
    MPI_Request request;

    exchange_begin(EXCHANGE_SIZES, &self.world, 0, 0);
    MPI_CHECK(
        MPI_Igather(&bytes, 1, MPI_UINT64_T, sizes, 1, MPI_UINT64_T, 0, self.world, &request));
    wait_request(&request, MPI_STATUS_IGNORE);
}

static void send_pieces(const unsigned char *data, size_t bytes, int to)
{
    for (size_t at = 0; at < bytes; at += PIECE) {
        const size_t part = bytes - at < PIECE ? bytes - at : PIECE;
        MPI_Request request;
        MPI_CHECK(MPI_Isend(data + at, (int)part, MPI_BYTE, to, 0, self.world, &request));
        wait_request(&request, MPI_STATUS_IGNORE);
    }
}

static void receive_pieces(unsigned char *data, size_t bytes, int from)
{
    for (size_t at = 0; at < bytes; at += PIECE) {
        const size_t part = bytes - at < PIECE ? bytes - at : PIECE;
        MPI_Request request;
        MPI_CHECK(MPI_Irecv(data + at, (int)part, MPI_BYTE, from, 0, self.world, &request));
        wait_request(&request, MPI_STATUS_IGNORE);
    }
}

void coll_gather(const void *mine, size_t bytes, void *all, const size_t *sizes)
{
    exchange_begin(EXCHANGE_GATHER, &self.world, 0, 0);
    if (self.rank != 0) {
        send_pieces(mine, bytes, 0);
        return;
    }
    unsigned char *at = all;
    if (bytes > 0) { /* `mine` may be NULL then */
        memcpy(at, mine, bytes);
    }
    at += bytes;
    for (int r = 1; r < self.size; r++) {
        receive_pieces(at, sizes[r], r);
        at += sizes[r];
    }
}
