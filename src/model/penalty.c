#include "model/penalty.h"

#include <stddef.h>
#include <string.h>

#include "model/penalty_table.h"

static void no_penalty(const PenaltyIn *in, float *u)
{
    memset(u, 0, (size_t)in->rows * sizeof *u);
}

const Penalty penalty_none = {
    .name = "none",
    .eval = no_penalty,
    .reads = PREDICT_DRAWN,
    .members = 1,
    .unit = "",
    .source = "MBPO: no penalty",
};

static const Penalty *const penalties[] = {
#define PENALTY_ROW(name) &penalty_##name,
    PENALTY_TABLE(PENALTY_ROW)
#undef PENALTY_ROW
};

const Penalty *penalty_row(int i)
{
    return i >= 0 && (size_t)i < sizeof penalties / sizeof *penalties ? penalties[i] : NULL;
}

const Penalty *penalty_find(const char *name)
{
    for (int i = 0; penalty_row(i) != NULL; i++) {
        if (strcmp(penalties[i]->name, name) == 0) {
            return penalties[i];
        }
    }
    return NULL;
}
