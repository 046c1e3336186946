#include "bench/report.h"

#include <stdio.h>
#include <string.h>

#include "base/panic.h"
#include "base/version.h"
#include "comm/comm.h"
#include "nn/gemm.h"

/* "model name : ..." of Linux; other kernels and some CPUs do not say it. */
static void find_cpu(char name[REPORT_FACT_MAX])
{
    char line[512];
    FILE *file = fopen("/proc/cpuinfo", "r");

    (void)snprintf(name, REPORT_FACT_MAX, "unknown");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", strlen("model name")) == 0 && colon != NULL) {
            const char *start = colon + 1 + strspn(colon + 1, " ");
            (void)snprintf(name, REPORT_FACT_MAX, "%.*s", (int)strcspn(start, "\n"), start);
            break;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

void report_begin(Report *report)
{
    (void)snprintf(report->version, REPORT_FACT_MAX, "%s", version.number);
    (void)snprintf(report->commit, REPORT_FACT_MAX, "%s", version.commit);
    (void)snprintf(report->compiler, REPORT_FACT_MAX, "%s, -march=%s %s", version.compiler,
                   version.march, version.flags);
    find_cpu(report->cpu);
    (void)snprintf(report->blas, REPORT_FACT_MAX, "%s, core %s", gemm_name(), gemm_core());
    (void)snprintf(report->mpi, REPORT_FACT_MAX, "%s", comm_library());
    report->ranks = comm_size();
}

bool report_wants(const Report *report, const char *name)
{
    return report->only == NULL || strstr(name, report->only) != NULL;
}

void report_add(Report *report, const char *name, const char *unit, const char *floor_is,
                const RowTimes *times)
{
    REQUIRE(report->count < REPORT_ROWS_MAX);
    Row *row = &report->rows[report->count++];
    *row = (Row){.t = *times};
    (void)snprintf(row->name, sizeof row->name, "%s", name);
    (void)snprintf(row->unit, sizeof row->unit, "%s", unit);
    (void)snprintf(row->floor_is, sizeof row->floor_is, "%s", floor_is);
}

const char *report_time(double seconds, char text[REPORT_TIME_MAX])
{
    static const struct {
        double scale;
        const char *unit;
    } units[] = {{1, "s"}, {1e3, "ms"}, {1e6, "us"}, {1e9, "ns"}};
    enum { LAST = sizeof units / sizeof *units - 1 };
    int i = 0;

    while (i < LAST && seconds * units[i].scale < 1) {
        i++;
    }
    const double x = seconds * units[i].scale;
    (void)snprintf(text, REPORT_TIME_MAX, "%.*f %s",
                   x < 10    ? 3
                   : x < 100 ? 2
                             : 1,
                   x, units[i].unit);
    return text;
}

static void add_row(Text *text, const Report *report, const Row *row)
{
    char seconds[REPORT_TIME_MAX];
    char floor[REPORT_TIME_MAX];
    const RowTimes *t = &row->t;

    text_add(text, "%-36s %-10s %9s", row->name, row->unit, report_time(t->seconds, seconds));
    if (t->floor > 0) {
        text_add(text, " %9s %6.2f", report_time(t->floor, floor), t->seconds / t->floor);
        if (t->flops > 0) {
            const double rate = t->flops / t->seconds;
            text_add(text, " %7.1f %5.0f%%", rate * 1e-9, 100 * rate / report->large);
        } else {
            text_add(text, " %7s %6s", "", "");
        }
        text_add(text, "  %s", row->floor_is);
    }
    text_add(text, "\n");
}

void report_text(const Report *report, Text *text)
{
    text_add(text,
             "mopo %s (%s), %s, %s, %d rank%s\n"
             "large product (%d^3): %.1f GFLOP/s\n\n"
             "%-36s %-10s %9s %9s %6s %7s %6s  %s\n",
             report->version, report->commit, report->cpu, report->blas, report->ranks,
             report->ranks > 1 ? "s" : "", REPORT_LARGE, report->large * 1e-9, "what", "unit",
             "time", "floor", "ratio", "GFLOP/s", "share", "floor is");
    for (int i = 0; i < report->count; i++) {
        add_row(text, report, &report->rows[i]);
    }
    if (report->ranks == 1) {
        text_add(text,
                 "\nLeft out: exchanges between ranks, which need `mpirun -n 2 mopo bench`.\n");
    }
}
