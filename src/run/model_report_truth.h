/* Each penalty against the true one-step error of the models, where a simulator can be asked: part of
 * run/model_report.h. Collective.
 */
#ifndef RUN_MODEL_REPORT_TRUTH_H
#define RUN_MODEL_REPORT_TRUTH_H

#include "run/model_report.h"

/* error (B): mean over the elites of the Euclidean distance of their mean s' from truth (B, S); not finite
 * where the truth is not. mean: (B, E, Y) as ensemble_predict gives it. Local. */
void truth_errors(const float *mean, const float *truth, const int64_t *elite, int elites,
                  int members, int outs, int rows, double *error);

/* simulated, states, error, penalties and penalty of the report. Errors: ERR_NOMEM, ERR_ENV. */
NODISCARD Status model_report_truth(const Session *s, ModelReport *report);

#endif
