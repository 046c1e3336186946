#include "run/policy_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/panic.h"
#include "comm/comm.h"
#include "data/h5.h"
#include "run/sealed.h"

enum { DIM_MAX = 8192 };

static const char *const roots[] = {"metadata/policy", "policy"};
static const char clip_name[] = "mopo/log_std_clip";
static const char form_name[] = "mopo/log_std_form";
static const char candidates_name[] = "mopo/candidates";
static const char critic_root[] = "mopo/critic";

/* The texts that say what kind of policy it is, and what can stand there; the first is meant where
 * the text is absent. */
enum { CHOICES = 2 };
typedef struct {
    const char *name;
    const char *choice[CHOICES];
} Kind;

static const Kind nonlinearity = {"nonlinearity", {"relu", "tanh"}};
static const Act acts[CHOICES] = {ACT_RELU, ACT_TANH};
static const Kind distribution = {"output_distribution", {"tanh_gaussian", "gaussian"}};
static const Kind log_std_form = {form_name, {"clip", "smooth"}};

/* One pair (weight, bias) of the file: some columns of one matrix of the network. */
typedef struct {
    char group[24];
    MlpMatrix m;
    int first, outs; /* columns of m */
} Part;

static int actions(const Mlp *actor)
{
    return actor->out / 2;
}

static Part last_part(const char *group, const Mlp *net, int first, int outs)
{
    Part part = {.m = mlp_matrix(net, net->layers, 0), .first = first, .outs = outs};
    (void)snprintf(part.group, sizeof part.group, "%s", group);
    return part;
}

static int list_hidden(const Mlp *net, Part parts[MLP_LAYERS_MAX + 1])
{
    for (int l = 0; l < net->layers; l++) {
        parts[l] = (Part){.m = mlp_matrix(net, l, 0), .outs = net->hidden};
        (void)snprintf(parts[l].group, sizeof parts[l].group, "fc%d", l);
    }
    return net->layers;
}

/* All parts of an actor; returns how many: hidden layers, mean, log deviation. */
static int list_parts(const Mlp *actor, Part parts[MLP_LAYERS_MAX + 1])
{
    const int A = actions(actor);
    int n = list_hidden(actor, parts);
    parts[n++] = last_part("last_fc", actor, 0, A);
    parts[n++] = last_part("last_fc_log_std", actor, A, A);
    return n;
}

/* Of a critic: its first group. */
static int list_critic(const Mlp *critic, Part parts[MLP_LAYERS_MAX + 1])
{
    int n = list_hidden(critic, parts);
    parts[n++] = last_part("last_fc", critic, 0, 1);
    return n;
}

/* Where input i of output j stands in the actor's parameters. */
static size_t weight_at(const Part *part, int i, int j)
{
    return part->m.at + (size_t)i * (size_t)part->m.ld + (size_t)(part->first + j);
}

static void object_name(char name[H5_NAME_MAX], const char *root, const char *group,
                        const char *object)
{
    const int len = snprintf(name, H5_NAME_MAX, "%s/%s/%s", root, group, object);
    REQUIRE(len > 0 && len < H5_NAME_MAX);
}

/* ---- writing ---- */

/* Two items, weight transposed and bias, from `space` on; returns where their numbers end. */
static float *part_items(const char *root, const Part *part, const float *params, float *space,
                         H5Item items[2])
{
    const int rows = part->m.rows;
    float *bias = space + (size_t)part->outs * (size_t)rows;
    for (int j = 0; j < part->outs; j++) {
        for (int i = 0; i < rows; i++) {
            *space++ = params[weight_at(part, i, j)];
        }
        bias[j] = params[part->m.bias + (size_t)(part->first + j)];
    }
    items[0] = (H5Item){.type = SLAB_F32,
                        .data = bias - (size_t)part->outs * (size_t)rows,
                        .rank = 2,
                        .dims = {part->outs, rows}};
    items[1] = (H5Item){.type = SLAB_F32, .data = bias, .rank = 1, .dims = {part->outs}};
    object_name(items[0].name, root, part->group, "weight");
    object_name(items[1].name, root, part->group, "bias");
    return bias + part->outs;
}

static Status check_finite(const float *params, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(params[i])) {
            return status_fail(ERR_NUMERIC, "weight %zu of the policy is not a finite number", i);
        }
    }
    return OK;
}

Status policy_items(PolicyItems *out, const Mlp *actor, const Squash *squash, const float *params)
{
    Status st = OK;
    Part parts[MLP_LAYERS_MAX + 1];
    const float clip[2] = {squash->low, squash->high};

    *out = (PolicyItems){0};
    REQUIRE(actor->groups == 1 && actor->out == 2 * squash->A);
    REQUIRE(actor->act == ACT_RELU || actor->act == ACT_TANH);
    TRY(check_finite(params, actor->count));
    TRY(mem_alloc(&out->block, actor->count + 2, sizeof *out->block, "the policy to be written"));
    float *space = out->block;
    const int count = list_parts(actor, parts);
    for (int i = 0; i < count; i++, out->n += 2) {
        space = part_items(roots[0], &parts[i], params, space, out->items + out->n);
    }
    memcpy(space, clip, sizeof clip);
    out->items[out->n] = (H5Item){.type = SLAB_F32, .data = space, .rank = 1, .dims = {2}};
    (void)snprintf(out->items[out->n++].name, H5_NAME_MAX, "%s", clip_name);
    out->texts[out->m++] =
        (H5Text){"metadata/policy/nonlinearity", nonlinearity.choice[actor->act == ACT_TANH], true};
    out->texts[out->m++] =
        (H5Text){"metadata/policy/output_distribution", distribution.choice[squash->linear], true};
    if (squash->smooth) {
        out->texts[out->m++] = (H5Text){form_name, log_std_form.choice[1], true};
    }
done:
    return st;
}

void policy_items_release(PolicyItems *items)
{
    mem_free(&items->block);
    *items = (PolicyItems){0};
}

static H5Item bound_item(const char *name, const float *bounds, int n)
{
    H5Item item = {.type = SLAB_F32, .data = bounds, .rank = 1, .dims = {n}};
    (void)snprintf(item.name, sizeof item.name, "%s", name);
    return item;
}

/* The critic's items behind `items`; *space is what they point into, to be freed. */
static Status choice_items(const PolicyChoice *choice, const int64_t *candidates, float **space,
                           H5Item *items, int *n)
{
    Status st = OK;
    Part parts[MLP_LAYERS_MAX + 1];
    const Mlp *critic = &choice->critic;

    REQUIRE(critic->out == 1 && critic->act == ACT_RELU);
    TRY(check_finite(choice->values, critic->count));
    TRY(mem_alloc(space, critic->count, sizeof **space, "the critic to be written"));
    items[*n] = (H5Item){.type = SLAB_I64, .data = candidates, .rank = 0};
    (void)snprintf(items[(*n)++].name, H5_NAME_MAX, "%s", candidates_name);
    float *at = *space;
    const int count = list_critic(critic, parts);
    for (int i = 0; i < count; i++, *n += 2) {
        at = part_items(critic_root, &parts[i], choice->values, at, items + *n);
    }
done:
    return st;
}

Status policy_save(const char *path, const PolicyInfo *info, const Mlp *actor, const Squash *squash,
                   const float *params, const PolicyChoice *choice)
{
    Status st = OK;
    PolicyItems policy = {0};
    H5Item items[2 * POLICY_ITEMS_MAX + 3];
    const int64_t candidates = choice != NULL ? choice->candidates : 0;
    float *space = NULL;
    int n = 0;
    H5Text texts[POLICY_TEXTS_MAX + 3] = {
        {"metadata/algorithm", info->algorithm, true},
        {"task", info->task, false},
        {"config_digest", info->config_digest, false},
    };

    TRY(status_while(policy_items(&policy, actor, squash, params), "%s", path));
    items[n++] =
        (H5Item){.name = "metadata/iteration", .type = SLAB_I64, .data = &info->epoch, .rank = 0};
    if (info->bounds.n > 0) {
        items[n++] = bound_item("mopo/action_low", info->bounds.low, info->bounds.n);
        items[n++] = bound_item("mopo/action_high", info->bounds.high, info->bounds.n);
    }
    memcpy(items + n, policy.items, (size_t)policy.n * sizeof *items);
    n += policy.n;
    memcpy(texts + 3, policy.texts, (size_t)policy.m * sizeof *texts);
    if (candidates > 0) {
        TRY(status_while(choice_items(choice, &candidates, &space, items, &n), "%s", path));
    }
    TRY(sealed_write(path, items, n, texts, 3 + policy.m));
done:
    mem_free(&space);
    policy_items_release(&policy);
    return status_while(st, "writing the policy");
}

/* ---- reading ---- */

static Status find_root(const H5File *file, const char *path, const char **root)
{
    char name[H5_NAME_MAX];
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        object_name(name, roots[i], "fc0", "weight");
        if (h5_has(file, name)) {
            *root = roots[i];
            return OK;
        }
    }
    return status_fail(ERR_FORMAT,
                       "%s: no policy in it: neither metadata/policy/fc0/weight nor "
                       "policy/fc0/weight is there",
                       path);
}

/* A kind of policy that we do not have must not be mistaken for ours. */
static Status read_kind(const H5File *file, const char *path, const char *root, const Kind *kind,
                        int *chosen)
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
    while (*chosen < CHOICES && strcmp(found, kind->choice[*chosen]) != 0) {
        *chosen += 1;
    }
    if (*chosen == CHOICES) {
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
        object_name(name, root, group, "weight");
        if (!h5_has(file, name)) {
            break;
        }
        if (layers + 1 >= MLP_LAYERS_MAX) {
            return status_fail(ERR_FORMAT, "%s: more than %d hidden layers", path,
                               MLP_LAYERS_MAX - 1);
        }
    }
    object_name(name, root, "fc0", "weight");
    TRY(read_dims(file, path, name, &hidden, &in));
    object_name(name, root, "last_fc", "weight");
    TRY(read_dims(file, path, name, &outs, &last_in));
    *net = mlp_make(in, hidden, layers, heads * outs, 1, activation);
done:
    return st;
}

/* One weight and bias into their places; `space` has room for the weight. */
static Status read_part(const H5File *file, const char *root, const Part *part, float *space,
                        float *params)
{
    Status st = OK;
    char name[H5_NAME_MAX];
    const int ins = part->m.rows;

    object_name(name, root, part->group, "weight");
    TRY(h5_read_rows(file, name, part->outs, ins, space));
    for (int j = 0; j < part->outs; j++) {
        for (int i = 0; i < ins; i++) {
            params[weight_at(part, i, j)] = space[(size_t)j * (size_t)ins + (size_t)i];
        }
    }
    object_name(name, root, part->group, "bias");
    TRY(h5_read_rows(file, name, part->outs, 1, params + part->m.bias + part->first));
done:
    return st;
}

static Status read_params(const H5File *file, const char *path, const char *root, const Part *parts,
                          int count, size_t floats, float **params)
{
    Status st = OK;
    float *space = NULL;

    TRY(mem_alloc(params, floats, sizeof **params, "a policy"));
    TRY(mem_alloc(&space, floats, sizeof *space, "a policy"));
    for (int i = 0; i < count; i++) {
        TRY(read_part(file, root, &parts[i], space, *params));
    }
    if (check_finite(*params, floats) != OK) {
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

    TRY(read_kind(file, path, root, &distribution, &linear));
    TRY(read_kind(file, path, "", &log_std_form, &smooth));
    if (h5_has(file, clip_name)) {
        TRY(h5_read(file, clip_name, SLAB_F32, clip, 2));
    }
    if (!(isfinite(clip[0]) && isfinite(clip[1]) && clip[0] < clip[1])) {
        st =
            status_fail(ERR_FORMAT, "%s: %s must be two finite numbers, in order", path, clip_name);
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
    Part parts[MLP_LAYERS_MAX + 1];
    int64_t candidates = 0;
    char name[H5_NAME_MAX];

    if (!h5_has(file, candidates_name)) {
        return OK;
    }
    TRY(h5_read(file, candidates_name, SLAB_I64, &candidates, 1));
    object_name(name, critic_root, "fc0", "weight");
    if (candidates < 1 || candidates > CANDIDATES_MAX || !h5_has(file, name)) {
        return status_fail(
            ERR_FORMAT, "%s: %s is %lld; it must be 1 to %d, with the network %s beside it", path,
            candidates_name, (long long)candidates, CANDIDATES_MAX, critic_root);
    }
    TRY(read_layout(file, path, critic_root, 1, ACT_RELU, &choice->critic));
    if (choice->critic.in != actor->in + actions(actor) || choice->critic.out != 1) {
        return status_fail(ERR_FORMAT, "%s: %s takes %d numbers and gives %d; expected %d and 1",
                           path, critic_root, choice->critic.in, choice->critic.out,
                           actor->in + actions(actor));
    }
    const int count = list_critic(&choice->critic, parts);
    TRY(read_params(file, path, critic_root, parts, count, choice->critic.count, &choice->values));
    choice->candidates = (int)candidates;
done:
    return st;
}

Status policy_load(const char *path, PolicyFile *out)
{
    Status st = OK;
    H5File *file = NULL;
    const char *root = NULL;
    Part parts[MLP_LAYERS_MAX + 1];
    int act = 0;

    *out = (PolicyFile){0};
    TRY(sealed_open(&file, path, false));
    TRY(find_root(file, path, &root));
    TRY(read_kind(file, path, root, &nonlinearity, &act));
    TRY(read_layout(file, path, root, 2, acts[act], &out->actor));
    TRY(read_squash(file, path, root, &out->squash));
    const int count = list_parts(&out->actor, parts);
    TRY(read_params(file, path, root, parts, count, out->actor.count, &out->params));
    TRY(read_choice(file, path, &out->actor, &out->choice));
    out->state_dim = out->actor.in;
    out->act_dim = actions(&out->actor);
    TRY(read_info(file, out->act_dim, &out->info));
    out->squash.A = out->act_dim;
done:
    h5_close(file);
    if (st != OK) {
        policy_release(out);
    }
    return status_while(st, "reading the policy");
}

Status policy_share(PolicyFile *policy)
{
    Status st = OK;
    float *params = comm_rank() == 0 ? policy->params : NULL;
    float *values = comm_rank() == 0 ? policy->choice.values : NULL;

    coll_bcast(policy, sizeof *policy, 0);
    policy->params = params;
    policy->choice.values = values;
    const size_t critic = policy->choice.critic.count;
    if (comm_rank() != 0) {
        st = mem_alloc(&policy->params, policy->actor.count, sizeof *params, "a policy");
        st = st == OK && critic > 0
                 ? mem_alloc(&policy->choice.values, critic, sizeof *values, "a critic")
                 : st;
    }
    TRY(comm_agree(st));
    coll_bcast(policy->params, policy->actor.count * sizeof *params, 0);
    coll_bcast(policy->choice.values, critic * sizeof *values, 0);
done:
    if (st != OK) {
        policy_release(policy);
    }
    return st;
}

void policy_release(PolicyFile *policy)
{
    mem_free(&policy->params);
    mem_free(&policy->choice.values);
    *policy = (PolicyFile){0};
}
