/* Why the simulator does not make the recorded steps: columns in another unit, exchanged, negated. */
#ifndef RUN_DATA_CHECK_COLUMNS_H
#define RUN_DATA_CHECK_COLUMNS_H

#include "base/text.h"
#include "run/data_check_internal.h"

/* A phrase into why, "" where no single change of columns helps. Needs the replay of the sample. */
NODISCARD Status explain_columns(Check *c, char *why, size_t size);

#endif
