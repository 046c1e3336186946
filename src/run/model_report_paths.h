/* Open-loop error of the models against horizon: from a held-out row of the dataset on, the recorded
 * actions, each elite along its own mean; part of run/model_report.h.
 *
 *   error(h) = sqrt(mean over j of ((s^_j(h) - s_j(h)) / deviation_j)^2)
 *
 * over the dimensions j of the state that vary in the dataset, deviation_j being over all its rows.
 */
#ifndef RUN_MODEL_REPORT_PATHS_H
#define RUN_MODEL_REPORT_PATHS_H

#include "model/ensemble_fit.h"
#include "run/model_report.h"

/* Recorded stretches of rows, one behind each start. */
typedef struct {
    Record rec;
    const float *records; /* (rows, rec.stride) borrowed */
    int64_t rows;
    const double *inverse; /* (S) 1 / deviation; 0: a dimension that does not vary */
    int dims;              /* that vary, >= 1 */
    const int64_t *start;  /* (starts) row numbers */
    int starts;
} Paths;

/* Consecutive rows of one episode from `start` on, at most `most`: row j + 1 follows row j if that did
 * not end the task and its s' is the state of row j + 1. */
int paths_length(const Paths *paths, int64_t start, int most);
/* inverse (S) of all rows; returns how many dimensions vary. */
int paths_scales(const Record *rec, const float *records, int64_t rows, double *inverse);
/* Error (count, REPORT_STEPS) of starts first .. first + count - 1; cells beyond paths_length are 0. A path
 * that is no longer finite has an infinite error. member: an ensemble of one, frozen; NULL: the state stays
 * as it was. Scratch: paths_cost bytes. */
void paths_errors(const Paths *paths, const Ensemble *member, int first, int count, Arena *tmp,
                  double *error);
size_t paths_cost(const Paths *paths, const Ensemble *member, int count);

/* path_dims and horizon of the report. Collective. Error: ERR_NOMEM. */
NODISCARD Status model_report_paths(const Session *s, const FitData *data, ModelReport *report);

#endif
