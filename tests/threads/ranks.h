/* Ranks as threads: what stands in for MPI, src/comm/comm.c and src/comm/wait.c. */
#ifndef THREADS_RANKS_H
#define THREADS_RANKS_H

enum { RANKS_MAX = 8 };

/* Run `body` on so many threads; each `per_host` of them are a host. */
void ranks_run(int ranks, int per_host, void (*body)(void));

#endif
