/* What a dataset is made of, in numbers: for `mopo data info`. Local. */
#ifndef RUN_DATA_INFO_H
#define RUN_DATA_INFO_H

#include "base/status.h"
#include "data/recording.h"

typedef struct {
    double mean, std, min, low, middle, high,
        max; /* low, middle, high: quartiles; 0 without values */
} Spread;

typedef struct {
    double min, max, mean, std;
} ColumnInfo;

typedef struct {
    int64_t rows, terminals, timeouts;
    int64_t episodes;     /* complete ones: up to a terminal or timeout */
    int64_t open_rows;    /* behind the last complete episode */
    Spread length, total; /* of complete episodes: steps and undiscounted return */
    ColumnInfo reward;
    ColumnInfo *states;  /* (S) owned */
    ColumnInfo *actions; /* (A) owned */
} DataInfo;

/* horizon: where an episode ends in a file without timeouts. Numbers that are not finite are left
 * out of columns, and such returns of `total`. Error: ERR_NOMEM; *out is then zero. */
NODISCARD Status data_info(DataInfo *out, const Recording *rec, int horizon);
void data_info_release(DataInfo *info);

#endif
