/* Flags against the task's own rule of termination. */
#include <math.h>

#include "base/mem.h"
#include "run/data_check_internal.h"

/* The rule of the simulator looks at its state in double; that in the file is rounded. So a row is
 * judged only where the rule says the same a little beside its state. */
static const double rounding = 1e-6;

enum { ENDS_MAX = 5000 };

typedef struct {
    float *s, *a, *s2; /* (S) (A) (S) */
} Scratch;

static Status scratch_init(Scratch *x, const EnvKind *task)
{
    Status st = OK;
    *x = (Scratch){0};
    TRY(mem_alloc(&x->s, (size_t)task->state_dim, sizeof *x->s, "a row"));
    TRY(mem_alloc(&x->a, (size_t)task->act_dim, sizeof *x->a, "a row"));
    TRY(mem_alloc(&x->s2, (size_t)task->state_dim, sizeof *x->s2, "a row"));
done:
    return st;
}

static void scratch_release(Scratch *x)
{
    mem_free(&x->s);
    mem_free(&x->a);
    mem_free(&x->s2);
}

typedef enum { GOES_ON, ENDS, UNSURE } Verdict;

/* s' of the row; NULL where it is not known. */
static const double *next_of(const Check *c, int64_t i)
{
    const Recording *rec = c->rec;
    const bool joined = i + 1 < rec->rows && c->linked[i] != 0;

    if (c->shift == 1 && rec->next_observations != NULL) {
        return c->end[i] != 0 && joined ? NULL : row_of(rec->next_observations, i, rec->state_dim);
    }
    return c->end[i] == 0 && joined ? row_of(rec->observations, i + 1, rec->state_dim) : NULL;
}

static Verdict judge(const Check *c, Scratch *x, int64_t i)
{
    const Recording *rec = c->rec;
    const double *next = next_of(c, i);
    int ends = 0;

    if (next == NULL || c->finite[i] == 0) {
        return UNSURE;
    }
    for (int j = 0; j < rec->state_dim; j++) {
        x->s[j] = (float)row_of(rec->observations, i, rec->state_dim)[j];
    }
    for (int j = 0; j < rec->act_dim; j++) {
        x->a[j] = (float)row_of(rec->actions, i, rec->act_dim)[j];
    }
    for (int k = -1; k <= 1; k++) {
        for (int j = 0; j < rec->state_dim; j++) {
            x->s2[j] = (float)(next[j] * (1 + k * rounding));
        }
        ends += c->options->task->terminates(c->options->task, x->s, x->a, x->s2);
    }
    return ends == 0 ? GOES_ON : ends == 3 ? ENDS : UNSURE;
}

/* Whether the rule can be asked about this file at all. */
static bool has_rule(const Check *c)
{
    const EnvKind *task = c->options->task;
    return task != NULL && task->open != NULL && task->terminates != NULL &&
           task->state_dim == c->rec->state_dim && task->act_dim == c->rec->act_dim &&
           (c->trusted || !c->has_task) && !c->shuffled;
}

/* Without next_observations the simulator says what a terminal row led to. */
static Status replay_terminals(Check *c, RowList *wrong)
{
    Status st = OK;
    int64_t *rows = NULL;
    int64_t n = 0;
    Replay replay = {0};

    TRY(mem_alloc(&rows, ENDS_MAX, sizeof *rows, "terminal rows"));
    for (int64_t i = 0; i < c->rec->rows && n < ENDS_MAX; i++) {
        if (c->rec->terminals[i] != 0 && replay_usable(c->rec, i)) {
            rows[n++] = i;
        }
    }
    TRY(replay_rows(&replay, c->replayer, rows, n, REPLAY_FORCED, NULL));
    for (int64_t k = 0; k < n; k++) {
        if (!replay.rows[k].terminal) {
            rowlist_add(wrong, rows[k]);
        }
    }
done:
    mem_free(&rows);
    replay_release(&replay);
    return st;
}

/* Of the terminal rows, how many stand at the last step that the horizon allows. */
static int64_t at_horizon(const Check *c)
{
    int64_t count = 0;
    for (int64_t e = 0; e < c->episodes; e++) {
        count += c->rec->terminals[c->starts[e + 1] - 1] != 0 &&
                 c->starts[e + 1] - c->starts[e] == c->options->task->horizon;
    }
    return count;
}

Status check_terminals(Check *c)
{
    Status st = OK;
    Scratch x = {0};
    RowList wrong = {0};

    if (!has_rule(c)) {
        return OK;
    }
    TRY(scratch_init(&x, c->options->task));
    if (c->shift == 1 && c->rec->next_observations != NULL) {
        for (int64_t i = 0; i < c->rec->rows; i++) {
            if (c->rec->terminals[i] != 0 && judge(c, &x, i) == GOES_ON) {
                rowlist_add(&wrong, i);
            }
        }
    } else if (c->trusted) {
        TRY(replay_terminals(c, &wrong));
    }
    /* a simulator that starts from a rounded state may miss the moment of a fall by a step */
    if (wrong.count > (c->rec->next_observations != NULL ? 0 : at_horizon(c) > 0 ? 0 : 1)) {
        rowlist_give(&wrong,
                     found(c, SEVERITY_ERROR,
                           "rows are terminal although task %s goes on there, %lld of them at its "
                           "time limit: the critic would learn that nothing comes behind; such "
                           "ends are timeouts, set terminals to 0 there",
                           c->options->task->name, (long long)at_horizon(c)));
    }
done:
    scratch_release(&x);
    return st;
}

/* At the time limit a timeout wins over a termination, as in D4RL. */
static bool times_out(const Check *c, int64_t i)
{
    const int64_t limit = c->options->task->horizon;
    return c->rec->timeouts != NULL && c->rec->timeouts[i] != 0 && i + 1 >= limit &&
           (i + 1 == limit || c->end[i - limit] != 0);
}

Status check_missing_terminals(Check *c)
{
    Status st = OK;
    const Recording *rec = c->rec;
    Scratch x = {0};
    RowList rows = {0};
    int64_t terminals = 0;

    if (!has_rule(c)) {
        return OK;
    }
    TRY(scratch_init(&x, c->options->task));
    for (int64_t i = 0; i < rec->rows; i++) {
        terminals += rec->terminals[i] != 0;
        if (rec->terminals[i] == 0 && !times_out(c, i) && judge(c, &x, i) == ENDS) {
            rowlist_add(&rows, i);
        }
    }
    if (rows.count > 0) {
        rowlist_give(&rows, found(c, SEVERITY_ERROR,
                                  "task %s ends in these rows, and they are not terminal (%lld "
                                  "rows of the file are): the critic would value the state after "
                                  "a fall; set terminals to 1 there",
                                  c->options->task->name, (long long)terminals));
    }
done:
    scratch_release(&x);
    return st;
}
