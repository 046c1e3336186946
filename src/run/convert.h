/* Datasets from one layout to another: D4RL's, Minari's (with its metadata.json), and tables of
 * comma-separated numbers, which are only read. Local, rank 0.
 */
#ifndef RUN_CONVERT_H
#define RUN_CONVERT_H

#include "data/recording.h"
#include "env/env.h"

/* What was written. */
typedef struct {
    int64_t rows, episodes;
    char path[4096]; /* of the HDF5 file */
} Converted;

/* Read a dataset of any layout: FILE.csv is a table (data/csv.h), anything else HDF5 (data/recording.h);
 * beside Minari's file a metadata.json gives the algorithm, and must agree on the number of steps.
 * Errors: those of csv_read and recording_read. */
NODISCARD Status convert_read(Recording *rec, const char *path);

/* Write `rec` to `to`: D4RL's layout when the name ends in .hdf5 or .h5; otherwise a dataset of Minari,
 * to/data/main_data.hdf5 and to/data/metadata.json. `task` gives horizon, reference scores and a name,
 * and may be NULL (1000 steps). Errors: those of recording_write and minari_write, ERR_FORMAT
 * (flags that are neither 0 nor 1). */
NODISCARD Status convert_write(const char *to, const Recording *rec, const EnvKind *task,
                               Converted *done);

#endif
