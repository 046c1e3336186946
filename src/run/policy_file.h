/* policy.h5: a tanh-Gaussian actor in the layout of D4RL's metadata/policy, so that other tools read
 * ours and `eval` reads theirs. Weights are (outputs, inputs), the transpose of nn/mlp.h.
 *
 *   metadata/policy/fc0 .. fc<L-1>/{weight (H, in), bias (H)}     hidden layers, ReLU
 *   metadata/policy/last_fc/{weight (A, H), bias (A)}             mean
 *   metadata/policy/last_fc_log_std/{weight (A, H), bias (A)}     log deviation before the clip
 *
 * Reading takes the same groups under policy/, too. Ours end with a digest (run/sealed.h). Local.
 */
#ifndef RUN_POLICY_FILE_H
#define RUN_POLICY_FILE_H

#include <stdint.h>

#include "base/status.h"
#include "nn/mlp.h"
#include "nn/squash.h"

enum { POLICY_TEXT_MAX = 128 };

typedef struct {
    char algorithm[POLICY_TEXT_MAX];     /* "MOPO" */
    char task[POLICY_TEXT_MAX];          /* "halfcheetah"; empty when unknown */
    char config_digest[POLICY_TEXT_MAX]; /* empty when unknown */
    int64_t epoch;                       /* -1 when unknown */
    float log_std_min, log_std_max; /* clip of the log deviation; -20, 2 when the file has none */
} PolicyInfo;

typedef struct {
    PolicyInfo info;
    int state_dim, act_dim; /* S, A */
    Mlp actor;              /* S -> 2 A: [ mean | log std ] */
    Squash squash;
    float *params; /* (actor.count) owned */
} PolicyFile;

/* The bytes depend on the arguments only. actor: one group, ReLU, 2 A outputs.
 * Errors: ERR_IO, ERR_NOMEM, ERR_NUMERIC (a weight is not finite). */
NODISCARD Status policy_save(const char *path, const PolicyInfo *info, const Mlp *actor,
                             const float *params);
/* Errors: ERR_IO, ERR_FORMAT (names object, shape found and expected), ERR_NOMEM. After an error *out
 * is zero. */
NODISCARD Status policy_load(const char *path, PolicyFile *out);
void policy_release(PolicyFile *policy);

#endif
