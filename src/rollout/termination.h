/* When a predicted transition ends its rollout: by the task's own rule, never, where the state leaves
 * given bounds, or as a classifier learned it from the dataset (model/terminal_head.h). Local.
 */
#ifndef ROLLOUT_TERMINATION_H
#define ROLLOUT_TERMINATION_H

#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "data/record.h"
#include "env/env.h"
#include "model/terminal_head.h"

typedef enum { END_TASK, END_NEVER, END_BOUNDS, END_LEARNED } EndRule;

typedef struct {
    int column; /* of the state */
    float low, high;
} StateBound;

enum { STATE_BOUNDS_MAX = 64 };

typedef struct {
    EndRule rule;
    int bounds;
    StateBound bound[STATE_BOUNDS_MAX]; /* END_BOUNDS: a state outside of any ends */
    const TerminalHead *head;           /* END_LEARNED: borrowed */
} Termination;

/* "0:0.7..2, 1:-0.2..0.2": column, lowest, highest allowed value; either may be missing ("4:..10").
 * Error: ERR_CONFIG with the place; so is a column that a state of S numbers does not have. */
NODISCARD Status termination_bounds(Termination *end, const char *text, int state_dim);

/* end[i] for records (rows, rec->stride), of which s, a and s' are read. NaN is out of bounds. */
void termination_mark(const Termination *end, const EnvKind *env, const Record *rec,
                      const float *records, int rows, Arena *tmp, uint8_t *done);
size_t termination_cost(const Termination *end, int rows); /* bytes of arena */

#endif
