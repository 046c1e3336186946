/* Penalties from the predicted next states alone: how far the members' means are apart. The reward is
 * left out, as in the sources.
 */
#include "model/penalty_math.h"
#include "model/penalty_table.h"

/* u(b) = max_i |mean_i - mean over members|. */
static void mean_gap(const PenaltyIn *in, float *u)
{
    const size_t E = (size_t)in->members;
    const size_t Y = (size_t)in->outs;
    float off[PENALTY_OUTS_MAX];

    for (size_t b = 0; b < (size_t)in->rows; b++) {
        const float *state = in->mean + b * E * Y + 1;
        float most = 0.0F;
        const float *base = penalty_center(state, in->members, -1, Y, Y - 1, off);
        for (size_t i = 0; i < E; i++) {
            most = penalty_larger(most, penalty_distance2(state + i * Y, base, off, Y - 1));
        }
        u[b] = sqrtf(most);
    }
}

/* u(b) = max over pairs i < j of |mean_i - mean_j|. */
static void pairwise(const PenaltyIn *in, float *u)
{
    const size_t E = (size_t)in->members;
    const size_t Y = (size_t)in->outs;

    for (size_t b = 0; b < (size_t)in->rows; b++) {
        const float *state = in->mean + b * E * Y + 1;
        float most = 0.0F;
        for (size_t i = 0; i + 1 < E; i++) {
            for (size_t j = i + 1; j < E; j++) {
                most = penalty_larger(most,
                                      penalty_distance2(state + i * Y, state + j * Y, NULL, Y - 1));
            }
        }
        u[b] = sqrtf(most);
    }
}

/* u(b) = sqrt(mean over the S numbers of a state of the variance of mean_i over members); all of it is
 * one sum of squared distances from the center, over E S. */
static void ensemble_std(const PenaltyIn *in, float *u)
{
    const size_t E = (size_t)in->members;
    const size_t Y = (size_t)in->outs;
    const float share = 1.0F / (float)(E * (Y - 1));
    float off[PENALTY_OUTS_MAX];

    for (size_t b = 0; b < (size_t)in->rows; b++) {
        const float *state = in->mean + b * E * Y + 1;
        float sum = 0.0F;
        const float *base = penalty_center(state, in->members, -1, Y, Y - 1, off);
        for (size_t i = 0; i < E; i++) {
            sum += penalty_distance2(state + i * Y, base, off, Y - 1);
        }
        u[b] = sqrtf(sum * share);
    }
}

const Penalty penalty_mean_gap = {
    .name = "mean_gap",
    .eval = mean_gap,
    .members = 2,
    .unit = "state units",
    .source = "MOPO Table 3, \"ens. penalty\"; released code, fake_env.py",
};

const Penalty penalty_pairwise = {
    .name = "pairwise",
    .eval = pairwise,
    .members = 2,
    .unit = "state units",
    .source = "disagreement of MOReL (Kidambi et al. 2020, section 4), here a penalty",
};

const Penalty penalty_ensemble_std = {
    .name = "ensemble_std",
    .eval = ensemble_std,
    .members = 2,
    .unit = "state units",
    .source = "yihaosun1124/OfflineRL-Kit, \"ensemble_std\": root mean square over states' numbers",
};

const Penalty penalty_halt = {
    .name = "halt",
    .eval = pairwise,
    .members = 2,
    .halts = true,
    .unit = "state units",
    .source =
        "MOReL (Kidambi et al. 2020), definition 1: pairwise disagreement against a threshold",
};
