#include "run/data_check.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "run/data_check_internal.h"

enum { SAMPLES = 2000, DEFAULT_HORIZON = 1000 };

typedef struct {
    const char *name, *finds;
    Status (*run)(Check *c);
} CheckKind;

/* In the order of the report: what is wrong with single numbers, then with rows, episodes, the task. */
static const CheckKind kinds[] = {
    {"finite", "numbers that are not finite", check_finite},
    {"flags", "terminals or timeouts that are neither 0 nor 1", check_flags},
    {"blank-rows", "rows of zeros, as an array has that was never filled", check_blank_rows},
    {"constant-columns", "columns that never change", check_constant_columns},
    {"action-range", "actions outside [-1, 1]", check_action_range},
    {"action-bounds", "actions that are all at the bounds", check_action_bounds},
    {"half-precision", "states that were rounded to 16 bits", check_half_precision},
    {"duplicates", "rows that are there twice, alone and in blocks", check_duplicates},
    {"next-shift", "next_observations of another row", check_next_shift},
    {"row-order", "rows that do not follow each other in time", check_row_order},
    {"next-joined", "next_observations of the next episode, and ends inside one",
     check_next_joined},
    {"timeout-shift", "timeouts one row too early or too late", check_timeout_shift},
    {"missing-ends", "episodes that end without a flag", check_missing_ends},
    {"episode-length", "episodes longer than the task's horizon", check_episode_length},
    {"both-flags", "rows that are terminal and timeout at once", check_both_flags},
    {"dimensions", "a file of another task", check_dimensions},
    {"settings", "another version of the task than the one configured", check_settings},
    {"dynamics", "steps that the task's simulator does not make", check_dynamics},
    {"rewards", "rewards that are not the task's", check_rewards},
    {"terminals", "terminal rows where the task goes on", check_terminals},
    {"missing-terminals", "rows where the task ends, not flagged", check_missing_terminals},
    {"infos", "infos/qpos and infos/qvel that are not those of their row", check_infos},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

const char *data_check_name(int i)
{
    return i >= 0 && i < KINDS ? kinds[i].name : NULL;
}

const char *data_check_finds(int i)
{
    return i >= 0 && i < KINDS ? kinds[i].finds : NULL;
}

const char *severity_name(Severity severity)
{
    static const char *const names[] = {"note", "warning", "error"};
    return names[severity];
}

/* ---- findings ---- */

Finding *found(Check *c, Severity severity, const char *format, ...)
{
    Finding *f = &c->out->list[c->out->count];
    va_list args;

    if (c->out->count == FINDINGS_MAX) {
        return NULL;
    }
    c->out->count++;
    c->out->number[severity]++;
    *f = (Finding){.check = c->name, .severity = severity};
    va_start(args, format);
    (void)vsnprintf(f->text, sizeof f->text, format, args);
    va_end(args);
    return f;
}

void rowlist_add(RowList *list, int64_t row)
{
    if (list->count < FINDING_ROWS) {
        list->first[list->count] = row;
    }
    list->count++;
}

void rowlist_give(const RowList *list, Finding *finding)
{
    if (finding != NULL) {
        finding->rows = list->count;
        memcpy(finding->first, list->first, sizeof finding->first);
    }
}

/* ---- preparation ---- */

static bool all_finite(const double *x, int n)
{
    bool yes = true;
    for (int j = 0; j < n; j++) {
        yes = yes && isfinite(x[j]);
    }
    return yes;
}

static void find_finite(Check *c)
{
    const Recording *rec = c->rec;
    const double *next = rec->next_observations;

    for (int64_t i = 0; i < rec->rows; i++) {
        c->finite[i] =
            isfinite(rec->rewards[i]) &&
            all_finite(row_of(rec->observations, i, rec->state_dim), rec->state_dim) &&
            all_finite(row_of(rec->actions, i, rec->act_dim), rec->act_dim) &&
            (next == NULL || all_finite(row_of(next, i, rec->state_dim), rec->state_dim));
    }
}

static Status prepare(Check *c)
{
    Status st = OK;
    const Recording *rec = c->rec;
    const size_t n = (size_t)rec->rows;
    const EnvKind *task = c->options->task;
    const int horizon = task != NULL && task->horizon > 0 ? task->horizon : DEFAULT_HORIZON;
    const int64_t samples = c->options->samples > 0 ? c->options->samples : SAMPLES;

    c->ask = 2 * samples;
    TRY(mem_alloc(&c->starts, n + 1, sizeof *c->starts, "starts of episodes"));
    TRY(mem_alloc(&c->end, n, 1, "ends of episodes"));
    TRY(mem_alloc(&c->finite, n, 1, "marks of rows"));
    TRY(mem_alloc(&c->linked, n, 1, "marks of rows"));
    TRY(mem_alloc(&c->typical, (size_t)rec->state_dim, sizeof *c->typical, "column statistics"));
    TRY(mem_alloc(&c->sample, (size_t)samples, sizeof *c->sample, "rows to replay"));
    c->episodes = recording_episodes(rec, horizon, c->starts);
    for (int64_t e = 0; e < c->episodes; e++) { /* the last one may go on */
        const int64_t last = c->starts[e + 1] - 1;
        c->end[last] = e + 1 < c->episodes || rec->terminals[last] != 0 ||
                       (rec->timeouts != NULL && rec->timeouts[last] != 0);
    }
    find_finite(c);
    c->samples = replay_pick(rec, samples, c->sample);
    TRY(check_order_prepare(c));
    TRY(check_task_prepare(c));
    TRY(check_order_confirm(c));
done:
    return st;
}

static void release(Check *c)
{
    replay_release(&c->replay);
    replay_close(&c->replayer);
    mem_free(&c->starts);
    mem_free(&c->end);
    mem_free(&c->finite);
    mem_free(&c->linked);
    mem_free(&c->typical);
    mem_free(&c->sample);
}

Status data_check(Findings *out, const Recording *rec, const CheckOptions *options)
{
    Status st = OK;
    Check c = {.rec = rec, .options = options, .out = out, .shift = 1};

    *out = (Findings){0};
    if (rec->rows < 1) {
        return status_fail(ERR_FORMAT, "there is no row to check");
    }
    TRY(prepare(&c));
    for (int k = 0; k < KINDS; k++) {
        c.name = kinds[k].name;
        TRY(kinds[k].run(&c));
    }
done:
    release(&c);
    return st;
}
