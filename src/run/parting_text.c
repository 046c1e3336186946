/* What a comparison says: tables and verdict for people, an object for programs. */
#include <stdio.h>
#include <string.h>

#include "run/parting.h"

static const char *const part_names[PART_COUNT] = {
    [PART_DATASET] = "dataset",           [PART_MODEL] = "model",
    [PART_MODEL_REPORT] = "model report", [PART_PENALTY_REPORT] = "penalty report",
    [PART_METRICS] = "metrics",           [PART_POLICY] = "policy"};

/* ---- for people ---- */

static void facts_table(const Parting *p, Text *text)
{
    int width = 4; /* "then" */
    bool any = false;

    for (int i = 0; i < FACT_ROWS; i++) {
        const int length = (int)strlen(p->facts[i].then);
        if (parting_pair_differs(&p->facts[i])) {
            width = length > width ? length : width;
            any = true;
        }
    }
    if (p->settings_differ > 0) {
        text_add(text, "settings that differ: %s\n\n", p->settings.now);
    }
    if (!any) {
        text_add(text, "Made of the same: program, libraries, CPU, dataset.\n\n");
        return;
    }
    text_add(text, "%-16s  %-*s  %s\n", "made of", width, "then", "now");
    for (int i = 0; i < FACT_ROWS; i++) {
        if (parting_pair_differs(&p->facts[i])) {
            text_add(text, "%-16s  %-*s  %s\n", fact_rows[i].name, width, p->facts[i].then,
                     p->facts[i].now);
        }
    }
    text_add(text, "\n");
}

static void parts_table(const Parting *p, Text *text)
{
    text_add(text, "%-16s  %-32s  %s\n", "result", "then", "now");
    for (int i = 0; i < PART_COUNT; i++) {
        const PartingPart *part = &p->parts[i];
        const char *now = part->now[0] == '\0'                 ? "-"
                          : strcmp(part->then, part->now) == 0 ? "same"
                          : part->state == PART_SAME           ? "same, as far as both go"
                                                               : part->now;
        if (part->then[0] == '\0' && part->now[0] == '\0') {
            continue; /* no model in a run without one */
        }
        text_add(text, "%-16s  %-32s  %s%s\n", part_names[i],
                 part->then[0] != '\0' ? part->then : "-", now,
                 part->changed ? "  (then's file was changed after its run had ended)" : "");
    }
    text_add(text, "%-16s  %-32lld  %lld\n", "epochs", (long long)p->epochs_then,
             (long long)p->epochs_now);
    if (p->fit.then[0] != '\0') {
        text_add(text, "\nmodel then: %s\nmodel now:  %s\n", p->fit.then, p->fit.now);
    }
}

void parting_report(const Parting *p, Text *text)
{
    text_add(text, "then  %s\nnow   %s\n\n", p->then, p->now);
    facts_table(p, text);
    parts_table(p, text);
}

static int64_t common_epochs(const Parting *p)
{
    return p->epochs_then < p->epochs_now ? p->epochs_then : p->epochs_now;
}

/* Names of the parts in a state, but for the metrics. */
static int list_parts(const Parting *p, PartState state, Text *text)
{
    int n = 0;

    for (int i = 0; i < PART_COUNT; i++) {
        if (i != PART_METRICS && p->parts[i].state == state) {
            text_add(text, "%s%s", n++ > 0 ? ", " : "", part_names[i]);
            if (state == PART_SAME && (i == PART_MODEL || i == PART_POLICY)) {
                text_add(text, " %s", p->parts[i].then);
            }
        }
    }
    return n;
}

static void verdict_same(const Parting *p, Text *text)
{
    const int64_t epochs = common_epochs(p);
    const bool policy = p->parts[PART_POLICY].state == PART_SAME;

    text_add(text, "same bits: ");
    const int n = list_parts(p, PART_SAME, text);
    if (epochs > 0) {
        text_add(text, "%s%lld epoch%s of metrics", n > 0 ? ", " : "", (long long)epochs,
                 epochs > 1 ? "s" : "");
    }
    if (n == 0 && epochs == 0) {
        text_add(text, "nothing is in both that could differ");
    }
    if (!policy) {
        text_add(text, "; the policy was not compared: %s",
                 p->parts[PART_POLICY].then[0] != '\0' && p->parts[PART_POLICY].now[0] != '\0'
                     ? "the two are of different epochs"
                     : "one of the runs has not ended");
    }
}

/* The first part of a run that is other decides where it began. */
static Part first_other(const Parting *p)
{
    int i = 0;
    while (i < PART_COUNT - 1 && p->parts[i].state != PART_OTHER) {
        i++;
    }
    return (Part)i;
}

static void cause(const Parting *p, Text *text)
{
    int n = 0;

    if (p->settings_differ > 0) {
        text_add(text, "cause: other settings (%s)", p->settings.now);
        return;
    }
    for (int i = 0; i < FACT_ROWS; i++) {
        const PartingPair *pair = &p->facts[i];
        if (parting_pair_differs(pair) && n < 3) {
            text_add(text, "%s%s %s then, %s now", n++ == 0 ? "likely cause: " : ", or ",
                     fact_rows[i].name, pair->then, pair->now);
        }
    }
    if (n == 0) {
        text_add(text, "nothing known differs that could be the cause: repeat it once more; if it "
                       "parts elsewhere then, test this machine's memory, else report it as a bug");
    }
}

static void first_number(const Parting *p, Text *text)
{
    text_add(text, "first in %s: %s then, %s now", p->metric,
             p->numbers.then[0] != '\0' ? p->numbers.then : "nothing",
             p->numbers.now[0] != '\0' ? p->numbers.now : "nothing");
    if (p->others > 0) {
        text_add(text, " (and in %d more number%s)", p->others, p->others > 1 ? "s" : "");
    }
}

static void verdict_parted(const Parting *p, Text *text)
{
    const Part first = first_other(p);
    char data[256];
    Text same = text_over(data, sizeof data);

    if (first == PART_METRICS) {
        text_add(text, "parted: in epoch %lld, ", (long long)p->epoch);
        first_number(p, text);
    } else {
        text_add(text, "parted: first in the %s", part_names[first]);
        if (p->epoch > 0) {
            text_add(text, "; the metrics from epoch %lld on, ", (long long)p->epoch);
            first_number(p, text);
        }
    }
    if (list_parts(p, PART_SAME, &same) > 0) {
        text_add(text, "; same: %s", same.data);
    }
    text_add(text, "; ");
    cause(p, text);
}

void parting_verdict(const Parting *p, Text *text)
{
    if (parting_none(p)) {
        verdict_same(p, text);
    } else {
        verdict_parted(p, text);
    }
}

/* ---- for programs ---- */

static const char *const part_keys[PART_COUNT] = {
    [PART_DATASET] = "dataset",           [PART_MODEL] = "model",
    [PART_MODEL_REPORT] = "model_report", [PART_PENALTY_REPORT] = "penalty_report",
    [PART_METRICS] = "metrics",           [PART_POLICY] = "policy"};
static const char *const part_states[] = {
    [PART_ABSENT] = "not compared", [PART_SAME] = "same", [PART_OTHER] = "other"};

static json_t *text_or_null(const char *text)
{
    return text[0] != '\0' ? json_string(text) : json_null();
}

static json_t *pair_json(const PartingPair *pair)
{
    return json_pack("{s:o, s:o}", "then", text_or_null(pair->then), "now",
                     text_or_null(pair->now));
}

/* Named as in manifest.json, "libraries.blas". */
static json_t *facts_object(const Parting *p)
{
    json_t *all = json_object();
    char key[64];

    for (int i = 0; i < FACT_ROWS; i++) {
        (void)snprintf(key, sizeof key, "%s.%s", fact_rows[i].group, fact_rows[i].key);
        (void)json_object_set_new(all, key, pair_json(&p->facts[i]));
    }
    return all;
}

static json_t *parts_object(const Parting *p)
{
    json_t *all = json_object();

    for (int i = 0; i < PART_COUNT; i++) {
        const PartingPart *part = &p->parts[i];
        (void)json_object_set_new(all, part_keys[i],
                                  json_pack("{s:s, s:o, s:o, s:b}", "state",
                                            part_states[part->state], "then",
                                            text_or_null(part->then), "now",
                                            text_or_null(part->now), "changed", part->changed));
    }
    return all;
}

static json_t *first_object(const Parting *p)
{
    return p->epoch == 0
               ? json_null()
               : json_pack("{s:I, s:s, s:o, s:i}", "epoch", (json_int_t)p->epoch, "metric",
                           p->metric, "numbers", pair_json(&p->numbers), "others", p->others);
}

json_t *parting_json(const Parting *p)
{
    char data[1024];
    Text verdict = text_over(data, sizeof data);

    parting_verdict(p, &verdict);
    return json_pack("{s:i, s:b, s:s, s:s, s:s, s:o, s:o, s:o, s:{s:I, s:I}, s:o}", "rerun_format",
                     1, "same", parting_none(p), "verdict", verdict.data, "then", p->then, "now",
                     p->now, "facts", facts_object(p), "settings", text_or_null(p->settings.now),
                     "parts", parts_object(p), "epochs", "then", (json_int_t)p->epochs_then, "now",
                     (json_int_t)p->epochs_now, "first", first_object(p));
}
