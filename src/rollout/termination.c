#include "rollout/termination.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- bounds as text ---- */

static const char *skip_blanks(const char *p)
{
    while (isspace((unsigned char)*p)) {
        p++;
    }
    return p;
}

/* A number in front of `stop` characters; `otherwise` when there is none. */
static const char *take_number(const char *p, float otherwise, float *value)
{
    char *behind = NULL;
    p = skip_blanks(p);
    *value = otherwise;
    if (strncmp(p, "..", 2) == 0 || *p == ',' || *p == '\0') {
        return p;
    }
    /* strtof would take the first point of "1..2" with the number */
    char digits[48];
    const char *dots = strstr(p, "..");
    const size_t all = strcspn(p, ",");
    const size_t len = dots != NULL && (size_t)(dots - p) < all ? (size_t)(dots - p) : all;
    if (len >= sizeof digits) {
        return NULL;
    }
    memcpy(digits, p, len);
    digits[len] = '\0';
    *value = strtof(digits, &behind);
    return behind != digits && *skip_blanks(behind) == '\0' && !isnan(*value) ? p + len : NULL;
}

static const char *take_bound(const char *p, StateBound *b)
{
    char *behind = NULL;
    const long column = strtol(p, &behind, 10);

    if (behind == p || column < 0 || column > INT16_MAX || *skip_blanks(behind) != ':') {
        return NULL;
    }
    b->column = (int)column;
    p = take_number(skip_blanks(behind) + 1, -HUGE_VALF, &b->low);
    if (p == NULL || strncmp(skip_blanks(p), "..", 2) != 0) {
        return NULL;
    }
    p = take_number(skip_blanks(p) + 2, HUGE_VALF, &b->high);
    return p != NULL && b->low < b->high ? skip_blanks(p) : NULL;
}

Status termination_bounds(Termination *end, const char *text, int state_dim)
{
    const char *p = skip_blanks(text);

    end->bounds = 0;
    while (*p != '\0') {
        StateBound b = {0};
        const char *next = end->bounds < STATE_BOUNDS_MAX ? take_bound(p, &b) : NULL;
        if (next == NULL || (*next != ',' && *next != '\0')) {
            return status_fail(ERR_CONFIG,
                               "termination.bounds: cannot read '%s'; it is a list of "
                               "COLUMN:LOW..HIGH with LOW < HIGH, such as '0:0.7..2, 1:-0.2..0.2', "
                               "at most %d; LOW or HIGH may be left out",
                               p, (int)STATE_BOUNDS_MAX);
        }
        if (b.column >= state_dim) {
            return status_fail(ERR_CONFIG,
                               "termination.bounds: there is no column %d; a state has %d numbers, "
                               "counted from 0",
                               b.column, state_dim);
        }
        end->bound[end->bounds++] = b;
        p = *next == ',' ? skip_blanks(next + 1) : next;
    }
    return OK;
}

/* ---- marking ---- */

static bool outside(const Termination *end, const float *s2)
{
    for (int k = 0; k < end->bounds; k++) {
        const StateBound *b = &end->bound[k];
        if (!(s2[b->column] >= b->low && s2[b->column] <= b->high)) {
            return true;
        }
    }
    return false;
}

void termination_mark(const Termination *end, const EnvKind *env, const Record *rec,
                      const float *records, int rows, Arena *tmp, uint8_t *done)
{
    if (end->rule == END_LEARNED) {
        terminal_head_mark(end->head, records, rows, tmp, done);
        return;
    }
    for (size_t i = 0; i < (size_t)rows; i++) {
        const float *row = records + i * rec->stride;
        done[i] = end->rule == END_TASK     ? env->terminates(env, row, row + rec->a, row + rec->s2)
                  : end->rule == END_BOUNDS ? outside(end, row + rec->s2)
                                            : false;
    }
}

size_t termination_cost(const Termination *end, int rows)
{
    return end->rule == END_LEARNED ? terminal_head_cost(end->head, rows) : 0;
}
