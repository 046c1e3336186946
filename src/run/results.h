/* The files of a run that its settings decide, byte for byte, and their digests. Local. */
#ifndef RUN_RESULTS_H
#define RUN_RESULTS_H

#include <jansson.h>

#include "base/slab.h"
#include "base/status.h"

enum { RESULT_FILES = 7 };
/* Their names, in the order in which a run makes them. */
extern const char *const result_files[RESULT_FILES];

/* xxHash128 of a file of the run; "" when it is not there. Errors: ERR_IO, ERR_NOMEM. */
NODISCARD Status result_digest(const char *run, const char *name, char digest[SLAB_DIGEST_MAX]);
/* {"policy.h5": digest, ...} of those that are there. Errors: as above. */
NODISCARD Status results_json(const char *run, json_t **results);

#endif
