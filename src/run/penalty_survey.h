/* u(s, a) of the fitted model over the dataset: of every penalty on up to SURVEY_ROWS_MAX rows, so that a
 * user sees what lambda means; and its largest value over all rows, MOReL's threshold. Rows are dealt to
 * ranks in fixed pieces, and what is random is a function of (seed, piece): the results have the same
 * bits on any number of ranks. Collective; s->ens is frozen.
 */
#ifndef RUN_PENALTY_SURVEY_H
#define RUN_PENALTY_SURVEY_H

#include "run/session.h"

enum { SURVEY_ROWS_MAX = 10000 };

typedef enum {
    SURVEY_DATA,   /* the recorded actions */
    SURVEY_RANDOM, /* uniform on [-1, 1], in the same states */
    SURVEY_ACTIONS /* how many */
} SurveyActions;

/* Numbers in ascending order and their moments; what is not finite is left out. */
typedef struct {
    double *x; /* (n) borrowed */
    int64_t n;
    double mean, std; /* population form; NaN where n is 0, as max */
    double max;
} Sorted;

typedef struct {
    int64_t rows;  /* n, evenly spaced over the dataset */
    int penalties; /* P, rows of the table */
    double *all;   /* (SURVEY_ACTIONS, P, n), then (n) rewards; owned */
    Sorted *u;     /* (SURVEY_ACTIONS, P) owned; n is 0 where `measured` says no */
    Sorted reward; /* of the rows, as recorded */
} Survey;

/* Whether u can be had here: not without a simulator where it needs one, nor with fewer members than it
 * compares. `none` is not measured. */
bool survey_measured(const Session *s, const Penalty *penalty);
/* On rank 0 all of it, elsewhere the same. Error: ERR_NOMEM, on all ranks. */
NODISCARD Status survey_make(Survey *survey, Session *s);
void survey_release(Survey *survey);

/* Row i of the table. */
static inline const Sorted *survey_u(const Survey *survey, SurveyActions actions, int i)
{
    return &survey->u[(int)actions * survey->penalties + i];
}
/* q in [0, 1], linear between neighbors (numpy's default); NaN where there is none. */
double sorted_quantile(const Sorted *sorted, double q);
/* Share of the numbers above x; NaN where there is none. */
double sorted_above(const Sorted *sorted, double x);

/* With a penalty that halts and no penalty.halt_threshold: s->roll.halt.threshold = the largest u over
 * all rows of the dataset / penalty.halt_pessimism, logged. Otherwise nothing. Errors: ERR_NOMEM;
 * ERR_NUMERIC, no u is finite. */
NODISCARD Status survey_threshold(Session *s);

#endif
