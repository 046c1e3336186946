#include "policy/batch.h"

#include <string.h>

#include "data/record.h"

static Record record_of(const Agent *agent)
{
    return record_make(agent->cfg.state_dim, agent->cfg.act_dim);
}

void batch_columns(const Agent *agent, const Batch *batch, float *s, float *s2, float *sa)
{
    const Record rec = record_of(agent);
    const size_t S = (size_t)rec.S;
    const size_t D = S + (size_t)rec.A;

    for (size_t i = 0; i < (size_t)batch->rows; i++) {
        const float *row = batch->records + i * rec.stride;
        if (s != NULL) {
            memcpy(s + i * S, row, S * sizeof *s);
        }
        if (s2 != NULL) {
            memcpy(s2 + i * S, row + rec.s2, S * sizeof *s2);
        }
        if (sa != NULL) {
            memcpy(sa + i * D, row, D * sizeof *sa); /* s and a stand side by side */
        }
    }
}

void batch_actions(const Agent *agent, const Batch *batch, float margin, float *a)
{
    const Record rec = record_of(agent);
    const size_t A = (size_t)rec.A;
    const float most = 1.0F - margin;

    for (size_t i = 0; i < (size_t)batch->rows; i++) {
        const float *from = batch->records + i * rec.stride + rec.a;
        for (size_t j = 0; margin == 0.0F && j < A; j++) {
            a[i * A + j] = from[j];
        }
        for (size_t j = 0; margin > 0.0F && j < A; j++) {
            const float x = from[j] < -most ? -most : from[j];
            a[i * A + j] = x > most ? most : x;
        }
    }
}

void batch_rewards(const Agent *agent, const Batch *batch, float *r, float *cont)
{
    const Record rec = record_of(agent);

    for (size_t i = 0; i < (size_t)batch->rows; i++) {
        const float *row = batch->records + i * rec.stride;
        r[i] = agent->cfg.reward_scale * row[rec.r];
        cont[i] = row[rec.cont];
    }
}

void batch_join(const float *s, int S, const float *x, int X, int rows, int draws, float *out)
{
    const size_t of_s = (size_t)S;
    const size_t of_x = (size_t)X;
    float *to = out;

    for (size_t i = 0; i < (size_t)rows * (size_t)draws; i++) {
        memcpy(to, s + i / (size_t)draws * of_s, of_s * sizeof *to);
        memcpy(to + of_s, x + i * of_x, of_x * sizeof *to);
        to += of_s + of_x;
    }
}
