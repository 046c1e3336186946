#include "comm/exchange.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/panic.h"
#include "comm/comm.h"
#include "comm/wait.h"

/* What a rank is about to call. */
enum { ASKED_CALL, ASKED_SIZE, ASKED_ROOT, ASKED_NUMBER, ASKED };
typedef unsigned long long Asked[ASKED];

static atomic_int own = EXCHANGE_NONE;
static atomic_int *board = &own;
static bool checks;
static unsigned long long number; /* checked exchanges of all ranks */

static const struct {
    const char *name, *unit;
} words[] = {
#define EXCHANGE_WORDS(name, word, unit) {word, unit},
    EXCHANGE_LIST(EXCHANGE_WORDS)
#undef EXCHANGE_WORDS
};

void exchange_open(const MPI_Comm *world)
{
    const char *set = getenv("MOPO_CHECK_EXCHANGES");
    int wanted = MOPO_ASSERTS || (set != NULL && strcmp(set, "0") != 0) ? 1 : 0;

    MPI_CHECK(MPI_Bcast(&wanted, 1, MPI_INT, 0, *world));
    checks = wanted != 0;
}

void exchange_note(Exchange exchange)
{
    atomic_store_explicit(board, (int)exchange, memory_order_relaxed);
}

void exchange_show(atomic_int *to)
{
    atomic_int *next = to != NULL ? to : &own;

    atomic_store(next, atomic_load(board));
    board = next;
}

const char *exchange_name(Exchange exchange)
{
    return words[exchange].name;
}

/* "coll_sum of 8 numbers", "coll_bcast of 12 bytes from rank 0" */
static void describe(const Asked asked, char text[128])
{
    const char *unit = words[asked[ASKED_CALL]].unit;
    char of[64] = "";
    char from[32] = "";

    if (unit != NULL) {
        (void)snprintf(of, sizeof of, " of %llu %s", asked[ASKED_SIZE], unit);
    }
    if (asked[ASKED_CALL] == EXCHANGE_BCAST) {
        (void)snprintf(from, sizeof from, " from rank %llu", asked[ASKED_ROOT]);
    }
    (void)snprintf(text, 128, "%s%s%s", words[asked[ASKED_CALL]].name, of, from);
}

/* They differ: the first of them tells who calls what, and all end. */
_Noreturn static void tell(const MPI_Comm *comm, const Asked mine)
{
    int rank = 0;
    int size = 0;
    int other = 1;
    Asked *all = NULL;
    int *who = NULL;
    const int me = comm_rank();
    char first[128];
    char differs[128];
    char where[64] = "in a group of ranks";
    char text[512];

    MPI_CHECK(MPI_Comm_rank(*comm, &rank));
    MPI_CHECK(MPI_Comm_size(*comm, &size));
    REQUIRE(mem_alloc(&all, (size_t)size, sizeof *all, "a check of exchanges") == OK);
    REQUIRE(mem_alloc(&who, (size_t)size, sizeof *who, "a check of exchanges") == OK);
    MPI_CHECK(MPI_Allgather(mine, ASKED, MPI_UNSIGNED_LONG_LONG, all, ASKED, MPI_UNSIGNED_LONG_LONG,
                            *comm));
    MPI_CHECK(MPI_Allgather(&me, 1, MPI_INT, who, 1, MPI_INT, *comm));
    while (other < size - 1 && memcmp(all[other], all[0], sizeof *all) == 0) {
        other++;
    }
    describe(all[0], first);
    describe(all[other], differs);
    if (mine[ASKED_NUMBER] > 0) {
        (void)snprintf(where, sizeof where, "number %llu", mine[ASKED_NUMBER]);
    }
    (void)snprintf(text, sizeof text,
                   "exchanges do not match (%s): rank %d calls %s, rank %d %s; this is a bug of "
                   "mopo: please report it with the command",
                   where, who[other], differs, who[0], first);
    mem_free(&all);
    mem_free(&who);
    if (rank != 0) {
        (void)sleep(5); /* the first one ends us */
    }
    comm_abort(1, text);
}

/* Equal where the largest of all is the smallest, that is, the complement of their complements' largest. */
static bool equal(const MPI_Comm *comm, const Asked mine)
{
    unsigned long long most[2 * ASKED];
    MPI_Request request;
    bool same = true;

    for (int i = 0; i < ASKED; i++) {
        most[i] = mine[i];
        most[ASKED + i] = ~mine[i];
    }
    MPI_CHECK(MPI_Iallreduce(MPI_IN_PLACE, most, 2 * ASKED, MPI_UNSIGNED_LONG_LONG, MPI_MAX, *comm,
                             &request));
    wait_request(&request, MPI_STATUS_IGNORE);
    for (int i = 0; i < ASKED; i++) {
        same = same && most[i] == ~most[ASKED + i];
    }
    return same;
}

void exchange_begin(Exchange exchange, const MPI_Comm *comm, size_t size, int root)
{
    exchange_note(exchange);
    if (!checks || *comm == MPI_COMM_NULL) {
        return;
    }
    const bool world = comm == comm_world();
    number += world ? 1 : 0;
    const Asked mine = {exchange, size, (unsigned long long)root, world ? number : 0};
    if (!equal(comm, mine)) {
        tell(comm, mine);
    }
}
