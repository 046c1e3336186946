/* The penalty that knows the truth: MOPO's upper bound on what an error estimate can do. */
#include "model/penalty_math.h"
#include "model/penalty_table.h"

/* u(b) = |state of the drawn member's mean - true next state|. Where the simulator cannot follow, the
 * truth is NaN and so is u: the row is dropped. */
static void oracle(const PenaltyIn *in, float *u)
{
    const size_t E = (size_t)in->members;
    const size_t Y = (size_t)in->outs;

    for (size_t b = 0; b < (size_t)in->rows; b++) {
        const float *mean = in->mean + (b * E + (size_t)in->drawn[b]) * Y;
        u[b] = sqrtf(penalty_distance2(mean + 1, in->truth + b * (Y - 1), NULL, Y - 1));
    }
}

const Penalty penalty_oracle = {
    .name = "oracle",
    .eval = oracle,
    .needs_truth = true,
    .reads = PREDICT_DRAWN,
    .members = 1,
    .unit = "state units",
    .source =
        "MOPO Table 3, \"oracle uncertainty\": the model's error by the simulator; never released",
};
