/* A run's policy judged without a simulator: by episodes in its model and by fitted Q evaluation.
 * Collective.
 */
#ifndef RUN_ASSESS_H
#define RUN_ASSESS_H

#include "policy/fqe.h"
#include "run/evaluate.h"
#include "run/session.h"

typedef struct {
    FqeResult policy, data; /* by fitted Q evaluation: the policy, the recorded actions (value
                               NaN where rows do not follow each other); on rank 0 */
    int64_t starts;         /* start states that both are means of */
} Assessment;

/* cfg: the settings of the run in run_dir, whose model.h5 is used. player: the policy; its env is
 * replaced by the configured task. entries (count) are the episodes in the model, on every rank; the
 * first ones are those of the run's last evaluation.
 * Errors, the same on all ranks: those of session_open; ERR_CONFIG (the run has no model.h5);
 * ERR_NUMERIC (FQE diverged). */
NODISCARD Status assess(const Config *cfg, const char *run_dir, const Player *player, int count,
                        EpisodeEntry *entries, Assessment *result);

#endif
