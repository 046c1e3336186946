/* Tests that run on several ranks. A program is a row of cases between opening and closing MPI:
 *
 *     MPI_CASE(sum_is_the_same_on_all_ranks);
 *     const int code = mpi_check_end();
 *
 * A check that fails is noted and the case goes on, since a rank that left would hang the others.
 * A case fails if a check failed on any rank; rank 0 prints all notes. MPI must be open throughout.
 */
#ifndef SUPPORT_MPI_CHECK_H
#define SUPPORT_MPI_CHECK_H

#include <stdbool.h>

#define MPI_CASE(name)  mpi_check_case(name, #name)
#define MPI_CHECK(cond) mpi_check((cond), #cond, __FILE__, __LINE__)
/* A Status that must be OK; the note has its reason. */
#define MPI_CHECK_OK(call) mpi_check_ok((int)(call), #call, __FILE__, __LINE__)
/* |got - want| <= rel * |want| + abs */
#define MPI_CHECK_NEAR(got, want, rel, abs_) \
    mpi_check_near((double)(got), (double)(want), (rel), (abs_), #got, __FILE__, __LINE__)

/* Collective. Runs the case on every rank and prints its name with ok or FAILED. */
void mpi_check_case(void (*run)(void), const char *name);
/* Collective. Prints "N passed, N failed" from rank 0; returns the exit code, the same everywhere. */
int mpi_check_end(void);

/* Local. Each returns whether the check held, for a case that cannot go on without it. */
bool mpi_check(bool held, const char *what, const char *file, int line);
bool mpi_check_ok(int status, const char *what, const char *file, int line);
bool mpi_check_near(double got, double want, double rel, double abs, const char *what,
                    const char *file, int line);

#endif
