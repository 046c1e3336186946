/* Loading a dataset of the size of D4RL's largest, beside the least that any reader must do: HDF5
 * reading the same arrays into memory. As h5_write makes files (gzip), and without compression. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <hdf5.h>

#include "base/mem.h"
#include "data/dataset.h"
#include "data/h5.h"
#include "parts.h"

enum { S = 17, A = 6, ROWS = 2000000, ROWS_QUICK = 5000, EPISODE = 1000, ARRAYS = 6 };

typedef struct {
    char path[256];
    int64_t rows;
} File;

static const char *const names[ARRAYS] = {"observations",      "actions",   "rewards",
                                          "next_observations", "terminals", "timeouts"};
static const int widths[ARRAYS] = {S, A, 1, S, 1, 1};

static void write_file(const File *f, bool compress)
{
    const size_t n = (size_t)f->rows;
    float *x = random_floats(n * S, -1.0F, 1.0F);
    unsigned char *flags = NULL; /* terminals, then timeouts */
    H5Item items[ARRAYS];

    must(mem_alloc(&flags, 2 * n, 1, "flags"));
    for (size_t i = EPISODE - 1; i < n; i += EPISODE) {
        flags[n + i] = 1;
    }
    for (int i = 0; i < ARRAYS; i++) {
        items[i] = (H5Item){.data = i < 4 ? (void *)x : flags + (size_t)(i - 4) * n,
                            .rank = widths[i] > 1 ? 2 : 1,
                            .dims = {f->rows, widths[i]},
                            .flags = i >= 4,
                            .compress = compress};
        (void)snprintf(items[i].name, sizeof items[i].name, "%s", names[i]);
    }
    must(h5_write(f->path, items, ARRAYS, NULL, 0));
    mem_free(&x);
    mem_free(&flags);
}

/* Memory that nobody has touched yet, as a host's shared memory is. */
static void *fresh(size_t bytes)
{
    void *block = malloc(bytes);
    if (block == NULL) {
        must(status_fail(ERR_NOMEM, "no memory for %zu bytes", bytes));
    }
    return block;
}

static void load_run(void *ctx)
{
    const File *f = ctx;
    DatasetReader *reader = NULL;
    Dataset set;

    must(dataset_open(&reader, f->path, &(DatasetOptions){.state_dim = S, .act_dim = A}, &set));
    float *records = fresh((size_t)set.rows * set.rec.stride * sizeof *records);
    must(dataset_fill(reader, records, &set));
    dataset_close(&reader);
    free(records);
}

static void bare_run(void *ctx)
{
    const File *f = ctx;
    const hid_t file = H5Fopen(f->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    void *block[ARRAYS];

    for (int i = 0; i < ARRAYS; i++) {
        const bool flag = i >= 4;
        const hid_t set = H5Dopen2(file, names[i], H5P_DEFAULT);
        const hid_t stored = H5Dget_type(set);
        block[i] = fresh((size_t)f->rows * (size_t)widths[i] * (flag ? 1 : sizeof(float)));
        if (H5Dread(set, flag ? stored : H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                    block[i]) < 0) {
            must(status_fail(ERR_FORMAT, "%s: cannot read %s", f->path, names[i]));
        }
        (void)H5Tclose(stored);
        (void)H5Dclose(set);
    }
    (void)H5Fclose(file);
    for (int i = 0; i < ARRAYS; i++) {
        free(block[i]);
    }
}

static void add_row(Report *report, const char *what, bool compress)
{
    File f = {.rows = report->quick ? ROWS_QUICK : ROWS};
    const char *folder = getenv("TMPDIR");
    Pair pair = {.unit = "row",
                 .units = (double)f.rows,
                 .thing = load_run,
                 .floor = bare_run,
                 .thing_ctx = &f,
                 .floor_ctx = &f};

    (void)snprintf(pair.what, sizeof pair.what, "%s", what);
    if (report_wants(report, what)) {
        (void)snprintf(f.path, sizeof f.path, "%s/bench_mopo-%ld.hdf5", folder ? folder : "/tmp",
                       (long)getpid());
        write_file(&f, compress);
        report_add(report, &pair);
        (void)unlink(f.path);
    }
}

void bench_data(Report *report)
{
    add_row(report, "load dataset, gzip; H5Dread", true);
    add_row(report, "load dataset, plain; H5Dread", false);
}
