#include "policy/twin.h"

#include <math.h>

float twin_least(const float q[CRITICS])
{
    return q[0] < q[1] || isnan(q[0]) ? q[0] : q[1];
}

size_t twin_cost(const Agent *agent, int rows)
{
    return 2 * arena_cost((size_t)rows * CRITICS) + mlp_tape_cost(&agent->critic, rows) +
           mlp_backward_cost(&agent->critic, rows);
}

void twin_regress(const Agent *agent, const float *sa, const float *y, int rows, float weight,
                  float scale, Arena *tmp, float *grad, float *stats)
{
    const size_t mark = tmp->used;
    const size_t n = (size_t)rows * CRITICS;
    const float *critic = agent->params + agent->at_critic;
    float *q = arena_floats(tmp, n);
    float *dq = arena_floats(tmp, n);
    MlpTape tape = mlp_tape(&agent->critic, rows, tmp);
    double loss = 0;
    double sum = 0;

    mlp_forward(&agent->critic, critic, sa, rows, &tape, q);
    for (size_t i = 0; i < n; i++) {
        const float off = q[i] - y[i / CRITICS];
        dq[i] = 2.0F * weight * scale * off;
        loss += (double)weight * (double)off * (double)off;
        sum += (double)q[i];
    }
    stats[STAT_CRITIC_LOSS] = (float)(loss * (double)scale / CRITICS);
    stats[STAT_Q] = (float)(sum * (double)scale / CRITICS);
    mlp_backward(&agent->critic, critic, sa, rows, &tape, dq, grad, NULL, 0, tmp);
    arena_reset(tmp, mark);
}

void twin_climb(const Agent *agent, const float *sa, int rows, Arena *tmp, float *least,
                float *dq_da)
{
    const size_t mark = tmp->used;
    const size_t n = (size_t)rows;
    const float *critic = agent->params + agent->at_critic;
    float *q = arena_floats(tmp, n * CRITICS);
    float *dq = arena_floats(tmp, n * CRITICS);
    MlpTape tape = mlp_tape(&agent->critic, rows, tmp);

    mlp_forward(&agent->critic, critic, sa, rows, &tape, q);
    for (size_t i = 0; i < n; i++) {
        const size_t k = q[2 * i + 1] < q[2 * i] ? 1 : 0;
        dq[2 * i + k] = 1.0F;
        dq[2 * i + 1 - k] = 0.0F;
        least[i] = twin_least(q + 2 * i);
    }
    mlp_backward(&agent->critic, critic, sa, rows, &tape, dq, NULL, dq_da, agent->cfg.state_dim,
                 tmp);
    arena_reset(tmp, mark);
}
