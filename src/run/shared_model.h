/* Ensembles that runs share (model.share): each lies in a directory of its own, which is named by what the fit
 * depends on.
 */
#ifndef RUN_SHARED_MODEL_H
#define RUN_SHARED_MODEL_H

#include "base/status.h"
#include "config/config.h"

enum { SHARED_NAME_MAX = 17 };

/* The settings that the fit depends on, all others at their defaults: task, dataset as given, env.*, data.*,
 * model.* with the seed resolved; and, where collect.rows lets the run make its dataset, what that depends on. */
void shared_model_settings(const Config *cfg, Config *only);
/* 16 hexadecimal digits, a digest of these settings. Local, no file is looked at. Error: ERR_NOMEM. */
NODISCARD Status shared_model_name(const Config *cfg, char name[SHARED_NAME_MAX]);

#endif
