/* How a configuration wants its dataset read. Local. */
#ifndef RUN_DATA_OPTIONS_H
#define RUN_DATA_OPTIONS_H

#include "config/config.h"
#include "data/dataset.h"
#include "env/env.h"

/* Of data.*; task NULL: any dimensions. *bounds is where options->bounds then points to, if there are
 * any. Error: ERR_CONFIG: data.action_low or data.action_high is no list of numbers, or auto where a
 * simulator has limits of its own. */
NODISCARD Status data_options(const Config *cfg, const EnvKind *task, ActionBounds *bounds,
                              DatasetOptions *options);

#endif
