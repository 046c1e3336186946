#include "run/data_check_columns.h"

#include <stdio.h>

enum {
    ROWS = 12
}; /* enough to tell none from nearly all, and there are hundreds of edits to try */

static const double degree = 3.14159265358979323846 / 180;

/* A factor that undoes what was done to a column, and what that was. */
typedef struct {
    double factor;
    const char *what;
} Unit;

/* Whether rows fit with the edit: of the first two at least one, then most of all. */
static Status helps(Check *c, const ReplayEdit *edit, bool *yes)
{
    Status st = OK;
    Replay replay = {0};
    const int64_t rows = c->samples < ROWS ? c->samples : ROWS;
    const ReplayNext next = c->shift == 1 ? REPLAY_NEXT : REPLAY_JOINED;
    int64_t some[ROWS];

    for (int64_t k = 0; k < rows; k++) {
        some[k] = c->sample[k * c->samples / rows];
    }
    TRY(replay_rows(&replay, c->replayer, some, rows < 2 ? rows : 2, next, edit));
    *yes = replay.state_fits > 0 || replay.compared == 0;
    if (*yes) {
        replay_release(&replay);
        TRY(replay_rows(&replay, c->replayer, some, rows, next, edit));
        *yes = replay.compared > 0 && (double)replay.state_fits >= 0.8 * (double)replay.compared;
    }
done:
    replay_release(&replay);
    return st;
}

/* Columns first .. last - 1. */
static uint64_t columns(int first, int last)
{
    uint64_t mask = 0;
    for (int j = first; j < last && j < 64; j++) {
        mask |= (uint64_t)1 << j;
    }
    return mask;
}

/* Groups that share a unit: the robots show height, angles, speeds (2, or 3 of Ant), angular rates. */
static Status try_groups(Check *c, char *why, size_t size)
{
    Status st = OK;
    const int n = replay_columns(&c->task);
    const int first_rate = n - c->task.nv + 2;
    const uint64_t angles = columns(1, n - c->task.nv);
    const uint64_t rates = columns(first_rate, n);
    const struct {
        uint64_t mask;
        const char *what;
    } groups[] = {
        {angles, "angles"}, {rates, "angular rates"}, {angles | rates, "angles and angular rates"}};

    for (size_t k = 0; k < sizeof groups / sizeof *groups; k++) {
        const ReplayEdit edit = {.scaled = groups[k].mask, .factor = degree};
        bool yes = false;
        TRY(helps(c, &edit, &yes));
        if (yes) {
            (void)snprintf(why, size, "%s are in degrees; the task wants radians", groups[k].what);
            return OK;
        }
    }
done:
    return st;
}

static Status try_units(Check *c, char *why, size_t size)
{
    const Unit units[] = {{degree, "in degrees, not in radians"}, {-1, "of the other sign"},
                          {1e-3, "1000 times too large"},         {1e3, "1000 times too small"},
                          {1e-2, "100 times too large"},          {1e2, "100 times too small"},
                          {1e-1, "10 times too large"},           {1e1, "10 times too small"},
                          {1 / degree, "57.3 times too small"}};
    Status st = OK;
    const int n = replay_columns(&c->task);

    for (int j = 0; j < n; j++) {
        for (size_t k = 0; k < sizeof units / sizeof *units; k++) {
            const ReplayEdit edit = {.scaled = columns(j, j + 1), .factor = units[k].factor};
            bool yes = false;
            TRY(helps(c, &edit, &yes));
            if (yes) {
                (void)snprintf(why, size, "column %d of the states is %s", j, units[k].what);
                return OK;
            }
        }
    }
done:
    return st;
}

static Status try_swaps(Check *c, bool actions, char *why, size_t size)
{
    Status st = OK;
    const int n = actions ? c->task.act_dim : replay_columns(&c->task);

    for (int i = 0; i < n; i++) {
        for (int j = i + 1; j < n; j++) {
            const ReplayEdit edit = actions ? (ReplayEdit){.action_a = i, .action_b = j}
                                            : (ReplayEdit){.state_a = i, .state_b = j};
            bool yes = false;
            TRY(helps(c, &edit, &yes));
            if (yes) {
                (void)snprintf(why, size, "columns %d and %d of the %s have changed places", i, j,
                               actions ? "actions" : "states");
                return OK;
            }
        }
    }
done:
    return st;
}

static Status try_action_signs(Check *c, char *why, size_t size)
{
    Status st = OK;
    const int n = c->task.act_dim;

    for (int j = 0; j <= n; j++) { /* the last: all of them */
        const ReplayEdit edit = {.negated = j < n ? columns(j, j + 1) : columns(0, n)};
        bool yes = false;
        TRY(helps(c, &edit, &yes));
        if (yes) {
            (void)snprintf(why, size, "%s of the actions %s the other sign",
                           j < n ? "a column" : "all columns", j < n ? "has" : "have");
            return OK;
        }
    }
done:
    return st;
}

Status explain_columns(Check *c, char *why, size_t size)
{
    Status st = OK;

    why[0] = '\0';
    TRY(try_groups(c, why, size));
    if (why[0] == '\0') {
        TRY(try_action_signs(c, why, size));
    }
    if (why[0] == '\0') {
        TRY(try_swaps(c, true, why, size));
    }
    if (why[0] == '\0') {
        TRY(try_units(c, why, size));
    }
    if (why[0] == '\0') {
        TRY(try_swaps(c, false, why, size));
    }
done:
    return st;
}
