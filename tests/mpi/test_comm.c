/* comm: agreement, collectives of all lengths, memory of a host, the sum over shards, messages. Each
 * expectation is computed on the spot from rank numbers. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/rng.h"
#include "comm/comm.h"
#include "support/mpi_check.h"

/* Byte i of a block that belongs to `owner`. */
static unsigned char byte_of(int owner, size_t i)
{
    return (unsigned char)(i * 31 + i / 251 + (size_t)owner * 17 + 1);
}

static void fill(unsigned char *x, size_t n, int owner)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = byte_of(owner, i);
    }
}

static bool holds(const unsigned char *x, size_t n, int owner)
{
    for (size_t i = 0; i < n; i++) {
        if (x[i] != byte_of(owner, i)) {
            return false;
        }
    }
    return true;
}

static void the_group_is_what_mpirun_made(void)
{
    double ranks[2] = {comm_rank(), 1};
    coll_sum(ranks, 2);
    MPI_CHECK_NEAR(ranks[0], comm_size() * (comm_size() - 1) / 2.0, 0, 0);
    MPI_CHECK_NEAR(ranks[1], comm_size(), 0, 0);
    MPI_CHECK(comm_local_size() >= 1 && comm_local_size() <= comm_size());
    MPI_CHECK(comm_local_rank() >= 0 && comm_local_rank() < comm_local_size());
    MPI_CHECK(comm_host()[0] != '\0' && comm_library()[0] != '\0' && comm_cores() >= 1);
}

/* Ranks from `first` on fail, each with a reason of its own; OK is the outcome if there are none. */
static void agree_when_failing_from(int first)
{
    char want[256];
    char where[256] = "";
    const bool mine = comm_rank() >= first;
    const Status st = comm_agree(
        mine ? status_fail(comm_rank() == first ? ERR_IO : ERR_FORMAT, "rank %d", comm_rank())
             : OK);
    if (comm_rank() == first &&
        first > 0) { /* where rank 0 did not fail, the reason says who did */
        (void)snprintf(where, sizeof where, "rank %d on %s: ", first, comm_host());
    }
    coll_bcast(where, sizeof where, first < comm_size() ? first : 0);
    (void)snprintf(want, sizeof want, "%srank %d", where, first);
    MPI_CHECK(st == (first < comm_size() ? ERR_IO : OK));
    MPI_CHECK(st == OK || strcmp(status_reason(), want) == 0);
}

static void all_get_the_outcome_of_the_lowest_rank_that_failed(void)
{
    for (int first = 0; first <= comm_size(); first++) {
        agree_when_failing_from(first);
    }
    const int last = comm_size() - 1; /* one alone */
    const Status st = comm_agree(comm_rank() == last ? status_fail(ERR_NOMEM, "no room") : OK);
    const char *end = strstr(status_reason(), "no room");
    MPI_CHECK(st == ERR_NOMEM && end != NULL && strcmp(end, "no room") == 0);
    MPI_CHECK((end == status_reason()) ==
              (comm_size() == 1)); /* all of a single rank is not some of many */
}

/* A transfer is cut at 64 MiB; the last length needs two pieces. */
static const size_t lengths[] = {0, 1, 3, 4097, 1000003, ((size_t)1 << 26) + 5};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

static void broadcasts_reach_all_from_any_root(void)
{
    for (int k = 0; k < LENGTHS; k++) {
        const size_t n = lengths[k];
        const int root = k % comm_size();
        unsigned char *x = NULL;
        if (!MPI_CHECK_OK(mem_alloc(&x, n + 1, 1, "test"))) {
            return;
        }
        if (comm_rank() == root) {
            fill(x, n, root);
        }
        coll_bcast(x, n, root);
        MPI_CHECK(holds(x, n, root));
        MPI_CHECK(x[n] == 0); /* no byte more */
        mem_free(&x);
    }
}

static void sums_where_one_rank_has_the_number_are_exact(void)
{
    enum { N = 1001 };
    static double x[N];

    for (int n = 0; n <= N; n = 2 * n + 1 < N ? 2 * n + 1 : n + N) {
        for (int i = 0; i < n; i++) {
            x[i] = i % comm_size() == comm_rank() ? 1.0 / (i + 3) : 0.0;
        }
        coll_sum(x, n);
        for (int i = 0; i < n; i++) {
            MPI_CHECK_NEAR(x[i], 1.0 / (i + 3), 0, 0);
        }
    }
}

/* Rank r sends `base` + 7 r bytes, rank 1 nothing. */
static void gather_with(size_t base)
{
    const int ranks = comm_size();
    size_t sizes[64] = {0};
    unsigned char *mine = NULL;
    unsigned char *all = NULL;
    size_t sum = 0;
    const size_t n = comm_rank() == 1 ? 0 : base + 7 * (size_t)comm_rank();

    coll_sizes(n, sizes);
    for (int r = 0; comm_rank() == 0 && r < ranks; r++) {
        MPI_CHECK(sizes[r] == (r == 1 ? 0 : base + 7 * (size_t)r));
        sum += sizes[r];
    }
    if (MPI_CHECK_OK(mem_alloc(&mine, n + 1, 1, "test")) &&
        MPI_CHECK_OK(mem_alloc(&all, sum + 1, 1, "test"))) {
        fill(mine, n, comm_rank());
        coll_gather(mine, n, all, sizes);
        const unsigned char *at = all;
        for (int r = 0; comm_rank() == 0 && r < ranks; r++) {
            MPI_CHECK(holds(at, sizes[r], r));
            at += sizes[r];
        }
    }
    mem_free(&mine);
    mem_free(&all);
}

static void gathering_joins_blocks_of_any_sizes_in_order_of_ranks(void)
{
    for (int k = 0; k < LENGTHS; k++) {
        gather_with(lengths[k]);
    }
}

static void a_host_has_one_block_that_all_its_ranks_see(void)
{
    enum { BYTES = 100003 };
    CommShare *share = NULL;
    void *data = NULL;
    const int64_t before = mem_count();

    if (!MPI_CHECK_OK(comm_share_open(&share, BYTES, &data))) {
        return;
    }
    unsigned char *x = data;
    if (comm_rank() == 0) {
        fill(x, BYTES, 0);
    }
    comm_share_spread(share, BYTES);
    MPI_CHECK(holds(x, BYTES, 0));
    comm_barrier();
    if (comm_local_rank() == comm_local_size() - 1) {
        x[BYTES - 1] = 0; /* the block is one, not a copy */
    }
    comm_barrier();
    MPI_CHECK(x[BYTES - 1] == 0);
    comm_share_close(&share);
    MPI_CHECK(share == NULL && mem_count() == before);
    comm_share_close(&share); /* harmless */
}

/* Rows whose sum has other bits in every other order. */
static void shard_row(int shard, float *row, size_t n)
{
    Rng rng = rng_make(3, RNG_TEST, 0, (uint32_t)shard);
    rng_fill_normal(&rng, row, n);
    for (size_t i = 0; i < n; i++) {
        row[i] *= shard % 2 == 0 ? 1e3F : 1e-3F;
    }
}

enum { SHARDS_MAX = 8, STRIDE = 528 };

/* The group's sums of n floats: in memory of the host, and of rows that are somewhere else. */
static void compare_sums(const Reduce *shared, float *rows, int size, const float *want, size_t n)
{
    const int64_t before = mem_count();

    for (int again = 0; again < 3; again++) {
        for (int i = 0; i < shared->count; i++) {
            shard_row(shared->first + i, rows + (size_t)i * STRIDE, n);
            rows[(size_t)i * STRIDE + n] = 77; /* behind the first n: untouched */
        }
        MPI_CHECK_OK(shared->sum(shared, rows, STRIDE, n));
        MPI_CHECK(memcmp(rows, want, n * sizeof *rows) == 0);
        MPI_CHECK(rows[n] == 77);
    }
    const bool own_host = comm_local_size() == comm_size();
    MPI_CHECK(size == 1 || !own_host || mem_count() == before); /* no place for a partner's sum */
}

static void reduce_among(int first, int size, int shards, size_t n)
{
    static float elsewhere[SHARDS_MAX * STRIDE];
    static float want[SHARDS_MAX * STRIDE];
    Reduce local = reduce_local(shards);
    Reduce shared;
    float *rows = NULL;
    const bool member = comm_rank() >= first && comm_rank() < first + size;
    const int64_t before = mem_count();

    if (!MPI_CHECK_OK(comm_reduce_open_group(&shared, shards, first, member ? size : 0)) ||
        !MPI_CHECK_OK(comm_reduce_rows(&shared, STRIDE, &rows))) {
        return;
    }
    MPI_CHECK(shared.shards == shards && (rows != NULL) == member);
    MPI_CHECK(shared.count == (member ? shards / size : 0));
    for (int s = 0; s < shards; s++) {
        shard_row(s, want + (size_t)s * STRIDE, n);
    }
    MPI_CHECK_OK(local.sum(&local, want, STRIDE, n));
    if (member) {
        int64_t word = comm_rank() == first ? 42 : 0;
        compare_sums(&shared, rows, size, want, n);
        elsewhere[0] = 0;
        for (int i = 0; i < shared.count; i++) {
            shard_row(shared.first + i, elsewhere + (size_t)i * STRIDE, n);
        }
        MPI_CHECK_OK(shared.sum(&shared, elsewhere, STRIDE, n));
        MPI_CHECK(memcmp(elsewhere, want, n * sizeof *want) == 0);
        comm_reduce_bcast(&shared, &word, sizeof word);
        MPI_CHECK(word == 42);
    }
    comm_reduce_close(&shared);
    MPI_CHECK(mem_count() == before);
}

static void learners_get_the_bits_of_one_rank(void)
{
    static const size_t floats[] = {1, 16, 17, 100, 513};

    for (int learners = 1; learners <= 4 && learners <= comm_size(); learners *= 2) {
        for (int shards = learners; shards <= SHARDS_MAX; shards *= 2) {
            for (size_t k = 0; k < sizeof floats / sizeof *floats; k++) {
                reduce_among(0, learners, shards, floats[k]);
            }
        }
    }
}

/* Every rank is in one of the groups, or in none. */
static void groups_of_any_ranks_sum_beside_each_other(void)
{
    reduce_among(comm_rank() / 2 * 2, comm_rank() / 2 * 2 + 1 < comm_size() ? 2 : 1, 4, 513);
    reduce_among(comm_rank(), 1, 4, 513);
    if (comm_size() > 2) {
        reduce_among(1, 2, 2, 513); /* across the border of pretended hosts */
    }
}

/* Whole numbers, so that the sum is known: shard s of round k is (s + 1) (k % 100), but for its place. */
static void fill_round(float *row, int shard, int k, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        row[i] = (float)((shard + 1) * (k % 100)) + (float)i;
    }
}

/* Partners come early and late by turns; a sum that was read or overwritten too early would show. */
static void many_sums_in_a_row_stay_right(void)
{
    enum { ROUNDS = 1000, SHARDS = 4 };
    const int learners = comm_size() >= 4 ? 4 : comm_size() >= 2 ? 2 : 1;
    Reduce shared;
    float *rows = NULL;
    Rng rng = rng_make(5, RNG_TEST, 0, (uint32_t)comm_rank());
    int wrong = 0;

    if (!MPI_CHECK_OK(comm_reduce_open(&shared, SHARDS, learners)) ||
        !MPI_CHECK_OK(comm_reduce_rows(&shared, STRIDE, &rows))) {
        return;
    }
    for (int k = 0; k < ROUNDS && comm_rank() < learners; k++) {
        const size_t n = 1 + (size_t)(k * 37 % STRIDE);
        for (int i = 0; i < shared.count; i++) {
            fill_round(rows + (size_t)i * STRIDE, shared.first + i, k, n);
        }
        if (rng_below(&rng, 16) == 0) {
            const struct timespec pause = {0, (long)rng_below(&rng, 200000)};
            (void)nanosleep(&pause, NULL);
        }
        MPI_CHECK_OK(shared.sum(&shared, rows, STRIDE, n));
        for (size_t i = 0; i < n; i++) {
            wrong += rows[i] != (float)(10 * (k % 100)) + (float)(SHARDS * i) ? 1 : 0;
        }
    }
    MPI_CHECK(wrong == 0);
    comm_reduce_close(&shared);
}

/* Every rank sends to every rank, itself included, on two tags; sizes tell sender and tag. */
static void messages_find_their_tag_and_keep_their_size(void)
{
    enum { TAGS = 2, MOST = 2000 };
    const int ranks = comm_size();
    Mail *in[4][TAGS] = {{NULL}};
    Mail *out[4][TAGS] = {{NULL}};

    for (int r = 0; r < ranks; r++) {
        for (int t = 0; t < TAGS; t++) {
            MPI_CHECK_OK(mail_open(&in[r][t], MOST));
            MPI_CHECK_OK(mail_open(&out[r][t], MOST));
            mail_receive(in[r][t], r, TAG_RECORDS + t);
        }
    }
    for (int r = ranks - 1; r >= 0; r--) {
        for (int t = TAGS - 1; t >= 0; t--) { /* not in the order of the receives */
            const size_t n = (size_t)(comm_rank() * 100 + t * 1000);
            fill(mail_data(out[r][t]), n, 10 * comm_rank() + t);
            mail_send(out[r][t], r, TAG_RECORDS + t, n);
        }
    }
    for (int r = 0; r < ranks; r++) {
        for (int t = 0; t < TAGS; t++) {
            const size_t n = mail_wait(in[r][t]);
            MPI_CHECK(n == (size_t)(r * 100 + t * 1000));
            MPI_CHECK(holds(mail_data(in[r][t]), n, 10 * r + t));
            MPI_CHECK(mail_ready(in[r][t]));
            MPI_CHECK(mail_wait(out[r][t]) == 0);
            mail_close(&in[r][t]);
            mail_close(&out[r][t]);
        }
    }
}

/* One buffer, refilled as soon as mail_wait allows; the receiver lags behind. */
static void messages_of_one_tag_stay_in_order(void)
{
    enum { MESSAGES = 200, MOST = 64 };
    Mail *mail = NULL;
    const int to = (comm_rank() + 1) % comm_size();
    const int from = (comm_rank() + comm_size() - 1) % comm_size();

    if (comm_size() == 1 || !MPI_CHECK_OK(mail_open(&mail, MOST))) {
        return;
    }
    for (int turn = 0; turn < 2; turn++) { /* even ranks send first, then odd ones */
        for (int i = 0; i < MESSAGES; i++) {
            const size_t n = (size_t)(i % MOST);
            if ((comm_rank() + turn) % 2 == 0) {
                if (to % 2 != comm_rank() % 2) {
                    (void)mail_wait(mail);
                    fill(mail_data(mail), n, i);
                    mail_send(mail, to, TAG_DONE, n);
                }
            } else if (from % 2 != comm_rank() % 2) {
                mail_receive(mail, from, TAG_DONE);
                MPI_CHECK(mail_wait(mail) == n);
                MPI_CHECK(holds(mail_data(mail), n, i));
            }
        }
        (void)mail_wait(mail);
    }
    mail_close(&mail);
}

static void an_open_receive_can_be_given_up(void)
{
    Mail *mail = NULL;
    const int64_t before = mem_count();

    if (MPI_CHECK_OK(mail_open(&mail, 8))) {
        MPI_CHECK(mail_ready(mail)); /* none is under way */
        mail_receive(mail, comm_rank(), TAG_POLICY);
        MPI_CHECK(!mail_ready(mail));
        mail_close(&mail);
    }
    MPI_CHECK(mail == NULL && mem_count() == before);
    MPI_CHECK(mail_open(&mail, (size_t)1 << 31) == ERR_CONFIG);
    MPI_CHECK(strstr(status_reason(), "rollout.units") != NULL && mem_count() == before);
}

int main(int argc, char **argv)
{
    if (comm_open(&argc, &argv) != OK) {
        return 1;
    }
    MPI_CASE(the_group_is_what_mpirun_made);
    MPI_CASE(all_get_the_outcome_of_the_lowest_rank_that_failed);
    MPI_CASE(broadcasts_reach_all_from_any_root);
    MPI_CASE(sums_where_one_rank_has_the_number_are_exact);
    MPI_CASE(gathering_joins_blocks_of_any_sizes_in_order_of_ranks);
    MPI_CASE(a_host_has_one_block_that_all_its_ranks_see);
    MPI_CASE(learners_get_the_bits_of_one_rank);
    MPI_CASE(groups_of_any_ranks_sum_beside_each_other);
    MPI_CASE(many_sums_in_a_row_stay_right);
    MPI_CASE(messages_find_their_tag_and_keep_their_size);
    MPI_CASE(messages_of_one_tag_stay_in_order);
    MPI_CASE(an_open_receive_can_be_given_up);
    const int code = mpi_check_end();
    comm_close();
    return code;
}
