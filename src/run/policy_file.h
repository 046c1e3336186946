/* policy.h5: a Gaussian actor in the layout of D4RL's metadata/policy, so that other tools read ours
 * and `eval` reads theirs. Weights are (outputs, inputs), the transpose of nn/mlp.h.
 *
 *   metadata/policy/fc0 .. fc<L-1>/{weight (H, in), bias (H)}     hidden layers
 *   metadata/policy/last_fc/{weight (A, H), bias (A)}             mean
 *   metadata/policy/last_fc_log_std/{weight (A, H), bias (A)}     log deviation before the clip
 *
 *   metadata/policy/nonlinearity                                  "relu", "tanh"
 *   metadata/policy/output_distribution                           "tanh_gaussian", "gaussian"
 *   mopo/log_std_clip (2)                                         Squash.low, high
 *   mopo/log_std_form                                             "clip", "smooth" (nn/squash.h)
 *   mopo/action_low, mopo/action_high (A)                         PolicyInfo.bounds, if there are any
 *
 *   mopo/candidates                                               how many drawn actions are compared ...
 *   mopo/critic/fc0 .. last_fc/{weight, bias}                     ... by this network's value of (s, a)
 *
 * All from nonlinearity on may be absent: "relu", "tanh_gaussian", -20 and 2, "clip" then (D4RL's and
 * Stable Baselines3's), and the mean action is played. Reading takes the same groups under policy/, too. Ours end with a digest (run/sealed.h).
 * Local, but for policy_share.
 */
#ifndef RUN_POLICY_FILE_H
#define RUN_POLICY_FILE_H

#include <stdint.h>

#include "base/status.h"
#include "data/bounds.h"
#include "data/h5.h"
#include "nn/mlp.h"
#include "nn/squash.h"

enum { POLICY_TEXT_MAX = 128 };

typedef struct {
    char algorithm[POLICY_TEXT_MAX];     /* "MOPO" */
    char task[POLICY_TEXT_MAX];          /* "halfcheetah"; empty when unknown */
    char config_digest[POLICY_TEXT_MAX]; /* empty when unknown */
    int64_t epoch;                       /* -1 when unknown */
    ActionBounds bounds; /* of the dataset's actions, which [-1, 1] stands for; n = 0: themselves */
} PolicyInfo;

/* Where not the mean action is played, but the best of many (BEAR): by the first group of `critic`. */
typedef struct {
    int candidates; /* 0: the mean action, and the rest is zero */
    Mlp critic;     /* S + A -> 1 */
    float *values;  /* its parameters; borrowed for policy_save, owned in a PolicyFile */
} PolicyChoice;

typedef struct {
    PolicyInfo info;
    int state_dim, act_dim; /* S, A */
    Mlp actor;              /* S -> 2 A: [ mean | log std ] */
    Squash squash;
    float *params; /* (actor.count) owned */
    PolicyChoice choice;
} PolicyFile;

/* The bytes depend on the arguments only. actor: one group, ReLU or tanh, 2 A outputs. choice: NULL for
 * the mean action; its critic is ReLU.
 * Errors: ERR_IO, ERR_NOMEM, ERR_NUMERIC (a weight is not finite). */
NODISCARD Status policy_save(const char *path, const PolicyInfo *info, const Mlp *actor,
                             const Squash *squash, const float *params, const PolicyChoice *choice);

enum { POLICY_ITEMS_MAX = 2 * (MLP_LAYERS_MAX + 1) + 1, POLICY_TEXTS_MAX = 3 };

/* What stands in the file for the policy itself, above: for other files that carry one, such as a
 * dataset (recording_write). */
typedef struct {
    H5Item items[POLICY_ITEMS_MAX];
    H5Text texts[POLICY_TEXTS_MAX];
    int n, m;     /* items, texts */
    float *block; /* owned: all numbers; nothing is borrowed */
} PolicyItems;

/* Errors: ERR_NOMEM, ERR_NUMERIC. *out is then zero. */
NODISCARD Status policy_items(PolicyItems *out, const Mlp *actor, const Squash *squash,
                              const float *params);
void policy_items_release(PolicyItems *items);

/* Errors: ERR_IO, ERR_FORMAT (names object, shape found and expected), ERR_NOMEM. After an error *out
 * is zero. */
NODISCARD Status policy_load(const char *path, PolicyFile *out);
/* Rank 0's policy on every rank; what *policy is elsewhere does not matter. Collective. Error, the same
 * on all ranks: ERR_NOMEM; *policy is then zero. */
NODISCARD Status policy_share(PolicyFile *policy);
void policy_release(PolicyFile *policy);

#endif
