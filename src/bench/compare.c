/* Two reports side by side. */
#include <string.h>

#include "bench/report.h"

static const Row *find(const Report *report, const Row *like)
{
    for (int i = 0; i < report->count; i++) {
        const Row *row = &report->rows[i];
        if (strcmp(row->name, like->name) == 0 && strcmp(row->unit, like->unit) == 0) {
            return row;
        }
    }
    return NULL;
}

static RowChange change(const Row *then, const Row *now)
{
    RowChange c = {.then = then, .now = now};
    if (then != NULL && now != NULL) {
        c.time = now->t.seconds / then->t.seconds;
        if (then->t.floor > 0 && now->t.floor > 0) {
            c.ratio = c.time * then->t.floor / now->t.floor;
        }
    }
    return c;
}

int report_compare(const Report *then, const Report *now, RowChange changes[2 * REPORT_ROWS_MAX])
{
    int n = 0;

    for (int i = 0; i < now->count; i++) {
        const Row *row = &now->rows[i];
        if (report_wants(now, row->name)) {
            changes[n++] = change(find(then, row), row);
        }
    }
    for (int i = 0; i < then->count; i++) {
        const Row *row = &then->rows[i];
        if (report_wants(now, row->name) && find(now, row) == NULL) {
            changes[n++] = change(row, NULL);
        }
    }
    return n;
}

/* What is not the same, a line each. */
static void add_facts(Text *text, const Report *then, const Report *now)
{
#define FACT_COMPARE(name, title)                                                    \
    if (strcmp(then->name, now->name) != 0) {                                        \
        text_add(text, "other %s: then %s, now %s\n", title, then->name, now->name); \
    }
    REPORT_FACTS(FACT_COMPARE)
#undef FACT_COMPARE
    if (then->ranks != now->ranks) {
        text_add(text, "other number of ranks: then %d, now %d\n", then->ranks, now->ranks);
    }
    if (then->quick || now->quick) {
        text_add(text, "measured with --quick, two repetitions: %s\n",
                 !now->quick    ? "then"
                 : !then->quick ? "now"
                                : "both");
    }
    text_add(text, "large product (%d^3): then %.1f GFLOP/s, now %.1f (now / then %.2f)\n\n",
             REPORT_LARGE, then->large * 1e-9, now->large * 1e-9, now->large / then->large);
}

static void add_change(Text *text, const RowChange *c)
{
    char then[REPORT_TIME_MAX];
    char now[REPORT_TIME_MAX];
    const RowTimes *a = &c->then->t;
    const RowTimes *b = &c->now->t;

    text_add(text, "%-36s %-10s %9s %9s %8.2f", c->now->name, c->now->unit,
             report_time(a->seconds, then), report_time(b->seconds, now), c->time);
    if (c->ratio > 0) {
        text_add(text, " %11.2f %9.2f %8.2f", a->seconds / a->floor, b->seconds / b->floor,
                 c->ratio);
    }
    text_add(text, "\n");
}

void report_compare_text(const Report *then, const Report *now, Text *text)
{
    RowChange changes[2 * REPORT_ROWS_MAX];
    const int n = report_compare(then, now, changes);

    add_facts(text, then, now);
    text_add(text, "%-36s %-10s %9s %9s %8s %11s %9s %8s\n", "what", "unit", "then", "now",
             "now/then", "ratio, then", "now", "now/then");
    for (int i = 0; i < n; i++) {
        if (changes[i].then != NULL && changes[i].now != NULL) {
            add_change(text, &changes[i]);
        }
    }
    for (int i = 0; i < n; i++) {
        const RowChange *c = &changes[i];
        if (c->then == NULL || c->now == NULL) {
            const Row *row = c->then != NULL ? c->then : c->now;
            text_add(text, "only %s: %s (%s)\n", c->then != NULL ? "then" : "now", row->name,
                     row->unit);
        }
    }
}
