#include "run/plan_clock.h"

#include <stdlib.h>
#include <time.h>

#include "base/panic.h"

enum { PIECES_MAX = 2, SAMPLES_MAX = 2000 };

double plan_clock(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, compare);
    return n % 2 != 0 ? x[n / 2] : 0.5 * (x[n / 2 - 1] + x[n / 2]);
}

Status plan_measure(const PlanPiece *piece, int count, double budget, double *each)
{
    Status st = OK;
    double samples[PIECES_MAX][SAMPLES_MAX];
    double spent = 0;
    int n = 0;

    REQUIRE(count <= PIECES_MAX);
    for (int k = -1; n < 2 || (spent < budget && n < SAMPLES_MAX); k++) { /* -1: page faults */
        for (int i = 0; i < count; i++) {
            double units = 0;
            const double start = plan_clock();
            TRY(piece[i].run(piece[i].ctx, &units));
            const double seconds = plan_clock() - start;
            spent += seconds;
            if (k >= 0) {
                samples[i][k] = units > 0 ? seconds / units : 0;
            }
        }
        n = k + 1;
    }
    for (int i = 0; i < count; i++) {
        each[i] = median(samples[i], n);
    }
done:
    return st;
}
