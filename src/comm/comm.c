#include "comm/comm.h"

#include <limits.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/account.h"
#include "base/mem.h"
#include "base/panic.h"
#include "base/timer.h"
#include "comm/wait.h"

static struct {
    MPI_Comm world, node;
    int rank, size, node_rank, node_size;
    char host[MPI_MAX_PROCESSOR_NAME];
    char library[MPI_MAX_LIBRARY_VERSION_STRING];
} self = {.size = 1, .node_size = 1};

static void panic_all(const char *text)
{
    comm_abort(1, text);
}

Status comm_open(int *argc, char ***argv)
{
    int len = 0;
    int given = 0;

    /* an oversubscribed node must not spin: our own waits sleep, MPI's inner ones should yield */
    (void)setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0);
    /* without mpirun no helper process is needed, and none is left to race with the next start */
    (void)setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
    if (MPI_Init_thread(argc, argv, MPI_THREAD_SINGLE, &given) != MPI_SUCCESS ||
        MPI_Comm_dup(MPI_COMM_WORLD, &self.world) != MPI_SUCCESS) {
        return status_fail(ERR_MPI, "MPI could not be started");
    }
    (void)MPI_Comm_set_errhandler(self.world, MPI_ERRORS_RETURN);
    MPI_CHECK(MPI_Comm_rank(self.world, &self.rank));
    MPI_CHECK(MPI_Comm_size(self.world, &self.size));
    MPI_CHECK(MPI_Comm_split_type(self.world, MPI_COMM_TYPE_SHARED, self.rank, MPI_INFO_NULL,
                                  &self.node));
    MPI_CHECK(MPI_Comm_rank(self.node, &self.node_rank));
    MPI_CHECK(MPI_Comm_size(self.node, &self.node_size));
    MPI_CHECK(MPI_Get_processor_name(self.host, &len));
    MPI_CHECK(MPI_Get_library_version(self.library, &len));
    char *end = strpbrk(self.library, ",\n");
    if (end != NULL) {
        *end = '\0';
    }
    panic_set_hook(panic_all);
    return OK;
}

void comm_close(void)
{
    panic_set_hook(NULL);
    (void)MPI_Comm_free(&self.node);
    (void)MPI_Comm_free(&self.world);
    (void)MPI_Finalize();
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

Status comm_agree(Status mine)
{
    struct {
        int bad, rank;
    } in = {mine != OK, self.rank}, out = {0};
    char reason[STATUS_REASON_MAX] = "";
    MPI_Request request;

    MPI_CHECK(MPI_Iallreduce(&in, &out, 1, MPI_2INT, MPI_MAXLOC, self.world, &request));
    wait_request(&request, MPI_STATUS_IGNORE);
    if (out.bad == 0) {
        return OK;
    }
    int worst = (int)mine;
    (void)snprintf(reason, sizeof reason, "%s", status_reason());
    coll_bcast(&worst, sizeof worst, out.rank); /* MAXLOC gives the lowest such rank */
    coll_bcast(reason, sizeof reason, out.rank);
    return status_fail((Status)worst, "%s", reason);
}

void comm_barrier(void)
{
    MPI_Request request;
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
        bcast_bytes(&self.world, data, bytes, root);
    }
}

void coll_sum(double *x, int n)
{
    MPI_Request request;
    MPI_CHECK(MPI_Iallreduce(MPI_IN_PLACE, x, n, MPI_DOUBLE, MPI_SUM, self.world, &request));
    wait_request(&request, MPI_STATUS_IGNORE);
}

void coll_sizes(size_t bytes, size_t *sizes)
{
    const unsigned long long mine = bytes;
    unsigned long long *all = NULL;
    MPI_Request request;

    REQUIRE(mem_alloc(&all, (size_t)self.size, sizeof *all, "sizes") == OK);
    MPI_CHECK(MPI_Igather(&mine, 1, MPI_UNSIGNED_LONG_LONG, all, 1, MPI_UNSIGNED_LONG_LONG, 0,
                          self.world, &request));
    wait_request(&request, MPI_STATUS_IGNORE);
    for (int i = 0; self.rank == 0 && i < self.size; i++) {
        sizes[i] = (size_t)all[i];
    }
    mem_free(&all);
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

/* The ranks' part of the tree: partner at distance 1, 2, 4, ... within the group. */
typedef struct {
    MPI_Comm group;
    float *other; /* the partner's sum */
    size_t room;
    int rank, size; /* within the group */
} Group;

static Status sum_group(const Reduce *reduce, float *rows, size_t stride, size_t n)
{
    Group *group = reduce->ctx;

    reduce_block(rows, reduce->count, stride, n);
    if (group->size > 1 && group->room < n) {
        mem_free(&group->other);
        const Status st = mem_alloc(&group->other, n, sizeof(float), "gradient exchange");
        if (st != OK) {
            comm_abort(status_exit_code(st), status_reason());
        }
        group->room = n;
    }
    const AccountWay before = account_way(ACCOUNT_EXCHANGE);
    for (int distance = 1; distance < group->size; distance *= 2) {
        const int partner = group->rank ^ distance;
        MPI_Request two[2];
        MPI_CHECK(MPI_Irecv(group->other, (int)n, MPI_FLOAT, partner, 0, group->group, &two[0]));
        MPI_CHECK(MPI_Isend(rows, (int)n, MPI_FLOAT, partner, 0, group->group, &two[1]));
        wait_request(&two[0], MPI_STATUS_IGNORE);
        wait_request(&two[1], MPI_STATUS_IGNORE);
        /* a + b = b + a in IEEE arithmetic: both partners get the same bits */
        for (size_t i = 0; i < n; i++) {
            rows[i] += group->other[i];
        }
    }
    (void)account_way(before);
    return OK;
}

Status comm_reduce_open_group(Reduce *reduce, int shards, int first, int size)
{
    Group *group = NULL;

    REQUIRE(size >= 0 && (size & (size - 1)) == 0 && size <= shards);
    REQUIRE(size == 0 || (self.rank >= first && self.rank < first + size));
    *reduce = (Reduce){0};
    const Status st = comm_agree(mem_alloc(&group, 1, sizeof *group, "a group of ranks"));
    if (st != OK) {
        mem_free(&group);
        return st;
    }
    group->size = size;
    group->rank = self.rank - first;
    MPI_CHECK(
        MPI_Comm_split(self.world, size > 0 ? first : MPI_UNDEFINED, self.rank, &group->group));
    reduce->shards = shards;
    reduce->count = size > 0 ? shards / size : 0;
    reduce->first = group->rank * reduce->count;
    reduce->sum = sum_group;
    reduce->ctx = group;
    return OK;
}

Status comm_reduce_open(Reduce *reduce, int shards, int learners)
{
    REQUIRE(learners > 0);
    return comm_reduce_open_group(reduce, shards, 0, self.rank < learners ? learners : 0);
}

void comm_reduce_close(Reduce *reduce)
{
    Group *group = reduce->ctx;
    if (group != NULL) {
        mem_free(&group->other);
        if (group->group != MPI_COMM_NULL) {
            (void)MPI_Comm_free(&group->group);
        }
        mem_free(&group);
        *reduce = (Reduce){0};
    }
}

void comm_reduce_bcast(const Reduce *reduce, void *data, size_t bytes)
{
    Group *group = reduce->ctx;
    if (group->size > 1) {
        bcast_bytes(&group->group, data, bytes, 0);
    }
}
