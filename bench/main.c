/* bench_mopo [--quick] [--json] [--only TEXT]: the parts of mopo beside their floors. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"

static void usage(void)
{
    (void)fprintf(stderr, "usage: bench_mopo [--quick] [--json] [--only TEXT]\n"
                          "  --quick      two repetitions of each, to see that it runs\n"
                          "  --json       numbers in SI units instead of the table\n"
                          "  --only TEXT  the rows whose name has TEXT\n");
    exit(2);
}

int main(int argc, char *argv[])
{
    static Report report;
    bool json = false;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            report.quick = true;
        } else if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
            report.only = argv[++i];
        } else {
            usage();
        }
    }
    gemm_setup();
    report_large_product(&report);
    bench_update(&report);
    bench_model_step(&report);
    bench_rollout(&report);
    bench_env(&report);
    bench_data(&report);
    report_print(&report, json);
    return 0;
}
