/* The sum over shards among the ranks of a group.
 *
 * Ranks of one host have their rows in one block of shared memory, as if they were one rank's. Each adds one
 * slice of the floats over all of these rows, along the tree, and writes it to everyone's first row. Hosts
 * are joined by recursive doubling: rank i of a host exchanges its slice with rank i of the partner's. So the
 * tree is the same whoever shares memory, and a + b = b + a: all ranks get the same bits.
 */
#include <assert.h>
#include <mpi.h>
#include <stdatomic.h>
#include <string.h>

#include "base/account.h"
#include "base/mem.h"
#include "base/panic.h"
#include "comm/comm.h"
#include "comm/exchange.h"
#include "comm/shared.h"
#include "comm/wait.h"

enum { LINE = 64, LINE_FLOATS = LINE / sizeof(float) };

/* How often a rank has come to a meeting; a line of the cache for each, which only its owner writes. */
typedef struct {
    _Alignas(LINE) atomic_uint count;
} Arrival;

static_assert(ATOMIC_INT_LOCK_FREE == 2, "counters in shared memory must not need a lock");

typedef struct {
    MPI_Comm comm;
    int rank, size; /* within the group */
    int near; /* ranks of one host in an aligned block, the same for all; 1: nothing is shared */
    Shared shared;
    Arrival *arrivals; /* (near) */
    float *rows;       /* (near, count, stride): those of all near ranks */
    float *own;        /* (count, stride): this rank's */
    unsigned meetings;
    float *other; /* a partner's sum */
    size_t room;
} Group;

/* Room for a partner's sum of n floats; kept. */
static Status make_room(Group *g, size_t n)
{
    if (g->room >= n) {
        return OK;
    }
    g->room = 0;
    mem_free(&g->other);
    const Status st = mem_alloc(&g->other, n, sizeof(float), "gradient exchange");
    g->room = st == OK ? n : 0;
    return st;
}

/* For rows that comm_reduce_rows did not give: there is no way back from the middle of a sum. */
static float *partner_room(Group *g, size_t n)
{
    const Status st = make_room(g, n);
    if (st != OK) {
        comm_abort(status_exit_code(st), status_reason());
    }
    return g->other;
}

/* x (n) of partners at distance `nearest`, twice that, ... becomes their sum. */
static void add_partners(Group *g, int nearest, float *x, size_t n)
{
    for (int distance = nearest; distance < g->size; distance *= 2) {
        const int partner = g->rank ^ distance;
        float *restrict to = x;
        float *restrict other = partner_room(g, n);
        MPI_Request two[2];
        MPI_CHECK(MPI_Irecv(other, (int)n, MPI_FLOAT, partner, 0, g->comm, &two[0]));
        MPI_CHECK(MPI_Isend(to, (int)n, MPI_FLOAT, partner, 0, g->comm, &two[1]));
        wait_request(&two[0], MPI_STATUS_IGNORE);
        wait_request(&two[1], MPI_STATUS_IGNORE);
        for (size_t i = 0; i < n; i++) {
            to[i] += other[i];
        }
    }
}

/* A barrier of the near ranks. What any of them wrote before (and its count's release covers) is seen by all
 * behind it (their acquire). Counts only grow, so nothing has to be reset; differences survive the wrap. */
static void meet(Group *g)
{
    const unsigned now = ++g->meetings;
    const AccountWay before = account_way(ACCOUNT_EXCHANGE);

    atomic_store_explicit(&g->arrivals[g->rank % g->near].count, now, memory_order_release);
    for (int i = 0; i < g->near; i++) {
        for (int tries = 0;
             (int)(atomic_load_explicit(&g->arrivals[i].count, memory_order_acquire) - now) < 0;
             tries++) {
            if (tries == 0) {
                (void)account_way(ACCOUNT_WAIT);
            }
            wait_rest(tries);
        }
    }
    (void)account_way(before);
}

/* Where the slice of near rank i begins: whole lines. */
static size_t slice(const Group *g, size_t n, int i)
{
    const size_t lines = (n + LINE_FLOATS - 1) / LINE_FLOATS;
    const size_t at = lines * (size_t)i / (size_t)g->near * LINE_FLOATS;
    return at < n ? at : n;
}

/* Between the meetings each slice, of all rows, is one rank's alone. */
static void sum_near(Group *g, int count, size_t stride, size_t n)
{
    const int me = g->rank % g->near;
    const size_t from = slice(g, n, me);
    const size_t floats = slice(g, n, me + 1) - from;
    float *sum = g->rows + from;

    meet(g); /* all rows are filled */
    reduce_block(sum, g->near * count, stride, floats);
    add_partners(g, g->near, sum, floats);
    for (size_t i = 1; i < (size_t)g->near; i++) {
        memcpy(sum + i * (size_t)count * stride, sum, floats * sizeof *sum);
    }
    meet(g); /* all slices are there */
}

static Status sum_group(const Reduce *reduce, float *rows, size_t stride, size_t n)
{
    Group *g = reduce->ctx;
    const bool shared = g->near > 1 && rows == g->own;

    exchange_begin(EXCHANGE_GROUP_SUM, &g->comm, n, 0);
    if (!shared) {
        reduce_block(rows, reduce->count, stride, n);
    }
    const AccountWay before = account_way(ACCOUNT_EXCHANGE);
    if (shared) {
        sum_near(g, reduce->count, stride, n);
    } else {
        add_partners(g, 1, rows, n);
    }
    (void)account_way(before);
    return OK;
}

/* The largest blocks of ranks, a power of two and aligned, that are on one host each. */
static int count_near(const Group *g, const int *host)
{
    int near = g->size;
    for (int i = 0; i < g->size; i++) {
        while (host[i] != host[i - i % near]) {
            near /= 2;
            i = 0;
        }
    }
    return near;
}

static Status open_group(Group *g, int first, int size)
{
    Status st = OK;
    const MPI_Comm *world = comm_world();
    const int mine = comm_host_number();
    int *host = NULL;

    g->comm = MPI_COMM_NULL;
    g->rank = size > 0 ? comm_rank() - first : 0;
    g->size = size;
    g->near = 1;
    TRY(comm_agree(mem_alloc(&host, (size_t)size, sizeof *host, "a group of ranks")));
    MPI_CHECK(MPI_Comm_split(*world, size > 0 ? first : MPI_UNDEFINED, comm_rank(), &g->comm));
    if (size > 1) {
        MPI_CHECK(MPI_Allgather(&mine, 1, MPI_INT, host, 1, MPI_INT, g->comm));
        g->near = count_near(g, host);
    }
done:
    mem_free(&host);
    return st;
}

Status comm_reduce_open_group(Reduce *reduce, int shards, int first, int size)
{
    Status st = OK;
    Group *g = NULL;

    REQUIRE(size >= 0 && (size & (size - 1)) == 0 && size <= shards);
    REQUIRE(size == 0 || (comm_rank() >= first && comm_rank() < first + size));
    *reduce = (Reduce){0};
    exchange_begin(EXCHANGE_GROUP_OPEN, comm_world(), (size_t)shards, 0);
    TRY(comm_agree(mem_alloc(&g, 1, sizeof *g, "a group of ranks")));
    TRY(open_group(g, first, size));
    reduce->shards = shards;
    reduce->count = size > 0 ? shards / size : 0;
    reduce->first = g->rank * reduce->count;
    reduce->sum = sum_group;
    reduce->ctx = g;
done:
    if (st != OK) {
        mem_free(&g);
    }
    return st;
}

Status comm_reduce_open(Reduce *reduce, int shards, int learners)
{
    REQUIRE(learners > 0);
    return comm_reduce_open_group(reduce, shards, 0, comm_rank() < learners ? learners : 0);
}

static void free_comm(MPI_Comm *comm)
{
    const AccountWay before = account_way(ACCOUNT_EXCHANGE);
    (void)MPI_Comm_free(comm);
    (void)account_way(before);
}

Status comm_reduce_rows(Reduce *reduce, size_t stride, float **rows)
{
    Status st = OK;
    Group *g = reduce->ctx;
    MPI_Comm near = MPI_COMM_NULL;
    void *data = NULL;
    const size_t own = (size_t)reduce->count * stride;
    const size_t head = (size_t)g->near * sizeof(Arrival);
    const int me = g->rank % g->near;

    REQUIRE(g->own == NULL);
    *rows = NULL;
    exchange_begin(EXCHANGE_GROUP_ROWS, comm_world(), stride, 0);
    TRY(comm_agree(g->size > g->near ? make_room(g, stride) : OK));
    if (g->comm != MPI_COMM_NULL) {
        MPI_CHECK(MPI_Comm_split(g->comm, g->rank / g->near, g->rank, &near));
    }
    TRY(shared_open(&g->shared, near, head + (size_t)g->near * own * sizeof(float),
                    "the shards' gradients", &data));
    if (near != MPI_COMM_NULL) {
        g->arrivals = data;
        g->rows = (float *)(void *)((unsigned char *)data + head);
        g->own = g->rows + (size_t)me * own;
        /* who touches a page first has it in the memory of its socket */
        memset(g->own, 0, own * sizeof(float));
        atomic_init(&g->arrivals[me].count, 0);
    }
    shared_sync(&g->shared);
    comm_barrier();
    shared_sync(&g->shared);
    *rows = g->own;
done:
    if (near != MPI_COMM_NULL) {
        free_comm(&near);
    }
    return st;
}

void comm_reduce_close(Reduce *reduce)
{
    Group *g = reduce->ctx;
    if (g != NULL) {
        exchange_begin(EXCHANGE_GROUP_CLOSE, &g->comm, 0, 0);
        shared_close(&g->shared);
        mem_free(&g->other);
        if (g->comm != MPI_COMM_NULL) {
            free_comm(&g->comm);
        }
        mem_free(&g);
        *reduce = (Reduce){0};
    }
}

Status comm_reduce_agree(const Reduce *reduce, Status mine)
{
    Group *g = reduce->ctx;
    exchange_begin(EXCHANGE_GROUP_AGREE, &g->comm, 0, 0);
    return agree_on(&g->comm, g->rank, g->size, mine);
}

void comm_reduce_bcast(const Reduce *reduce, void *data, size_t bytes)
{
    Group *g = reduce->ctx;
    if (g->size > 1) {
        exchange_begin(EXCHANGE_GROUP_BCAST, &g->comm, bytes, 0);
        bcast_bytes(&g->comm, data, bytes, 0);
    }
}
