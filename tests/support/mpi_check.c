/* Talks to MPI directly, so that a fault in comm cannot hide itself. */
#include "support/mpi_check.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mpi.h>

#include "base/status.h"

enum { NOTES_MAX = 2048 };

static char notes[NOTES_MAX]; /* of this rank and case; later ones are dropped when full */
static int failures;          /* of this rank and case */
static int passed;            /* cases, the same number on every rank */
static int failed;

static void note(const char *format, ...) PRINTF_LIKE(1, 2);

static void note(const char *format, ...)
{
    const size_t used = strlen(notes);
    va_list args;

    va_start(args, format);
    (void)vsnprintf(notes + used, sizeof notes - used, format, args);
    va_end(args);
    failures++;
}

bool mpi_check(bool held, const char *what, const char *file, int line)
{
    if (!held) {
        note("%s:%d: not true: %s\n", file, line, what);
    }
    return held;
}

bool mpi_check_ok(int status, const char *what, const char *file, int line)
{
    if (status != OK) {
        note("%s:%d: %s: %s: %s\n", file, line, what, status_name((Status)status), status_reason());
    }
    return status == OK;
}

bool mpi_check_near(double got, double want, double rel, double abs, const char *what,
                    const char *file, int line)
{
    const double bound = rel * fabs(want) + abs;
    const double off = fabs(got - want);
    const bool held = off <= bound;
    if (!held) {
        note("%s:%d: %s: got %.17g, want %.17g, off by %.3g, allowed %.3g\n", file, line, what, got,
             want, off, bound);
    }
    return held;
}

static void print_notes(const char *all, int ranks)
{
    for (int r = 0; r < ranks; r++) {
        const char *text = all + (size_t)r * NOTES_MAX;
        if (text[0] != '\0') {
            printf("rank %d:\n%s", r, text);
        }
    }
}

void mpi_check_case(void (*run)(void), const char *name)
{
    int rank = 0;
    int ranks = 1;
    int sum = 0;
    char *all = NULL;

    failures = 0;
    memset(notes, 0, sizeof notes);
    run();

    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    MPI_Allreduce(&failures, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    if (rank == 0) {
        all = calloc((size_t)ranks, NOTES_MAX);
        if (all == NULL) {
            MPI_Abort(MPI_COMM_WORLD, 1);
        }
    }
    MPI_Gather(notes, NOTES_MAX, MPI_CHAR, all, NOTES_MAX, MPI_CHAR, 0, MPI_COMM_WORLD);
    if (rank == 0) {
        printf("%-6s %s\n", sum == 0 ? "ok" : "FAILED", name);
        print_notes(all, ranks);
        (void)fflush(stdout);
    }
    free(all);
    passed += sum == 0;
    failed += sum != 0;
}

int mpi_check_end(void)
{
    int rank = 0;

    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (rank == 0) {
        printf("%d passed, %d failed\n", passed, failed);
        (void)fflush(stdout);
    }
    return failed > 0 || passed == 0;
}
