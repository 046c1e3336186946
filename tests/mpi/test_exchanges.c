/* The check that all ranks call the same exchange, and the watch. With an argument the program does something that
 * must not be, on 3 ranks, and has to be ended: tests/e2e/test_hang.sh looks at how. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/account.h"
#include "base/mem.h"
#include "comm/comm.h"
#include "comm/watch.h"
#include "data/h5_guard.h"
#include "support/mpi_check.h"

enum { SKIPPED = 77 };

static void pause_for(double seconds)
{
    const struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    (void)nanosleep(&t, NULL);
}

/* ---- what must pass ---- */

static void matching_exchanges_pass(void)
{
    double x[3] = {1, comm_rank(), 0};
    size_t sizes[8] = {0};
    char all[64] = "";
    CommShare *share = NULL;
    void *data = NULL;
    Reduce reduce = {0};
    float *rows = NULL;

    MPI_CHECK_OK(comm_agree(OK));
    comm_barrier();
    coll_bcast(x, sizeof *x, comm_size() - 1);
    coll_sum(x, 3);
    MPI_CHECK_NEAR(x[0], comm_size(), 0, 0);
    coll_sizes((size_t)comm_rank() + 1, sizes); /* sizes may differ here, and below */
    coll_gather("abcdefgh", (size_t)comm_rank() + 1, all, sizes);
    MPI_CHECK(comm_rank() > 0 || all[0] == 'a');
    MPI_CHECK_OK(comm_share_open(&share, 100, &data));
    comm_share_spread(share, 100);
    comm_share_close(&share);
    MPI_CHECK_OK(comm_reduce_open(&reduce, 4, comm_size() >= 2 ? 2 : 1));
    MPI_CHECK_OK(comm_reduce_rows(&reduce, 16, &rows));
    if (comm_rank() < 2 && rows != NULL) { /* the others have no part in it */
        rows[0] = 1;
        MPI_CHECK_OK(reduce.sum(&reduce, rows, 16, 16));
        MPI_CHECK_NEAR(rows[0], comm_size() >= 2 ? 2 : 1, 0, 0);
        comm_reduce_bcast(&reduce, x, sizeof x);
    }
    comm_reduce_close(&reduce);
}

static void who_computes_for_longer_than_the_patience_is_not_accused(void)
{
    watch_patience(1);
    if (comm_rank() == 0) {
        pause_for(1.7);
    }
    comm_barrier();
    watch_patience(60);
}

/* ---- what must not be ---- */

static void another_call(void)
{
    double x[8] = {0};
    if (comm_rank() == 1) {
        coll_sum(x, 8);
    } else {
        (void)!comm_agree(OK);
    }
}

static void another_size(void)
{
    double x[8] = {0};
    coll_sum(x, comm_rank() == 2 ? 7 : 8);
}

static void another_root(void)
{
    char x[12] = {0};
    coll_bcast(x, sizeof x, comm_rank() == 1 ? 1 : 0);
}

static void another_group_size(void)
{
    Reduce reduce = {0};
    float rows[4 * 16] = {0};

    if (comm_reduce_open(&reduce, 4, 2) == OK && comm_rank() < 2) {
        (void)!reduce.sum(&reduce, rows, 16, comm_rank() == 0 ? 16 : 8);
    }
}

static void one_leaves(void)
{
    watch_patience(1);
    if (comm_rank() != 2) {
        comm_barrier();
    }
}

/* Rank 0 expects a message that nobody sends, the others wait for rank 0. */
static void some_are_missing(void)
{
    Mail *mail = NULL;

    watch_patience(1);
    watch_folder(".");
    (void)account_kind(ACCOUNT_SAVE);
    if (comm_rank() == 0 && mail_open(&mail, 8) == OK) {
        mail_receive(mail, 1, TAG_DONE);
        (void)mail_wait(mail);
    }
    (void)account_kind(ACCOUNT_FIT);
    comm_barrier();
}

/* The others wait for a rank that does not wait itself: nobody is accused, but told who it is. */
static void one_takes_its_time(void)
{
    watch_patience(1);
    watch_folder(".");
    if (comm_rank() == 1) {
        (void)account_kind(ACCOUNT_EVAL);
        pause_for(3.5);
    }
    comm_barrier();
    watch_leave_folder();
}

/* HDF5 crashes on rank 0, which alone reads files, while the others wait for what it read. */
static void one_reads_a_damaged_file(void)
{
    h5_guard_begin("damaged.hdf5", 1000);
    if (comm_rank() == 0 && h5_guard_works()) {
        (void)raise(SIGSEGV);
    }
    comm_barrier();
    _exit(SKIPPED); /* a build with sanitizers has no guard */
}

static const struct {
    const char *name;
    void (*run)(void);
} faults[] = {
    {"call", another_call},       {"size", another_size},
    {"root", another_root},       {"group", another_group_size},
    {"leaves", one_leaves},       {"missing", some_are_missing},
    {"late", one_takes_its_time}, {"damaged", one_reads_a_damaged_file},
};

static int commit(const char *name)
{
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        if (strcmp(faults[i].name, name) == 0) {
            faults[i].run();
            comm_close();
            return 0;
        }
    }
    return 2;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)setenv("MOPO_CHECK_EXCHANGES", "1", 1);
    }
    if (comm_open(&argc, &argv) != OK) {
        return 2;
    }
    if (argc > 1) {
        return commit(argv[1]);
    }
    MPI_CASE(matching_exchanges_pass);
    MPI_CASE(who_computes_for_longer_than_the_patience_is_not_accused);
    const int code = mpi_check_end();
    comm_close();
    return code;
}
