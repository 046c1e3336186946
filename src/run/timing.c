#include "run/timing.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/log.h"
#include "base/mem.h"
#include "comm/comm.h"

static FILE *sink;

void timing_open(const RunDir *dir)
{
    char path[RUNDIR_PATH_MAX];

    timing_close();
    sink = fopen(rundir_file(dir, "timing.jsonl", path), "ae");
    if (sink == NULL) {
        log_warn("%s: %s; the run goes on without it", path, strerror(errno));
    }
}

void timing_close(void)
{
    if (sink != NULL) {
        (void)fclose(sink);
        sink = NULL;
    }
}

void timing_line(const char *format, ...)
{
    va_list args;

    if (sink != NULL) {
        va_start(args, format);
        (void)vfprintf(sink, format, args);
        (void)fputc('\n', sink);
        (void)fflush(sink);
        va_end(args);
    }
}

/* Each rank's two numbers, (2, ranks), on all ranks; NULL when memory is refused. */
static double *gather_pairs(double first, double second)
{
    double *all = NULL;
    const int ranks = comm_size();

    if (comm_agree(mem_alloc(&all, 2 * (size_t)ranks, sizeof *all, "numbers of all ranks")) != OK) {
        mem_free(&all);
        return NULL;
    }
    all[comm_rank()] = first;
    all[ranks + comm_rank()] = second;
    coll_sum(all, 2 * ranks);
    return all;
}

void timing_phase(const char *phase, double busy, double wait)
{
    double *all = gather_pairs(busy, wait);

    for (int r = 0; all != NULL && r < comm_size(); r++) {
        timing_line("{\"rank\": %d, \"phase\": \"%s\", \"busy\": %.4f, \"wait\": %.4f}", r, phase,
                    all[r], all[comm_size() + r]);
    }
    mem_free(&all);
}

void timing_memory(void)
{
    struct rusage usage = {0};
    double most = 0;
    double sum = 0;

    (void)getrusage(RUSAGE_SELF, &usage);
    double *all = gather_pairs((double)usage.ru_maxrss / 1024.0, 0);
    for (int r = 0; all != NULL && r < comm_size(); r++) {
        most = all[r] > most ? all[r] : most;
        sum += all[r];
    }
    if (all != NULL) {
        log_info("memory: at most %.0f MB in a rank, %.0f MB in all (the shared dataset counted in "
                 "each)",
                 most, sum);
    }
    mem_free(&all);
}
