/* The report as a picture: four plots. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "run/model_report.h"
#include "run/svg.h"

static const double width = 1000;
static const double height = 850;

/* Column and row of a plot, 0 or 1 each. */
static SvgPlot place(int column, int row)
{
    return (SvgPlot){
        .left = 70 + 490 * column, .top = 105 + 385 * row, .width = 400, .height = 270};
}

/* A sample of a color, then what it stands for; returns where the next one may begin. */
static double legend(Text *out, const char *style, bool is_line, double x, double y,
                     const char *label)
{
    if (is_line) {
        svg_line(out, style, x, y - 4, x + 22, y - 4);
    } else {
        svg_rect(out, style, x + 6, y - 9, 12, 9);
    }
    svg_label(out, "small", SVG_START, x + 27, y, "%s", label);
    return x + 27 + 5.3 * (double)strlen(label) + 14;
}

/* ---- R2 per output ---- */

static const double r2_floor = -1; /* lower bars are cut here */

static double lowest_r2(const ModelReport *r)
{
    double low = 0;
    for (int y = 0; y < r->outs; y++) {
        low = r->outputs[y].r2 < low ? r->outputs[y].r2 : low;
    }
    return low < r2_floor ? r2_floor : -ceil(-low * 5) / 5;
}

static void add_r2_bar(Text *out, const SvgPlot *plot, int y, double r2, double slot)
{
    const bool cut = r2 < plot->y.low;
    const double shown = cut ? plot->y.low : r2;
    const double top = svg_y(plot, shown > 0 ? shown : 0);
    const double bottom = svg_y(plot, shown > 0 ? 0 : shown);

    svg_rect(out, y == 0 ? SVG_ORANGE : SVG_BLUE, svg_x(plot, y) - 0.4 * slot, top, 0.8 * slot,
             bottom - top);
    if (cut && slot > 24) {
        svg_label(out, "small white", SVG_MIDDLE, svg_x(plot, y), bottom - 6, "%.2g", r2);
    }
}

static void add_r2(Text *out, const ModelReport *r)
{
    SvgPlot plot = place(0, 0);
    const int every = (r->outs + 17) / 18; /* labels that fit */
    bool cut = false;

    plot.x = (SvgAxis){.low = -0.5, .high = r->outs - 0.5};
    plot.y = (SvgAxis){.low = lowest_r2(r), .high = 1};
    svg_ticks_y(out, &plot);
    for (int y = 0; y < r->outs; y++) {
        char name[16];
        cut = cut || r->outputs[y].r2 < plot.y.low;
        add_r2_bar(out, &plot, y, r->outputs[y].r2, plot.width / r->outs);
        (void)snprintf(name, sizeof name, "%d", y - 1);
        if (y == 0) {
            svg_tick_x(out, &plot, y, "r");
        } else if ((y - 1) % every == 0 && (y > 1 || every == 1)) { /* no 0 close to the r */
            svg_tick_x(out, &plot, y, name);
        }
    }
    svg_line(out, "thin", plot.left, svg_y(&plot, 0), plot.left + plot.width, svg_y(&plot, 0));
    svg_frame(out, &plot, "Held-out rows: R² of each output",
              "output: r the reward, numbers the changes of the state",
              cut ? "R² (bars below -1 are cut)" : "R²");
}

/* ---- calibration ---- */

/* For each level the range of the outputs' own shares. */
static void add_ranges(Text *out, const SvgPlot *plot, const ModelReport *r)
{
    for (int k = 0; k < REPORT_LEVELS; k++) {
        double low = 1;
        double high = 0;
        for (int y = 0; y < r->outs; y++) {
            const OutputQuality *q = &r->outputs[y];
            low = q->deviation > 0 ? fmin(low, q->coverage.own[k]) : low;
            high = q->deviation > 0 ? fmax(high, q->coverage.own[k]) : high;
        }
        const double top = svg_y(plot, 100 * high);
        svg_rect(out, SVG_BLUE " pale", svg_x(plot, 100 * report_levels[k]) - 7, top, 14,
                 svg_y(plot, 100 * low) - top);
    }
}

static void add_calibration(Text *out, const ModelReport *r)
{
    SvgPlot plot = place(1, 0);
    double levels[REPORT_LEVELS];
    double own[REPORT_LEVELS];
    double mixed[REPORT_LEVELS];

    plot.x = plot.y = (SvgAxis){.low = 0, .high = 100};
    svg_ticks_y(out, &plot);
    for (int k = 0; k < REPORT_LEVELS; k++) {
        char label[16];
        levels[k] = 100 * report_levels[k];
        own[k] = 100 * r->coverage.own[k];
        mixed[k] = 100 * r->coverage.mixed[k];
        (void)snprintf(label, sizeof label, "%.4g", levels[k]);
        svg_tick_x(out, &plot, levels[k], label);
    }
    svg_tick_x(out, &plot, 0, "0");
    add_ranges(out, &plot, r);
    svg_line(out, "gray dashed", svg_x(&plot, 0), svg_y(&plot, 0), svg_x(&plot, 100),
             svg_y(&plot, 100));
    svg_curve(out, &plot, SVG_GREEN " thick", levels, mixed, REPORT_LEVELS, 4);
    svg_curve(out, &plot, SVG_BLUE " thick", levels, own, REPORT_LEVELS, 4);
    svg_label(out, "small gray", SVG_START, plot.left + 10, plot.top + 60, "above: too wide");
    svg_label(out, "small gray", SVG_END, plot.left + plot.width - 10, plot.top + plot.height - 50,
              "below: overconfident");
    svg_frame(out, &plot, "Calibration of the predicted deviation",
              "nominal coverage of the central interval, %", "targets inside, %");
    const double y = plot.top + plot.height + 58;
    double x = plot.left - 30;
    x = legend(out, SVG_BLUE " thick", true, x, y, "elites' own");
    x = legend(out, SVG_BLUE " pale", false, x, y, "its range over outputs");
    x = legend(out, SVG_GREEN " thick", true, x, y, "their mixture");
    (void)legend(out, "gray dashed", true, x, y, "exact");
}

/* ---- open loop ---- */

static void widen(SvgAxis *axis, double value)
{
    if (isfinite(value) && value > 0) {
        axis->low = axis->low > 0 ? fmin(axis->low, value) : value;
        axis->high = fmax(axis->high, value);
    }
}

/* To whole steps of 1, 2, 5, 10 on both sides. */
static void round_out(SvgAxis *axis)
{
    static const double steps[] = {1, 2, 5, 10};
    const double low = pow(10, floor(log10(axis->low)));
    const double high = pow(10, floor(log10(axis->high)));

    for (int k = 3; k >= 0; k--) {
        if (steps[k] * low <= axis->low) {
            axis->low = steps[k] * low;
            break;
        }
    }
    for (int k = 0; k < 4; k++) {
        if (steps[k] * high >= axis->high) {
            axis->high = steps[k] * high;
            break;
        }
    }
    axis->high = axis->high > axis->low ? axis->high : 10 * axis->low;
}

static void add_paths(Text *out, const ModelReport *r)
{
    SvgPlot plot = place(0, 1);
    double steps[REPORT_STEPS];
    double error[4][REPORT_STEPS];
    int n = 0;

    plot.y.log = plot.x.log = true;
    plot.x.low = 0.85;
    plot.x.high = 60;
    for (; n < REPORT_STEPS && r->horizon[n].starts > 0; n++) {
        const HorizonQuality *h = &r->horizon[n];
        const double four[4] = {h->median, h->high, h->still_median, h->still_high};
        steps[n] = report_steps[n];
        for (int i = 0; i < 4; i++) {
            error[i][n] = four[i];
            widen(&plot.y, four[i]);
        }
    }
    if (!(plot.y.low > 0)) { /* all errors are 0, or none is finite */
        plot.y.low = plot.y.high = 1;
    }
    round_out(&plot.y);
    svg_ticks_y(out, &plot);
    for (int k = 0; k < REPORT_STEPS; k++) {
        char label[32];
        (void)snprintf(label, sizeof label, "%d (%d)", report_steps[k], r->horizon[k].starts);
        svg_tick_x(out, &plot, report_steps[k], label);
    }
    svg_curve(out, &plot, SVG_GRAY " dashed", steps, error[3], n, 0);
    svg_curve(out, &plot, SVG_GRAY " thick dashed", steps, error[2], n, 0);
    svg_curve(out, &plot, SVG_BLUE, steps, error[1], n, 2.5);
    svg_curve(out, &plot, SVG_BLUE " thick", steps, error[0], n, 4);
    svg_frame(out, &plot, "Open loop: recorded actions, each elite's own path",
              "horizon, steps, log scale (starts with as many)",
              "error, deviations of the data, log scale");
    const double y = plot.top + plot.height + 58;
    double x = plot.left - 20;
    x = legend(out, SVG_BLUE " thick", true, x, y, "median");
    x = legend(out, SVG_BLUE, true, x, y, "90 %");
    x = legend(out, SVG_GRAY " thick dashed", true, x, y, "state stays: median");
    (void)legend(out, SVG_GRAY " dashed", true, x, y, "90 %");
}

/* ---- penalties ---- */

static bool shown(const PenaltyQuality *q)
{
    return isfinite(q->spearman[0]) || isfinite(q->spearman[1]);
}

static void add_bar(Text *out, const SvgPlot *plot, const char *style, double value, double y,
                    double thickness)
{
    const double zero = svg_x(plot, 0);
    const double at = svg_x(plot, value);
    svg_rect(out, style, value > 0 ? zero : at, y, fabs(at - zero), thickness);
}

/* Both cases of one penalty, around the height `middle`. */
static void add_penalty(Text *out, const SvgPlot *plot, const PenaltyQuality *q, double middle,
                        double bar)
{
    static const char *const colors[REPORT_CASES] = {SVG_BLUE, SVG_ORANGE};
    const double radius = fmin(bar / 2.4, 3.5);

    svg_label(out, "small", SVG_END, plot->left - 8, middle + 4, "%s%s", q->name,
              q->oracle ? " *" : "");
    for (int c = 0; c < REPORT_CASES; c++) {
        const double top = middle + (c - 1) * bar;
        add_bar(out, plot, colors[c], q->spearman[c], top, bar);
        svg_circle(out, "hollow", svg_x(plot, q->pearson[c]), top + bar / 2, radius);
    }
}

/* From the lowest correlation, or 0, to 1; returns how many penalties there are to show. */
static int set_correlations(const ModelReport *r, SvgAxis *axis)
{
    int rows = 0;
    double low = 0;

    for (int p = 0; r->simulated && p < r->penalties; p++) {
        const PenaltyQuality *q = &r->penalty[p];
        rows += shown(q) ? 1 : 0;
        for (int c = 0; c < REPORT_CASES; c++) {
            low = fmin(low, fmin(q->spearman[c], q->pearson[c]));
        }
    }
    *axis = (SvgAxis){.low = low < 0 ? floor(low * 5) / 5 : 0, .high = 1};
    return rows;
}

static void add_penalties(Text *out, const ModelReport *r)
{
    SvgPlot plot = place(1, 1);
    int at = 0;

    plot.left += 95; /* names stand left of it */
    plot.width -= 95;
    const int rows = set_correlations(r, &plot.x);
    svg_frame(out, &plot, "Penalties against the true one-step error",
              "correlation: bar Spearman, ring Pearson; * sees the truth", "");
    if (rows == 0) {
        svg_label(out, "label gray", SVG_MIDDLE, plot.left + plot.width / 2,
                  plot.top + plot.height / 2, "%s",
                  r->simulated ? "no penalty that varies" : "the task has no simulator");
        return;
    }
    for (int i = (int)lround(plot.x.low * 5); i <= 5; i++) {
        char label[16];
        const double x = svg_x(&plot, i / 5.0);
        (void)snprintf(label, sizeof label, "%.4g", i / 5.0);
        svg_line(out, "grid", x, plot.top, x, plot.top + plot.height);
        svg_tick_x(out, &plot, i / 5.0, label);
    }
    const double slot = plot.height / rows;
    for (int p = 0; p < r->penalties; p++) {
        if (shown(&r->penalty[p])) {
            add_penalty(out, &plot, &r->penalty[p], plot.top + (at++ + 0.5) * slot,
                        fmin(0.36 * slot, 12));
        }
    }
    svg_line(out, "thin", svg_x(&plot, 0), plot.top, svg_x(&plot, 0), plot.top + plot.height);
    const double y = plot.top + plot.height + 58;
    const double x = legend(out, SVG_BLUE, false, plot.left - 60, y, "the data's actions");
    (void)legend(out, SVG_ORANGE, false, x, y, "uniform actions");
}

void model_report_svg(const ModelReport *report, Text *out)
{
    svg_begin(out, width, height);
    svg_label(out, "title", SVG_START, 22, 36, "Model of task %s, algo %s, seed %lld", report->task,
              report->algo, (long long)report->seed);
    char r2[32] = "-";
    if (isfinite(report->mean_r2)) {
        (void)snprintf(r2, sizeof r2, "%.3f", report->mean_r2);
    }
    svg_label(out, "label gray", SVG_START, 22, 58,
              "%d members, %d elites; %lld of %lld transitions held out; R² %s, mean of outputs",
              report->members, report->elites, (long long)report->held_all, (long long)report->rows,
              r2);
    add_r2(out, report);
    add_calibration(out, report);
    add_paths(out, report);
    add_penalties(out, report);
    svg_end(out);
}
