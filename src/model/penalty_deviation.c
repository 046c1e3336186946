/* Penalties from the predicted standard deviations. */
#include <math.h>
#include <stddef.h>

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
            most = sum > most || isnan(sum) ? sum : most; /* NaN must show */
        }
        u[b] = sqrtf(most);
    }
}

const Penalty penalty_max_std = {
    .name = "max_std",
    .eval = max_std,
    .unit = "reward and state units",
    .source = "MOPO section 4.3; released code, fake_env.py",
};
