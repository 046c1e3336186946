/* Loading a dataset of the size of D4RL's, beside the least that any reader must do: HDF5 reading the same
 * arrays into memory. As h5_write makes files (gzip), and without compression. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <hdf5.h>

#include "base/mem.h"
#include "bench/parts.h"
#include "data/dataset.h"
#include "data/h5.h"

enum { S = 17, A = 6, ROWS = 1000000, ROWS_QUICK = 5000, EPISODE = 1000, ARRAYS = 6 };

typedef struct {
    char path[512];
    int64_t rows;
} File;

static const char *const names[ARRAYS] = {"observations",      "actions",   "rewards",
                                          "next_observations", "terminals", "timeouts"};
static const int widths[ARRAYS] = {S, A, 1, S, 1, 1};

static Status write_file(const File *f, bool compress)
{
    Status st = OK;
    const size_t n = (size_t)f->rows;
    float *x = NULL;
    unsigned char *flags = NULL; /* terminals, then timeouts */
    H5Item items[ARRAYS];

    TRY(random_floats(&x, n * S, -1.0F, 1.0F));
    TRY(mem_alloc(&flags, 2 * n, 1, "flags"));
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
    TRY(h5_write(f->path, items, ARRAYS, NULL, 0));
done:
    mem_free(&x);
    mem_free(&flags);
    return st;
}

/* Memory that nobody has touched yet, as a host's shared memory is; mem_alloc's is zeroed. */
static Status take_fresh(void *block, size_t bytes)
{
    void *fresh = malloc(bytes);
    *(void **)block = fresh;
    return fresh != NULL ? OK : status_fail(ERR_NOMEM, "no memory for %zu bytes", bytes);
}

static Status load_run(void *ctx)
{
    Status st = OK;
    const File *f = ctx;
    DatasetReader *reader = NULL;
    Dataset set;
    float *records = NULL;

    TRY(dataset_open(&reader, f->path, &(DatasetOptions){.state_dim = S, .act_dim = A}, &set));
    TRY(take_fresh(&records, (size_t)set.rows * set.rec.stride * sizeof *records));
    TRY(dataset_fill(reader, records, &set));
done:
    dataset_close(&reader);
    free(records);
    return st;
}

static Status read_array(hid_t file, int i, void *block)
{
    const hid_t set = H5Dopen2(file, names[i], H5P_DEFAULT);
    const hid_t stored = H5Dget_type(set);
    const bool flag = i >= 4;
    const herr_t got =
        H5Dread(set, flag ? stored : H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, block);

    (void)H5Tclose(stored);
    (void)H5Dclose(set);
    return got >= 0 ? OK : status_fail(ERR_FORMAT, "HDF5 cannot read %s", names[i]);
}

static Status bare_run(void *ctx)
{
    Status st = OK;
    const File *f = ctx;
    const hid_t file = H5Fopen(f->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    unsigned char *block = NULL; /* all arrays, one after the other */
    size_t at = 0;

    TRY(take_fresh(&block, (size_t)f->rows * record_make(S, A).stride * sizeof(float)));
    for (int i = 0; i < ARRAYS; i++) {
        TRY(read_array(file, i, block + at));
        at += (size_t)f->rows * (size_t)widths[i] * (i >= 4 ? 1 : sizeof(float));
    }
done:
    (void)H5Fclose(file);
    free(block);
    return st;
}

static Status add_row(Report *report, const char *name, bool compress)
{
    Status st = OK;
    File f = {.rows = report->quick ? ROWS_QUICK : ROWS};
    const char *folder = getenv("TMPDIR");

    if (!report_wants(report, name)) {
        return OK;
    }
    (void)snprintf(f.path, sizeof f.path, "%s/mopo-bench-%ld.hdf5",
                   folder != NULL ? folder : "/tmp", (long)getpid());
    TRY(write_file(&f, compress));
    TRY(part_add(report, name,
                 &(Pair){.unit = "row",
                         .floor_is = "H5Dread",
                         .units = (double)f.rows,
                         .thing = {load_run, &f},
                         .floor = {bare_run, &f}}));
done:
    (void)unlink(f.path);
    return st;
}

Status bench_load(Report *report)
{
    Status st = OK;

    TRY(add_row(report, "dataset load, gzip", true));
    TRY(add_row(report, "dataset load, plain", false));
done:
    return st;
}
