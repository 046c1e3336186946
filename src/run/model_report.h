/* How good a fitted ensemble is: error and likelihood on the held-out rows, calibration of the predicted
 * deviations, open-loop error against horizon, and how well each penalty orders the true errors where a
 * simulator exists. For `mopo model report`, and once after the fit of `mopo train`.
 *
 * Letters as in model/ensemble.h: E members, S state, Y = 1 + S outputs, reward first. How to read it:
 * docs/model-report.md.
 */
#ifndef RUN_MODEL_REPORT_H
#define RUN_MODEL_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"
#include "run/rundir.h"
#include "run/session.h"

enum {
    REPORT_OUTS = ENSEMBLE_DIM_MAX + 1,
    REPORT_LEVELS = 3,     /* of coverage */
    REPORT_STEPS = 6,      /* of horizon */
    REPORT_CASES = 2,      /* actions: of the dataset, uniform */
    REPORT_PENALTIES = 64, /* most rows of the penalty table */
    REPORT_STATES = 2000,  /* where penalties are compared with the truth */
    REPORT_STARTS = 256,   /* of open-loop paths */
    REPORT_HELD = 100000,  /* held-out rows looked at; more are left out */
    REPORT_TEXT_MAX = 1 << 19,
    REPORT_SVG_MAX = 1 << 19
};

extern const double report_levels[REPORT_LEVELS]; /* 0.5, 0.8, 0.95 */
extern const int report_steps[REPORT_STEPS];      /* 1, 2, 5, 10, 20, 50 */

/* Shares of targets inside the central interval of each level. */
typedef struct {
    double own[REPORT_LEVELS];   /* each elite's Gaussian, mean of the elites */
    double mixed[REPORT_LEVELS]; /* the Gaussian with mean and variance of the elites' mixture */
} Coverage;

typedef struct {
    double rmse;      /* of the elites' mean, in the output's unit */
    double deviation; /* of the targets r, s' - s: what their mean would get */
    double r2;        /* 1 - (rmse / deviation)^2; NaN where the target is constant */
    double nll;       /* nats, of the mixture's Gaussian, with 1/2 log 2 pi */
    Coverage coverage;
} OutputQuality;

typedef struct {
    double mse, nll; /* means over rows and outputs */
    int place;       /* among the elites, 1 is the best; 0: none of them */
} MemberQuality;

/* One output of one member. */
typedef struct {
    double rmse, nll;
} CellQuality;

/* Errors of paths: root of the mean square over the state's dimensions, each in deviations of the
 * dataset. NaN where no path is so long. */
typedef struct {
    int starts;                      /* with as many recorded steps */
    double median, high;             /* over starts and elites; high: 90 % are below */
    double still_median, still_high; /* of the state staying as it was */
} HorizonQuality;

typedef struct {
    const char *name;
    bool oracle; /* sees the truth itself */
    double spearman[REPORT_CASES],
        pearson[REPORT_CASES]; /* with the true error; NaN: u is constant */
} PenaltyQuality;

typedef struct {
    char task[64], algo[64];
    int64_t seed;
    char digest[33];        /* of the dataset */
    int64_t rows;           /* of the dataset */
    int64_t held, held_all; /* held-out rows looked at; all of them */
    int members, elites, outs;
    int rollout_horizon;
    OutputQuality outputs[REPORT_OUTS]; /* (outs) */
    int varying; /* outputs whose target is not constant; the next three are over them */
    double mean_r2, mean_nll; /* mean_r2: NaN where none varies */
    Coverage coverage;
    MemberQuality member[ENSEMBLE_MAX];          /* (members) */
    CellQuality cell[ENSEMBLE_MAX][REPORT_OUTS]; /* (members, outs) */
    int path_dims;                               /* dimensions that vary in the dataset */
    HorizonQuality horizon[REPORT_STEPS];
    bool simulated;             /* the rest was measured */
    int states[REPORT_CASES];   /* that the simulator could follow */
    double error[REPORT_CASES]; /* median true one-step error of the elites */
    int penalties;
    PenaltyQuality penalty[REPORT_PENALTIES];
} ModelReport;

/* Measure the frozen s->ens; *report is filled on all ranks, with the same bits on any number of them.
 * The split is that of the fit with the same model seed and model.holdout_*. Collective. Errors, the same on
 * all ranks: ERR_NOMEM, ERR_ENV. */
NODISCARD Status model_report_make(const Session *s, ModelReport *report);
/* model-report.txt and model-report.svg in the folder `dir`, which is there. Local. Errors: ERR_IO, ERR_NOMEM. */
NODISCARD Status model_report_write(const ModelReport *report, const char *dir);
/* Both for a run directory, and a line for the log; nothing where both files are there (a new fit deletes
 * them). Collective; dir matters on rank 0. Errors, the same on all ranks: of both. */
NODISCARD Status model_report_in_run(const Session *s, const RunDir *dir);

/* The two forms; their bytes depend on the report only. */
void model_report_text(const ModelReport *report, Text *out);
void model_report_svg(const ModelReport *report, Text *out);

#endif
