/* Penalties from the predicted standard deviations. */
#include "model/penalty_math.h"
#include "model/penalty_table.h"

/* u(b) = max over all members of the Euclidean norm of std(b, i, :), reward included. */
static void max_std(const PenaltyIn *in, float *u)
{
    const size_t E = (size_t)in->members;
    const size_t Y = (size_t)in->outs;

    for (size_t b = 0; b < (size_t)in->rows; b++) {
        float most = 0.0F;
        for (size_t i = 0; i < E; i++) {
            const float *std = in->std + (b * E + i) * Y;
            float sum = 0.0F;
            for (size_t y = 0; y < Y; y++) {
                sum += std[y] * std[y];
            }
            most = penalty_larger(most, sum);
        }
        u[b] = sqrtf(most);
    }
}

/* u(b) = max over all members of the Frobenius norm of the covariance diag(std^2), reward included. */
static void frobenius(const PenaltyIn *in, float *u)
{
    const size_t E = (size_t)in->members;
    const size_t Y = (size_t)in->outs;

    for (size_t b = 0; b < (size_t)in->rows; b++) {
        float most = 0.0F;
        for (size_t i = 0; i < E; i++) {
            const float *std = in->std + (b * E + i) * Y;
            float sum = 0.0F;
            for (size_t y = 0; y < Y; y++) {
                const float var = std[y] * std[y];
                sum += var * var;
            }
            most = penalty_larger(most, sum);
        }
        u[b] = sqrtf(most);
    }
}

const Penalty penalty_max_std = {
    .name = "max_std",
    .eval = max_std,
    .reads = PREDICT_STDS,
    .members = 1,
    .unit = "reward and state units",
    .source = "MOPO section 4.3; released code, fake_env.py",
};

const Penalty penalty_frobenius = {
    .name = "frobenius",
    .eval = frobenius,
    .reads = PREDICT_STDS,
    .members = 1,
    .unit = "squares of reward and state units",
    .source = "MOPO section 4.3 as printed: norm of the covariance; Table 4 does not belong to it",
};
