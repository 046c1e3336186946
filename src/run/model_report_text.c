/* The report for people who read text. */
#include <math.h>
#include <stdio.h>

#include "run/model_report.h"
#include "run/model_report_numbers.h"

/* A column; "-" for what is not a number. */
static void add_number(Text *out, double x)
{
    if (isnan(x)) {
        text_add(out, "%11s", "-");
    } else {
        text_add(out, "%11.4g", x);
    }
}

static void add_correlation(Text *out, double x)
{
    if (isnan(x)) {
        text_add(out, "%10s", "-");
    } else {
        text_add(out, "%10.3f", x);
    }
}

static void add_error(Text *out, double x)
{
    if (isnan(x)) {
        text_add(out, "%10s", "-");
    } else {
        text_add(out, "%10.4g", x);
    }
}

static void add_shares(Text *out, const double shares[REPORT_LEVELS])
{
    for (int k = 0; k < REPORT_LEVELS; k++) {
        text_add(out, "%8.1f", 100 * shares[k]);
    }
}

/* Row of output y, or of all together. */
static void add_name(Text *out, const ModelReport *r, int y)
{
    char name[32];

    (void)snprintf(name, sizeof name, "state %d", y - 1);
    text_add(out, "  %-12s", y == r->outs ? "all" : y == 0 ? "reward" : name);
}

static void add_head(Text *out, const ModelReport *r)
{
    text_add(out,
             "Model of task %s, algo %s, seed %lld: members %d; elites, those of lowest holdout "
             "error, %d\n",
             r->task, r->algo, (long long)r->seed, r->members, r->elites);
    text_add(out, "%lld transitions (digest %s), %lld of them held out of the fit at random\n",
             (long long)r->rows, r->digest, (long long)r->held_all);
    if (r->held < r->held_all) {
        text_add(out, "here: the first %lld of the held-out ones\n", (long long)r->held);
    }
    text_add(out, "How to read it: docs/model-report.md\n");
}

static void add_outputs(Text *out, const ModelReport *r)
{
    text_add(out,
             "\n1. Held-out rows\n"
             "   The mean of the elites. RMSE: in the unit of the output, which is the reward or\n"
             "   the change of a number of the state. Deviation: what always saying the mean of\n"
             "   the targets would get. R2 = 1 - (RMSE / deviation)^2. NLL: nats,\n"
             "   1/2 log 2 pi + log std + 1/2 ((y - mean) / std)^2 of the elites' mixture as one\n"
             "   Gaussian.\n");
    text_add(out, "   Means here and in 2 are over the outputs that vary, %d of %d.\n\n",
             r->varying, r->outs);
    text_add(out, "  %-12s%11s%11s%11s%11s\n", "output", "RMSE", "deviation", "R2", "NLL");
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
    text_add(out, "\n");
}

static void add_members(Text *out, const ModelReport *r)
{
    text_add(out, "\n  %-12s%11s%11s   alone, means over rows and all outputs\n", "member", "MSE",
             "NLL");
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

/* Every output of every member: its RMSE, or its NLL. */
static void add_cells(Text *out, const ModelReport *r, bool nll)
{
    text_add(out, "\n  %-12s", nll ? "NLL alone" : "RMSE alone");
    for (int i = 0; i < r->members; i++) {
        text_add(out, "%9s%2d", "member", i);
    }
    text_add(out, "\n");
    for (int y = 0; y < r->outs; y++) {
        add_name(out, r, y);
        for (int i = 0; i < r->members; i++) {
            add_number(out, nll ? r->cell[i][y].nll : r->cell[i][y].rmse);
        }
        text_add(out, "\n");
    }
}

static void add_calibration(Text *out, const ModelReport *r)
{
    const double n = (double)r->held;

    text_add(out,
             "\n2. Calibration: how many of 100 held-out targets lie in the central interval\n"
             "   own: of an elite's Gaussian, mean of the elites. mixture: of the Gaussian with\n"
             "   mean and variance of the elites' mixture. Verdict on own: overconfident, fewer\n"
             "   inside than nominal; too wide, more; mixed, both at different levels;\n");
    text_add(out, "   about right within %.3g, %.3g, %.3g points.\n\n",
             100 * coverage_slack(report_levels[0], n), 100 * coverage_slack(report_levels[1], n),
             100 * coverage_slack(report_levels[2], n));
    text_add(out, "  %-12s%24s   %24s\n  %-12s", "", "own", "mixture", "output");
    add_shares(out, report_levels);
    text_add(out, "   ");
    add_shares(out, report_levels);
    text_add(out, "   verdict\n");
    for (int y = 0; y <= r->outs; y++) {
        const Coverage *c = y < r->outs ? &r->outputs[y].coverage : &r->coverage;
        const bool constant = y < r->outs && !(r->outputs[y].deviation > 0);
        add_name(out, r, y);
        add_shares(out, c->own);
        text_add(out, "   ");
        add_shares(out, c->mixed);
        if (y < r->outs) { /* no word on all: too many here would hide too few there */
            text_add(out, "   %s", constant ? "constant" : coverage_verdict(c->own, n));
        }
        text_add(out, "\n");
    }
}

static void add_paths(Text *out, const ModelReport *r)
{
    text_add(out,
             "\n3. Open loop\n"
             "   The recorded actions from a held-out row on, each elite along its own mean.\n"
             "   Error: root of the mean square over the numbers of the state that vary, each\n"
             "   in deviations of the dataset; over starts and elites. stay: the state stays as\n"
             "   it was. Only the rows at the starts are held out: rows around them were in the\n"
             "   fit, so episodes of others may be harder. Fewer starts: episodes end before.\n");
    text_add(out, "   %d of %d numbers vary; rollouts of this run: %d step%s.\n\n", r->path_dims,
             r->outs - 1, r->rollout_horizon, r->rollout_horizon == 1 ? "" : "s");
    text_add(out, "  %-12s%11s%11s%11s%13s%11s\n", "steps", "starts", "median", "90 %",
             "stay: median", "90 %");
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
}

static void add_penalties(Text *out, const ModelReport *r)
{
    text_add(out, "\n4. Penalties against the true error of one step\n");
    if (!r->simulated) {
        text_add(out, "   Left out: task %s has no simulator that tells the truth.\n", r->task);
        return;
    }
    text_add(
        out,
        "   True error: distance of an elite's mean s' from the simulator's, mean of the\n"
        "   elites. Correlation of u(s, a) with it over states spread over the dataset, most\n"
        "   of them seen by the fit; Spearman's is that of the ranks. data: recorded\n"
        "   actions; uniform: drawn from [-1, 1]. oracle is the error of a single elite drawn\n"
        "   at random, so it does not reach 1 either.\n\n");
    text_add(out, "  %-22s%10s%10s\n", "", "data", "uniform");
    text_add(out, "  %-22s%10d%10d\n", "states", r->states[0], r->states[1]);
    text_add(out, "  %-22s", "median error");
    add_error(out, r->error[0]);
    add_error(out, r->error[1]);
    text_add(out, "\n\n");
    text_add(out, "  %-22s%20s     %20s\n", "", "Spearman", "Pearson");
    text_add(out, "  %-22s%10s%10s     %10s%10s\n", "penalty", "data", "uniform", "data",
             "uniform");
    for (int p = 0; p < r->penalties; p++) {
        const PenaltyQuality *q = &r->penalty[p];
        text_add(out, "  %-22s", q->name);
        add_correlation(out, q->spearman[0]);
        add_correlation(out, q->spearman[1]);
        text_add(out, "     ");
        add_correlation(out, q->pearson[0]);
        add_correlation(out, q->pearson[1]);
        text_add(out, "%s\n", q->oracle ? "   sees the truth" : "");
    }
}

void model_report_text(const ModelReport *report, Text *out)
{
    add_head(out, report);
    add_outputs(out, report);
    add_members(out, report);
    add_cells(out, report, false);
    add_cells(out, report, true);
    add_calibration(out, report);
    add_paths(out, report);
    add_penalties(out, report);
}
