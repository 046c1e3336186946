/* The range of the actions of a file, mapped linearly to [-1, 1]: what agents and models work in. */
#ifndef DATA_BOUNDS_H
#define DATA_BOUNDS_H

#include "data/source.h"

enum { BOUNDS_MAX = 64 };

typedef struct {
    int n; /* 0: none, actions lie in [-1, 1]; 1: the same for every action; A: one for each;
              -1: the smallest and largest value of each column of the file */
    float low[BOUNDS_MAX], high[BOUNDS_MAX];
} ActionBounds;

/* n becomes 0 or A. Errors: ERR_CONFIG (neither 1 nor A bounds, more than BOUNDS_MAX actions, not
 * finite, low not below high), ERR_FORMAT (n is -1 and a column is constant or not finite),
 * ERR_NOMEM. */
NODISCARD Status bounds_resolve(ActionBounds *bounds, Source *src);
/* Map the actions of rows first .. first + count - 1, x (count, A). What is then outside [-1, 1] by
 * at most 1e-3 is clipped, more is ERR_FORMAT. `bounds` is resolved. */
NODISCARD Status bounds_apply(const ActionBounds *bounds, const Source *src, int64_t first,
                              int64_t count, float *x);
/* Of resolved bounds, for dataset.rule: "" or "; actions mapped from ...". */
void bounds_describe(const ActionBounds *bounds, char *text, size_t size);

#endif
