/* The dataset of a run, before it is opened: a file that is not there is collected where the configuration says so.
 */
#ifndef RUN_PROVIDE_DATASET_H
#define RUN_PROVIDE_DATASET_H

#include <stdint.h>

#include "base/status.h"
#include "config/config.h"

/* *collected: rows that were collected now, untouched where the file is there. Collective. Errors, the same on all
 * ranks: ERR_CONFIG (no dataset is named, or it is neither there nor to be collected), those of collect_job. */
NODISCARD Status provide_dataset(const Config *cfg, int64_t *collected);

#endif
