#include "model/penalty.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static void penalty_none(const PenaltyIn *in, float *u)
{
    memset(u, 0, (size_t)in->rows * sizeof *u);
}

/* u(b) = max over all members of the Euclidean norm of std(b, i, :), reward included. */
static void penalty_max_std(const PenaltyIn *in, float *u)
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

static const Penalty penalties[] = {
    {"none", penalty_none, "MBPO: no penalty"},
    {"max_std", penalty_max_std, "MOPO section 4.3; released code, fake_env.py"},
};

const Penalty *penalty_row(int i)
{
    return i >= 0 && (size_t)i < sizeof penalties / sizeof *penalties ? &penalties[i] : NULL;
}

const Penalty *penalty_find(const char *name)
{
    for (int i = 0; penalty_row(i) != NULL; i++) {
        if (strcmp(penalties[i].name, name) == 0) {
            return &penalties[i];
        }
    }
    return NULL;
}
