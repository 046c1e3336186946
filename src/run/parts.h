/* What has been collected so far, on disk, so that a stopped collection goes on exactly: beside
 * FILE a folder FILE.parts/ with part-000000.h5, part-000001.h5, ... of whole episodes, and the state
 * that makes the next one. Each file is complete or not there at all. Local, rank 0.
 */
#ifndef RUN_PARTS_H
#define RUN_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slab.h"
#include "base/status.h"
#include "run/collect.h"

enum { PARTS_PATH_MAX = 4096 };

typedef struct {
    char path[PARTS_PATH_MAX]; /* of the folder */
    int64_t count;             /* parts there */
    char settings[SLAB_DIGEST_MAX];
} Parts;

/* Find the parts there are; the folder itself is made with the first part. `settings`: digest of all
 * that the rows depend on. Errors: ERR_CONFIG when the folder belongs to other settings (says what to
 * do: the same settings, or --force), ERR_IO, ERR_FORMAT (damaged, one is missing), ERR_NOMEM.
 * force: parts that nothing can go on from (of other settings, damaged) are deleted. Those of the same
 * settings stay: the same would only be made again, and a job that is started again with its own
 * command line, --force and all, goes on. */
NODISCARD Status parts_open(Parts *parts, const char *file, const char *settings, bool force);
/* Append a part: rows (may be none), and the state as slabs (n may be 0), which replaces the state of
 * the part before. After an error the parts are what they were. Errors: ERR_IO, ERR_NOMEM. */
NODISCARD Status parts_add(Parts *parts, const CollectRows *rows, const Slab *slabs, int n);
/* Append the rows of part k to *rows. Errors: ERR_FORMAT, ERR_CONFIG (other settings), ERR_IO,
 * ERR_NOMEM. */
NODISCARD Status parts_load(const Parts *parts, int64_t k, CollectRows *rows);
/* Fill the slabs with the state in part k, the newest being that of the last. ERR_FORMAT when they are
 * others. */
NODISCARD Status parts_state(const Parts *parts, int64_t k, const Slab *slabs, int n);
/* Delete the folder, once the file itself is there. */
NODISCARD Status parts_remove(Parts *parts);
/* The same for a file that is there: parts that a process left which was killed while it deleted them. None are fine.
 * Nobody else may be making that file now. Errors: ERR_IO, ERR_NOMEM. */
NODISCARD Status parts_remove_rest(const char *file);

#endif
