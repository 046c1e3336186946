/* The report for people who read text. */
#include <math.h>
#include <stdio.h>

#include "run/model_report.h"
#include "run/model_report_numbers.h"

/* A column of 11: "%.4g", "-" for what is not a number. */
static void add_number(Text *out, double x)
{
    if (isnan(x)) {
        text_add(out, "%11s", "-");
    } else {
        text_add(out, "%11.4g", x);
    }
}

static void add_name(Text *out, const ModelReport *r, int y)
{
    char name[32];

    (void)snprintf(name, sizeof name, "state %d", y - 1);
    text_add(out, "  %-12s", y == r->outs ? "all" : y == 0 ? "reward" : name);
}

static void add_head(Text *out, const ModelReport *r)
{
    text_add(out,
             "Model of task %s: %d members, of which the %d elites with the lowest holdout error "
             "are used\n",
             r->task, r->members, r->elites);
    text_add(out,
             "%lld transitions (digest %s), %lld of them held out of the fit, drawn at random\n",
             (long long)r->rows, r->digest, (long long)r->held_all);
    if (r->held < r->held_all) {
        text_add(out, "looked at here: %lld of the held-out ones\n", (long long)r->held);
    }
    text_add(out, "How to read it: docs/model-report.md\n");
}

static void add_holdout(Text *out, const ModelReport *r)
{
    text_add(out,
             "\n1. Held-out rows: the mean of the elites\n"
             "   RMSE in the output's unit (reward; change of each number of the state). "
             "Deviation: RMSE of\n"
             "   always saying the targets' mean. R2 = 1 - (RMSE / deviation)^2. NLL, nats:\n"
             "   1/2 log 2 pi + log std + 1/2 ((y - mean) / std)^2 of the elites' mixture as one "
             "Gaussian.\n\n"
             "  %-12s%11s%11s%11s%11s\n",
             "output", "RMSE", "deviation", "R2", "NLL");
    for (int y = 0; y < r->outs; y++) {
        add_name(out, r, y);
        add_number(out, r->outputs[y].rmse);
        add_number(out, r->outputs[y].deviation);
        add_number(out, r->outputs[y].r2);
        add_number(out, r->outputs[y].nll);
        text_add(out, "\n");
    }
    text_add(out, "  %-12s%22s", "mean", "");
    add_number(out, r->mean_r2);
    add_number(out, r->mean_nll);
    text_add(out, "\n\n  %-12s%11s%11s   (means over rows and outputs, of the member alone)\n",
             "member", "MSE", "NLL");
    for (int i = 0; i < r->members; i++) {
        text_add(out, "  %-12d", i);
        add_number(out, r->member[i].mse);
        add_number(out, r->member[i].nll);
        if (r->member[i].place > 0) {
            text_add(out, "   elite, place %d", r->member[i].place);
        }
        text_add(out, "\n");
    }
}

static void add_shares(Text *out, const double shares[REPORT_LEVELS])
{
    for (int k = 0; k < REPORT_LEVELS; k++) {
        text_add(out, "%8.1f", 100 * shares[k]);
    }
}

static void add_calibration(Text *out, const ModelReport *r)
{
    const double n = (double)r->held;

    text_add(out,
             "\n2. Calibration: how many of 100 held-out targets lie inside the central interval\n"
             "   own: of an elite's Gaussian, mean of the elites. mixture: of the Gaussian with "
             "mean and\n"
             "   variance of the elites' mixture. Verdict on own: right within %.3g, %.3g and %.3g "
             "points;\n"
             "   fewer inside: overconfident; more: too wide; both, at different levels: mixed.\n\n"
             "  %-12s%24s   %24s\n  %-12s",
             100 * coverage_slack(report_levels[0], n), 100 * coverage_slack(report_levels[1], n),
             100 * coverage_slack(report_levels[2], n), "", "own", "mixture", "output");
    add_shares(out, report_levels);
    text_add(out, "   ");
    add_shares(out, report_levels);
    text_add(out, "   verdict\n");
    for (int y = 0; y <= r->outs; y++) {
        const Coverage *c = y < r->outs ? &r->outputs[y].coverage : &r->coverage;
        add_name(out, r, y);
        add_shares(out, c->own);
        text_add(out, "   ");
        add_shares(out, c->mixed);
        text_add(out, "   %s\n", coverage_verdict(c->own, n));
    }
}

static void add_paths(Text *out, const ModelReport *r)
{
    text_add(out,
             "\n3. Open loop: the recorded actions from a held-out row on, each elite along its "
             "own mean\n"
             "   Error: root of the mean square over the %d of %d numbers of the state that vary, "
             "each in\n"
             "   deviations of the dataset; over starts and elites. Only the rows at the starts "
             "are held out:\n"
             "   rows around them were in the fit, so new episodes may be harder. Rollouts of this "
             "run: %d\n"
             "   step%s.\n\n"
             "  %-12s%11s%11s%11s%13s%11s\n",
             r->path_dims, r->outs - 1, r->rollout_horizon, r->rollout_horizon == 1 ? "" : "s",
             "steps", "starts", "median", "90 %", "stay: median", "90 %");
    for (int k = 0; k < REPORT_STEPS; k++) {
        const HorizonQuality *h = &r->horizon[k];
        text_add(out, "  %-12d%11d", report_steps[k], h->starts);
        add_number(out, h->median);
        add_number(out, h->high);
        text_add(out, "  ");
        add_number(out, h->still_median);
        add_number(out, h->still_high);
        text_add(out, "\n");
    }
    text_add(out, "   stay: the state stays as it was. Fewer starts: episodes end before.\n");
}

static void add_penalties(Text *out, const ModelReport *r)
{
    text_add(out, "\n4. Penalties against the true error of one step\n");
    if (!r->simulated) {
        text_add(out, "   Left out: task %s has no simulator that could tell the truth.\n",
                 r->task);
        return;
    }
    text_add(
        out,
        "   True error: distance of an elite's mean s' from the simulator's, mean of the elites.\n"
        "   Correlation of u(s, a) with it over states spread over the dataset; Spearman's is that "
        "of\n"
        "   the ranks. \"data\": recorded actions; \"uniform\": uniform ones in [-1, 1].\n\n"
        "   %d states, median error %.4g with the data's actions; %d and %.4g with uniform ones\n\n"
        "  %-22s%20s     %20s\n  %-22s%10s%10s     %10s%10s\n",
        r->states[0], r->error[0], r->states[1], r->error[1], "", "Spearman", "Pearson", "penalty",
        "data", "uniform", "data", "uniform");
    for (int p = 0; p < r->penalties; p++) {
        const PenaltyQuality *q = &r->penalty[p];
        text_add(out, "  %-22s", q->name);
        for (int c = 0; c < REPORT_CASES; c++) {
            isnan(q->spearman[c]) ? text_add(out, "%10s", "-")
                                  : text_add(out, "%10.3f", q->spearman[c]);
        }
        text_add(out, "     ");
        for (int c = 0; c < REPORT_CASES; c++) {
            isnan(q->pearson[c]) ? text_add(out, "%10s", "-")
                                 : text_add(out, "%10.3f", q->pearson[c]);
        }
        text_add(out, "%s\n", q->oracle ? "   sees the truth" : "");
    }
}

void model_report_text(const ModelReport *report, Text *out)
{
    add_head(out, report);
    add_holdout(out, report);
    add_calibration(out, report);
    add_paths(out, report);
    add_penalties(out, report);
}
