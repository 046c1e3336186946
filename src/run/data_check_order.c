/* Checks of the order of rows: does each row's s' belong to it, do rows follow each other, do episodes
 * end where the flags say. */
#include "base/mem.h"
#include "run/data_check_internal.h"

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
