/* SHA-256 (FIPS 180-4) of a file: what publishers of datasets give to check a download. Digests of
 * our own files are xxHash (base/slab.h), which is faster. Local.
 */
#ifndef BASE_CHECKSUM_H
#define BASE_CHECKSUM_H

#include "base/status.h"

enum { CHECKSUM_SHA256_HEX = 65 };

/* 64 lower-case hexadecimal digits and a '\0' into hex. Errors: ERR_IO, ERR_NOMEM; hex is then "". */
NODISCARD Status checksum_sha256(const char *path, char hex[CHECKSUM_SHA256_HEX]);

#endif
