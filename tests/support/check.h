/* What cmocka 1.1.5 lacks: comparisons of numbers with a relative tolerance and a reason.
 * MOPO_TOL_SCALE in the environment multiplies every tolerance; 0 prints all residuals.
 */
#ifndef SUPPORT_CHECK_H
#define SUPPORT_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* |got - want| <= rel * |want| + abs, or the test fails and prints all four. */
#define CHECK_NEAR(got, want, rel, abs_) \
    check_near((double)(got), (double)(want), (rel), (abs_), #got, __FILE__, __LINE__)
/* ||got - want|| <= rel * ||want|| + abs over n floats; prints the worst element on failure. */
#define CHECK_CLOSE(got, want, n, rel, abs_) \
    check_close((got), (want), (n), (rel), (abs_), #got, __FILE__, __LINE__)
#define CHECK_OK(call) check_ok((int)(call), #call, __FILE__, __LINE__)

void check_near(double got, double want, double rel, double abs, const char *what, const char *file,
                int line);
void check_close(const float *got, const float *want, size_t n, double rel, double abs,
                 const char *what, const char *file, int line);
void check_ok(int status, const char *what, const char *file, int line);

#endif
