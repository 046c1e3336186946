/* The states of jobs for people: no colors, 100 columns, times of the day by the clock here. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "run/plan_report.h"
#include "sweep/status_report.h"

enum { WIDTH = 100, NAME_MIN = 8, NAME_MAX = 34, CELL = STATUS_CELL, LINE = 2048 };

/* ---- words ---- */

static const char *noun(const StatusReport *report, int count)
{
    return report->grid != NULL ? (count == 1 ? "cell" : "cells") : (count == 1 ? "run" : "runs");
}

/* "14:32" today, "Nov 29 14:32" on other days, "-" where it is not known. */
static void clock_text(double at, double now, char text[CELL])
{
    struct tm then;
    struct tm today;
    const time_t seconds = (time_t)at;
    const time_t here = (time_t)now;

    (void)snprintf(text, CELL, "-");
    if (at > 0 && localtime_r(&seconds, &then) != NULL && localtime_r(&here, &today) != NULL) {
        const bool same = then.tm_yday == today.tm_yday && then.tm_year == today.tm_year;
        (void)strftime(text, CELL, same ? "%H:%M" : "%b %d %H:%M", &then);
    }
}

/* "epoch 12/1000", "pass 3" */
static void count_text(const Progress *p, char text[CELL])
{
    if (p->unit == UNIT_NONE) {
        (void)snprintf(text, CELL, "-");
    } else if (p->of > 0) {
        (void)snprintf(text, CELL, "%s %lld/%lld", progress_unit_name(p->unit), (long long)p->at,
                       (long long)p->of);
    } else {
        (void)snprintf(text, CELL, "%s %lld", progress_unit_name(p->unit), (long long)p->at);
    }
}

void status_number(double x, bool known, char text[CELL])
{
    if (known && isfinite(x)) {
        (void)snprintf(text, CELL, fabs(x) < 100 ? "%.2f" : fabs(x) < 1e6 ? "%.1f" : "%.3g", x);
    } else {
        (void)snprintf(text, CELL, "-");
    }
}

/* The last column. */
static void note_text(const Progress *p, char text[LINE])
{
    Text note = text_over(text, LINE);

    if (p->state == JOB_RUNNING && p->life.host[0] == '\0') {
        text_add(&note, "starting");
    } else if (p->state == JOB_RUNNING) {
        if (p->waits_for_model) {
            text_add(&note, "waits for model, ");
        } else if (p->unit == UNIT_NONE && p->life.phase[0] != '\0') {
            text_add(&note, "%s, ", p->life.phase);
        }
        text_add(&note, "%s", p->life.host);
        if (p->ranks > 1) {
            text_add(&note, " x%d", p->ranks);
        }
    } else if (p->state == JOB_WAITING) {
        text_add(&note, "%s",
                 p->saved[0] != '\0'    ? "saved"
                 : p->begun             ? "begun"
                 : p->reason[0] != '\0' ? p->reason
                                        : "not begun");
    }
}

/* ---- lines ---- */

typedef struct {
    int name, left; /* columns of the name; lines that may still be written, -1: any number */
    int hidden;     /* rows for which there was none */
} Page;

/* So many bytes of a text, fewer where they would end within a letter. */
static int whole_letters(const char *text, int n)
{
    while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80) {
        n--;
    }
    return n;
}

/* One line of at most WIDTH columns (whole: of any length); of what is longer the end is left out. */
static void add_line(Text *text, Page *page, bool whole, const char *line)
{
    const int n = (int)strlen(line);

    text_add(text, "%.*s%s\n", whole || n <= WIDTH ? n : whole_letters(line, WIDTH - 2), line,
             whole || n <= WIDTH ? "" : "..");
    page->left -= page->left > 0 ? 1 : 0;
}

static void add_name(Text *line, const Page *page, const char *name)
{
    const int n = (int)strlen(name);

    if (n <= page->name) {
        text_add(line, "%-*s", page->name, name);
    } else { /* cells that differ differ more often behind */
        text_add(line, "..%s", name + whole_letters(name, n - page->name + 2));
    }
}

static void add_columns(Text *text, Page *page, const StatusReport *report, const StatusRow *row)
{
    const Progress *p = &row->now;
    char data[LINE];
    char count[CELL];
    char last[CELL];
    char rate[CELL];
    char ends[CELL];
    char note[LINE];
    Text line = text_over(data, sizeof data);

    count_text(p, count);
    status_number(p->last_return, true, last);
    status_number(p->rate, p->rate > 0 && p->state == JOB_RUNNING, rate);
    clock_text(p->ends, report->now, ends);
    note_text(p, note);
    add_name(&line, page, row->name);
    text_add(&line, "  %-7s  %-15s %9s %8s  %-12s  %s", job_state_names[p->state], count, last,
             rate, ends, note);
    while (line.used > 0 && line.data[line.used - 1] == ' ') {
        line.data[--line.used] = '\0';
    }
    add_line(text, page, false, data);
}

/* Why, in as many lines as it takes. */
static void add_wrapped(Text *text, Page *page, const char *words)
{
    enum { INDENT = 4 };
    const int room = WIDTH - INDENT;
    char line[LINE];

    while (*words != '\0') {
        int n = (int)strlen(words);
        if (n > room) {
            for (n = room; n > room / 2 && words[n] != ' '; n--) {
            }
            n = words[n] == ' ' ? n : whole_letters(words, room);
        }
        (void)snprintf(line, sizeof line, "%*s%.*s", INDENT, "", n, words);
        add_line(text, page, true, line);
        words += n;
        words += strspn(words, " ");
    }
}

static void add_silence(Text *text, Page *page, const StatusReport *report, const Progress *p)
{
    char data[LINE];
    char since[CELL];
    char duration[DURATION_MAX];
    Text line = text_over(data, sizeof data);

    clock_text(p->life.seen, report->now, since);
    plan_duration(report->now - p->life.seen, duration);
    text_add(&line, "no sign of life since %s", since);
    if (p->life.seen > 0) {
        text_add(&line, " (%s)", duration);
    }
    if (p->life.host[0] != '\0') {
        text_add(&line, ": host %s, pid %ld", p->life.host, p->life.pid);
    }
    add_wrapped(text, page, data);
}

/* Of its last start; of others' where it has not come so far. */
static int ranks_of(const StatusReport *report, const StatusRow *row)
{
    int ranks = row->now.ranks;

    for (int i = 0; i < report->count && ranks == 0; i++) {
        ranks = report->row[i].now.ranks;
    }
    return ranks > 0 ? ranks : 1;
}

void status_add_retry(const StatusReport *report, const StatusRow *row, Text *text)
{
    char word[PROGRESS_PATH_MAX];

    const int ranks = ranks_of(report, row);

    if (report->grid != NULL) {
        text_add(text, "mopo sweep");
        text_add_word(text, report->grid);
        text_add(text, row->now.slurm ? " --slurm --ranks %d" : " --local %d", ranks);
        text_add(text, "%s --only", row->now.state == JOB_FAILED ? " --retry failed" : "");
        text_add_word(text, row->name);
        return;
    }
    if (ranks > 1) {
        text_add(text, "mpirun -n %d ", ranks);
    }
    text_add(text, "mopo train");
    (void)snprintf(word, sizeof word, "%s/used.yaml", row->dir);
    text_add_word(text, word);
    (void)snprintf(word, sizeof word, "run_dir=%s", row->dir);
    text_add_word(text, word);
}

/* A job's line, and for one that is in trouble why and what to do. */
static void add_job(Text *text, Page *page, const StatusReport *report, const StatusRow *row)
{
    const Progress *p = &row->now;
    char data[LINE + 2 * PROGRESS_PATH_MAX];
    Text line = text_over(data, sizeof data);

    if (page->left == 0) {
        page->hidden++;
        return;
    }
    add_columns(text, page, report, row);
    if (p->state == JOB_STALE) {
        add_silence(text, page, report, p);
        add_wrapped(text, page, p->reason);
    }
    if (p->state == JOB_FAILED) {
        add_wrapped(text, page, p->reason[0] != '\0' ? p->reason : "no reason was noted");
    }
    if (p->state == JOB_STALE || p->state == JOB_FAILED) {
        text_add(&line, "    again: ");
        status_add_retry(report, row, &line);
        add_line(text, page, true, data);
    }
}

static int total(const StatusReport *report, JobKind kind)
{
    int all = 0;
    for (int s = 0; s < JOB_STATE_COUNT; s++) {
        all += report->states[kind][s];
    }
    return all;
}

void status_add_kind(const StatusReport *report, JobKind kind, Text *text)
{
    static const char *const names[] = {[JOB_DATA] = "datasets", [JOB_MODEL] = "models"};
    static const char *const verbs[] = {[JOB_DATA] = "made", [JOB_MODEL] = "fitted"};
    const int *states = report->states[kind];
    char count[CELL];
    const char *between = " (";

    text_add(text, "%s: %d of %d %s", names[kind], states[JOB_DONE], total(report, kind),
             verbs[kind]);
    for (int s = JOB_DONE + 1; s < JOB_STATE_COUNT; s++) {
        if (states[s] > 0) {
            text_add(text, ", %d %s", states[s], job_state_names[s]);
        }
    }
    for (int i = 0; i < report->count; i++) {
        const Progress *p = &report->row[i].now;
        if (report->row[i].job.kind == kind && p->state == JOB_RUNNING && p->unit != UNIT_NONE) {
            count_text(p, count);
            text_add(text, "%s%s", between, count);
            between = ", ";
        }
    }
    text_add(text, "%s", between[0] == ',' ? ")" : "");
}

/* A cell, or another job that is in trouble. */
static bool has_line(const StatusRow *row)
{
    return row->job.kind == JOB_CELL || row->now.state == JOB_FAILED || row->now.state == JOB_STALE;
}

/* The line of a kind, and the jobs of it that are in trouble. */
static void add_kind(Text *text, Page *page, const StatusReport *report, JobKind kind)
{
    char data[LINE];
    Text line = text_over(data, sizeof data);

    if (total(report, kind) == 0) {
        return;
    }
    status_add_kind(report, kind, &line);
    add_line(text, page, false, data);
    for (int i = 0; i < report->count; i++) {
        if (report->row[i].job.kind == kind && has_line(&report->row[i])) {
            add_job(text, page, report, &report->row[i]);
        }
    }
}

/* ---- the whole ---- */

void status_add_summary(const StatusReport *report, Text *text)
{
    const int *states = report->states[JOB_CELL];
    const char *between = ": ";
    const int all = total(report, JOB_CELL);
    int foreseen = 0;
    double last = 0;
    char ends[CELL];

    text_add(text, "%d %s", all, noun(report, all));
    for (int s = 0; s < JOB_STATE_COUNT; s++) {
        if (states[s] > 0) {
            text_add(text, "%s%d %s", between, states[s], job_state_names[s]);
            between = ", ";
        }
    }
    for (int i = 0; i < report->count; i++) {
        const StatusRow *row = &report->row[i];
        if (row->job.kind == JOB_CELL && row->now.ends > 0) {
            foreseen++;
            last = fmax(last, row->now.ends);
        }
    }
    if (foreseen > 0 && foreseen == states[JOB_RUNNING]) {
        clock_text(last, report->now, ends);
        text_add(text, "; the last %sends about %s", states[JOB_WAITING] > 0 ? "running " : "",
                 ends);
    }
}

static int name_width(const StatusReport *report)
{
    int width = NAME_MIN;

    for (int i = 0; i < report->count; i++) {
        const int n = (int)strlen(report->row[i].name);
        width = has_line(&report->row[i]) && n > width ? n : width;
    }
    return width < NAME_MAX ? width : NAME_MAX;
}

void status_add_table(const StatusReport *report, const bool wanted[JOB_STATE_COUNT], int lines,
                      Text *text)
{
    Page page = {.name = name_width(report), .left = lines > 0 ? lines : -1};
    char data[LINE];
    Text head = text_over(data, sizeof data);
    char summary[LINE];
    Text end = text_over(summary, sizeof summary);

    add_kind(text, &page, report, JOB_DATA);
    add_kind(text, &page, report, JOB_MODEL);
    if (total(report, JOB_CELL) > 0) {
        add_name(&head, &page, noun(report, 1));
        text_add(&head, "  %-7s  %-15s %9s %8s  %-12s  %s", "state", "at", "return", "s each",
                 "ends", "on");
        add_line(text, &page, false, data);
    }
    for (int i = 0; i < report->count; i++) {
        const StatusRow *row = &report->row[i];
        if (row->job.kind == JOB_CELL && wanted[row->now.state]) {
            add_job(text, &page, report, row);
        }
    }
    if (page.hidden > 0) {
        text_add(text, ".. %d more; --only STATE shows fewer\n", page.hidden);
    }
    status_add_summary(report, &end);
    text_add(text, "%s\n", summary);
}
