/* Cells of a sweep that differ in seed alone, and the mean and spread of what they reached: the paper's tables give
 * the last evaluation, averaged over seeds. Local.
 */
#ifndef SWEEP_SEED_GROUP_H
#define SWEEP_SEED_GROUP_H

#include "sweep/status_report.h"

/* name of the constant, word */
#define SEED_VALUES(X)  \
    X(RETURN, "return") \
    X(SCORE, "score")

typedef enum {
#define SEED_VALUE_ENUM(name, word) SEED_##name,
    SEED_VALUES(SEED_VALUE_ENUM)
#undef SEED_VALUE_ENUM
        SEED_VALUE_COUNT
} SeedValue;

/* Of the finite values; NaN where there are too few. */
typedef struct {
    int count;
    double mean, deviation; /* deviation: the sample's, by count - 1 */
    double low, high;
} SeedSpread;

typedef struct {
    char name[JOB_NAME_MAX]; /* of its cells, "lambda1-seed*"; of a single cell as it is */
    int cells, done;         /* done: those that are counted below */
    SeedSpread value[SEED_VALUE_COUNT];
} SeedGroup;

/* What cells that differ in seed alone have in common (never 0), and the value of the seed, "" where none is given. */
uint64_t seed_kin(const Job *job, char seed[SEED_TEXT_MAX]);

/* In the order of their first cells, at most report->count; groups is the caller's to free. Error: ERR_NOMEM. */
NODISCARD Status seed_groups(const StatusReport *report, SeedGroup **groups, int *count);

/* A line for each group. */
void seed_groups_add_table(const SeedGroup groups[], int count, Text *text);
struct json_t;
/* docs/formats.md; NULL: no memory. */
struct json_t *seed_groups_json(const SeedGroup groups[], int count);

#endif
