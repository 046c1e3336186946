/* Ensembles that runs share (model.share): each lies in a directory of its own, `<share>/<16 digits>`, named by what
 * the fit depends on. Whoever needs it first fits it there under a lock, the others wait and take it; it is what each
 * of them would have fitted, byte for byte.
 */
#ifndef RUN_SHARED_MODEL_H
#define RUN_SHARED_MODEL_H

#include "run/rundir.h"
#include "run/session.h"

enum { SHARED_NAME_MAX = 17 };

/* The settings that the fit depends on, all others at their defaults: task, dataset as given, env.*, data.*,
 * model.* with the seed resolved; and, where collect.rows lets the run make its dataset, what that depends on. */
void shared_model_settings(const Config *cfg, Config *only);
/* 16 hexadecimal digits, a digest of these settings. Local, no file is looked at. Error: ERR_NOMEM. */
NODISCARD Status shared_model_name(const Config *cfg, char name[SHARED_NAME_MAX]);

/* Whether it is there. Local. Error: ERR_NOMEM. */
NODISCARD Status shared_model_is_there(const Config *cfg, bool *there);

/* Fill s->ens with the shared ensemble of cfg, the settings as given: take it, fit it, or wait for whoever does, and
 * go on where a fit was left. `run`, which gets its own model.h5, is rank 0's; NULL elsewhere, or where no run is
 * made. Collective. Errors, the same on all ranks: ERR_INTERRUPTED (also while it waits), ERR_CONFIG (of other data),
 * ERR_FORMAT (damaged), those of fit_model and rundir_open_shared. */
NODISCARD Status shared_model_provide(Session *s, const Config *cfg, const RunDir *run);

typedef struct {
    char path[RUNDIR_PATH_MAX]; /* of model.h5 */
    bool before;                /* it was there before */
    int64_t passes;
    int members, elites;
    double best, worst,
        all; /* holdout error: of the best elite, of the worst one, mean of the members */
} SharedModel;

/* Fit the shared ensemble of cfg and nothing else, its dataset first; at once where it is there already. Collective.
 * *model is rank 0's. max_seconds: as for train. Errors: also ERR_CONFIG (no model.share; no model is needed). */
NODISCARD Status shared_model_fit(const Config *cfg, double max_seconds, SharedModel *model);

#endif
