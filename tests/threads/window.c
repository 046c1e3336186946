/* The memory that ranks share (src/comm/group.c, share.c, shared.c), with threads as ranks, for the thread sanitizer:
 * the real test of its order is that the sanitizer has nothing to say. Exit code 1: a wrong number; 66: a race.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "comm/comm.h"
#include "ranks.h"

enum { SHARDS = 8, STRIDE = 80, ROUNDS = 20, NUMBERS = 1000 };

/* Of each thread; to add them up on the way would bring an order into what is to be tested. */
static _Thread_local int wrong;
static atomic_int all_wrong;

/* Sometimes a rank comes late. */
static void dawdle(int round)
{
    if ((round * 7 + comm_rank() * 5) % 11 == 0) {
        const struct timespec pause = {0, 50000};
        (void)nanosleep(&pause, NULL);
    }
}

/* Shard s gives (s + 1) (k % 10) + i to number i: the sum over 8 shards is known. */
static void sum_many(int learners)
{
    Reduce reduce;
    float *rows = NULL;

    if (comm_reduce_open(&reduce, SHARDS, learners) != OK ||
        comm_reduce_rows(&reduce, STRIDE, &rows) != OK) {
        wrong++;
        return;
    }
    for (int k = 0; rows != NULL && k < ROUNDS; k++) {
        const int n = 1 + k * 37 % STRIDE;
        for (int s = 0; s < reduce.count; s++) {
            for (int i = 0; i < n; i++) {
                rows[s * STRIDE + i] = (float)((reduce.first + s + 1) * (k % 10) + i);
            }
        }
        dawdle(k);
        if (reduce.sum(&reduce, rows, STRIDE, (size_t)n) != OK) {
            wrong++;
        }
        for (int i = 0; i < n; i++) {
            wrong += rows[i] != (float)(36 * (k % 10) + SHARDS * i) ? 1 : 0;
        }
    }
    comm_reduce_close(&reduce);
}

static void spread_a_block(void)
{
    CommShare *share = NULL;
    void *data = NULL;
    const size_t bytes = NUMBERS * sizeof(double);

    if (comm_share_open(&share, bytes, &data) != OK) {
        wrong++;
        return;
    }
    double *numbers = data;
    for (int i = 0; comm_rank() == 0 && i < NUMBERS; i++) {
        numbers[i] = i * 0.5;
    }
    comm_share_spread(share, bytes);
    for (int i = 0; i < NUMBERS; i++) {
        wrong += numbers[i] != i * 0.5 ? 1 : 0;
    }
    comm_share_close(&share);
}

static void everything(void)
{
    for (int learners = 1; learners <= 4 && learners <= comm_size(); learners *= 2) {
        sum_many(learners);
    }
    spread_a_block();
    all_wrong += wrong;
}

int main(void)
{
    ranks_run(1, 1, everything);
    ranks_run(2, 2, everything);
    ranks_run(5, 5, everything); /* one of them no learner */
    for (int per_host = 1; per_host <= 4; per_host++) {
        ranks_run(4, per_host, everything);
    }
    if (all_wrong != 0) {
        printf("%d numbers are wrong\n", (int)all_wrong);
    }
    return all_wrong != 0;
}
