#include "run/time_table.h"

#include <stdbool.h>
#include <stdio.h>

static const double part_worth_a_row = 0.01;
static const double part_worth_a_word = 0.25;
static const double seconds_worth_a_word = 1;

/* ---- the table ---- */

static double seconds(const AccountSheet *sheet, AccountWay way, int kind)
{
    double sum = 0;

    for (int k = 0; k < ACCOUNT_KINDS; k++) {
        sum += kind < 0 || kind == k ? sheet->of[k][way] : 0;
    }
    return sum;
}

static double of_rank(const AccountSheet *sheet)
{
    double sum = 0;

    for (int w = 0; w < ACCOUNT_WAYS; w++) {
        sum += seconds(sheet, (AccountWay)w, -1);
    }
    return sum;
}

static TimeRow row_of(const AccountSheet *sheets, int ranks, AccountWay way, int kind)
{
    TimeRow row = {.way = way, .kind = kind, .min = seconds(&sheets[0], way, kind)};
    double sum = 0;
    double all = 0;

    for (int r = 0; r < ranks; r++) {
        const double mine = seconds(&sheets[r], way, kind);
        row.min = mine < row.min ? mine : row.min;
        row.max = mine > row.max ? mine : row.max;
        sum += mine;
        all += of_rank(&sheets[r]);
    }
    row.mean = sum / ranks;
    row.above = row.mean > 0 ? row.max / row.mean - 1 : 0;
    row.share = all > 0 ? sum / all : 0;
    return row;
}

int time_table(const AccountSheet *sheets, int ranks, TimeRow rows[TIME_ROWS_MAX])
{
    int n = 0;

    for (int w = 0; w < ACCOUNT_WAYS; w++) {
        rows[n++] = row_of(sheets, ranks, (AccountWay)w, -1);
        for (int k = 0; k < ACCOUNT_KINDS; k++) {
            const TimeRow row = row_of(sheets, ranks, (AccountWay)w, k);
            if (row.share >= part_worth_a_row) {
                rows[n++] = row;
            }
        }
    }
    return n;
}

void time_table_head(char line[TIME_LINE_MAX])
{
    (void)snprintf(line, TIME_LINE_MAX, "%-14s %9s %9s %9s %9s %7s", "seconds", "min", "mean",
                   "max", "imbalance", "of all");
}

void time_table_line(const TimeRow *row, char line[TIME_LINE_MAX])
{
    const char *way = account_way_name(row->way);
    const char *name = row->kind < 0 ? way : account_kind_name((AccountKind)row->kind);

    (void)snprintf(line, TIME_LINE_MAX, "%s%-*s %9.2f %9.2f %9.2f %7.0f %% %5.1f %%",
                   row->kind < 0 ? "" : "  ", row->kind < 0 ? 14 : 12, name, row->min, row->mean,
                   row->max, 100 * row->above, 100 * row->share);
}

/* ---- the advice ---- */

enum {
    FITTING = 1U << ACCOUNT_FIT,
    UPDATING = 1U << ACCOUNT_UPDATE,
    EPOCHS = UPDATING | 1U << ACCOUNT_ROLLOUT | 1U << ACCOUNT_EVAL | 1U << ACCOUNT_SAVE |
             1U << ACCOUNT_HANDOVER
};

typedef enum { ROLE_ALL, ROLE_LEARNER, ROLE_WORKER } Role;

/* Who waits in which kind of work, as a part of a phase (a set of kinds): "`who` waited 35 % `of_what`". */
typedef struct {
    Role role;
    AccountKind kind;
    unsigned phase;
    const char *who, *of_what;
} Rule;

static const Rule rules[TIME_ADVICE_MAX] = {
    {ROLE_ALL, ACCOUNT_FIT, FITTING, "ranks",
     "of the model's fit for those with more to do: choose a number of ranks that shares "
     "model.members evenly (docs/parallel.md, How many ranks)"},
    {ROLE_LEARNER, ACCOUNT_HANDOVER, EPOCHS, "learners",
     "of the epochs for workers: start more ranks, or let fewer learn (ranks.learners) where "
     "several do"},
    {ROLE_WORKER, ACCOUNT_HANDOVER, EPOCHS, "workers",
     "of the epochs for learners: fewer ranks do as well, or more learners (ranks.learners, at "
     "most train.shards)"},
    {ROLE_LEARNER, ACCOUNT_UPDATE, UPDATING, "learners",
     "of their updates for each other: try fewer of them (ranks.learners)"},
};

/* The part of the phase that the role's ranks waited; 0 where it is not worth a word. */
static double lost(const Rule *rule, const AccountSheet *sheets, const Plan *plan)
{
    const int first = rule->role == ROLE_WORKER ? plan->learners : 0;
    const int end = rule->role == ROLE_LEARNER ? plan->learners : plan->ranks;
    double wait = 0;
    double all = 0;

    if (plan->learners == plan->ranks && rule->kind == ACCOUNT_HANDOVER) {
        return 0; /* there are no workers */
    }
    for (int r = first; r < end; r++) {
        wait += sheets[r].of[rule->kind][ACCOUNT_WAIT];
        for (int k = 0; k < ACCOUNT_KINDS; k++) {
            for (int w = 0; (rule->phase >> k & 1U) != 0 && w < ACCOUNT_WAYS; w++) {
                all += sheets[r].of[k][w];
            }
        }
    }
    const bool much =
        wait >= part_worth_a_word * all && wait >= seconds_worth_a_word * (end - first);
    return much ? wait / all : 0;
}

int time_advice(const AccountSheet *sheets, const Plan *plan, int cores,
                char text[TIME_ADVICE_MAX][TIME_ADVICE_SIZE])
{
    int n = 0;

    for (int i = 0; i < TIME_ADVICE_MAX; i++) {
        const double part = lost(&rules[i], sheets, plan);
        if (part > 0) {
            (void)snprintf(text[n++], TIME_ADVICE_SIZE, "%s waited %.0f %% %s", rules[i].who,
                           100 * part, rules[i].of_what);
        }
    }
    if (n > 0 && plan->ranks > cores) { /* then who waits for whom says little */
        (void)snprintf(text[0], TIME_ADVICE_SIZE,
                       "%d ranks waited for each other on %d core%s: start at most one per core",
                       plan->ranks, cores, cores == 1 ? "" : "s");
        return 1;
    }
    return n;
}
