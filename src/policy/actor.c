#include "policy/actor.h"

#include <string.h>

#include "policy/batch.h"

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

size_t policy_choose_cost(const Mlp *actor, const Mlp *critic, int n)
{
    const size_t rows = (size_t)n;
    const size_t A = (size_t)actor->out / 2;
    return arena_cost(2 * A) + arena_cost(rows * A) + arena_cost(rows * (size_t)critic->in) +
           arena_cost(rows * (size_t)critic->groups) + mlp_infer_cost(actor, 1) +
           mlp_infer_cost(critic, n);
}

void policy_choose(const Mlp *actor, const Squash *squash, const float *params, const Mlp *critic,
                   const float *values, const float *s, const float *eps, int n, Arena *tmp,
                   float *a)
{
    const size_t mark = tmp->used;
    const size_t A = (size_t)squash->A;
    const size_t G = (size_t)critic->groups;
    float *head = arena_floats(tmp, 2 * A);
    float *drawn = arena_floats(tmp, (size_t)n * A);
    float *sa = arena_floats(tmp, (size_t)n * (size_t)critic->in);
    float *q = arena_floats(tmp, (size_t)n * G);
    size_t best = 0;

    mlp_infer(actor, params, s, 1, tmp, head);
    squash_draws(squash, head, eps, 1, n, NULL, drawn, NULL);
    batch_join(s, actor->in, drawn, squash->A, 1, n, sa);
    mlp_infer(critic, values, sa, n, tmp, q);
    for (size_t k = 1; k < (size_t)n; k++) {
        best = q[k * G] > q[best * G] ? k : best;
    }
    memcpy(a, drawn + best * A, A * sizeof *a);
    arena_reset(tmp, mark);
}
