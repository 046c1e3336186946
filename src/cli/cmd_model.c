/* mopo model: judge the fitted ensemble of a run, or fit one that runs share. */
#include <math.h>
#include <stdio.h>

#include "base/file.h"
#include "base/mem.h"
#include "cli/cmd.h"
#include "comm/comm.h"
#include "run/fit_model.h"
#include "run/model_report.h"

static const char *const names[] = {"report", "fit", NULL};

/* What decides which rows are held out: with another value rows of the fit would count as held out. */
static Status check_split(const Config *run, const Config *asked)
{
    if (session_model_seed(run) != session_model_seed(asked) ||
        run->model.holdout_max != asked->model.holdout_max ||
        fabs(run->model.holdout_ratio - asked->model.holdout_ratio) > 0) {
        return status_fail(
            ERR_USAGE,
            "seed, model.seed, model.holdout_ratio and model.holdout_max say which rows the fit "
            "held out; leave them as they are in the run's used.yaml");
    }
    return OK;
}

/* The settings of the run, then words. */
static Status load(const OptionValues *in, Config *config)
{
    Status st = OK;
    char path[RUNDIR_PATH_MAX];
    Config *run = NULL;
    const char *dir = in->words[1];

    TRY(mem_alloc(&run, 1, sizeof *run, "the settings of a run"));
    TRY(rundir_settings(dir, run));
    *config = *run;
    TRY(config_words_over(config, in->count - 2, in->words + 2));
    TRY(check_split(run, config));
    (void)snprintf(path, sizeof path, "%s/model.h5", dir);
    if (!file_exists(path)) {
        st = status_fail(ERR_USAGE,
                         "%s is not there: `mopo train` writes it when the models are fitted, and "
                         "not at all where train.real_ratio is 1",
                         path);
    }
done:
    mem_free(&run);
    return st;
}

static Status fetch(Session *s, const char *run_dir)
{
    Status st = OK;
    RunDir dir = {.lock.fd = -1};
    bool found = false;

    (void)snprintf(dir.path, sizeof dir.path, "%s", run_dir);
    TRY(fetch_model(s, comm_rank() == 0 ? &dir : NULL, &found));
    if (!found) { /* it was deleted a moment ago */
        return status_fail(ERR_IO, "%s/model.h5 is no longer there", run_dir);
    }
done:
    return st;
}

static Status deliver(const OptionValues *in, const ModelReport *report)
{
    Status st = OK;
    char *data = NULL;
    const char *out = option_text(in, "out");

    if (out != NULL) {
        TRY(file_make_dirs(out));
    }
    TRY(model_report_write(report, out != NULL ? out : in->words[1]));
    TRY(mem_alloc(&data, REPORT_TEXT_MAX, 1, "the model report"));
    Text text = text_over(data, REPORT_TEXT_MAX);
    model_report_text(report, &text);
    (void)fputs(text.data, stdout);
done:
    mem_free(&data);
    return st;
}

static Status make_report(const OptionValues *in)
{
    Status st = OK;
    Config config;
    Session s = {0};
    ModelReport *report = NULL;

    TRY(options_count(in, 2, -1));
    TRY(comm_agree(comm_rank() == 0 ? load(in, &config) : OK));
    coll_bcast(&config, sizeof config, 0);
    TRY(comm_agree(mem_alloc(&report, 1, sizeof *report, "the model report")));
    TRY(session_open(&s, &config));
    TRY(fetch(&s, in->words[1]));
    TRY(model_report_make(&s, report));
    st = comm_agree(comm_rank() == 0 ? deliver(in, report) : OK);
done:
    session_close(&s);
    mem_free(&report);
    return st;
}

static Status (*const actions[])(const OptionValues *) = {make_report, cmd_model_fit};

static Status run(const OptionValues *in)
{
    Status st = OK;
    int action = 0;

    TRY(options_action(in, &action));
    const bool fits = action == 1;
    if (option_text(in, fits ? "out" : "max-time") != NULL) {
        return status_fail(ERR_USAGE, "--%s has no meaning with %s", fits ? "out" : "max-time",
                           names[action]);
    }
    TRY(actions[action](in));
done:
    return st;
}

static const Option options[] = {
    {"out", 'o', "DIR", "with report: write the two files there; otherwise into the run directory"},
    {"max-time", 't', "MINUTES",
     "with fit: be saved and gone (exit code 75) within so long, as mopo train"},
    {0},
};

const Command cmd_model = {
    .verb = "model",
    .args = "report RUN | fit CONFIG [key=value ...]",
    .summary = "say how good the fitted models of a run are; fit those that runs share",
    .detail =
        "report prints, and writes to model-report.txt and, as four plots, to model-report.svg: "
        "error and likelihood of each output and member on the held-out rows; whether the "
        "predicted deviations are right; open-loop error against horizon; and how well each "
        "penalty orders the true errors, where the task has a simulator (docs/model-report.md). "
        "`mopo train` writes both files once after the model fit.\n"
        "It needs the dataset of the run; dataset=FILE says where it lies now. Work is dealt to "
        "the ranks; the result does not depend on their number.\n"
        "fit fits the ensemble that all runs with the same data and the same settings of the model "
        "share, in the folder model.share, and ends (docs/parallel.md). Where it is there already "
        "nothing is done; a fit that was stopped (exit code 75) or killed goes on. `mopo train` "
        "with model.share does the same when it comes to it.\n"
        "\n"
        "  mopo model report runs/demo-s0\n"
        "  mpirun -n 4 mopo model report runs/demo-s0 dataset=data/demo.hdf5 --out report\n"
        "  mpirun -n 7 mopo model fit configs/paper/hopper-medium.yaml model.share=models\n",
    .options = options,
    .run = run,
    .actions = names,
};
