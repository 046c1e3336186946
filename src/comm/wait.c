#include "comm/wait.h"

#include <sched.h>
#include <time.h>

#include "base/account.h"
#include "base/timer.h"
#include "comm/comm.h"

/* Spin no longer than a switch of processes takes: who waits may be on the core that the partner waits for.
 * Where ranks share cores, not at all. With nobody else there a yield returns at once. */
void wait_rest(int tries)
{
    enum { SPIN = 200, YIELD = 800, NANO_MAX = 500000 };

    if (tries < SPIN && !comm_crowded()) {
#ifdef __x86_64__
        __builtin_ia32_pause(); /* leaves the core to its other thread, and the bus to the partner */
#endif
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
    const AccountWay before = account_way(ACCOUNT_EXCHANGE);
    double poll = 0;
    int done = 0;

    for (int tries = 0; done == 0; tries++) {
        poll = timer_now();
        const int code = MPI_Test(request, &done, status);
        if (code != MPI_SUCCESS) {
            mpi_failed(code, "MPI_Test");
        }
        if (done == 0) {
            (void)account_way_from(ACCOUNT_WAIT, poll);
            wait_rest(tries);
        }
    }
    (void)account_way_from(ACCOUNT_EXCHANGE, poll);
    (void)account_way(before);
}
