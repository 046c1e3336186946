/* Reading a policy: ours, D4RL's, those of others. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "run/policy_parts.h"
#include "run/sealed.h"

enum { DIM_MAX = 8192 };

static const Act acts[POLICY_CHOICES] = {ACT_RELU, ACT_TANH};

static Status find_root(const H5File *file, const char *path, const char **root)
{
    char name[H5_NAME_MAX];
    for (size_t i = 0; i < POLICY_ROOTS; i++) {
        policy_object_name(name, policy_roots[i], "fc0", "weight");
        if (h5_has(file, name)) {
            *root = policy_roots[i];
            return OK;
        }
    }
    return status_fail(ERR_FORMAT,
                       "%s: no policy in it: neither metadata/policy/fc0/weight nor "
                       "policy/fc0/weight is there",
                       path);
}

/* A kind of policy that we do not have must not be mistaken for ours. */
static Status read_kind(const H5File *file, const char *path, const char *root,
                        const PolicyWord *kind, int *chosen)
{
    Status st = OK;
    char name[H5_NAME_MAX];
    char found[POLICY_TEXT_MAX];

    *chosen = 0;
    (void)snprintf(name, sizeof name, "%s%s%s", root, root[0] != '\0' ? "/" : "", kind->name);
    if (!h5_has(file, name)) {
        return OK;
    }
    TRY(h5_read_text(file, name, found, sizeof found));
    while (*chosen < POLICY_CHOICES && strcmp(found, kind->choice[*chosen]) != 0) {
        *chosen += 1;
    }
    if (*chosen == POLICY_CHOICES) {
        *chosen = 0;
        st = status_fail(ERR_FORMAT, "%s: %s is '%s'; only '%s' and '%s' can be used", path, name,
                         found, kind->choice[0], kind->choice[1]);
    }
done:
    return st;
}

/* (outputs, inputs) of one weight. */
static Status read_dims(const H5File *file, const char *path, const char *name, int *outs, int *ins)
{
    H5Shape shape = {0};
    const Status st = h5_shape(file, name, &shape);
    if (st != OK) {
        return st;
    }
    if (shape.rank != 2 || shape.dims[0] < 1 || shape.dims[1] < 1 || shape.dims[0] > DIM_MAX ||
        shape.dims[1] > DIM_MAX) {
        return status_fail(ERR_FORMAT,
                           "%s: '%s' must have two dimensions of 1 to %d (outputs, inputs)", path,
                           name, DIM_MAX);
    }
    *outs = (int)shape.dims[0];
    *ins = (int)shape.dims[1];
    return OK;
}

/* Dimensions from the first and the last weight; the others are checked as they are read. heads: parts
 * that the last layer is kept in, of as many outputs each. */
static Status read_layout(const H5File *file, const char *path, const char *root, int heads,
                          Act activation, Mlp *net)
{
    Status st = OK;
    char name[H5_NAME_MAX];
    char group[24];
    int layers = 0;
    int hidden = 0;
    int in = 0;
    int outs = 0;
    int last_in = 0;

    for (;; layers++) {
        (void)snprintf(group, sizeof group, "fc%d", layers);
        policy_object_name(name, root, group, "weight");
        if (!h5_has(file, name)) {
            break;
        }
        if (layers + 1 >= MLP_LAYERS_MAX) {
            return status_fail(ERR_FORMAT, "%s: more than %d hidden layers", path,
                               MLP_LAYERS_MAX - 1);
        }
    }
    policy_object_name(name, root, "fc0", "weight");
    TRY(read_dims(file, path, name, &hidden, &in));
    policy_object_name(name, root, "last_fc", "weight");
    TRY(read_dims(file, path, name, &outs, &last_in));
    *net = mlp_make(in, hidden, layers, heads * outs, 1, activation);
done:
    return st;
}

/* One weight and bias into their places; `space` has room for the weight. */
static Status read_part(const H5File *file, const char *root, const PolicyPart *part, float *space,
                        float *params)
{
    Status st = OK;
    char name[H5_NAME_MAX];
    const int ins = part->m.rows;

    policy_object_name(name, root, part->group, "weight");
    TRY(h5_read_rows(file, name, part->outs, ins, space));
    for (int j = 0; j < part->outs; j++) {
        for (int i = 0; i < ins; i++) {
            params[policy_weight_at(part, i, j)] = space[(size_t)j * (size_t)ins + (size_t)i];
        }
    }
    policy_object_name(name, root, part->group, "bias");
    TRY(h5_read_rows(file, name, part->outs, 1, params + part->m.bias + part->first));
done:
    return st;
}

/* Two large dimensions in one weight make all layers large: they must be there before memory is asked for. */
static Status check_parts(const H5File *file, const char *root, const PolicyPart *parts, int count)
{
    Status st = OK;
    char name[H5_NAME_MAX];

    for (int i = 0; i < count; i++) {
        policy_object_name(name, root, parts[i].group, "weight");
        TRY(h5_check_rows(file, name, parts[i].outs, parts[i].m.rows));
    }
done:
    return st;
}

static Status read_params(const H5File *file, const char *path, const char *root,
                          const PolicyPart *parts, int count, size_t floats, float **params)
{
    Status st = OK;
    float *space = NULL;

    TRY(check_parts(file, root, parts, count));
    TRY(mem_alloc(params, floats, sizeof **params, "a policy"));
    TRY(mem_alloc(&space, floats, sizeof *space, "a policy"));
    for (int i = 0; i < count; i++) {
        TRY(read_part(file, root, &parts[i], space, *params));
    }
    if (policy_check_finite(*params, floats) != OK) {
        st = status_while(ERR_FORMAT, "%s", path); /* the file is to blame */
    }
done:
    mem_free(&space);
    return st;
}

static void read_text(const H5File *file, const char *name, char text[POLICY_TEXT_MAX])
{
    if (h5_read_text(file, name, text, POLICY_TEXT_MAX) != OK) {
        text[0] = '\0';
    }
}

static Status read_info(const H5File *file, int act_dim, PolicyInfo *info)
{
    Status st = OK;

    read_text(file, "metadata/algorithm", info->algorithm);
    read_text(file, "task", info->task);
    read_text(file, "config_digest", info->config_digest);
    info->epoch = -1;
    if (h5_has(file, "metadata/iteration")) {
        TRY(h5_read(file, "metadata/iteration", SLAB_I64, &info->epoch, 1));
    }
    if (h5_has(file, "mopo/action_low")) {
        if (act_dim > BOUNDS_MAX) {
            return status_fail(ERR_FORMAT, "%d actions have bounds; at most %d can", act_dim,
                               (int)BOUNDS_MAX);
        }
        info->bounds.n = act_dim;
        TRY(h5_read(file, "mopo/action_low", SLAB_F32, info->bounds.low, (size_t)act_dim));
        TRY(h5_read(file, "mopo/action_high", SLAB_F32, info->bounds.high, (size_t)act_dim));
    }
done:
    return st;
}

static Status read_squash(const H5File *file, const char *path, const char *root, Squash *squash)
{
    Status st = OK;
    float clip[2] = {-20.0F, 2.0F};
    int linear = 0;
    int smooth = 0;

    TRY(read_kind(file, path, root, &policy_distribution, &linear));
    TRY(read_kind(file, path, "", &policy_log_std_form, &smooth));
    if (h5_has(file, POLICY_CLIP)) {
        TRY(h5_read(file, POLICY_CLIP, SLAB_F32, clip, 2));
    }
    if (!(isfinite(clip[0]) && isfinite(clip[1]) && clip[0] < clip[1])) {
        st = status_fail(ERR_FORMAT, "%s: %s must be two finite numbers, in order", path,
                         POLICY_CLIP);
        goto done;
    }
    squash->low = clip[0];
    squash->high = clip[1];
    squash->linear = linear != 0;
    squash->smooth = smooth != 0;
done:
    return st;
}

/* The critic that chooses among actions, if there is one. */
static Status read_choice(const H5File *file, const char *path, const Mlp *actor,
                          PolicyChoice *choice)
{
    enum { CANDIDATES_MAX = 4096 };
    Status st = OK;
    PolicyPart parts[MLP_LAYERS_MAX + 1];
    int64_t candidates = 0;
    char name[H5_NAME_MAX];

    if (!h5_has(file, POLICY_CANDIDATES)) {
        return OK;
    }
    TRY(h5_read(file, POLICY_CANDIDATES, SLAB_I64, &candidates, 1));
    policy_object_name(name, POLICY_CRITIC, "fc0", "weight");
    if (candidates < 1 || candidates > CANDIDATES_MAX || !h5_has(file, name)) {
        return status_fail(
            ERR_FORMAT, "%s: %s is %lld; it must be 1 to %d, with the network %s beside it", path,
            POLICY_CANDIDATES, (long long)candidates, CANDIDATES_MAX, POLICY_CRITIC);
    }
    TRY(read_layout(file, path, POLICY_CRITIC, 1, ACT_RELU, &choice->critic));
    if (choice->critic.in != actor->in + policy_actions(actor) || choice->critic.out != 1) {
        return status_fail(ERR_FORMAT, "%s: %s takes %d numbers and gives %d; expected %d and 1",
                           path, POLICY_CRITIC, choice->critic.in, choice->critic.out,
                           actor->in + policy_actions(actor));
    }
    const int count = policy_list_critic(&choice->critic, parts);
    TRY(read_params(file, path, POLICY_CRITIC, parts, count, choice->critic.count,
                    &choice->values));
    choice->candidates = (int)candidates;
done:
    return st;
}

Status policy_load(const char *path, PolicyFile *out)
{
    Status st = OK;
    H5File *file = NULL;
    const char *root = policy_roots[0];
    PolicyPart parts[MLP_LAYERS_MAX + 1];
    int act = 0;

    *out = (PolicyFile){0};
    TRY(sealed_open(&file, path, false));
    TRY(find_root(file, path, &root));
    TRY(read_kind(file, path, root, &policy_nonlinearity, &act));
    TRY(read_layout(file, path, root, 2, acts[act], &out->actor));
    TRY(read_squash(file, path, root, &out->squash));
    const int count = policy_list_actor(&out->actor, parts);
    TRY(read_params(file, path, root, parts, count, out->actor.count, &out->params));
    TRY(read_choice(file, path, &out->actor, &out->choice));
    out->state_dim = out->actor.in;
    out->act_dim = policy_actions(&out->actor);
    TRY(read_info(file, out->act_dim, &out->info));
    out->squash.A = out->act_dim;
done:
    h5_close(file);
    if (st != OK) {
        policy_release(out);
    }
    return status_while(st, "reading the policy");
}
