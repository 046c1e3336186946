/* The policy's gradient, products with its Fisher matrix, and how far a step went. */
#include <math.h>
#include <string.h>

#include "base/vmath.h"
#include "nn/vec.h"
#include "policy/npg.h"

/* given: unused. */
static void gradient(const NpgPhase *phase, const NpgShare *share, const float *given)
{
    const Agent *agent = phase->agent;
    const Mlp *actor = &agent->actor;
    const float *params = agent_actor(agent);
    const size_t mark = phase->tmp->used;
    NpgChunk c = npg_chunk(agent, share->batch->rows, phase->tmp);
    const float scale = 1.0F / (float)phase->total;

    (void)given;
    for (int first = 0; npg_chunk_load(agent, share->batch, first, &c), c.b > 0; first += c.b) {
        mlp_forward(actor, params, c.s, c.b, &c.tape, c.head);
        for (int i = 0; i < c.b; i++) {
            c.x[i] = scale * phase->adv[share->at + (size_t)first + (size_t)i];
        }
        squash_density_backward(&agent->squash, c.head, c.a, c.b, 1, c.x, c.dist, NULL);
        mlp_backward(actor, params, c.s, c.b, &c.tape, c.dist, c.grad, NULL, 0, phase->tmp);
        vec_axpy(share->grad, 1.0F, c.grad, actor->count);
    }
    arena_reset(phase->tmp, mark);
}

Status npg_gradient(const NpgPhase *phase, float *out)
{
    Agent *agent = phase->agent;
    float tail[AGENT_TAIL];
    Status st = OK;

    TRY(npg_pass(phase, "policy", agent->actor.count, gradient, NULL, tail));
    memcpy(out, agent->grads, agent->actor.count * sizeof *out);
    npg_mask(agent, out);
done:
    return st;
}

/* Mean of J^T diag(1 / std^2) J v over rows, J the derivative of the mean action; given: v. */
static void curvature(const NpgPhase *phase, const NpgShare *share, const float *given)
{
    const Agent *agent = phase->agent;
    const Mlp *actor = &agent->actor;
    const float *params = agent_actor(agent);
    const float *log_std = params + npg_at_log_std(agent);
    const size_t A = (size_t)agent->cfg.act_dim;
    const size_t mark = phase->tmp->used;
    NpgChunk c = npg_chunk(agent, share->batch->rows, phase->tmp);
    float *weight = arena_floats(phase->tmp, A);

    for (size_t j = 0; j < A; j++) {
        weight[j] = vm_exp(-2.0F * log_std[j]) / (float)phase->total;
    }
    for (int first = 0; npg_chunk_load(agent, share->batch, first, &c), c.b > 0; first += c.b) {
        mlp_forward(actor, params, c.s, c.b, &c.tape, c.head);
        mlp_tangent(actor, params, given, c.s, c.b, &c.tape, c.dist, phase->tmp);
        for (size_t i = 0; i < (size_t)c.b; i++) {
            for (size_t j = 0; j < A; j++) {
                c.dist[i * 2 * A + j] *= weight[j];
                c.dist[i * 2 * A + A + j] = 0.0F;
            }
        }
        mlp_backward(actor, params, c.s, c.b, &c.tape, c.dist, c.grad, NULL, 0, phase->tmp);
        vec_axpy(share->grad, 1.0F, c.grad, actor->count);
    }
    arena_reset(phase->tmp, mark);
}

Status npg_fisher(void *phase, const float *v, float *out)
{
    const NpgPhase *p = phase;
    Agent *agent = p->agent;
    const size_t n = agent->actor.count;
    const size_t at = npg_at_log_std(agent);
    float tail[AGENT_TAIL];
    Status st = OK;

    TRY(npg_pass(p, "Fisher matrix", n, curvature, v, tail));
    memcpy(out, agent->grads, n * sizeof *out);
    vec_axpy(out + at, 2.0F, v + at, (size_t)agent->cfg.act_dim);
    vec_axpy(out, (float)agent->cfg.npg.damping, v, n);
done:
    return st;
}

/* KL(old | next) of one state; heads (2 A). */
static double divergence(const float *old, const float *next, size_t A)
{
    double sum = 0;
    for (size_t j = 0; j < A; j++) {
        const float narrow = vm_exp(-2.0F * next[A + j]);
        const float off = next[j] - old[j];
        const float ratio = vm_exp(2.0F * (old[A + j] - next[A + j]));
        sum += (double)(next[A + j] - old[A + j] + 0.5F * (ratio + off * off * narrow - 1.0F));
    }
    return sum;
}

/* given: parameters of the next policy. */
static void measure(const NpgPhase *phase, const NpgShare *share, const float *given)
{
    const Agent *agent = phase->agent;
    const Mlp *actor = &agent->actor;
    const size_t A = (size_t)agent->cfg.act_dim;
    const size_t mark = phase->tmp->used;
    NpgChunk c = npg_chunk(agent, share->batch->rows, phase->tmp);
    double sums[2] = {0}; /* of KL, of adv pi_next / pi_old */

    for (int first = 0; npg_chunk_load(agent, share->batch, first, &c), c.b > 0; first += c.b) {
        mlp_forward(actor, agent_actor(agent), c.s, c.b, &c.tape, c.head);
        mlp_forward(actor, given, c.s, c.b, &c.tape, c.dist);
        squash_density(&agent->squash, c.head, c.a, c.b, 1, c.x);
        squash_density(&agent->squash, c.dist, c.a, c.b, 1, c.y);
        for (size_t i = 0; i < (size_t)c.b; i++) {
            sums[0] += divergence(c.head + i * 2 * A, c.dist + i * 2 * A, A);
            sums[1] +=
                (double)(phase->adv[share->at + (size_t)first + i] * vm_exp(c.y[i] - c.x[i]));
        }
    }
    share->stats[STAT_DIVERGENCE] = (float)(sums[0] / (double)phase->total);
    share->stats[STAT_ACTOR_LOSS] = (float)(-sums[1] / (double)phase->total);
    arena_reset(phase->tmp, mark);
}

Status npg_measure(const NpgPhase *phase, const float *next, float *stats)
{
    float tail[AGENT_TAIL];
    Status st = OK;

    TRY(npg_pass(phase, "step", 0, measure, next, tail));
    stats[STAT_DIVERGENCE] = tail[STAT_DIVERGENCE];
    stats[STAT_ACTOR_LOSS] = tail[STAT_ACTOR_LOSS];
done:
    return st;
}
