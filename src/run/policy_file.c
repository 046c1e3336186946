#include "run/policy_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/panic.h"
#include "data/h5.h"
#include "run/sealed.h"

enum { DIM_MAX = 8192, ITEMS_MAX = 2 * (MLP_LAYERS_MAX + 1) + 2 };

static const char *const roots[] = {"metadata/policy", "policy"};
static const char nonlinearity[] = "relu";
static const char distribution[] = "tanh_gaussian";

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

/* All parts of an actor; returns how many: hidden layers, mean, log deviation. */
static int list_parts(const Mlp *actor, Part parts[MLP_LAYERS_MAX + 1])
{
    const int L = actor->layers;
    const MlpMatrix head = mlp_matrix(actor, L, 0);
    for (int l = 0; l < L; l++) {
        parts[l] = (Part){.m = mlp_matrix(actor, l, 0), .outs = actor->hidden};
        (void)snprintf(parts[l].group, sizeof parts[l].group, "fc%d", l);
    }
    parts[L] = (Part){"last_fc", head, 0, actions(actor)};
    parts[L + 1] = (Part){"last_fc_log_std", head, actions(actor), actions(actor)};
    return L + 2;
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

/* Two items: bias as it is, weight transposed into *space, which moves on. */
static void part_items(const Part *part, const float *params, float **space, H5Item items[2])
{
    float *w = *space;
    for (int j = 0; j < part->outs; j++) {
        for (int i = 0; i < part->m.rows; i++) {
            *(*space)++ = params[weight_at(part, i, j)];
        }
    }
    items[0] = (H5Item){.type = SLAB_F32, .data = w, .rank = 2, .dims = {part->outs, part->m.rows}};
    items[1] = (H5Item){.type = SLAB_F32,
                        .data = params + part->m.bias + part->first,
                        .rank = 1,
                        .dims = {part->outs}};
    object_name(items[0].name, roots[0], part->group, "weight");
    object_name(items[1].name, roots[0], part->group, "bias");
}

static Status check_finite(const char *path, const float *params, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(params[i])) {
            return status_fail(ERR_NUMERIC, "%s: weight %zu of the policy is not a finite number",
                               path, i);
        }
    }
    return OK;
}

Status policy_save(const char *path, const PolicyInfo *info, const Mlp *actor, const float *params)
{
    Status st = OK;
    Part parts[MLP_LAYERS_MAX + 1];
    H5Item items[ITEMS_MAX];
    float *block = NULL;
    int n = 0;
    const float clip[2] = {info->log_std_min, info->log_std_max};
    const H5Text texts[] = {
        {"metadata/algorithm", info->algorithm, true},
        {"metadata/policy/nonlinearity", nonlinearity, true},
        {"metadata/policy/output_distribution", distribution, true},
        {"task", info->task, false},
        {"config_digest", info->config_digest, false},
    };

    REQUIRE(actor->groups == 1 && actor->act == ACT_RELU && actor->out % 2 == 0);
    TRY(check_finite(path, params, actor->count));
    TRY(mem_alloc(&block, actor->count, sizeof *block, "the policy to be written"));
    float *space = block;
    const int count = list_parts(actor, parts);
    for (int i = 0; i < count; i++, n += 2) {
        part_items(&parts[i], params, &space, items + n);
    }
    items[n++] =
        (H5Item){.name = "metadata/iteration", .type = SLAB_I64, .data = &info->epoch, .rank = 0};
    items[n++] = (H5Item){
        .name = "mopo/log_std_clip", .type = SLAB_F32, .data = clip, .rank = 1, .dims = {2}};
    TRY(sealed_write(path, items, n, texts, (int)(sizeof texts / sizeof *texts)));
done:
    mem_free(&block);
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

/* A kind of network that we do not have must not be mistaken for ours. Absent texts are fine. */
static Status check_kind(const H5File *file, const char *path, const char *root)
{
    const char *const kinds[][2] = {{"nonlinearity", nonlinearity},
                                    {"output_distribution", distribution}};
    for (size_t i = 0; i < 2; i++) {
        char name[H5_NAME_MAX];
        char found[POLICY_TEXT_MAX];
        (void)snprintf(name, sizeof name, "%s/%s", root, kinds[i][0]);
        if (h5_has(file, name)) {
            const Status st = h5_read_text(file, name, found, sizeof found);
            if (st != OK) {
                return st;
            }
            if (strcmp(found, kinds[i][1]) != 0) {
                return status_fail(ERR_FORMAT, "%s: %s is '%s'; only '%s' can be used", path, name,
                                   found, kinds[i][1]);
            }
        }
    }
    return OK;
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

/* Dimensions from the first and the last weight; the others are checked as they are read. */
static Status read_layout(const H5File *file, const char *path, const char *root, Mlp *actor)
{
    Status st = OK;
    char name[H5_NAME_MAX];
    char group[24];
    int layers = 0;
    int hidden = 0;
    int in = 0;
    int A = 0;
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
    TRY(read_dims(file, path, name, &A, &last_in));
    *actor = mlp_make(in, hidden, layers, 2 * A, 1, ACT_RELU);
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
    TRY(h5_read_rows(file, name, part->outs, ins, space, (size_t)ins));
    for (int j = 0; j < part->outs; j++) {
        for (int i = 0; i < ins; i++) {
            params[weight_at(part, i, j)] = space[(size_t)j * (size_t)ins + (size_t)i];
        }
    }
    object_name(name, root, part->group, "bias");
    TRY(h5_read_rows(file, name, part->outs, 1, params + part->m.bias + part->first, 1));
done:
    return st;
}

static Status read_params(const H5File *file, const char *path, const char *root, PolicyFile *out)
{
    Status st = OK;
    Part parts[MLP_LAYERS_MAX + 1];
    float *space = NULL;

    TRY(mem_alloc(&out->params, out->actor.count, sizeof *out->params, "a policy"));
    TRY(mem_alloc(&space, out->actor.count, sizeof *space, "a policy"));
    const int count = list_parts(&out->actor, parts);
    for (int i = 0; i < count; i++) {
        TRY(read_part(file, root, &parts[i], space, out->params));
    }
    if (check_finite(path, out->params, out->actor.count) != OK) {
        st = ERR_FORMAT; /* with the same sentence: the file is to blame */
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

static Status read_info(const H5File *file, const char *path, PolicyInfo *info)
{
    Status st = OK;
    float clip[2] = {-20.0F, 2.0F}; /* D4RL's and Stable Baselines3's */

    read_text(file, "metadata/algorithm", info->algorithm);
    read_text(file, "task", info->task);
    read_text(file, "config_digest", info->config_digest);
    info->epoch = -1;
    if (h5_has(file, "metadata/iteration")) {
        TRY(h5_read(file, "metadata/iteration", SLAB_I64, &info->epoch, 1));
    }
    if (h5_has(file, "mopo/log_std_clip")) {
        TRY(h5_read(file, "mopo/log_std_clip", SLAB_F32, clip, 2));
    }
    if (!(isfinite(clip[0]) && isfinite(clip[1]) && clip[0] < clip[1])) {
        st = status_fail(ERR_FORMAT, "%s: mopo/log_std_clip must be two finite numbers, in order",
                         path);
        goto done;
    }
    info->log_std_min = clip[0];
    info->log_std_max = clip[1];
done:
    return st;
}

Status policy_load(const char *path, PolicyFile *out)
{
    Status st = OK;
    H5File *file = NULL;
    const char *root = NULL;

    *out = (PolicyFile){0};
    TRY(sealed_open(&file, path, false));
    TRY(find_root(file, path, &root));
    TRY(check_kind(file, path, root));
    TRY(read_layout(file, path, root, &out->actor));
    TRY(read_params(file, path, root, out));
    TRY(read_info(file, path, &out->info));
    out->state_dim = out->actor.in;
    out->act_dim = actions(&out->actor);
    out->squash = (Squash){out->act_dim, out->info.log_std_min, out->info.log_std_max};
done:
    h5_close(file);
    if (st != OK) {
        policy_release(out);
    }
    return status_while(st, "reading the policy");
}

void policy_release(PolicyFile *policy)
{
    mem_free(&policy->params);
    *policy = (PolicyFile){0};
}
