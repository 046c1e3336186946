#include "support/data_faults.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "support/check.h"

static double *copy_doubles(const double *from, int64_t n)
{
    double *to = NULL;
    if (from != NULL) {
        CHECK_OK(mem_alloc(&to, (size_t)n, sizeof *to, "test"));
        memcpy(to, from, (size_t)n * sizeof *to);
    }
    return to;
}

static uint8_t *copy_flags(const uint8_t *from, int64_t n)
{
    uint8_t *to = NULL;
    CHECK_OK(mem_alloc(&to, (size_t)n, 1, "test"));
    memcpy(to, from, (size_t)n);
    return to;
}

Recording recording_copy(const Recording *r)
{
    Recording c = *r;
    const int64_t n = r->rows;
    c.observations = copy_doubles(r->observations, n * r->state_dim);
    c.actions = copy_doubles(r->actions, n * r->act_dim);
    c.rewards = copy_doubles(r->rewards, n);
    c.next_observations = copy_doubles(r->next_observations, n * r->state_dim);
    c.terminals = copy_flags(r->terminals, n);
    c.timeouts = copy_flags(r->timeouts, n);
    c.log_probs = copy_doubles(r->log_probs, n);
    c.qpos = copy_doubles(r->qpos, n * r->nq);
    c.qvel = copy_doubles(r->qvel, n * r->nv);
    c.xpos = copy_doubles(r->xpos, n * 3);
    c.next_xpos = copy_doubles(r->next_xpos, n * 3);
    return c;
}

void recording_drop_infos(Recording *r)
{
    mem_free(&r->qpos);
    mem_free(&r->qvel);
    mem_free(&r->xpos);
    mem_free(&r->next_xpos);
}

void recording_drop_next(Recording *r)
{
    recording_drop_infos(r);
    mem_free(&r->next_observations);
}

/* ---- faults ---- */

static double *state_of(const Recording *r, int64_t i)
{
    return r->observations + i * r->state_dim;
}

static double *next_of(const Recording *r, int64_t i)
{
    return r->next_observations + i * r->state_dim;
}

static void copy_state(const Recording *r, double *to, const double *from)
{
    memcpy(to, from, (size_t)r->state_dim * sizeof *to);
}

static bool ends(const Recording *r, int64_t i)
{
    return r->terminals[i] != 0 || r->timeouts[i] != 0;
}

static void next_is_the_one_after(Recording *r)
{
    for (int64_t i = 0; i + 1 < r->rows; i++) {
        copy_state(r, next_of(r, i), next_of(r, i + 1));
    }
}

static void next_is_the_state_itself(Recording *r)
{
    memcpy(r->next_observations, r->observations,
           (size_t)r->rows * (size_t)r->state_dim * sizeof(double));
}

static void next_of_the_next_episode(Recording *r)
{
    for (int64_t i = 0; i + 1 < r->rows; i++) {
        copy_state(r, next_of(r, i), state_of(r, i + 1));
    }
}

static void timeouts_as_terminals(Recording *r)
{
    memcpy(r->terminals, r->timeouts, (size_t)r->rows);
    memset(r->timeouts, 0, (size_t)r->rows);
}

static void timeouts_as_terminals_without_next(Recording *r)
{
    timeouts_as_terminals(r);
    recording_drop_next(r);
}

static void terminals_as_timeouts(Recording *r)
{
    for (int64_t i = 0; i < r->rows; i++) {
        r->timeouts[i] = ends(r, i);
    }
    memset(r->terminals, 0, (size_t)r->rows);
}

static void no_terminals(Recording *r)
{
    memset(r->terminals, 0, (size_t)r->rows);
}

static void no_timeouts(Recording *r)
{
    memset(r->timeouts, 0, (size_t)r->rows);
}

static void no_timeouts_without_next(Recording *r)
{
    no_timeouts(r);
    recording_drop_next(r);
}

static void one_end_missing_without_next(Recording *r)
{
    int64_t i = r->rows / 2;
    while (!ends(r, i)) {
        i++;
    }
    r->terminals[i] = r->timeouts[i] = 0;
    recording_drop_next(r);
}

static void terminal_inside(Recording *r)
{
    r->terminals[r->rows / 2 - 20] = 1;
}

static void both_flags(Recording *r)
{
    for (int64_t i = 0; i < r->rows; i++) {
        r->timeouts[i] = ends(r, i);
    }
}

static void timeouts_early(Recording *r)
{
    memmove(r->timeouts, r->timeouts + 1, (size_t)r->rows - 1);
}

static void timeouts_early_without_next(Recording *r)
{
    timeouts_early(r);
    recording_drop_next(r);
}

static void timeouts_late(Recording *r)
{
    memmove(r->timeouts + 1, r->timeouts, (size_t)r->rows - 1);
    r->timeouts[0] = 0;
}

static void move_row(Recording *r, int64_t to, int64_t from)
{
    copy_state(r, state_of(r, to), state_of(r, from));
    copy_state(r, next_of(r, to), next_of(r, from));
    memcpy(r->actions + to * r->act_dim, r->actions + from * r->act_dim,
           (size_t)r->act_dim * sizeof(double));
    r->rewards[to] = r->rewards[from];
    r->terminals[to] = r->terminals[from];
    r->timeouts[to] = r->timeouts[from];
}

static void episode_twice(Recording *r)
{
    const int64_t length = 60; /* of HalfCheetah, above */
    for (int64_t i = 0; i < length; i++) {
        move_row(r, 2 * length + i, i);
    }
    recording_drop_infos(r);
}

static void rows_left_out(Recording *r)
{
    for (int64_t i = 25; i + 3 < r->rows; i++) {
        move_row(r, i, i + 3);
    }
    r->rows -= 3;
    recording_drop_infos(r);
}

static void not_a_number(Recording *r)
{
    state_of(r, 17)[1] = (double)NAN;
}

static void infinite_action(Recording *r)
{
    r->actions[5] = -(double)INFINITY;
}

static void fill_column(double *x, int64_t rows, int cols, int j)
{
    for (int64_t i = 0; i < rows; i++) {
        x[i * cols + j] = 0.25;
    }
}

static void constant_state(Recording *r)
{
    fill_column(r->observations, r->rows, r->state_dim, 3);
    fill_column(r->next_observations, r->rows, r->state_dim, 3);
}

static void constant_action(Recording *r)
{
    fill_column(r->actions, r->rows, r->act_dim, 1);
}

static void constant_reward(Recording *r)
{
    fill_column(r->rewards, r->rows, 1, 0);
}

static void scale(double *x, int64_t n, double factor)
{
    for (int64_t i = 0; i < n; i++) {
        x[i] *= factor;
    }
}

static void large_actions(Recording *r)
{
    scale(r->actions, r->rows * r->act_dim, 2.5);
}

static void bang_bang(Recording *r)
{
    for (int64_t i = 0; i < r->rows * r->act_dim; i++) {
        r->actions[i] = r->actions[i] < 0 ? -1 : 1;
    }
}

static void scaled_rewards(Recording *r)
{
    scale(r->rewards, r->rows, 0.1);
}

static void moved_rewards(Recording *r)
{
    for (int64_t i = 0; i < r->rows; i++) {
        r->rewards[i] += 5;
    }
}

static void late_rewards(Recording *r)
{
    memmove(r->rewards + 1, r->rewards, (size_t)(r->rows - 1) * sizeof(double));
}

static void early_rewards(Recording *r)
{
    memmove(r->rewards, r->rewards + 1, (size_t)(r->rows - 1) * sizeof(double));
}

static void some_rewards_wrong(Recording *r)
{
    for (int64_t i = 0; i < r->rows; i += 10) {
        r->rewards[i] = 0;
    }
}

static void nothing(Recording *r)
{
    (void)r;
}

static void infos_constant(Recording *r)
{
    for (int64_t i = 1; i < r->rows; i++) {
        memcpy(r->qpos + i * r->nq, r->qpos, (size_t)r->nq * sizeof(double));
    }
}

static void infos_late(Recording *r)
{
    memmove(r->qpos + r->nq, r->qpos, (size_t)((r->rows - 1) * r->nq) * sizeof(double));
    memmove(r->qvel + r->nv, r->qvel, (size_t)((r->rows - 1) * r->nv) * sizeof(double));
}

static void odd_flags(Recording *r)
{
    r->odd_flags = 3; /* what reading counts */
}

static void blank_end(Recording *r)
{
    const int64_t from = r->rows - 7;
    memset(state_of(r, from), 0, (size_t)(7 * r->state_dim) * sizeof(double));
    memset(next_of(r, from), 0, (size_t)(7 * r->state_dim) * sizeof(double));
    memset(r->actions + from * r->act_dim, 0, (size_t)(7 * r->act_dim) * sizeof(double));
    memset(r->rewards + from, 0, 7 * sizeof(double));
}

/* Row i takes the place of row 97 i modulo the number of rows, which 97 does not divide. */
static void shuffled(Recording *r)
{
    Recording from = recording_copy(r);
    for (int64_t i = 0; i < r->rows; i++) {
        const int64_t k = i * 97 % r->rows;
        copy_state(r, state_of(r, i), state_of(&from, k));
        copy_state(r, next_of(r, i), next_of(&from, k));
        memcpy(r->actions + i * r->act_dim, from.actions + k * r->act_dim,
               (size_t)r->act_dim * sizeof(double));
        r->rewards[i] = from.rewards[k];
        r->terminals[i] = from.terminals[k];
        r->timeouts[i] = from.timeouts[k];
    }
    recording_release(&from);
    recording_drop_infos(r);
}

static void shuffled_without_next(Recording *r)
{
    shuffled(r);
    recording_drop_next(r);
}

static void scale_columns(Recording *r, int first, int last, double factor)
{
    for (int64_t i = 0; i < r->rows; i++) {
        scale(state_of(r, i) + first, last - first, factor);
        scale(next_of(r, i) + first, last - first, factor);
    }
    recording_drop_infos(r);
}

static void degrees(Recording *r)
{
    scale_columns(r, 1, 8, 57.29577951308232);
}

static void one_column_in_degrees(Recording *r)
{
    scale_columns(r, 3, 4, 57.29577951308232);
}

static void millimeters(Recording *r)
{
    scale_columns(r, 0, 1, 1000);
}

static void exchange(double *x, int64_t rows, int cols, int a, int b)
{
    for (int64_t i = 0; i < rows; i++) {
        const double kept = x[i * cols + a];
        x[i * cols + a] = x[i * cols + b];
        x[i * cols + b] = kept;
    }
}

static void states_swapped(Recording *r)
{
    exchange(r->observations, r->rows, r->state_dim, 2, 4);
    exchange(r->next_observations, r->rows, r->state_dim, 2, 4);
    recording_drop_infos(r);
}

static void actions_swapped(Recording *r)
{
    exchange(r->actions, r->rows, r->act_dim, 0, 2);
}

static void actions_negated(Recording *r)
{
    scale(r->actions, r->rows * r->act_dim, -1);
}

static void noisy_states(Recording *r)
{
    for (int64_t i = 0; i < r->rows * r->state_dim; i++) {
        r->observations[i] += 0.05 * sin(1.7 * (double)i);
    }
}

static void to_half(double *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        int exponent = 0;
        const double m = frexp(x[i], &exponent);
        x[i] = ldexp(nearbyint(m * 2048), exponent - 11);
    }
}

static void half_precision(Recording *r)
{
    to_half(r->observations, r->rows * r->state_dim);
    to_half(r->next_observations, r->rows * r->state_dim);
}

const Fault data_faults[] = {
    {"s' of the row behind", CHEETAH, next_is_the_one_after, "next-shift", "row i+2", 0, 0},
    {"s' is s", HOPPER, next_is_the_state_itself, "next-shift", "row i+0", 0, 0},
    {"s' of the next episode", POINT, next_of_the_next_episode, "next-joined", NULL, 0, 0},
    {"s' of the next episode, falls", HOPPER, next_of_the_next_episode, "next-joined", NULL, 0, 0},
    {"timeouts as terminals", CHEETAH, timeouts_as_terminals, "terminals", "time limit", 0, 0},
    {"the same without s'", CHEETAH, timeouts_as_terminals_without_next, "terminals", NULL, 0, 0},
    {"terminals as timeouts", HOPPER, terminals_as_timeouts, "missing-terminals", NULL, 0, 0},
    {"no terminals", WALKER, no_terminals, "missing-terminals", "0 rows", 0, 0},
    {"no timeouts", CHEETAH, no_timeouts, "episode-length", NULL, 0, 0},
    {"no timeouts, by jumps", ANT, no_timeouts, "missing-ends", NULL, 0, 0},
    {"no timeouts without s'", CHEETAH, no_timeouts_without_next, "missing-ends", NULL, 0, 0},
    {"one end missing without s'", HOPPER, one_end_missing_without_next, "missing-ends", NULL, 0,
     0},
    {"rows left out", CHEETAH, rows_left_out, "missing-ends", NULL, 0, 0},
    {"a terminal inside", CHEETAH, terminal_inside, "next-joined", "goes on", 0, 0},
    {"terminal and timeout", HOPPER, both_flags, "both-flags", NULL, 0, 0},
    {"timeouts early", CHEETAH, timeouts_early, "timeout-shift", "too early", 0, 0},
    {"timeouts early without s'", ANT, timeouts_early_without_next, "timeout-shift", "too early", 0,
     0},
    {"timeouts late", CHEETAH, timeouts_late, "timeout-shift", "too late", 0, 0},
    {"an episode twice", CHEETAH, episode_twice, "duplicates", "blocks", 0, 0},
    {"NaN", HOPPER, not_a_number, "finite", NULL, 0, 0},
    {"infinity", HOPPER, infinite_action, "finite", NULL, 0, 0},
    {"constant state", CHEETAH, constant_state, "constant-columns", "observations", 0, 0},
    {"constant action", CHEETAH, constant_action, "constant-columns", "actions", 0, 0},
    {"constant reward", POINT, constant_reward, "constant-columns", "reward", 0, 0},
    {"large actions", WALKER, large_actions, "action-range", NULL, 0, 0},
    {"bang-bang", HOPPER, bang_bang, "action-bounds", NULL, 0, 0},
    {"scaled rewards", HOPPER, scaled_rewards, "rewards", "0.1 times", 0, 0},
    {"moved rewards", ANT, moved_rewards, "rewards", "+ 5", 0, 0},
    {"late rewards", CHEETAH, late_rewards, "rewards", "too late", 0, 0},
    {"early rewards", POINT, early_rewards, "rewards", "too early", 0, 0},
    {"some rewards wrong", WALKER, some_rewards_wrong, "rewards", "relabel", 0, 0},
    {"rewards of the behavior", JUMP, nothing, "settings", "env.reward=behavior", JUMP, true},
    {"exact inertia", EXACT, nothing, "settings", "env.inertia=exact", CHEETAH, 0},
    {"another task's dimensions", HOPPER, nothing, "dimensions", "task=hopper", WALKER, 0},
    {"another task's robot", WALKER, nothing, "dimensions", "task=walker2d", CHEETAH, 0},
    {"constant infos", HOPPER, infos_constant, "infos", "the same", 0, 0},
    {"late infos", CHEETAH, infos_late, "infos", "row i-1", 0, 0},
    {"odd flags", POINT, odd_flags, "flags", NULL, 0, 0},
    {"blank end", WALKER, blank_end, "blank-rows", "7 rows", 0, 0},
    {"shuffled", CHEETAH, shuffled, "row-order", "data.next=stored", 0, 0},
    {"shuffled without s'", HOPPER, shuffled_without_next, "row-order", "lost", 0, 0},
    {"degrees", CHEETAH, degrees, "dynamics", "angles are in degrees", 0, 0},
    {"a column in degrees", WALKER, one_column_in_degrees, "dynamics", "column 3", 0, 0},
    {"millimeters", HOPPER, millimeters, "dynamics", "1000 times", 0, 0},
    {"states swapped", CHEETAH, states_swapped, "dynamics", "columns 2 and 4", 0, 0},
    {"actions swapped", HOPPER, actions_swapped, "dynamics", "0 and 2 of the actions", 0, 0},
    {"actions negated", CHEETAH, actions_negated, "dynamics", "other sign", 0, 0},
    {"noise", WALKER, noisy_states, "dynamics", NULL, 0, 0},
    {"half precision", HOPPER, half_precision, "half-precision", NULL, 0, 0},
    {0},
};
