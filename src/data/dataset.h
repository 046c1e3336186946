/* A fixed dataset of transitions from an HDF5 file in D4RL's or Minari's layout.
 * Local: nothing here is collective.
 *
 * Reading accepts any float width, integer, float or boolean flags, a trailing dimension of 1,
 * missing timeouts (an episode then ends after `horizon` steps), and takes s' from
 * next_observations where present; otherwise rows are joined within episodes and a row whose
 * successor is unknown is dropped.
 */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "data/bounds.h"
#include "data/record.h"

typedef enum {
    NEXT_AUTO,   /* stored where the file has next_observations, joined otherwise */
    NEXT_STORED, /* next_observations, an error if absent */
    NEXT_JOINED, /* next row of the same episode; terminal, timed-out and last rows are dropped */
    NEXT_D4RL    /* d4rl.qlearning_dataset: next row; terminal rows keep the next episode's first
                    state; timed-out rows and the last row are dropped (the paper's code) */
} NextRule;

typedef struct {
    int state_dim, act_dim; /* expected; 0 = whatever the file has */
    NextRule next;
    int64_t max_rows;           /* keep only the last max_rows transitions; 0 = all */
    int horizon;                /* length of an episode where the file has no timeouts; 0 = 1000 */
    const ActionBounds *bounds; /* of the actions in the file; NULL: [-1, 1] */
} DatasetOptions;

typedef struct {
    Record rec;
    ActionBounds bounds; /* that actions were mapped from, one per action; n = 0: not mapped */
    int64_t rows;        /* N transitions */
    float *records;      /* (N, rec.stride) owned by the dataset unless `borrowed` */
    bool borrowed;
    /* about the file, before any row was dropped */
    int64_t file_rows, terminals, timeouts;
    int64_t episodes;                           /* complete ones: up to a terminal or a timeout */
    double return_mean, return_min, return_max; /* of complete episodes, raw; 0 when none */
    double reward_min, reward_max;
    char rule[200];  /* where s' came from, a sentence for the log */
    char digest[33]; /* of rec, rows and records */
} Dataset;

/* Reading takes two calls, so that the records can go straight to where they stay (memory that a host
 * shares). dataset_open reads shapes and flags: of *set it fills rec, rows, what is about the file,
 * and rule. dataset_fill reads the rest block by block, checks everything, writes the records
 * (set->rows, set->rec.stride) to memory of the caller, and fills what is left of *set (returns,
 * rewards, digest; records, borrowed). Errors name file, object, row and what is allowed:
 * ERR_IO: cannot be opened; ERR_FORMAT (exit 76): no HDF5, damaged, missing or mismatched objects,
 * empty, non-finite values, flags other than 0 and 1, actions outside [-1, 1], after mapping, by more
 * than 1e-3 (smaller excess is clipped); ERR_CONFIG (exit 2): dimensions are not those expected, or
 * next_observations asked for but absent, or impossible bounds; ERR_NOMEM. After an error *set is zero, and the reader
 * of a failed dataset_open NULL. */
typedef struct DatasetReader DatasetReader;
NODISCARD Status dataset_open(DatasetReader **reader, const char *path,
                              const DatasetOptions *options, Dataset *set);
NODISCARD Status dataset_fill(DatasetReader *reader, float *records, Dataset *set);
void dataset_close(DatasetReader **reader);

/* Both, into memory of its own. */
NODISCARD Status dataset_read(Dataset *set, const char *path, const DatasetOptions *options);
void dataset_release(Dataset *set);

#endif
