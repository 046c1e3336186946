#include "comm/wait.h"

#include <sched.h>
#include <time.h>

#include "base/timer.h"
#include "comm/comm.h"

static double waited;

double comm_waited(void)
{
    return waited;
}

/* Spin for partners that are about to answer, then yield, then sleep. */
static void rest(int tries)
{
    enum { SPIN = 200, YIELD = 400, NANO_MAX = 500000 };

    if (tries < SPIN) {
        return;
    }
    if (tries < YIELD) {
        (void)sched_yield();
        return;
    }
    const long nano = 20000L * (tries - YIELD + 1);
    const struct timespec pause = {0, nano < NANO_MAX ? nano : NANO_MAX};
    (void)nanosleep(&pause, NULL);
}

void wait_request(MPI_Request *request, MPI_Status *status)
{
    const double start = timer_now();
    int done = 0;

    for (int tries = 0; done == 0; tries++) {
        MPI_CHECK(MPI_Test(request, &done, status));
        if (done == 0) {
            rest(tries);
        }
    }
    waited += timer_now() - start;
}
