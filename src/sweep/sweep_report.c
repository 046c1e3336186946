#include "sweep/sweep_report.h"

#include <jansson.h>
#include <string.h>

#include "base/file.h"
#include "run/plan_report.h"

enum { FORMAT = 1 };

static const Job *job_of(const SweepReport *report, int i)
{
    return &report->sweep->jobs.jobs[i];
}

/* Core-hours of all jobs of a kind; *known: of each one. */
static double hours_of(const SweepReport *report, JobKind kind, bool *known)
{
    double sum = 0;
    for (int i = 0; i < report->sweep->jobs.count; i++) {
        if (job_of(report, i)->kind == kind) {
            const double seconds = report->est->job[i].total;
            *known = *known && seconds >= 0;
            sum += seconds > 0 ? estimate_core_hours(seconds, report->ranks) : 0;
        }
    }
    return sum;
}

/* What fitting a model for each cell would take more. */
static double hours_saved(const SweepReport *report)
{
    double sum = 0;
    for (int i = 0; i < report->sweep->jobs.count; i++) {
        const Job *job = job_of(report, i);
        const Estimate *est = &report->est->job[i];
        sum += job->model >= 0 && est->fit > 0 ? est->fit : 0;
        sum -= job->kind == JOB_MODEL && est->total > 0 ? est->total : 0;
    }
    return estimate_core_hours(sum, report->ranks);
}

static int fits_saved(const Sweep *sweep)
{
    return sweep->count[JOB_CELL] - sweep->alone - sweep->count[JOB_MODEL];
}

static double finish_seconds(const SweepReport *report, double core_hours)
{
    const int at_once = report->cores / report->ranks > 0 ? report->cores / report->ranks : 1;
    const int used = at_once * (report->ranks < report->cores ? report->ranks : report->cores);
    return core_hours * 3600 / used;
}

/* ---- text ---- */

/* Decimals of core-hours: a sweep that takes seconds is not for nothing. */
static int places(double hours)
{
    return hours < 0.1 ? 4 : 2;
}

size_t sweep_report_room(const SweepReport *report)
{
    enum { HEAD = 1 << 14, ROW = 512, QUOTES = 4 };
    size_t room = HEAD;

    for (int i = 0; i < report->sweep->jobs.count; i++) {
        const Job *job = job_of(report, i);
        room += ROW + 2 * strlen(job->name) + strlen(job->dir);
        for (int k = 0; k < job->count; k++) {
            room +=
                QUOTES * strlen(job->words[k]) + QUOTES; /* a quote may become four characters */
        }
    }
    return room;
}

static int cells_with(const SweepReport *report, int model)
{
    int n = 0;
    for (int i = 0; i < report->sweep->jobs.count; i++) {
        n += job_of(report, i)->model == model;
    }
    return n;
}

static void add_row(const SweepReport *report, int i, int width, Text *text)
{
    const Job *job = job_of(report, i);
    const double seconds = report->est->job[i].total;
    char time[DURATION_MAX] = "?";

    text_add(text, "  %-*s", width, job->name);
    if (seconds >= 0) {
        plan_duration(seconds, time);
        text_add(text, " %12.*f  %-12s", places(estimate_core_hours(seconds, report->ranks)),
                 estimate_core_hours(seconds, report->ranks), time);
    } else {
        text_add(text, " %12s  %-12s", "?", time);
    }
    if (job->kind == JOB_MODEL) {
        text_add(text, "%s, for %d cell%s\n", job->dir, cells_with(report, i),
                 cells_with(report, i) == 1 ? "" : "s");
    } else {
        text_add(text, "%s%s\n", job->dir,
                 job->kind == JOB_DATA && file_exists(job->dir) ? ", there already" : "");
    }
}

static void add_table(const SweepReport *report, Text *text)
{
    static const char *const titles[JOB_KINDS] = {
        [JOB_DATA] = "datasets", [JOB_MODEL] = "shared models", [JOB_CELL] = "cells"};
    int width = 14;
    int last = -1;

    for (int i = 0; i < report->sweep->jobs.count; i++) {
        const int n = (int)strlen(job_of(report, i)->name);
        width = n > width ? n : width;
    }
    for (int i = 0; i < report->sweep->jobs.count; i++) {
        if ((int)job_of(report, i)->kind != last) {
            last = (int)job_of(report, i)->kind;
            text_add(text, "\n  %-*s %12s  %-12s%s\n", width, titles[last], "core-hours", "time",
                     "files");
        }
        add_row(report, i, width, text);
    }
}

static void add_commands(const SweepReport *report, Text *text)
{
    text_add(text, "\nThe commands, in this order:\n");
    for (int i = 0; i < report->sweep->jobs.count; i++) {
        const Job *job = job_of(report, i);
        if (report->ranks > 1) {
            text_add(text, "mpirun -n %d ", report->ranks);
        }
        text_add(text, "mopo");
        for (int k = 0; k < job->count; k++) {
            text_add_word(text, job->words[k]);
        }
        text_add(text, "\n");
    }
}

void sweep_add_sharing(const SweepReport *report, Text *text)
{
    const Sweep *sweep = report->sweep;
    const double saved = hours_saved(report);

    if (sweep->count[JOB_MODEL] == 0) {
        return;
    }
    text_add(text, "%d model%s for %d cell%s: sharing saves %d fit%s", sweep->count[JOB_MODEL],
             sweep->count[JOB_MODEL] == 1 ? "" : "s", sweep->count[JOB_CELL] - sweep->alone,
             sweep->count[JOB_CELL] - sweep->alone == 1 ? "" : "s", fits_saved(sweep),
             fits_saved(sweep) == 1 ? "" : "s");
    if (saved > 0) {
        text_add(text, ", %.*f core-hours", places(saved), saved);
    }
    text_add(text, "\n");
}

void sweep_report_text(const SweepReport *report, Text *text)
{
    const Sweep *sweep = report->sweep;
    bool known = true;
    double hours = 0;
    char time[DURATION_MAX];

    for (int kind = 0; kind < JOB_KINDS; kind++) {
        hours += hours_of(report, (JobKind)kind, &known);
    }
    plan_duration(finish_seconds(report, hours), time);
    text_add(text, "%d cell%s of %s, in %s, each on %d rank%s\n", sweep->count[JOB_CELL],
             sweep->count[JOB_CELL] == 1 ? "" : "s", sweep->jobs.grid, report->out, report->ranks,
             report->ranks == 1 ? "" : "s");
    if (sweep->missing[0] != '\0') {
        text_add(text, "cannot start yet: %s\n", sweep->missing);
    }
    if (sweep->changed[0] != '\0') {
        text_add(text, "cannot start: %s\n", sweep->changed);
    }
    add_table(report, text);
    text_add(text, "\n");
    sweep_add_sharing(report, text);
    text_add(text, "all together %s%.*f core-hours; on this machine (%d cores) %s%s\n",
             known ? "" : "at least ", places(hours), hours, report->cores,
             known ? "about " : "at least ", time);
    if (report->est->recommended > 0 && report->est->recommended != report->ranks) {
        text_add(text, "`mopo plan` recommends %d ranks for the first cell\n",
                 report->est->recommended);
    }
    add_commands(report, text);
}

/* ---- JSON ---- */

static json_t *job_json(const SweepReport *report, int i)
{
    const Job *job = job_of(report, i);
    const double seconds = report->est->job[i].total;
    json_t *words = json_array();
    int bad = words == NULL;

    for (int k = 0; k < job->count; k++) {
        bad |= json_array_append_new(words, json_string(job->words[k]));
    }
    if (bad != 0) {
        json_decref(words);
        return NULL;
    }
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "kind", job_kind_name(job->kind), "name",
                     job->name, "dir", job->dir, "words", words, "seconds",
                     seconds >= 0 ? json_real(seconds) : json_null(), "core_hours",
                     seconds >= 0 ? json_real(estimate_core_hours(seconds, report->ranks))
                                  : json_null());
}

json_t *sweep_report_json(const SweepReport *report)
{
    const Sweep *sweep = report->sweep;
    json_t *jobs = json_array();
    bool known = true;
    double hours = 0;
    int bad = jobs == NULL;

    for (int kind = 0; kind < JOB_KINDS; kind++) {
        hours += hours_of(report, (JobKind)kind, &known);
    }
    for (int i = 0; i < sweep->jobs.count; i++) {
        bad |= json_array_append_new(jobs, job_json(report, i));
    }
    if (bad != 0) {
        json_decref(jobs);
        return NULL;
    }
    return json_pack("{s:i, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:f, s:b, s:f, s:s, s:s, s:o}",
                     "sweep_format", FORMAT, "grid", sweep->jobs.grid, "out", report->out, "ranks",
                     report->ranks, "cells", sweep->count[JOB_CELL], "models",
                     sweep->count[JOB_MODEL], "fits_saved", fits_saved(sweep), "recommended_ranks",
                     report->est->recommended, "core_hours", hours, "core_hours_known",
                     known ? 1 : 0, "core_hours_saved", hours_saved(report), "missing",
                     sweep->missing, "changed", sweep->changed, "jobs", jobs);
}
