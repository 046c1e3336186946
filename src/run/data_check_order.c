/* Checks of the order of rows: does each row's s' belong to it, do rows follow each other, do episodes
 * end where the flags say. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "run/data_check_internal.h"

/* A file may hold observations and next_observations in different precision; a step is larger. */
static const double same_slack = 1e-5;
/* In typical changes. A step that most columns make at ten times their usual pace is a reset; robots
 * that hit the ground reach 4 (measured). Where the simulator can be asked, this is not needed. */
static const double large_step = 10;
/* A hard landing multiplies the rounding of a state up to 2e-2 (measured); a reset changes velocities
 * by 1 and more. */
static const double reset_error = 0.1;

enum { STEPS_TO_TYPICAL = 4096, CHANGE_MAX = 20, SPREAD = 7919 };

bool same_state(const double *a, const double *b, int n)
{
    bool same = true;
    for (int j = 0; j < n && same; j++) {
        same = fabs(a[j] - b[j]) <= same_slack * (1 + fabs(b[j]));
    }
    return same;
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

double median_of(double *values, int64_t n)
{
    if (n < 1) {
        return 0;
    }
    qsort(values, (size_t)n, sizeof *values, compare_doubles);
    return values[n / 2];
}

double step_size(const Check *c, int64_t row)
{
    const int S = c->rec->state_dim;
    const double *s = row_of(c->rec->observations, row, S);
    double sum = 0;
    int columns = 0;

    for (int j = 0; j < S; j++) {
        if (c->typical[j] > 0) {
            sum += fmin(fabs(s[S + j] - s[j]) / c->typical[j], CHANGE_MAX);
            columns++;
        }
    }
    return columns > 0 ? sum / columns : 0;
}

/* Median change of column j from a row to the next one, or to a row anywhere, over rows spread evenly. */
static double typical_change(const Check *c, int j, bool anywhere, double *values)
{
    const Recording *rec = c->rec;
    const int64_t pairs = rec->rows - 1;
    const int64_t n = pairs < STEPS_TO_TYPICAL ? pairs : STEPS_TO_TYPICAL;
    int64_t count = 0;

    for (int64_t k = 0; k < n; k++) {
        const int64_t i = (int64_t)((double)k * (double)pairs / (double)n);
        const int64_t other = anywhere ? (i + 1 + k * SPREAD % pairs) % rec->rows : i + 1;
        if (c->finite[i] != 0 && c->finite[other] != 0) {
            values[count++] = fabs(row_of(rec->observations, other, rec->state_dim)[j] -
                                   row_of(rec->observations, i, rec->state_dim)[j]);
        }
    }
    return median_of(values, count);
}

/* ---- preparation ---- */

static bool is_linked(const Check *c, int64_t i, int shift)
{
    const Recording *rec = c->rec;
    const int S = rec->state_dim;
    return same_state(row_of(rec->next_observations, i, S), row_of(rec->observations, i + shift, S),
                      S);
}

/* Of the rows inside episodes, how many have the state of row i + shift as their s'. */
static double share_linked(const Check *c, int shift)
{
    int64_t tried = 0;
    int64_t linked = 0;

    for (int64_t i = 1; i + 3 < c->rec->rows; i++) {
        if (c->finite[i] != 0 && c->finite[i + shift] != 0) {
            tried++;
            linked += is_linked(c, i, shift);
        }
    }
    return tried > 0 ? (double)linked / (double)tried : 0;
}

static void find_links(Check *c)
{
    const Recording *rec = c->rec;

    for (int64_t i = 0; i < rec->rows; i++) {
        const bool known = i + 1 < rec->rows && c->finite[i] != 0 && c->finite[i + 1] != 0;
        c->linked[i] = !known || rec->next_observations == NULL || is_linked(c, i, 1);
        if (known && c->end[i] == 0) {
            c->inside++;
            c->inside_linked += c->linked[i];
        }
    }
}

/* Neighbors in time resemble each other more than rows from anywhere do: positions always, velocities
 * not if the robot thrashes about. So the column that changes least decides. */
static Status is_shuffled(Check *c)
{
    Status st = OK;
    double *values = NULL;
    double least = 1;

    TRY(mem_alloc(&values, STEPS_TO_TYPICAL, sizeof *values, "column statistics"));
    for (int j = 0; j < c->rec->state_dim; j++) {
        c->typical[j] = typical_change(c, j, false, values);
        const double any = typical_change(c, j, true, values);
        least = any > 0 ? fmin(least, c->typical[j] / any) : least;
    }
    c->shuffled = c->rec->rows >= 100 && least > 0.6;
done:
    mem_free(&values);
    return st;
}

static void find_shift(Check *c)
{
    static const int others[] = {0, 2, -1, 3};

    if (c->rec->next_observations == NULL || c->rec->rows < 8 ||
        (double)c->inside_linked > 0.5 * (double)c->inside) {
        return;
    }
    for (size_t k = 0; k < sizeof others / sizeof *others; k++) {
        if (share_linked(c, others[k]) > 0.8) {
            c->shift = others[k];
            return;
        }
    }
}

Status check_order_prepare(Check *c)
{
    Status st = OK;

    if (c->rec->rows < 2) {
        c->linked[0] = 1;
        return OK;
    }
    TRY(is_shuffled(c));
    find_links(c);
    find_shift(c);
    if (c->rec->next_observations != NULL) { /* surer than the size of steps */
        c->shuffled = c->shift == 1 && c->rec->rows >= 100 &&
                      (double)c->inside_linked < 0.1 * (double)c->inside;
    }
done:
    return st;
}

Status likely_steps(Check *c, const int64_t *rows, int64_t n, uint8_t *likely)
{
    Status st = OK;
    Replay replay = {0};

    for (int64_t k = 0; k < n; k++) {
        likely[k] = step_size(c, rows[k]) <= large_step;
    }
    if (c->trusted) {
        TRY(replay_rows(&replay, c->replayer, rows, n, REPLAY_FORCED, NULL));
        for (int64_t k = 0; k < n; k++) {
            if (replay_usable(c->rec, rows[k])) {
                likely[k] = replay.rows[k].off <= reset_error;
            }
        }
    }
done:
    replay_release(&replay);
    return st;
}

/* Size of the step that `ask` others exceed. */
static Status threshold(const Check *c, int64_t ask, double *size)
{
    Status st = OK;
    double *sizes = NULL;
    const int64_t n = c->rec->rows - 1;

    *size = 0;
    TRY(mem_alloc(&sizes, (size_t)n, sizeof *sizes, "sizes of steps"));
    for (int64_t i = 0; i < n; i++) {
        sizes[i] = step_size(c, i);
    }
    qsort(sizes, (size_t)n, sizeof *sizes, compare_doubles);
    *size = n > ask ? sizes[n - ask - 1] : -1;
done:
    mem_free(&sizes);
    return st;
}

/* Without next_observations the largest steps are doubted. */
Status check_order_confirm(Check *c)
{
    Status st = OK;
    int64_t *rows = NULL;
    uint8_t *likely = NULL;
    double least = 0;
    int64_t n = 0;
    const int64_t ask = c->ask;

    if (c->rec->next_observations != NULL || c->rec->rows < 2) {
        return OK;
    }
    c->shuffled = c->shuffled && !c->trusted;
    if (c->shuffled) {
        return OK;
    }
    TRY(threshold(c, ask, &least));
    TRY(mem_alloc(&rows, (size_t)ask, sizeof *rows, "steps"));
    TRY(mem_alloc(&likely, (size_t)ask, 1, "steps"));
    for (int64_t i = 0; i + 1 < c->rec->rows && n < ask; i++) {
        if (c->finite[i] != 0 && c->finite[i + 1] != 0 && step_size(c, i) > least) {
            rows[n++] = i;
        }
    }
    TRY(likely_steps(c, rows, n, likely));
    for (int64_t k = 0; k < n; k++) {
        c->linked[rows[k]] = likely[k];
    }
done:
    mem_free(&rows);
    mem_free(&likely);
    return st;
}

/* ---- checks ---- */

Status check_next_shift(Check *c)
{
    if (c->shift != 1) {
        (void)found(c, SEVERITY_ERROR,
                    "next_observations of row i is the state of row i%+d, not of row i+1: the "
                    "model would learn another step; data.next=joined takes s' from the next row",
                    c->shift);
    }
    return OK;
}

Status check_row_order(Check *c)
{
    if (c->shuffled && c->rec->next_observations != NULL) {
        (void)found(c, SEVERITY_WARNING,
                    "rows do not follow each other in time: training on stored next_observations "
                    "(data.next=stored) is right, but returns and episodes mean nothing, and "
                    "data.next=joined and d4rl would be wrong");
    } else if (c->shuffled) {
        (void)found(c, SEVERITY_ERROR,
                    "rows do not follow each other in time, and there are no next_observations: "
                    "s' is lost; write the file again in the order of recording");
    }
    return OK;
}

static bool in_order(const Check *c)
{
    return !c->shuffled && c->shift == 1 && c->rec->rows >= 2;
}

/* Rows that end an episode although their s' is the state of the next row. Either s' was taken from
 * the next row, the next episode's start, or the episode goes on. */
static Status linked_ends(Check *c, RowList *joined, RowList *inside)
{
    Status st = OK;
    const Recording *rec = c->rec;
    int64_t *rows = NULL;
    uint8_t *likely = NULL;
    int64_t n = 0;

    TRY(mem_alloc(&rows, (size_t)c->episodes, sizeof *rows, "ends of episodes"));
    TRY(mem_alloc(&likely, (size_t)c->episodes, 1, "ends of episodes"));
    for (int64_t i = 0; i + 1 < rec->rows; i++) {
        if (c->end[i] != 0 && c->linked[i] != 0 && c->finite[i] != 0 && c->finite[i + 1] != 0) {
            rows[n++] = i;
        }
    }
    TRY(likely_steps(c, rows, n, likely));
    for (int64_t k = 0; k < n; k++) {
        rowlist_add(likely[k] != 0 ? inside : joined, rows[k]);
    }
done:
    mem_free(&rows);
    mem_free(&likely);
    return st;
}

Status check_next_joined(Check *c)
{
    Status st = OK;
    RowList joined = {0};
    RowList inside = {0};

    if (!in_order(c) || c->rec->next_observations == NULL) {
        return OK;
    }
    TRY(linked_ends(c, &joined, &inside));
    if (joined.count > 0) {
        rowlist_give(&joined,
                     found(c, SEVERITY_ERROR,
                           "next_observations of rows that end an episode is the first state of "
                           "the next one: the model would learn the reset; data.next=joined "
                           "leaves these rows out"));
    }
    if (inside.count > 0) {
        rowlist_give(&inside, found(c, SEVERITY_WARNING,
                                    "episodes are flagged as ended where the next row goes on "
                                    "(D4RL's v2 replay sets do so every 1000 rows): returns are "
                                    "cut; transitions are right, unless the flag is terminals"));
    }
done:
    return st;
}

/* The next row is not where this one led to, and nothing says that an episode ends. */
static bool is_broken(const Check *c, int64_t i)
{
    return c->linked[i] == 0 && c->end[i] == 0;
}

/* 0: timeouts are where they belong; -1: most stand a row too early, before the break; 1: too late. */
static int timeout_shift(const Check *c)
{
    const Recording *rec = c->rec;
    int64_t early = 0;
    int64_t late = 0;
    int64_t all = 0;

    for (int64_t i = 1; i + 2 < rec->rows && rec->timeouts != NULL; i++) {
        if (rec->timeouts[i] != 0) {
            all++;
            early += c->linked[i] != 0 && is_broken(c, i + 1);
            late += c->linked[i] != 0 && is_broken(c, i - 1);
        }
    }
    const double most = 0.8 * (double)all;
    return early > 0 && (double)early >= most ? -1 : late > 0 && (double)late >= most ? 1 : 0;
}

Status check_timeout_shift(Check *c)
{
    const int shift = in_order(c) ? timeout_shift(c) : 0;

    if (shift != 0) {
        (void)found(c, SEVERITY_ERROR,
                    "timeouts stand one row too %s (D4RL's v0 sets: too early, episodes of 999 "
                    "steps): each episode gives one row to its neighbor, and joining rows "
                    "(data.next=joined, d4rl) makes a step of the reset; %s",
                    shift < 0 ? "early" : "late",
                    c->rec->next_observations != NULL ? "data.next=stored keeps transitions right"
                                                      : "move them in the file");
    }
    return OK;
}

Status check_missing_ends(Check *c)
{
    RowList rows = {0};

    if (!in_order(c) || timeout_shift(c) != 0) {
        return OK;
    }
    for (int64_t i = 0; i + 1 < c->rec->rows; i++) {
        if (is_broken(c, i)) {
            rowlist_add(&rows, i);
        }
    }
    if (rows.count > 0) {
        rowlist_give(&rows,
                     found(c, SEVERITY_ERROR,
                           "the next row is not where this one led to, and no flag says that an "
                           "episode ended: a timeout is missing, or rows were left out; %s",
                           c->rec->next_observations != NULL
                               ? "data.next=stored keeps transitions right, returns are wrong"
                               : "set timeouts there"));
    }
    return OK;
}

Status check_episode_length(Check *c)
{
    const EnvKind *task = c->options->task;
    RowList rows = {0};
    int64_t most = 0;

    if (task == NULL || task->open == NULL || c->rec->timeouts == NULL) {
        return OK;
    }
    for (int64_t e = 0; e < c->episodes; e++) {
        const int64_t length = c->starts[e + 1] - c->starts[e];
        if (length > task->horizon) {
            rowlist_add(&rows, c->starts[e]);
            most = length > most ? length : most;
        }
    }
    if (rows.count > 0) {
        rowlist_give(&rows, found(c, SEVERITY_ERROR,
                                  "episodes that start there have up to %lld steps; task %s stops "
                                  "after %d: timeouts are missing, and returns are wrong",
                                  (long long)most, task->name, task->horizon));
    }
    return OK;
}

Status check_both_flags(Check *c)
{
    const Recording *rec = c->rec;
    RowList rows = {0};

    for (int64_t i = 0; i < rec->rows && rec->timeouts != NULL; i++) {
        if (rec->terminals[i] != 0 && rec->timeouts[i] != 0) {
            rowlist_add(&rows, i);
        }
    }
    if (rows.count > 0) {
        rowlist_give(&rows, found(c, SEVERITY_WARNING,
                                  "rows are terminal and timeout at once: training takes them as "
                                  "terminal, with no value behind them; clear terminals where "
                                  "only the time was over"));
    }
    return OK;
}
