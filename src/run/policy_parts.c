#include "run/policy_parts.h"

#include <math.h>
#include <stdio.h>

#include "base/panic.h"

const char *const policy_roots[POLICY_ROOTS] = {"metadata/policy", "policy"};

const PolicyWord policy_nonlinearity = {"nonlinearity", {"relu", "tanh"}};
const PolicyWord policy_distribution = {"output_distribution", {"tanh_gaussian", "gaussian"}};
const PolicyWord policy_log_std_form = {POLICY_FORM, {"clip", "smooth"}};

static PolicyPart last_part(const char *group, const Mlp *net, int first, int outs)
{
    PolicyPart part = {.m = mlp_matrix(net, net->layers, 0), .first = first, .outs = outs};
    (void)snprintf(part.group, sizeof part.group, "%s", group);
    return part;
}

static int list_hidden(const Mlp *net, PolicyPart parts[MLP_LAYERS_MAX + 1])
{
    for (int l = 0; l < net->layers; l++) {
        parts[l] = (PolicyPart){.m = mlp_matrix(net, l, 0), .outs = net->hidden};
        (void)snprintf(parts[l].group, sizeof parts[l].group, "fc%d", l);
    }
    return net->layers;
}

int policy_list_actor(const Mlp *actor, PolicyPart parts[MLP_LAYERS_MAX + 1])
{
    const int A = policy_actions(actor);
    int n = list_hidden(actor, parts);
    parts[n++] = last_part("last_fc", actor, 0, A);
    parts[n++] = last_part("last_fc_log_std", actor, A, A);
    return n;
}

int policy_list_critic(const Mlp *critic, PolicyPart parts[MLP_LAYERS_MAX + 1])
{
    int n = list_hidden(critic, parts);
    parts[n++] = last_part("last_fc", critic, 0, 1);
    return n;
}

size_t policy_weight_at(const PolicyPart *part, int i, int j)
{
    return part->m.at + (size_t)i * (size_t)part->m.ld + (size_t)(part->first + j);
}

void policy_object_name(char name[H5_NAME_MAX], const char *root, const char *group,
                        const char *object)
{
    const int len = snprintf(name, H5_NAME_MAX, "%s/%s/%s", root, group, object);
    REQUIRE(len > 0 && len < H5_NAME_MAX);
}

Status policy_check_finite(const float *params, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(params[i])) {
            return status_fail(ERR_NUMERIC, "weight %zu of the policy is not a finite number", i);
        }
    }
    return OK;
}
