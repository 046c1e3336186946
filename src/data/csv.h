/* Transitions from a table of comma-separated numbers, for `mopo data convert`. The first line names the
 * columns as the arrays of D4RL's layout are called, numbered from 0 where there are several:
 *   observations_0, ..., actions_0, ..., rewards
 * and, as far as known, next_observations_0, ..., terminals, timeouts, or `episode`: a number that
 * changes where a new episode begins (its last row then is a timeout, unless it is terminal). Columns
 * may stand in any order; others are an error. Lines are rows in time order. Local.
 */
#ifndef DATA_CSV_H
#define DATA_CSV_H

#include "data/recording.h"

/* Errors: ERR_IO; ERR_FORMAT with line and column; ERR_NOMEM. *rec is then zero. */
NODISCARD Status csv_read(Recording *rec, const char *path);

#endif
