/* Sums between ranks 0 and 1, as learners make them, by the wall clock. */
#include <math.h>
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

/* What others do to the two cores only adds to a wait: of many times a small one. In a run each rank has a core. */
static double typical_wait(double *taken)
{
    qsort(taken, TIMES, sizeof *taken, ascending);
    return taken[TIMES / 10];
}

/* Seconds of a sum over the rows of two learners; collective over them. */
static Status time_sum(const Reduce *reduce, float *row, size_t bytes, double *seconds)
{
    Status st = OK;
    double taken[TIMES];
    const size_t n = bytes / sizeof *row;

    for (int k = 0; k < TIMES; k++) {
        memset(row, 0, bytes); /* sums of sums would end in infinity */
        const double start = timer_now();
        TRY(reduce->sum(reduce, row, n, n));
        taken[k] = timer_now() - start;
    }
    *seconds = typical_wait(taken);
done:
    return st;
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
    *seconds = typical_wait(taken) / LONG;
done:
    mem_free(&from);
    mem_free(&to);
    return st;
}

/* Two learners with a row each. Collective. */
static Status measure_sums(UnitCost *cost)
{
    Status st = OK;
    Reduce reduce = {0};
    float *row = NULL;
    double more = 0;

    TRY(comm_reduce_open(&reduce, 2, 2));
    TRY(comm_reduce_rows(&reduce, LONG / sizeof *row, &row));
    comm_barrier();
    if (comm_rank() < 2) {
        st = time_sum(&reduce, row, SHORT, &cost->latency);
        st = st != OK ? st : time_sum(&reduce, row, LONG, &more);
        cost->byte = fmax(0, more - cost->latency) / LONG;
    }
    cost->messages_measured = true;
    st = comm_agree(st); /* and all of them wait here for the two */
done:
    comm_reduce_close(&reduce);
    return st;
}

Status unit_cost_messages(UnitCost *cost)
{
    if (comm_size() > 1) {
        return measure_sums(cost);
    }
    cost->latency = assumed_latency;
    return copied(&cost->byte);
}
