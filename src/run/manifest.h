/* Small JSON files that say what lies beside them: keys sorted, two blanks of indent, UTF-8. Local. */
#ifndef RUN_MANIFEST_H
#define RUN_MANIFEST_H

#include <jansson.h>

#include "base/slab.h"
#include "base/status.h"

/* Replace the file at once. value NULL (jansson refused to make it): ERR_ARG. Errors: also ERR_IO,
 * ERR_NOMEM. */
NODISCARD Status manifest_write(const char *path, const json_t *value);
/* *value gets a JSON object, to be released with json_decref; NULL after an error. Errors: ERR_IO;
 * ERR_FORMAT with line and column; ERR_NOMEM. */
NODISCARD Status manifest_read(const char *path, json_t **value);
/* Digest of an object without its member "digest", independent of blanks and order. */
NODISCARD Status manifest_digest(json_t *value, char digest[SLAB_DIGEST_MAX]);

#endif
