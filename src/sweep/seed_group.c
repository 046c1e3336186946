#include "sweep/seed_group.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/slab.h"

static const char *const value_names[SEED_VALUE_COUNT] = {
#define SEED_VALUE_NAME(name, word) [SEED_##name] = word,
    SEED_VALUES(SEED_VALUE_NAME)
#undef SEED_VALUE_NAME
};

/* ---- which cells ---- */

static bool begins(const char *word, const char *start)
{
    return strncmp(word, start, strlen(start)) == 0;
}

uint64_t seed_kin(const Job *job, char seed[SEED_TEXT_MAX])
{
    static const uint64_t mix = 0x9e3779b97f4a7c15U; /* odd: no word is forgotten */
    uint64_t kin = 1;

    seed[0] = '\0';
    for (int i = 0; i < job->count; i++) {
        const char *word = job->words[i];
        if (begins(word, "seed=")) {
            (void)snprintf(seed, SEED_TEXT_MAX, "%s", word + strlen("seed="));
        } else if (!begins(word, "model.seed=") && !begins(word, "run_dir=")) {
            kin = kin * mix + bytes_hash(word, strlen(word) + 1);
        }
    }
    return kin != 0 ? kin : 1;
}

/* "lambda1-seed0-horizon5" with the seed 0 gives "lambda1-seed*-horizon5", a pattern for --only. */
static void name_group(const StatusRow *row, char name[JOB_NAME_MAX])
{
    char part[SEED_TEXT_MAX + 8];
    const size_t n = (size_t)snprintf(part, sizeof part, "seed%s", row->seed);

    (void)snprintf(name, JOB_NAME_MAX, "%s", row->name);
    for (const char *at = strstr(row->name, part); at != NULL; at = strstr(at + 1, part)) {
        if ((at == row->name || at[-1] == '-') && (at[n] == '\0' || at[n] == '-')) {
            (void)snprintf(name, JOB_NAME_MAX, "%.*sseed*%s", (int)(at - row->name), row->name,
                           at + n);
            break;
        }
    }
}

/* ---- what they reached ---- */

static double value_of(const StatusRow *row, SeedValue value)
{
    return value == SEED_RETURN ? row->now.last_return : row->now.score;
}

/* Whether row i counts among those of the group that begins with row `first`. */
static bool counts(const StatusReport *report, int first, int i, SeedValue value)
{
    const StatusRow *row = &report->row[i];
    return row->kin == report->row[first].kin && row->now.state == JOB_DONE &&
           isfinite(value_of(row, value));
}

static SeedSpread spread(const StatusReport *report, int first, SeedValue value)
{
    const double none = (double)NAN;
    SeedSpread s = {.mean = none, .deviation = none, .low = none, .high = none};
    double sum = 0;
    double squares = 0;

    for (int i = first; i < report->count; i++) {
        if (counts(report, first, i, value)) {
            const double x = value_of(&report->row[i], value);
            s.count++;
            sum += x;
            s.low = fmin(s.low, x); /* of a number and NaN the number */
            s.high = fmax(s.high, x);
        }
    }
    if (s.count > 0) {
        s.mean = sum / s.count;
    }
    for (int i = first; i < report->count; i++) {
        if (counts(report, first, i, value)) {
            const double off = value_of(&report->row[i], value) - s.mean;
            squares += off * off;
        }
    }
    if (s.count > 1) {
        s.deviation = sqrt(squares / (s.count - 1));
    }
    return s;
}

static SeedGroup group_of(const StatusReport *report, int first)
{
    SeedGroup group = {0};

    for (int i = first; i < report->count; i++) {
        const StatusRow *row = &report->row[i];
        group.cells += row->kin == report->row[first].kin;
        group.done += row->kin == report->row[first].kin && row->now.state == JOB_DONE;
    }
    if (group.cells > 1) {
        name_group(&report->row[first], group.name);
    } else {
        (void)snprintf(group.name, sizeof group.name, "%s", report->row[first].name);
    }
    for (int v = 0; v < SEED_VALUE_COUNT; v++) {
        group.value[v] = spread(report, first, (SeedValue)v);
    }
    return group;
}

static bool is_first(const StatusReport *report, int i)
{
    for (int k = 0; k < i; k++) {
        if (report->row[k].kin == report->row[i].kin) {
            return false;
        }
    }
    return report->row[i].kin != 0;
}

Status seed_groups(const StatusReport *report, SeedGroup **groups, int *count)
{
    Status st = OK;

    *count = 0;
    for (int i = 0; i < report->count; i++) {
        *count += is_first(report, i);
    }
    TRY(mem_alloc(groups, (size_t)*count + 1, sizeof **groups, "the cells by seed"));
    for (int i = 0, at = 0; i < report->count; i++) {
        if (is_first(report, i)) {
            (*groups)[at++] = group_of(report, i);
        }
    }
done:
    return st;
}

/* ---- for people, and for programs ---- */

enum { NAME_MIN = 8 };

static void add_number(Text *text, int width, double x)
{
    char number[STATUS_CELL];

    status_number(x, true, number);
    text_add(text, "  %*s", width, number);
}

void seed_groups_add_table(const SeedGroup groups[], int count, Text *text)
{
    int width = NAME_MIN;

    for (int g = 0; g < count; g++) {
        const int n = (int)strlen(groups[g].name);
        width = n > width ? n : width;
    }
    text_add(text, "%-*s  %-9s  %9s  %8s  %7s  %6s  %9s  %9s\n", width, "cells", "done", "return",
             "std", "score", "std", "lowest", "highest");
    for (int g = 0; g < count; g++) {
        const SeedGroup *group = &groups[g];
        const SeedSpread *value = group->value;
        char done[24];

        (void)snprintf(done, sizeof done, "%d of %d", group->done, group->cells);
        text_add(text, "%-*s  %-9s", width, group->name, done);
        add_number(text, 9, value[SEED_RETURN].mean);
        add_number(text, 8, value[SEED_RETURN].deviation);
        add_number(text, 7, value[SEED_SCORE].mean);
        add_number(text, 6, value[SEED_SCORE].deviation);
        add_number(text, 9, value[SEED_RETURN].low);
        add_number(text, 9, value[SEED_RETURN].high);
        text_add(text, "\n");
    }
    text_add(text, "last evaluations of the cells that are done; std: of the sample, by n - 1\n");
}

static json_t *number_or_null(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

json_t *seed_groups_json(const SeedGroup groups[], int count)
{
    json_t *list = json_array();
    int bad = 0;

    for (int g = 0; g < count; g++) {
        json_t *one = json_pack("{s:s, s:i, s:i}", "cells", groups[g].name, "of", groups[g].cells,
                                "done", groups[g].done);
        for (int v = 0; v < SEED_VALUE_COUNT; v++) {
            const SeedSpread *s = &groups[g].value[v];
            bad |= json_object_set_new(
                one, value_names[v],
                json_pack("{s:o, s:o, s:o, s:o}", "mean", number_or_null(s->mean), "std",
                          number_or_null(s->deviation), "lowest", number_or_null(s->low), "highest",
                          number_or_null(s->high)));
        }
        bad |= json_array_append_new(list, one);
    }
    if (bad != 0) {
        json_decref(list);
        list = NULL;
    }
    return list;
}
