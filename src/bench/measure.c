#include "bench/measure.h"

#include <float.h>
#include <math.h>

#include "base/timer.h"

Status measure_in_turn(const Work *work, int count, double budget, double *least)
{
    Status st = OK;
    double spent = 0;

    for (int i = 0; i < count; i++) {
        least[i] = DBL_MAX;
    }
    for (int k = 0; k < 2 || spent < budget; k++) { /* the first: page faults, cold caches */
        for (int i = 0; i < count; i++) {
            const double start = timer_cpu();
            TRY(work[i].run(work[i].ctx));
            const double seconds = timer_cpu() - start;
            least[i] = fmin(least[i], seconds);
            spent += seconds;
        }
    }
done:
    return st;
}
