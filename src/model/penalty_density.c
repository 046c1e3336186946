/* Penalties from the members' Gaussians as a whole: means and deviations, reward included. */
#include "base/vmath.h"
#include "model/penalty_math.h"
#include "model/penalty_table.h"

/* Variance of the equally weighted mixture of the members but number `skip` (-1: none), each number of
 * the output: mean of std^2 + (mean_i - center)^2; center = base + off, see penalty_center.
 * mean, std: (E, Y). Returns base. */
static const float *mixture(const float *mean, const float *std, int members, int skip, size_t Y,
                            float *off, float *var)
{
    const float share = 1.0F / (float)(skip < 0 ? members : members - 1);

    const float *base = penalty_center(mean, members, skip, Y, Y, off);
    for (size_t y = 0; y < Y; y++) {
        var[y] = 0;
    }
    for (int i = 0; i < members; i++) {
        const size_t at = (size_t)i * Y;
        for (size_t y = 0; i != skip && y < Y; y++) {
            const float d = mean[at + y] - base[y] - off[y];
            var[y] += std[at + y] * std[at + y] + d * d;
        }
    }
    for (size_t y = 0; y < Y; y++) {
        var[y] *= share;
    }
    return base;
}

/* u(b) = sqrt(sum over outputs of the mixture's variance). */
static void mixture_std(const PenaltyIn *in, float *u)
{
    const size_t Y = (size_t)in->outs;
    const size_t row = (size_t)in->members * Y;
    float off[PENALTY_OUTS_MAX];
    float var[PENALTY_OUTS_MAX];

    for (size_t b = 0; b < (size_t)in->rows; b++) {
        float sum = 0.0F;
        (void)mixture(in->mean + b * row, in->std + b * row, in->members, -1, Y, off, var);
        for (size_t y = 0; y < Y; y++) {
            sum += var[y];
        }
        u[b] = sqrtf(sum);
    }
}

/* In double, behind a loop that vectors can follow: terms are many and may cancel. */
static double sum_of(const float *term, size_t n)
{
    double sum = 0;
    for (size_t j = 0; j < n; j++) {
        sum += (double)term[j];
    }
    return sum;
}

/* -log N(x; mean, std^2) without its constant. vm_log sees no infinity, the product with zero does. */
static double surprise(const float *x, const float *mean, const float *std, size_t Y)
{
    float term[PENALTY_OUTS_MAX];

    for (size_t y = 0; y < Y; y++) {
        const float z = (x[y] - mean[y]) / std[y];
        term[y] = 0.5F * z * z + (vm_log(std[y]) + 0.0F * std[y]);
    }
    return sum_of(term, Y);
}

/* u(b) = variance over members of log p_i(r, s' | s, a) of the sample (population form). */
static void ll_var(const PenaltyIn *in, float *u)
{
    const size_t E = (size_t)in->members;
    const size_t Y = (size_t)in->outs;

    for (size_t b = 0; b < (size_t)in->rows; b++) {
        double nats[ENSEMBLE_MAX];
        double off = 0;
        double squares = 0;
        for (size_t i = 0; i < E; i++) {
            const size_t at = (b * E + i) * Y;
            nats[i] = surprise(in->sample + b * Y, in->mean + at, in->std + at, Y);
            off += (nats[i] - nats[0]) / (double)E;
        }
        for (size_t i = 0; i < E; i++) {
            const double d = nats[i] - nats[0] - off;
            squares += d * d;
        }
        u[b] = (float)(squares / (double)E);
    }
}

/* KL(N(m, s^2) || N(base + off, v)) = sum of 1/2 (log q + 1/q - 1 + (m - base - off)^2 / v) with
 * q = v / s^2, without what rounding takes below zero. */
static float divergence(const float *m, const float *s, const float *base, const float *off,
                        const float *v, size_t Y)
{
    float term[PENALTY_OUTS_MAX];

    for (size_t y = 0; y < Y; y++) {
        const float d = m[y] - base[y] - off[y];
        const float q = v[y] / (s[y] * s[y]);
        term[y] = vm_log(q) + 1 / q - 1 + d * d / v[y] + 0.0F * q; /* vm_log sees no infinity */
    }
    const double sum = 0.5 * sum_of(term, Y);
    return sum < 0 ? 0.0F : (float)sum;
}

/* u(b) = KL of the drawn member from the moment-matched Gaussian of the others. */
static void loo_kl(const PenaltyIn *in, float *u)
{
    const size_t Y = (size_t)in->outs;
    const size_t row = (size_t)in->members * Y;
    float off[PENALTY_OUTS_MAX];
    float var[PENALTY_OUTS_MAX];

    for (size_t b = 0; b < (size_t)in->rows; b++) {
        const float *mean = in->mean + b * row;
        const float *std = in->std + b * row;
        const size_t own = (size_t)in->drawn[b] * Y;
        u[b] = 0;
        if (in->members > 1) {
            const float *base = mixture(mean, std, in->members, in->drawn[b], Y, off, var);
            u[b] = divergence(mean + own, std + own, base, off, var, Y);
        }
    }
}

const Penalty penalty_mixture_std = {
    .name = "mixture_std",
    .eval = mixture_std,
    .members = 1,
    .unit = "reward and state units",
    .source =
        "Lu et al. 2022, \"ensemble std\"; norm over reward and state, as max_std, so that one "
        "lambda compares",
};

const Penalty penalty_ll_var = {
    .name = "ll_var",
    .eval = ll_var,
    .members = 2,
    .unit = "nats^2",
    .source = "Lu et al. 2022, \"LL Var\"; of the sampled reward and next state",
};

const Penalty penalty_loo_kl = {
    .name = "loo_kl",
    .eval = loo_kl,
    .members = 2,
    .unit = "nats",
    .source = "Lu et al. 2022, \"LOO KL\"; of the drawn member, reward included",
};
