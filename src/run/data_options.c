#include "run/data_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Numbers between commas; *n becomes 0 for an empty text. */
static Status read_list(const char *key, const char *text, float *list, int *n)
{
    const char *p = text;

    for (*n = 0; *p != '\0' && *n < BOUNDS_MAX; p++) {
        char *end = NULL;
        list[(*n)++] = strtof(p, &end);
        if (end == p || (*end != ',' && *end != '\0')) {
            return status_fail(ERR_CONFIG,
                               "data.%s: cannot read '%s'; it is one number, or one for each "
                               "action such as -2,0.5, or auto",
                               key, text);
        }
        p = end;
        if (*p == '\0') {
            return OK;
        }
    }
    return *p == '\0'
               ? OK
               : status_fail(ERR_CONFIG, "data.%s: more than %d numbers", key, (int)BOUNDS_MAX);
}

/* A list as long as the other one; `otherwise` where there is none. */
static void stretch(float *list, int n, int wanted, float otherwise)
{
    for (int i = n; i < wanted; i++) {
        list[i] = n > 0 ? list[0] : otherwise;
    }
}

static Status read_bounds(const Config *cfg, ActionBounds *bounds)
{
    Status st = OK;
    const char *low = cfg->data.action_low;
    const char *high = cfg->data.action_high;
    int lows = 0;
    int highs = 0;

    *bounds = (ActionBounds){0};
    if (strcmp(low, "auto") == 0 && strcmp(high, "auto") == 0) {
        bounds->n = -1;
        return OK;
    }
    TRY(read_list("action_low", low, bounds->low, &lows));
    TRY(read_list("action_high", high, bounds->high, &highs));
    if (lows > 1 && highs > 1 && lows != highs) {
        return status_fail(ERR_CONFIG,
                           "data.action_low has %d numbers, data.action_high %d: give one each, or "
                           "one for every action",
                           lows, highs);
    }
    bounds->n = lows > highs ? lows : highs;
    stretch(bounds->low, lows, bounds->n, -1.0F);
    stretch(bounds->high, highs, bounds->n, 1.0F);
done:
    return st;
}

Status data_options(const Config *cfg, const EnvKind *task, ActionBounds *bounds,
                    DatasetOptions *options)
{
    static const char *const words[] = {
        [NEXT_AUTO] = "auto",
        [NEXT_STORED] = "stored",
        [NEXT_JOINED] = "joined",
        [NEXT_D4RL] = "d4rl",
    };
    Status st = OK;

    *options = (DatasetOptions){.state_dim = task != NULL ? task->state_dim : 0,
                                .act_dim = task != NULL ? task->act_dim : 0,
                                .horizon = task != NULL ? task->horizon : 0,
                                .next = NEXT_AUTO,
                                .max_rows = cfg->data.max_rows};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i], cfg->data.next) == 0) {
            options->next = (NextRule)i;
        }
    }
    TRY(read_bounds(cfg, bounds));
    options->bounds = bounds->n != 0 ? bounds : NULL;
    if (bounds->n < 0 && task != NULL && task->open != NULL) {
        st = status_fail(ERR_CONFIG,
                         "data.action_low and data.action_high: auto measures what the file holds, "
                         "which need not be the limits of task %s: give the values that stand for "
                         "its -1 and 1",
                         task->name);
    }
done:
    return st;
}
