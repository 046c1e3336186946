/* Ranks that are threads. This file is compiled without the thread sanitizer and synchronizes by atomics alone, so
 * the sanitizer sees only what MPI promises about memory: that a window's sync orders, that a message carries what
 * was written before it, and that a barrier orders nothing by itself.
 */
#include "ranks.h"

#include <mpi.h>
#include <pthread.h>
#include <sanitizer/tsan_interface.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/panic.h"
#include "comm/comm.h"
#include "comm/exchange.h"
#include "comm/wait.h"

typedef struct {
    atomic_int full;
    void *data;
} Channel;

struct Comm {
    int size, member[RANKS_MAX]; /* world ranks, ascending */
    atomic_int here, round, users;
    const void *slot[RANKS_MAX];
    Channel channel[RANKS_MAX][RANKS_MAX];
};

struct Window {
    int size;
    atomic_int gone;
    void *block;
    size_t bytes;
};

static MPI_Comm world, nodes[RANKS_MAX];
static int world_size, host_size;
static _Thread_local int self;

/* Sleeping and not yielding: who wakes up goes first, however busy the machine is. */
static void pause_a_little(void)
{
    const struct timespec little = {0, 20000};
    (void)nanosleep(&little, NULL);
}

static int place(MPI_Comm comm, int rank)
{
    int i = 0;
    while (comm->member[i] != rank) {
        i++;
    }
    return i;
}

static void meet(MPI_Comm comm)
{
    const int round = atomic_load(&comm->round);
    if (atomic_fetch_add(&comm->here, 1) == comm->size - 1) {
        atomic_store(&comm->here, 0);
        atomic_store(&comm->round, round + 1);
    }
    while (atomic_load(&comm->round) == round) {
        pause_a_little();
    }
}

/* One address of each member, valid until the second meeting. */
static void show(MPI_Comm comm, const void *mine)
{
    comm->slot[place(comm, self)] = mine;
    meet(comm);
}

/* Not memcpy: the sanitizer watches that one wherever it is called. */
static void copy(char *to, const char *from, size_t bytes)
{
    const volatile char *at = from;
    for (size_t i = 0; i < bytes; i++) {
        to[i] = at[i];
    }
}

static MPI_Comm make_comm(void)
{
    MPI_Comm comm = calloc(1, sizeof *comm);
    if (comm == NULL) {
        abort();
    }
    return comm;
}

/* ---- MPI ---- */

int MPI_Comm_rank(MPI_Comm comm, int *rank)
{
    *rank = place(comm, self);
    return MPI_SUCCESS;
}

int MPI_Comm_size(MPI_Comm comm, int *size)
{
    *size = comm->size;
    return MPI_SUCCESS;
}

/* Members stay in their order: all callers give their rank as key. */
int MPI_Comm_split(MPI_Comm comm, int color, int key, MPI_Comm *part)
{
    struct {
        int color;
        MPI_Comm made;
    } mine = {color, NULL};
    const char *first = NULL;

    (void)key;
    show(comm, &mine);
    for (int i = 0; i < comm->size; i++) {
        int of = 0;
        memcpy(&of, comm->slot[i], sizeof of);
        if (color != MPI_UNDEFINED && of == color) {
            first = first == NULL ? comm->slot[i] : first;
            if (first == (const char *)&mine) {
                mine.made = mine.made == NULL ? make_comm() : mine.made;
                mine.made->member[mine.made->size++] = comm->member[i];
            }
        }
    }
    meet(comm);
    *part = NULL;
    if (first != NULL) {
        memcpy(part, first + ((char *)&mine.made - (char *)&mine), sizeof(MPI_Comm));
    }
    meet(comm);
    return MPI_SUCCESS;
}

int MPI_Comm_free(MPI_Comm *comm)
{
    if (atomic_fetch_add(&(*comm)->users, 1) == (*comm)->size - 1) {
        free(*comm);
    }
    *comm = NULL;
    return MPI_SUCCESS;
}

int MPI_Allgather(const void *mine, int count, MPI_Datatype type, void *all, int each,
                  MPI_Datatype of, MPI_Comm comm)
{
    const size_t bytes = (size_t)count * (size_t)type;

    (void)each;
    (void)of;
    show(comm, mine);
    for (int i = 0; i < comm->size; i++) {
        copy((char *)all + (size_t)i * bytes, comm->slot[i], bytes);
    }
    meet(comm);
    return MPI_SUCCESS;
}

int MPI_Isend(const void *data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm,
              MPI_Request *request)
{
    Channel *channel = &comm->channel[place(comm, self)][to];
    const size_t bytes = (size_t)count * (size_t)type;

    (void)tag;
    while (atomic_load(&channel->full) != 0) {
        pause_a_little();
    }
    channel->data = malloc(bytes + 1);
    if (bytes > 0) {
        memcpy(channel->data, data, bytes);
    }
    __tsan_release(channel);
    atomic_store(&channel->full, 1);
    *request = (MPI_Request){.comm = comm};
    return MPI_SUCCESS;
}

int MPI_Irecv(void *data, int count, MPI_Datatype type, int from, int tag, MPI_Comm comm,
              MPI_Request *request)
{
    (void)tag;
    *request =
        (MPI_Request){comm, true, from, place(comm, self), data, (size_t)count * (size_t)type};
    return MPI_SUCCESS;
}

int MPI_Win_allocate_shared(MPI_Aint bytes, int unit, MPI_Info info, MPI_Comm comm, void *base,
                            MPI_Win *window)
{
    MPI_Win mine = NULL;

    (void)unit;
    (void)info;
    (void)base;
    if (place(comm, self) == 0) {
        mine = calloc(1, sizeof *mine);
        *mine = (struct Window){
            .size = comm->size, .block = malloc((size_t)bytes), .bytes = (size_t)bytes};
        __tsan_release(mine); /* the sanitizer takes malloc for a write */
    }
    show(comm, mine);
    memcpy(window, &comm->slot[0], sizeof *window);
    __tsan_acquire(*window);
    meet(comm);
    return MPI_SUCCESS;
}

int MPI_Win_shared_query(MPI_Win window, int rank, MPI_Aint *bytes, int *unit, void *base)
{
    (void)rank;
    *bytes = (MPI_Aint)window->bytes;
    *unit = 1;
    memcpy(base, &window->block, sizeof window->block);
    return MPI_SUCCESS;
}

int MPI_Win_lock_all(int mode, MPI_Win window)
{
    (void)mode;
    (void)window;
    return MPI_SUCCESS;
}

int MPI_Win_unlock_all(MPI_Win window)
{
    (void)window;
    return MPI_SUCCESS;
}

int MPI_Win_sync(MPI_Win window)
{
    __tsan_acquire(window);
    __tsan_release(window);
    return MPI_SUCCESS;
}

/* Collective: the memory is there until all are done with it. */
int MPI_Win_free(MPI_Win *window)
{
    MPI_Win w = *window;

    __tsan_release(w);
    if (atomic_fetch_add(&w->gone, 1) == w->size - 1) {
        __tsan_acquire(w);
        free(w->block);
        free(w);
    }
    *window = NULL;
    return MPI_SUCCESS;
}

/* ---- src/comm ---- */

void wait_request(MPI_Request *request, MPI_Status *status)
{
    (void)status;
    if (request->receives) {
        Channel *channel = &request->comm->channel[request->from][request->to];
        while (atomic_load(&channel->full) == 0) {
            pause_a_little();
        }
        __tsan_acquire(channel);
        if (request->bytes > 0) { /* `data` may be NULL else */
            memcpy(request->data, channel->data, request->bytes);
        }
        free(channel->data);
        atomic_store(&channel->full, 0);
    }
}

void wait_rest(int tries)
{
    (void)tries;
    pause_a_little();
}

void *comm_world(void)
{
    return &world;
}

void *comm_node(void)
{
    return &nodes[comm_host_number()];
}

int comm_rank(void)
{
    return self;
}

int comm_size(void)
{
    return world_size;
}

int comm_local_rank(void)
{
    return self % host_size;
}

int comm_host_number(void)
{
    return self / host_size;
}

const char *comm_host(void)
{
    return "thread";
}

void comm_barrier(void)
{
    meet(world);
}

Status comm_agree(Status mine)
{
    if (mine != OK) {
        abort();
    }
    meet(world);
    return OK;
}

void bcast_bytes(void *comm, void *data, size_t bytes, int root)
{
    MPI_Comm *on = comm;
    MPI_Request request;

    if (place(*on, self) != root) {
        (void)MPI_Irecv(data, (int)bytes, 1, root, 0, *on, &request);
        wait_request(&request, MPI_STATUS_IGNORE);
        return;
    }
    for (int i = 0; i < (*on)->size; i++) {
        if (i != root) {
            (void)MPI_Isend(data, (int)bytes, 1, i, 0, *on, &request);
        }
    }
}

void comm_abort(int exit_code, const char *text)
{
    (void)fprintf(stderr, "%s\n", text);
    _Exit(exit_code);
}

/* No two ranks differ in what they call here. */
void exchange_begin(Exchange exchange, const MPI_Comm *comm, size_t size, int root)
{
    (void)exchange;
    (void)comm;
    (void)size;
    (void)root;
}

Status agree_on(void *comm, int rank, int size, Status mine)
{
    (void)comm;
    (void)rank;
    (void)size;
    return mine;
}

void mpi_failed(int code, const char *call)
{
    comm_abort(code, call);
}

/* ---- src/base: there they are one process's, without a thought of threads ---- */

AccountWay account_way(AccountWay way)
{
    return way;
}

Status mem_alloc(void *block, size_t count, size_t size, const char *what)
{
    void *fresh = calloc(count + 1, size);

    (void)what;
    memcpy(block, &fresh, sizeof fresh);
    return fresh != NULL ? OK : ERR_NOMEM;
}

void mem_free(void *block)
{
    void *old = NULL;
    void *const none = NULL;

    memcpy(&old, block, sizeof old);
    free(old);
    memcpy(block, &none, sizeof none);
}

Status status_fail(Status code, const char *format, ...)
{
    (void)fprintf(stderr, "%s\n", format);
    return code;
}

const char *status_reason(void)
{
    return "";
}

int status_exit_code(Status status)
{
    return (int)status;
}

void panic(const char *file, int line, const char *format, ...)
{
    (void)fprintf(stderr, "%s:%d: %s\n", file, line, format);
    abort();
}

/* ---- threads ---- */

typedef struct {
    int rank;
    void (*body)(void);
} Start;

static void *run(void *arg)
{
    const Start *start = arg;
    self = start->rank;
    start->body();
    return NULL;
}

static MPI_Comm comm_of(int first, int last)
{
    MPI_Comm comm = make_comm();
    for (int r = first; r < last; r++) {
        comm->member[comm->size++] = r;
    }
    return comm;
}

void ranks_run(int ranks, int per_host, void (*body)(void))
{
    pthread_t thread[RANKS_MAX];
    Start start[RANKS_MAX];

    world = comm_of(0, ranks);
    world_size = ranks;
    host_size = per_host;
    for (int h = 0; h * per_host < ranks; h++) {
        const int end = (h + 1) * per_host;
        nodes[h] = comm_of(h * per_host, end < ranks ? end : ranks);
    }
    for (int r = 0; r < ranks; r++) {
        start[r] = (Start){r, body};
        if (pthread_create(&thread[r], NULL, run, &start[r]) != 0) {
            abort();
        }
    }
    for (int r = 0; r < ranks; r++) {
        (void)pthread_join(thread[r], NULL);
    }
    free(world);
    for (int h = 0; h * per_host < ranks; h++) {
        free(nodes[h]);
    }
}
