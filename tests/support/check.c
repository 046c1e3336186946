#include "support/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/status.h"

static double scale(void)
{
    const char *text = getenv("MOPO_TOL_SCALE");
    return text != NULL ? strtod(text, NULL) : 1.0;
}

/* A scale of 0 is for looking at residuals: all of them, so the test goes on. */
static void fail_at(const char *file, int line)
{
    if (scale() > 0) {
        _fail(file, line);
    }
}

void check_near(double got, double want, double rel, double abs, const char *what, const char *file,
                int line)
{
    const double bound = scale() * (rel * fabs(want) + abs);
    const double off = fabs(got - want);
    if (!(off <= bound) && !(isnan(got) && isnan(want))) {
        print_error("%s: got %.17g, want %.17g, off by %.3g, allowed %.3g\n", what, got, want, off,
                    bound);
        fail_at(file, line);
    }
}

void check_close(const float *got, const float *want, size_t n, double rel, double abs,
                 const char *what, const char *file, int line)
{
    double off = 0;
    double size = 0;
    double worst = -1;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = (double)got[i] - (double)want[i];
        off += d * d;
        size += (double)want[i] * (double)want[i];
        if (!(fabs(d) <= worst)) {
            worst = fabs(d);
            at = i;
        }
    }
    const double bound = scale() * (rel * sqrt(size) + abs);
    if (!(sqrt(off) <= bound)) {
        print_error(
            "%s: norm of difference %.3g, allowed %.3g; worst at %zu: got %.9g, want %.9g\n", what,
            sqrt(off), bound, at, (double)got[at], (double)want[at]);
        fail_at(file, line);
    }
}

void check_ok(int status, const char *what, const char *file, int line)
{
    if (status != OK) {
        print_error("%s: %s: %s\n", what, status_name((Status)status), status_reason());
        _fail(file, line);
    }
}
