/* metrics.jsonl and metrics.csv of any bytes, cut back to any lengths: never longer, and a line goes behind. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "fuzz/fuzz.h"
#include "run/metrics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzBytes in = {data, size};
    MetricsLog log;
    Metrics line;
    int64_t keep[METRICS_FILES];
    struct stat info;

    log_set_level(LOG_QUIET);
    for (int i = 0; i < METRICS_FILES; i++) {
        const double length = fuzz_number(&in);
        keep[i] = length >= 0 && length < 9e18 ? (int64_t)length : INT64_MAX; /* NaN too */
    }
    (void)fuzz_file("metrics.jsonl", in.data, in.left);
    const char *path = fuzz_file("metrics.csv", in.data, in.left / 2);
    char dir[256];
    (void)snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(path, '/') - path), path);
    if (metrics_open(&log, dir, keep) == OK) {
        metrics_clear(&line);
        line.value[METRIC_EPOCH] = fuzz_number(&in);
        const int64_t before = log.length[METRICS_CSV];
        EXPECT(metrics_append(&log, &line) == OK);
        EXPECT(stat(path, &info) == 0 && info.st_size == log.length[METRICS_CSV] &&
               info.st_size > before);
        metrics_close(&log);
    }
    return 0;
}
