/* Reading a dataset, beside a copy of the bytes of its records. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "data/dataset.h"
#include "data/recording.h"
#include "parts.h"

enum { S = 17, A = 6, ROWS = 100000, ROWS_QUICK = 5000, EPISODE = 1000 };

typedef struct {
    char path[256];
    int64_t rows;
    size_t bytes;     /* of the records */
    float *from, *to; /* owned */
} File;

static void write_file(const File *f)
{
    const size_t n = (size_t)f->rows;
    float *x = random_floats(n * S, -1.0F, 1.0F);
    double *wide = NULL;
    unsigned char *flags = NULL; /* terminals, then timeouts */

    must(mem_alloc(&flags, 2 * n, 1, "flags"));
    must(mem_alloc(&wide, n * S, sizeof *wide, "numbers"));
    for (size_t i = 0; i < n * S; i++) {
        wide[i] = (double)x[i];
    }
    for (size_t i = EPISODE - 1; i < n; i += EPISODE) {
        flags[n + i] = 1;
    }
    const Recording rec = {.state_dim = S,
                           .act_dim = A,
                           .rows = f->rows,
                           .observations = wide,
                           .actions = wide,
                           .rewards = wide,
                           .next_observations = wide,
                           .terminals = flags,
                           .timeouts = flags + n,
                           .iteration = -1};
    must(recording_write(f->path, &rec, NULL, 0, NULL, 0));
    mem_free(&x);
    mem_free(&wide);
    mem_free(&flags);
}

static void read_run(void *ctx)
{
    const File *f = ctx;
    Dataset set;
    must(dataset_read(&set, f->path, &(DatasetOptions){.state_dim = S, .act_dim = A}));
    dataset_release(&set);
}

static void copy_run(void *ctx)
{
    const File *f = ctx;
    memcpy(f->to, f->from, f->bytes);
}

void bench_data(Report *report)
{
    Pair pair = {
        .what = "dataset read; memcpy", .unit = "MB", .thing = read_run, .floor = copy_run};
    File f = {.rows = report->quick ? ROWS_QUICK : ROWS};
    const char *folder = getenv("TMPDIR");

    if (!report_wants(report, pair.what)) {
        return;
    }
    f.bytes = (size_t)f.rows * record_make(S, A).stride * sizeof(float);
    (void)snprintf(f.path, sizeof f.path, "%s/bench_mopo-%ld.hdf5", folder ? folder : "/tmp",
                   (long)getpid());
    f.from = random_floats(f.bytes / sizeof(float), 0.0F, 1.0F);
    f.to = random_floats(f.bytes / sizeof(float), 0.0F, 1.0F);
    write_file(&f);
    pair.units = (double)f.bytes * 1e-6;
    pair.thing_ctx = &f;
    pair.floor_ctx = &f;
    report_add(report, &pair);
    (void)unlink(f.path);
    mem_free(&f.from);
    mem_free(&f.to);
}
