/* mopo plan: how long a run will take, and on how many ranks, before it is made. */
#include <stdio.h>

#include "base/mem.h"
#include "cli/cmd.h"
#include "cli/print.h"
#include "comm/comm.h"
#include "run/plan_report.h"

static Status check(const OptionValues *in, PlanReport *report)
{
    Status st = OK;

    if (option_flag(in, "json") && option_flag(in, "slurm")) {
        return status_fail(ERR_USAGE, "--json cannot stand beside --slurm, which prints one line "
                                      "for a shell");
    }
    TRY(option_int(in, "ranks", 1, 4096, &report->wanted));
    TRY(option_int(in, "passes", 1, 1000000, &report->passes));
done:
    return st;
}

static Status print(const OptionValues *in, const PlanReport *report)
{
    Status st = OK;
    char *data = NULL;

    if (option_flag(in, "json")) {
        return print_json_object(plan_report_json(report), JSON_INDENT(2));
    }
    TRY(mem_alloc(&data, PLAN_TEXT_MAX, 1, "the plan as text"));
    Text text = text_over(data, PLAN_TEXT_MAX);
    if (option_flag(in, "slurm")) {
        plan_report_slurm(report, in->count, in->words, &text);
    } else {
        plan_report_text(report, &text);
    }
    (void)fputs(text.data, stdout);
done:
    mem_free(&data);
    return st;
}

static Status run(const OptionValues *in)
{
    Status st = OK;
    Config config;
    ConfigOrigins *origins = NULL;
    PlanReport report = {.cfg = &config};

    TRY(check(in, &report));
    TRY(cmd_share_config(in, 0, &config, &origins));
    TRY(plan_report_make(&report));
    st = comm_agree(comm_rank() == 0 ? print(in, &report) : OK);
done:
    config_origins_free(&origins);
    return st;
}

static const Option options[] = {
    {"ranks", 'n', "N", "plan for N ranks, too; for --slurm these"},
    {"passes", 0, "P", "passes of the model fit to count with; without it model.max_epochs, or 40"},
    {"json", 'j', NULL, "print one JSON object, times in seconds (docs/formats.md)"},
    {"slurm", 0, NULL, "print the sbatch line with a time limit and memory for the run"},
    {0},
};

const Command cmd_plan = {
    .verb = "plan",
    .args = "[CONFIG] [key=value ...]",
    .summary = "predict time, memory and the best number of ranks of a run",
    .detail =
        "Measures for some seconds what the parts of this run cost on this machine (an update, a "
        "row of a rollout, a step of the simulator, of the model fit ...), on random data of the "
        "run's sizes, and predicts from it the seconds of each phase on 1, 2, 4 ... 64 ranks, "
        "memory, and sizes on disk. One sentence recommends a number of ranks: the last that "
        "keeps half of its cores' time in use. CONFIG and words as for `mopo train`; nothing is "
        "written but to TMPDIR, and that is deleted (docs/scaling.md).\n"
        "On two ranks it also measures messages; otherwise it assumes a latency.\n"
        "\n"
        "  mopo plan configs/paper/hopper-medium.yaml\n"
        "  mpirun -n 2 mopo plan configs/demo.yaml -n 16\n"
        "  mopo plan configs/demo.yaml -n 16 --slurm\n",
    .options = options,
    .run = run,
};
