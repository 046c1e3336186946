/* The results of a sweep over its seeds: cells that differ in nothing but `seed` are a group, with the mean and the
 * deviation of the last evaluations of those that are done. Local; reads cells.tsv. */
#ifndef SWEEP_MEANS_H
#define SWEEP_MEANS_H

#include "sweep/status_report.h"

typedef struct {
    double mean, deviation; /* of the sample (n - 1); NaN: not known, as the deviation of one */
} Mean;

typedef struct {
    char name
        [JOB_NAME_MAX]; /* of the first cell; of several with seed*, which is a pattern for `--only` */
    int done, cells;
    Mean result, score;
} MeanGroup;

typedef struct {
    int count;
    MeanGroup *group; /* (count) in the order of cells.tsv; owned */
} Means;

/* Of the sweep that was looked at. Errors: ERR_USAGE (it is none), those of jobs_read, ERR_NOMEM; *means is then
 * empty. */
NODISCARD Status means_find(Means *means, const StatusReport *report);
void means_release(Means *means);

/* A line for each group, and what the columns are. */
void means_print(const Means *means);

struct json_t;
/* docs/formats.md; NULL: no memory. */
struct json_t *means_json(const Means *means, const StatusReport *report);

#endif
