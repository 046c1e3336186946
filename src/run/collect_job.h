/* Collecting a dataset over all ranks: episodes are the units, so the file does not depend on the
 * number of ranks. Collective.
 */
#ifndef RUN_COLLECT_JOB_H
#define RUN_COLLECT_JOB_H

#include "config/config.h"
#include "env/env.h"

/* Record `rows` transitions of uniformly random actions with the task's settings and write them to
 * `path` in D4RL's layout. Errors, the same on all ranks: ERR_ENV, ERR_NOMEM, ERR_IO. */
NODISCARD Status collect_job(const EnvKind *env, uint64_t seed, int64_t rows, const char *path);

#endif
