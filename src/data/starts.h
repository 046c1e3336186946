/* Where the episodes of a dataset begin: row 0, and each row whose state is not the s' of the row before
 * or whose predecessor ended. Of more than EPISODE_STARTS_MAX only the first are kept. Local.
 */
#ifndef DATA_STARTS_H
#define DATA_STARTS_H

#include <stdint.h>

#include "data/dataset.h"

enum { EPISODE_STARTS_MAX = 100000 };

typedef struct {
    int64_t *rows; /* (n) owned, ascending */
    int64_t n;     /* at least 1 */
} EpisodeStarts;

/* Error: ERR_NOMEM. */
NODISCARD Status episode_starts(const Dataset *data, EpisodeStarts *starts);
void episode_starts_release(EpisodeStarts *starts);

#endif
