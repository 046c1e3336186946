/* What the checks of run/data_check.c share. */
#ifndef RUN_DATA_CHECK_INTERNAL_H
#define RUN_DATA_CHECK_INTERNAL_H

#include "run/data_check.h"
#include "run/replay.h"

enum { SETTINGS_MAX = 4 };

typedef struct {
    const Recording *rec;
    const CheckOptions *options;
    Findings *out;
    const char *name; /* of the check that runs */
    int64_t episodes;
    int64_t *starts; /* (rows + 1) recording_episodes */
    uint8_t *end;    /* (rows) last row of an episode, by flags or horizon */
    uint8_t *finite; /* (rows) all its numbers are */
    double *typical; /* (S) median change of a column from row to row; 0: most do not change */
    /* (rows) the row's s' is the state of the next row; without next_observations: the step to the
     * next row is a likely one. 1 for the last row and where numbers are not finite. */
    uint8_t *linked;
    int64_t inside, inside_linked; /* rows that end no episode and have a successor */
    int shift;     /* next_observations[i] is the state of row i + shift; 1 is as it should be */
    bool shuffled; /* rows are in no order of time */
    bool has_task; /* its simulator can replay the rows */
    EnvKind task;  /* as configured, or as the rows say where a setting was wrong */
    const char *settings[SETTINGS_MAX]; /* that were wrong; "env.inertia=exact" */
    int wrong_settings;
    int64_t *sample; /* rows to replay */
    int64_t samples;
    int64_t ask;        /* how many rows may be replayed besides */
    Replayer *replayer; /* under `task`; NULL without has_task */
    Replay replay;      /* of the sample */
    bool trusted;       /* the simulator explains most states */
} Check;

/* A finding of the running check; NULL once the list is full. */
Finding *found(Check *c, Severity severity, const char *format, ...) PRINTF_LIKE(3, 4);

/* Rows of which something is to be said: counted, the first kept. */
typedef struct {
    int64_t count, first[FINDING_ROWS];
} RowList;
void rowlist_add(RowList *list, int64_t row);
void rowlist_give(const RowList *list, Finding *finding);

static inline const double *row_of(const double *columns, int64_t row, int cols)
{
    return columns + row * cols;
}

/* Whether two states are the same numbers, single precision or not. */
bool same_state(const double *a, const double *b, int n);
/* Mean over the columns of the change from row i to i + 1, in typical changes, each at most 20. */
double step_size(const Check *c, int64_t row);
/* For n rows: 1 where the step to the next row is one of the task's, by the simulator where it is
 * trusted, else by size; whatever the flags say. rows ascending. */
NODISCARD Status likely_steps(Check *c, const int64_t *rows, int64_t n, uint8_t *likely);
/* some / all; 0 of none. */
static inline double share(int64_t some, int64_t all)
{
    return all > 0 ? (double)some / (double)all : 0;
}
/* As large a part as fits the simulator in recordings that are right. */
bool is_most(int64_t some, int64_t all);
double median_of(double *values, int64_t n); /* reorders; 0 when n is 0 */

/* Before all checks, in this order. */
NODISCARD Status check_order_prepare(Check *c);
NODISCARD Status check_task_prepare(Check *c);
NODISCARD Status check_order_confirm(Check *c);

/* data_check_values.c */
NODISCARD Status check_finite(Check *c);
NODISCARD Status check_flags(Check *c);
NODISCARD Status check_blank_rows(Check *c);
NODISCARD Status check_constant_columns(Check *c);
NODISCARD Status check_action_range(Check *c);
NODISCARD Status check_action_bounds(Check *c);
NODISCARD Status check_half_precision(Check *c);
NODISCARD Status check_duplicates(Check *c);
/* data_check_order.c */
NODISCARD Status check_next_shift(Check *c);
NODISCARD Status check_row_order(Check *c);
NODISCARD Status check_next_joined(Check *c);
NODISCARD Status check_timeout_shift(Check *c);
NODISCARD Status check_missing_ends(Check *c);
NODISCARD Status check_episode_length(Check *c);
NODISCARD Status check_both_flags(Check *c);
/* data_check_task.c */
NODISCARD Status check_dimensions(Check *c);
NODISCARD Status check_settings(Check *c);
/* data_check_rewards.c */
NODISCARD Status check_dynamics(Check *c);
NODISCARD Status check_rewards(Check *c);
/* data_check_ends.c */
NODISCARD Status check_terminals(Check *c);
NODISCARD Status check_missing_terminals(Check *c);
/* data_check_infos.c */
NODISCARD Status check_infos(Check *c);

#endif
