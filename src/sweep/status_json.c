/* The states of jobs for programs (docs/formats.md). */
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "sweep/status_report.h"

enum { FORMAT = 1, RETRY_MAX = 3 * PROGRESS_PATH_MAX };

static json_t *number_or_null(double x, bool known)
{
    return known && isfinite(x) ? json_real(x) : json_null();
}

static json_t *seconds_or_null(double at, bool known)
{
    return known && isfinite(at) ? json_integer((json_int_t)at) : json_null();
}

static json_t *text_or_null(const char *text)
{
    return text[0] != '\0' ? json_string(text) : json_null();
}

static json_t *row_json(const StatusReport *report, const StatusRow *row)
{
    const Progress *p = &row->now;
    const bool runs = p->state == JOB_RUNNING;
    const bool trouble = p->state == JOB_FAILED || p->state == JOB_STALE;
    char data[RETRY_MAX] = "";
    char dir[PROGRESS_PATH_MAX];
    Text retry = text_over(data, sizeof data);

    if (trouble) {
        status_add_retry(report, row, &retry);
        text_make_plain(data);
    }
    (void)memcpy(dir, row->dir, strlen(row->dir) + 1);
    text_make_plain(dir);
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:o, s:o, "
        "s:o, s:o}",
        "kind", job_kind_name(row->job.kind), "name", row->name, "dir", dir, "state",
        job_state_names[p->state], "unit", text_or_null(progress_unit_name(p->unit)), "at",
        (json_int_t)p->at, "of", (json_int_t)p->of, "seconds_each",
        number_or_null(p->rate, runs && p->rate > 0), "ends", seconds_or_null(p->ends, p->ends > 0),
        "return", number_or_null(p->last_return, true), "score", number_or_null(p->score, true),
        "saved", text_or_null(p->saved), "host", text_or_null(p->life.host), "pid",
        p->life.pid > 0 ? json_integer(p->life.pid) : json_null(), "ranks", p->ranks, "phase",
        text_or_null(!runs                ? ""
                     : p->waits_for_model ? "waits for model"
                                          : p->life.phase),
        "seen", seconds_or_null(p->life.seen, p->life.seen > 0 && p->state != JOB_DONE), "reason",
        text_or_null(p->reason), "retry", text_or_null(data));
}

static json_t *counts_json(const int states[JOB_STATE_COUNT])
{
    json_t *counts = json_object();
    int bad = 0;

    for (int s = 0; s < JOB_STATE_COUNT; s++) {
        bad |= json_object_set_new(counts, job_state_names[s], json_integer(states[s]));
    }
    if (bad != 0) {
        json_decref(counts);
        counts = NULL;
    }
    return counts;
}

json_t *status_json(const StatusReport *report, const bool wanted[JOB_STATE_COUNT])
{
    json_t *rows = json_array();
    char dir[PROGRESS_PATH_MAX];
    int bad = 0;

    for (int i = 0; i < report->count; i++) {
        if (wanted[report->row[i].now.state]) {
            bad |= json_array_append_new(rows, row_json(report, &report->row[i]));
        }
    }
    (void)memcpy(dir, report->dir, strlen(report->dir) + 1);
    text_make_plain(dir);
    json_t *all =
        json_pack("{s:i, s:s, s:o, s:I, s:o, s:o, s:o, s:o}", "status_format", FORMAT, "directory",
                  dir, "grid", text_or_null(report->grid != NULL ? report->grid : ""), "now",
                  (json_int_t)report->now, "cells", counts_json(report->states[JOB_CELL]), "models",
                  counts_json(report->states[JOB_MODEL]), "datasets",
                  counts_json(report->states[JOB_DATA]), "jobs", rows);
    if (bad != 0) {
        json_decref(all);
        all = NULL;
    }
    return all;
}
