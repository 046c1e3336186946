#include "policy/bear_vae.h"

#include "base/vmath.h"
#include "policy/batch.h"

static const float spread_low = -4.0F, spread_high = 15.0F; /* of log s */

/* The encoder's output as a head: z is its sample. */
static Squash encoder_head(const Agent *agent)
{
    return (Squash){
        .A = bear_latents(agent), .low = spread_low, .high = spread_high, .linear = true};
}

size_t bear_vae_cost(const Agent *agent, int rows)
{
    const Mlp *encoder = &agent->side[ENCODER];
    const Mlp *decoder = &agent->side[DECODER];
    const size_t widest = (size_t)encoder->in + (size_t)encoder->out + (size_t)decoder->in;
    return 11 * arena_cost((size_t)rows * widest) + mlp_tape_cost(encoder, rows) +
           mlp_tape_cost(decoder, rows) + mlp_backward_cost(encoder, rows);
}

/* Squared error of n numbers times `scale`, and its derivative by the output before tanh. */
static double reconstruction(const float *out, const float *a, size_t n, float scale, float *dout)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        const float t = vm_tanh(out[i]);
        const float off = t - a[i];
        dout[i] = 2.0F * scale * off * (1.0F - t * t);
        sum += (double)off * (double)off;
    }
    return sum * (double)scale;
}

/* Half the divergence of the posterior from N(0, I); its derivative is added to dhead (rows, 2 L). */
static double divergence(const float *head, int rows, int L, float scale, float *dhead)
{
    const size_t n = (size_t)L;
    double sum = 0;

    for (size_t i = 0; i < (size_t)rows; i++) {
        const float *mean = head + i * 2 * n;
        float *dmean = dhead + i * 2 * n;
        for (size_t j = 0; j < n; j++) {
            const float raw = mean[n + j];
            const float low = raw < spread_low ? spread_low : raw;
            const float log_s = low > spread_high ? spread_high : low;
            const float square = vm_exp(2.0F * log_s);
            sum += -0.5 *
                   (1.0 + 2.0 * (double)log_s - (double)mean[j] * (double)mean[j] - (double)square);
            dmean[j] += 0.5F * scale * mean[j];
            dmean[n + j] += raw == log_s ? 0.5F * scale * (square - 1.0F) : 0.0F;
        }
    }
    return 0.5 * sum * (double)scale;
}

/* grad: [ encoder | decoder ] */
void bear_vae_gradient(const Agent *agent, const Batch *batch, int total, Rng *rng, Arena *tmp,
                       float *grad, float *stats)
{
    const size_t mark = tmp->used;
    const Mlp *encoder = &agent->side[ENCODER];
    const Mlp *decoder = &agent->side[DECODER];
    const float *enc = agent->params + agent->at_side[ENCODER];
    const float *dec = agent->params + agent->at_side[DECODER];
    const Squash posterior = encoder_head(agent);
    const int b = batch->rows;
    const int S = agent->cfg.state_dim;
    const int L = bear_latents(agent);
    const size_t n = (size_t)b;
    const size_t A = (size_t)agent->cfg.act_dim;
    float *s = arena_floats(tmp, n * (size_t)S);
    float *sa = arena_floats(tmp, n * (size_t)encoder->in);
    float *a = arena_floats(tmp, n * A);
    float *head = arena_floats(tmp, n * (size_t)encoder->out);
    float *dhead = arena_floats(tmp, n * (size_t)encoder->out);
    float *eps = arena_floats(tmp, n * (size_t)L);
    float *z = arena_floats(tmp, n * (size_t)L);
    float *dz = arena_floats(tmp, n * (size_t)L);
    float *sz = arena_floats(tmp, n * (size_t)decoder->in);
    float *out = arena_floats(tmp, n * A);
    float *dout = arena_floats(tmp, n * A);
    MlpTape of_enc = mlp_tape(encoder, b, tmp);
    MlpTape of_dec = mlp_tape(decoder, b, tmp);

    batch_columns(agent, batch, s, NULL, sa);
    batch_actions(agent, batch, 0.0F, a);
    rng_fill_normal(rng, eps, n * (size_t)L);
    mlp_forward(encoder, enc, sa, b, &of_enc, head);
    squash_draws(&posterior, head, eps, b, 1, NULL, z, NULL);
    batch_join(s, S, z, L, b, 1, sz);
    mlp_forward(decoder, dec, sz, b, &of_dec, out);

    double loss = reconstruction(out, a, n * A, 1.0F / ((float)total * (float)A), dout);
    mlp_backward(decoder, dec, sz, b, &of_dec, dout,
                 grad + (agent->at_side[DECODER] - agent->at_side[ENCODER]), dz, S, tmp);
    squash_draws_backward(&posterior, head, eps, z, b, 1, NULL, dz, NULL, dhead);
    loss += divergence(head, b, L, 1.0F / ((float)total * (float)L), dhead);
    mlp_backward(encoder, enc, sa, b, &of_enc, dhead, grad, NULL, 0, tmp);
    stats[STAT_BEHAVIOR] = (float)loss;
    arena_reset(tmp, mark);
}
