/* A report as JSON and back. */
#include <math.h>
#include <stdio.h>

#include "bench/report.h"
#include "run/manifest.h"

enum { FORMAT = 1 };

static json_t *row_json(const Report *report, const Row *row)
{
    const RowTimes *t = &row->t;
    const double rate = t->flops / t->seconds;
    return json_pack("{s:s, s:s, s:f, s:s, s:f, s:f, s:f, s:f}", "name", row->name, "unit",
                     row->unit, "seconds", t->seconds, "floor", row->floor_is, "floor_seconds",
                     t->floor, "flops", t->flops, "flops_per_second", rate,
                     "share_of_large_product", rate / report->large);
}

json_t *report_json(const Report *report)
{
    json_t *rows = json_array();
    json_t *all =
        json_pack("{s:i, s:b, s:i, s:f}", "bench_format", FORMAT, "quick", report->quick, "ranks",
                  report->ranks, "large_product_flops_per_second", report->large);
    int bad = 0;

    for (int i = 0; i < report->count; i++) {
        bad |= json_array_append_new(rows, row_json(report, &report->rows[i]));
    }
#define FACT_SET(name, title) bad |= json_object_set_new(all, #name, json_string(report->name));
    REPORT_FACTS(FACT_SET)
#undef FACT_SET
    bad |= json_object_set_new(all, "rows", rows);
    if (bad != 0) {
        json_decref(all);
        all = NULL;
    }
    return all;
}

static bool is_time(double x, bool zero)
{
    return isfinite(x) && (x > 0 || (zero && x >= 0));
}

static Status read_row(Report *report, json_t *from, const char *path)
{
    json_error_t error;
    const char *name = NULL;
    const char *unit = NULL;
    const char *floor_is = NULL;
    RowTimes t = {0};
    const int row = report->count;

    if (json_unpack_ex(from, &error, 0, "{s:s, s:s, s:s, s:F, s:F, s:F}", "name", &name, "unit",
                       &unit, "floor", &floor_is, "seconds", &t.seconds, "floor_seconds", &t.floor,
                       "flops", &t.flops) != 0) {
        return status_fail(ERR_FORMAT, "%s: rows[%d]: %s", path, row, error.text);
    }
    if (!is_time(t.seconds, false) || !is_time(t.floor, true) || !is_time(t.flops, true)) {
        return status_fail(ERR_FORMAT,
                           "%s: rows[%d]: seconds must be above 0, floor_seconds and flops at "
                           "least 0",
                           path, row);
    }
    report_add(report, name, unit, floor_is, &t);
    return OK;
}

static Status read_facts(Report *report, json_t *all, const char *path)
{
    int quick = 0;
    json_error_t error;

#define FACT_GET(name, title)                                                            \
    {                                                                                    \
        const char *value = json_string_value(json_object_get(all, #name));              \
        if (value == NULL) {                                                             \
            return status_fail(ERR_FORMAT, "%s: %s is missing or no text", path, #name); \
        }                                                                                \
        (void)snprintf(report->name, sizeof report->name, "%s", value);                  \
    }
    REPORT_FACTS(FACT_GET)
#undef FACT_GET
    if (json_unpack_ex(all, &error, 0, "{s:b, s:i, s:F}", "quick", &quick, "ranks", &report->ranks,
                       "large_product_flops_per_second", &report->large) != 0) {
        return status_fail(ERR_FORMAT, "%s: %s", path, error.text);
    }
    report->quick = quick != 0;
    return OK;
}

Status report_read(Report *report, const char *path)
{
    Status st = OK;
    json_t *all = NULL;

    TRY(manifest_read(path, &all));
    const json_t *rows = json_object_get(all, "rows");
    if (json_integer_value(json_object_get(all, "bench_format")) != FORMAT ||
        !json_is_array(rows)) {
        st = status_fail(ERR_FORMAT,
                         "%s: not what `mopo bench --json` prints: it has no \"bench_format\": %d "
                         "with rows",
                         path, FORMAT);
        goto done;
    }
    if (json_array_size(rows) > REPORT_ROWS_MAX) {
        st = status_fail(ERR_FORMAT, "%s: %zu rows, more than any version prints", path,
                         json_array_size(rows));
        goto done;
    }
    TRY(read_facts(report, all, path));
    report->count = 0;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        TRY(read_row(report, json_array_get(rows, i), path));
    }
done:
    json_decref(all);
    return st;
}
