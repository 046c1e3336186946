/* Writing a policy, and giving it to all ranks; reading is in policy_read.c. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/panic.h"
#include "comm/comm.h"
#include "run/policy_parts.h"
#include "run/sealed.h"

/* Two items, weight transposed and bias, from `space` on; returns where their numbers end. */
static float *part_items(const char *root, const PolicyPart *part, const float *params,
                         float *space, H5Item items[2])
{
    const int rows = part->m.rows;
    float *bias = space + (size_t)part->outs * (size_t)rows;
    for (int j = 0; j < part->outs; j++) {
        for (int i = 0; i < rows; i++) {
            *space++ = params[policy_weight_at(part, i, j)];
        }
        bias[j] = params[part->m.bias + (size_t)(part->first + j)];
    }
    items[0] = (H5Item){.type = SLAB_F32,
                        .data = bias - (size_t)part->outs * (size_t)rows,
                        .rank = 2,
                        .dims = {part->outs, rows}};
    items[1] = (H5Item){.type = SLAB_F32, .data = bias, .rank = 1, .dims = {part->outs}};
    policy_object_name(items[0].name, root, part->group, "weight");
    policy_object_name(items[1].name, root, part->group, "bias");
    return bias + part->outs;
}

Status policy_items(PolicyItems *out, const Mlp *actor, const Squash *squash, const float *params)
{
    Status st = OK;
    PolicyPart parts[MLP_LAYERS_MAX + 1];
    const float clip[2] = {squash->low, squash->high};

    *out = (PolicyItems){0};
    REQUIRE(actor->groups == 1 && actor->out == 2 * squash->A);
    REQUIRE(actor->act == ACT_RELU || actor->act == ACT_TANH);
    TRY(policy_check_finite(params, actor->count));
    TRY(mem_alloc(&out->block, actor->count + 2, sizeof *out->block, "the policy to be written"));
    float *space = out->block;
    const int count = policy_list_actor(actor, parts);
    for (int i = 0; i < count; i++, out->n += 2) {
        space = part_items(policy_roots[0], &parts[i], params, space, out->items + out->n);
    }
    memcpy(space, clip, sizeof clip);
    out->items[out->n] = (H5Item){.type = SLAB_F32, .data = space, .rank = 1, .dims = {2}};
    (void)snprintf(out->items[out->n++].name, H5_NAME_MAX, "%s", POLICY_CLIP);
    out->texts[out->m++] = (H5Text){"metadata/policy/nonlinearity",
                                    policy_nonlinearity.choice[actor->act == ACT_TANH], true};
    out->texts[out->m++] = (H5Text){"metadata/policy/output_distribution",
                                    policy_distribution.choice[squash->linear], true};
    if (squash->smooth) {
        out->texts[out->m++] = (H5Text){POLICY_FORM, policy_log_std_form.choice[1], true};
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
    PolicyPart parts[MLP_LAYERS_MAX + 1];
    const Mlp *critic = &choice->critic;

    REQUIRE(critic->out == 1 && critic->act == ACT_RELU);
    TRY(policy_check_finite(choice->values, critic->count));
    TRY(mem_alloc(space, critic->count, sizeof **space, "the critic to be written"));
    items[*n] = (H5Item){.type = SLAB_I64, .data = candidates, .rank = 0};
    (void)snprintf(items[(*n)++].name, H5_NAME_MAX, "%s", POLICY_CANDIDATES);
    float *at = *space;
    const int count = policy_list_critic(critic, parts);
    for (int i = 0; i < count; i++, *n += 2) {
        at = part_items(POLICY_CRITIC, &parts[i], choice->values, at, items + *n);
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
