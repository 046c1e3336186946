/* What the program says about its build, against what the machine says. */
#include "base/version.h"

#include <stdio.h>
#include <string.h>

#include "support/check.h"

/* The test runs, so its CPU has all that it was compiled for, and the kernel lists it. */
static void cpu_can_run_this(void **state)
{
    (void)state;
    assert_null(version_missing_instructions());
#ifdef __AVX2__
    char line[8192] = "";
    FILE *file = fopen("/proc/cpuinfo", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL && strncmp(line, "flags", 5) != 0) {
    }
    (void)fclose(file);
    assert_non_null(strstr(line, " avx2"));
#endif
}

static void build_is_described(void **state)
{
    int a = -1;
    int b = -1;
    int c = -1;
    (void)state;
    assert_int_equal(sscanf(version.number, "%d.%d.%d", &a, &b, &c), 3);
    assert_int_equal(sscanf(version.date, "%4d-%2d-%2d", &a, &b, &c), 3);
    assert_true(strlen(version.commit) >= 7); /* a hash, or "unknown" */
    assert_non_null(strstr(version.compiler, "."));
    assert_true(strlen(version.march) > 0);
    assert_non_null(strstr(version.flags, "-ffp-contract=off"));
    assert_null(strstr(version.flags, "-ffast-math"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cpu_can_run_this),
        cmocka_unit_test(build_is_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
