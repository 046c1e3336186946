/* What commands print on the standard output. */
#ifndef CLI_PRINT_H
#define CLI_PRINT_H

#include <jansson.h>

#include "base/status.h"

/* One JSON object; taken over. flags: of jansson, JSON_INDENT(2) or 0. Error: ERR_ARG where it is NULL. */
NODISCARD Status print_json_object(json_t *all, size_t flags);

#endif
