/* Inside run/ only: what stands where in a policy's file (policy_file.h), for writing and reading it. */
#ifndef RUN_POLICY_PARTS_H
#define RUN_POLICY_PARTS_H

#include "run/policy_file.h"

#define POLICY_CLIP       "mopo/log_std_clip"
#define POLICY_FORM       "mopo/log_std_form"
#define POLICY_CANDIDATES "mopo/candidates"
#define POLICY_CRITIC     "mopo/critic"

/* Where a policy may lie; ours is written to the first. */
enum { POLICY_ROOTS = 2 };
extern const char *const policy_roots[POLICY_ROOTS];

/* The texts that say what kind of policy it is, and what can stand there; the first is meant where
 * the text is absent. */
enum { POLICY_CHOICES = 2 };
typedef struct {
    const char *name;
    const char *choice[POLICY_CHOICES];
} PolicyWord;
extern const PolicyWord policy_nonlinearity, policy_distribution, policy_log_std_form;

/* One pair (weight, bias) of the file: some columns of one matrix of the network. */
typedef struct {
    char group[24];
    MlpMatrix m;
    int first, outs; /* columns of m */
} PolicyPart;

static inline int policy_actions(const Mlp *actor)
{
    return actor->out / 2;
}

/* All parts of an actor; returns how many: hidden layers, mean, log deviation. */
int policy_list_actor(const Mlp *actor, PolicyPart parts[MLP_LAYERS_MAX + 1]);
/* Of a critic: its first group. */
int policy_list_critic(const Mlp *critic, PolicyPart parts[MLP_LAYERS_MAX + 1]);
/* Where input i of output j stands in the network's parameters. */
size_t policy_weight_at(const PolicyPart *part, int i, int j);
void policy_object_name(char name[H5_NAME_MAX], const char *root, const char *group,
                        const char *object);
/* Error: ERR_NUMERIC. */
NODISCARD Status policy_check_finite(const float *params, size_t n);

#endif
