/* Checkpoints: the state of a run as slabs, complete or not there at all. Local, rank 0.
 *
 *   run_dir/ckpt/policy-000120/state.h5        the slabs
 *   run_dir/ckpt/policy-000120/manifest.json   phase, step, sizes and digests, list of slabs, notes
 *   run_dir/ckpt/LATEST                        name of the last one saved, for people and scripts
 *
 * Written under a name ending in .tmp, brought to disk, renamed. Ranks are absent from the format:
 * a run may go on with another number of them. The model buffer is absent too: it is made again,
 * bit for bit, from the policies that made it.
 */
#ifndef RUN_CHECKPOINT_H
#define RUN_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slab.h"
#include "base/status.h"

/* In the order in which a run goes through them. */
typedef enum { PHASE_MODEL, PHASE_PREPARE, PHASE_POLICY, PHASE_COUNT } Phase;

enum { CHECKPOINT_SLABS_MAX = 64, CHECKPOINT_PATH_MAX = 4096, CHECKPOINT_EVERY_TENTH = 10 };

/* A fact beside the slabs: a whole number or, where text is not NULL, a text. */
typedef struct {
    const char *key; /* unique */
    const char *text;
    int64_t number;
} CheckpointNote;

/* Save slabs (at most CHECKPOINT_SLABS_MAX, names unique) and notes as step `step` (>= 0) of a phase.
 * Afterwards, and only then, others are deleted: all but the newest `keep` (>= 1, this one included)
 * and every tenth step of the policy phase; also those of later steps, which are what a resumed run
 * could not use. Errors: ERR_IO, ERR_NOMEM; what was there before is then still there and loadable.
 * That an old one cannot be deleted is only a warning. */
NODISCARD Status checkpoint_save(const char *run_dir, Phase phase, int64_t step, const Slab *slabs,
                                 int n, const CheckpointNote *notes, int m, int keep);

/* Delete what a killed process left half done. The next save does it too, but a finished run makes none.
 * Errors: ERR_IO, ERR_NOMEM. */
NODISCARD Status checkpoint_clean(const char *run_dir);

/* Delete all checkpoints: what they led to is there. Errors: ERR_IO, ERR_NOMEM. */
NODISCARD Status checkpoint_delete_all(const char *run_dir);

struct json_t;
typedef struct {
    char path[CHECKPOINT_PATH_MAX]; /* of its directory */
    Phase phase;
    int64_t step;
    struct json_t *manifest; /* owned */
    unsigned char *state;    /* state.h5 as it was verified; owned, `size` bytes */
    size_t size;
} Checkpoint;

/* The newest checkpoint whose sizes and digests are right, read and held in memory. A newer one that
 * is damaged is named in a warning. *found is false when the run has none. Errors: ERR_FORMAT (there
 * are some, but all are damaged, or LATEST names one and none is there: never a silent fresh start),
 * ERR_IO (none is intact among those that could be read), ERR_NOMEM. */
NODISCARD Status checkpoint_find(const char *run_dir, Checkpoint *ckpt, bool *found);
void checkpoint_release(Checkpoint *ckpt);
/* Fill the slabs' data. Names, types and lengths must be exactly those saved, in any order; nothing is
 * written otherwise. Errors: ERR_FORMAT, ERR_NOMEM. */
NODISCARD Status checkpoint_load(const Checkpoint *ckpt, const Slab *slabs, int n);
/* Elements of a saved slab, -1 when there is none of this name. */
int64_t checkpoint_slab_length(const Checkpoint *ckpt, const char *name);
/* Error: ERR_FORMAT when there is no such note of this kind, or it does not fit into `size` bytes. */
NODISCARD Status checkpoint_note_int(const Checkpoint *ckpt, const char *key, int64_t *number);
NODISCARD Status checkpoint_note_text(const Checkpoint *ckpt, const char *key, char *text,
                                      size_t size);

/* "model", "prepare" or "policy" */
const char *phase_name(Phase phase);

#endif
