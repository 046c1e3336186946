#include "policy/actor.h"

size_t policy_act_cost(const Mlp *actor, int rows)
{
    return arena_cost((size_t)rows * (size_t)actor->out) + mlp_infer_cost(actor, rows);
}

void policy_act(const Mlp *actor, const Squash *squash, const float *params, const float *s,
                const float *eps, int rows, Arena *tmp, float *a, float *logp)
{
    const size_t mark = tmp->used;
    float *head = arena_floats(tmp, (size_t)rows * (size_t)actor->out);

    mlp_infer(actor, params, s, rows, tmp, head);
    squash_forward(squash, head, eps, rows, a, squash->A, logp);
    arena_reset(tmp, mark);
}
