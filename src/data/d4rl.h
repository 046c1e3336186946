/* Which arrays a file in D4RL's layout has, and their common shape. Local: nothing here is
 * collective.
 */
#ifndef DATA_D4RL_H
#define DATA_D4RL_H

#include <stdbool.h>
#include <stdint.h>

#include "data/h5.h"

typedef struct {
    int64_t rows;           /* N, 1 to 2^32 - 1 */
    int state_dim, act_dim; /* S, A: 1 to 10000 */
    bool has_next, has_timeouts;
    bool wide; /* observations and rewards are float64 */
} D4rlShape;

/* observations (N, S), actions (N, A), rewards (N), terminals (N) are required; timeouts (N) and
 * next_observations (N, S) may be there. A trailing dimension of 1 is allowed. Error: ERR_FORMAT
 * (an array missing, or of another shape). */
NODISCARD Status d4rl_shape(const H5File *file, const char *path, D4rlShape *shape);
/* That `name` has shape (rows, cols). Error: ERR_FORMAT. */
NODISCARD Status d4rl_check(const H5File *file, const char *path, const char *name, int64_t rows,
                            int64_t cols);

#endif
