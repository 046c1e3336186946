#include "policy/twin.h"

#include <math.h>
#include <string.h>

float twin_least(const float q[CRITICS])
{
    return q[0] < q[1] || isnan(q[0]) ? q[0] : q[1];
}

size_t twin_slope_cost(const Agent *agent, int rows)
{
    const size_t n = (size_t)rows;
    return 2 * arena_cost(n) + arena_cost(n * (size_t)agent->cfg.act_dim) +
           mlp_input_slope_cost(&agent->critic, rows);
}

size_t twin_cost(const Agent *agent, int rows)
{
    const size_t back = mlp_backward_cost(&agent->critic, rows);
    const size_t slope = twin_slope_cost(agent, rows);
    return 2 * arena_cost((size_t)rows * CRITICS) + mlp_tape_cost(&agent->critic, rows) +
           (back > slope ? back : slope);
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

/* Half of the work of going back through both: the minimum has one branch. */
void twin_slope(const Agent *agent, const MlpTape *tape, const float *q, int rows, float weight,
                Arena *tmp, float *dq_da)
{
    const size_t mark = tmp->used;
    const size_t A = (size_t)agent->cfg.act_dim;
    int32_t *list = arena_bytes(tmp, (size_t)rows * sizeof *list);
    float *dy = arena_floats(tmp, (size_t)rows);
    float *part = arena_floats(tmp, (size_t)rows * A);

    for (int i = 0; i < rows; i++) {
        dy[i] = weight;
    }
    for (int k = 0; k < CRITICS; k++) {
        int n = 0;
        for (size_t i = 0; i < (size_t)rows; i++) {
            if ((q[2 * i + 1] < q[2 * i] ? 1 : 0) == k) {
                list[n++] = (int32_t)i;
            }
        }
        if (n == 0) {
            continue;
        }
        mlp_input_slope(&agent->critic, agent->params + agent->at_critic, k, tape, list, n, dy,
                        part, agent->cfg.state_dim, tmp);
        for (int i = 0; i < n; i++) {
            memcpy(dq_da + (size_t)list[i] * A, part + (size_t)i * A, A * sizeof *part);
        }
    }
    arena_reset(tmp, mark);
}

void twin_climb(const Agent *agent, const float *sa, int rows, Arena *tmp, float *least,
                float *dq_da)
{
    const size_t mark = tmp->used;
    float *q = arena_floats(tmp, (size_t)rows * CRITICS);
    MlpTape tape = mlp_tape(&agent->critic, rows, tmp);

    mlp_forward(&agent->critic, agent->params + agent->at_critic, sa, rows, &tape, q);
    for (size_t i = 0; i < (size_t)rows; i++) {
        least[i] = twin_least(q + 2 * i);
    }
    twin_slope(agent, &tape, q, rows, 1.0F, tmp, dq_da);
    arena_reset(tmp, mark);
}
