/* Messages between ranks 0 and 1, there and back, by the wall clock. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/timer.h"
#include "run/unit_cost.h"

enum { SHORT = 64, LONG = 1 << 20, TIMES = 101 };

static const double assumed_latency =
    5e-6; /* within a host, from the notes on exchanges in docs/parallel.md */

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* One way, half of there and back; on rank 0. */
static double travel(Mail *mail, size_t bytes)
{
    double taken[TIMES];
    const int other = 1 - comm_rank();

    for (int k = 0; k < TIMES; k++) {
        const double start = timer_now();
        for (int turn = 0; turn < 2; turn++) {
            if (turn == comm_rank()) {
                mail_send(mail, other, TAG_RECORDS, bytes);
            } else {
                mail_receive(mail, other, TAG_RECORDS);
            }
            (void)mail_wait(mail);
        }
        taken[k] = (timer_now() - start) / 2;
    }
    qsort(taken, TIMES, sizeof *taken, ascending);
    return taken[TIMES / 2];
}

/* The same bytes copied once into a message and once out of it. */
static Status copied(double *seconds)
{
    Status st = OK;
    unsigned char *from = NULL;
    unsigned char *to = NULL;
    double taken[TIMES];

    TRY(mem_alloc(&from, LONG, 1, "bytes to copy"));
    TRY(mem_alloc(&to, LONG, 1, "bytes to copy"));
    for (int k = 0; k < TIMES; k++) {
        const double start = timer_now();
        memcpy(to, from, LONG);
        from[k] = to[LONG - 1 - k]; /* so that no copy can be left out */
        memcpy(from, to, LONG);
        taken[k] = timer_now() - start;
    }
    qsort(taken, TIMES, sizeof *taken, ascending);
    *seconds = taken[TIMES / 2] / LONG;
done:
    mem_free(&from);
    mem_free(&to);
    return st;
}

Status unit_cost_messages(UnitCost *cost)
{
    Status st = OK;
    Mail *mail = NULL;

    if (comm_size() == 1) {
        cost->latency = assumed_latency;
        return copied(&cost->byte);
    }
    TRY(comm_agree(mail_open(&mail, LONG)));
    comm_barrier();
    if (comm_rank() < 2) {
        cost->latency = travel(mail, SHORT);
        const double more = travel(mail, LONG) - cost->latency;
        cost->byte = more > 0 ? more / LONG : 0;
    }
    cost->messages_measured = true;
    comm_barrier();
done:
    mail_close(&mail);
    return st;
}
