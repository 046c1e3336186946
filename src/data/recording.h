/* Transitions as columns, as a file holds them: nothing checked beyond shapes, nothing dropped,
 * joined or clipped. What `mopo data` works on, and what collecting writes. Training reads
 * data/dataset.h. Local: nothing here is collective.
 */
#ifndef DATA_RECORDING_H
#define DATA_RECORDING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "data/h5.h"

typedef enum { LAYOUT_D4RL, LAYOUT_MINARI, LAYOUT_TABLE } Layout;

/* Arrays are owned; one that the file does not have is NULL. N rows, in time order. */
typedef struct {
    Layout layout; /* of the file it was read from */
    int state_dim, act_dim, nq, nv;
    int64_t rows;
    bool wide;                 /* observations and rewards are float64 in the file, else float32 */
    double *observations;      /* (N, S) */
    double *actions;           /* (N, A) */
    double *rewards;           /* (N) */
    double *next_observations; /* (N, S) or NULL */
    uint8_t *terminals;        /* (N) 0 or 1 */
    uint8_t *timeouts;         /* (N) 0 or 1, or NULL */
    double *log_probs;         /* (N) infos/action_log_probs, or NULL */
    double *qpos, *qvel; /* (N, nq) (N, nv) infos/qpos, infos/qvel before the action; or NULL */
    double *xpos,
        *next_xpos;     /* (N, 3) infos/torso_xpos, infos/next_torso_xpos: the torso before and
                                  after the step, as gym's reward reads it; or NULL */
    int64_t odd_flags;  /* flags of the file that are neither 0 nor 1 (taken as 1) */
    char algorithm[64]; /* metadata/algorithm, "SAC"; empty: none */
    int64_t iteration;  /* metadata/iteration; -1: none */
} Recording;

/* ERR_FORMAT, with a sentence on how to convert, for Minari's Arrow variant and for tables (FILE.csv,
 * data/csv.h); anything else OK. */
NODISCARD Status recording_refuse(const char *path);
/* Read an HDF5 file of either layout, after recording_refuse. Errors: ERR_IO, ERR_FORMAT (not HDF5, damaged, required arrays missing, shapes that do not fit),
 * ERR_NOMEM. *rec is then zero. */
NODISCARD Status recording_read(Recording *rec, const char *path);
void recording_release(Recording *rec);

/* Write D4RL's layout through a temporary file, fsync and rename; bytes depend on content only.
 * Arrays that are NULL are left out. items, texts: more objects (metadata/policy/...), may be NULL, 0.
 * Errors: ERR_IO, ERR_NOMEM, ERR_ARG (no rows). */
NODISCARD Status recording_write(const char *path, const Recording *rec, const H5Item *items, int n,
                                 const H5Text *texts, int m);

/* First row of each episode: row 0, and rows behind a terminal, a timeout or, in a file without
 * timeouts, behind `horizon` rows. Returns how many; starts has room for N + 1 and ends with N. */
int64_t recording_episodes(const Recording *rec, int horizon, int64_t *starts);

#endif
