/* A fixed dataset of transitions in D4RL's HDF5 layout (facts: docs/formats.md).
 * The only user of hdf5.h besides data/h5.c. Local: nothing here is collective.
 *
 * Reading accepts any float width, integer or boolean flags, a trailing dimension of 1, missing
 * timeouts, and takes s' from next_observations where present; otherwise rows are joined within
 * episodes and a row whose successor is unknown is dropped.
 */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "data/record.h"

typedef enum {
    NEXT_AUTO,   /* stored where the file has next_observations, joined otherwise */
    NEXT_STORED, /* next_observations, an error if absent */
    NEXT_JOINED, /* next row of the same episode; terminal, timed-out and last rows are dropped */
    NEXT_D4RL    /* d4rl.qlearning_dataset: next row; terminal rows keep the next episode's first
                    state; timed-out rows and the last row are dropped (the paper's released code) */
} NextRule;

typedef struct {
    int state_dim, act_dim; /* expected; 0 = whatever the file has */
    NextRule next;
    int64_t max_rows;       /* keep only the last max_rows transitions; 0 = all */
} DatasetOptions;

typedef struct {
    Record rec;
    int64_t rows;   /* N transitions */
    float *records; /* (N, rec.stride) owned by the dataset unless `borrowed` */
    bool borrowed;
    int64_t file_rows; /* rows in the file, before any was dropped */
    int64_t episodes, terminals, timeouts;
    double return_mean, return_min, return_max; /* of complete episodes, raw */
    double reward_min, reward_max;
    char rule[200];   /* the rule in force, a sentence for the log */
    char digest[33];  /* of rec, rows and records */
} Dataset;

/* Read, check everything, build records. Errors name file, object, row and what is allowed:
 * ERR_IO: cannot be opened; ERR_FORMAT (exit 76): no HDF5, damaged, missing or mismatched objects,
 * empty, non-finite values, actions outside [-1, 1] by more than 1e-3 (smaller excess is clipped);
 * ERR_CONFIG (exit 2): dimensions are not those expected; ERR_NOMEM. After an error *set is zero. */
NODISCARD Status dataset_read(Dataset *set, const char *path, const DatasetOptions *options);
void dataset_release(Dataset *set);

/* What collect hands over to be written: arrays in time order, episodes one after the other. */
typedef struct {
    int state_dim, act_dim;
    int64_t rows;
    const float *observations, *actions, *rewards, *next_observations; /* (N,S) (N,A) (N) (N,S) */
    const uint8_t *terminals, *timeouts;                               /* (N), 0 or 1 */
    const double *qpos, *qvel; /* (N,nq) (N,nv) before the action; NULL: infos are not written */
    int nq, nv;
    const char *algorithm; /* metadata/algorithm, e.g. "random"; NULL: not written */
} DatasetRows;

/* Write the D4RL layout through a temporary file, fsync and rename; bytes depend on content only. */
NODISCARD Status dataset_write(const char *path, const DatasetRows *rows);

#endif
