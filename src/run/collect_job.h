/* Collecting a dataset over all ranks: episodes are the units, so the file does not depend on the
 * number of ranks. What takes longer than a minute is saved in parts (run/parts.h), and the same job
 * goes on from there to the same bytes. One process at a time makes a file: meanwhile it holds FILE.lock
 * (run/lock.h). Collective.
 */
#ifndef RUN_COLLECT_JOB_H
#define RUN_COLLECT_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "env/env.h"
#include "run/collect.h"

/* Everything borrowed, and the same on all ranks. */
typedef struct {
    const EnvKind *env;
    CollectSource source;
    uint64_t seed;
    int64_t rows;     /* record so many transitions, the last episode cut; 0: `episodes` counts */
    int64_t episodes; /* record so many episodes */
    const char *path; /* of the file; replaced if it is there */
    bool force;       /* parts of other settings and damaged ones are thrown away */
    /* Seconds from one look at signals and goal to the next, and from part to part; 0: as it is best.
     * No result depends on them. */
    double round, part;
} CollectJob;

/* Record, and write the file in D4RL's layout. Errors, the same on all ranks: ERR_INTERRUPTED (asked
 * to stop, run/stop.h; saved), ERR_CONFIG (another process makes this file; parts of other settings; a policy of other dimensions; no
 * simulator), ERR_ENV, ERR_NOMEM, ERR_IO, ERR_FORMAT (damaged parts). */
NODISCARD Status collect_job(const CollectJob *job);

#endif
