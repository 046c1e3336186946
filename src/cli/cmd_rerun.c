/* mopo rerun: is a run what its settings give? */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/cmd.h"
#include "cli/print.h"
#include "comm/comm.h"
#include "run/parting.h"
#include "run/rerun.h"

/* Rank 0: tables and a verdict, which is the error where the runs part. */
static Status deliver(const Parting *p, bool json)
{
    Status st = OK;
    char *data = NULL;

    TRY(mem_alloc(&data, PARTING_REPORT_MAX, 1, "the comparison as text"));
    Text text = text_over(data, PARTING_REPORT_MAX);
    if (json) {
        TRY(print_json_object(parting_json(p), JSON_INDENT(2)));
    } else {
        parting_report(p, &text);
        (void)printf("%s\n", text.data);
    }
    text = text_over(data, PARTING_REPORT_MAX);
    parting_verdict(p, &text);
    if (!parting_none(p)) {
        (void)fflush(stdout); /* the tables stand above the error */
        st = status_fail(ERR_PARTED, "%s", text.data);
    } else if (!json) {
        (void)printf("%s\n", text.data);
    }
done:
    mem_free(&data);
    return st;
}

static Status compare(const char *then, const char *now, bool json)
{
    Status st = OK;
    Parting *p = NULL;

    TRY(mem_alloc(&p, 1, sizeof *p, "a comparison"));
    TRY(parting_find(then, now, p));
    TRY(deliver(p, json));
done:
    mem_free(&p);
    return st;
}

static Status run(const OptionValues *in)
{
    Status st = OK;
    RerunJob job = {.out = option_text(in, "out")};
    const bool only = option_flag(in, "compare");
    char path[RUNDIR_PATH_MAX];
    int minutes = 0;

    TRY(options_count(in, 1, only ? 2 : -1));
    TRY(option_int(in, "max-time", 1, 1000000, &minutes));
    job.options.max_seconds = 60.0 * minutes;
    job.run = in->words[0];
    if (only && in->count == 2) {
        job.out = in->words[1];
    } else {
        job.count = in->count - 1;
        job.words = in->words + 1;
    }
    if (strcmp(rerun_out(&job, path), job.run) == 0) {
        return status_fail(ERR_USAGE, "%s is the run itself; name another directory", path);
    }
    if (!only) {
        TRY(rerun(&job));
    }
    st = comm_agree(comm_rank() == 0 ? compare(job.run, path, option_flag(in, "json")) : OK);
done:
    return st;
}

static const Option options[] = {
    {"out", 'o', "DIR", "repeat it there; otherwise in RUN-rerun"},
    {"compare", 'c', NULL, "train nothing: compare RUN with DIR, with OTHER, or with RUN-rerun"},
    {"max-time", 't', "MINUTES",
     "be saved and gone (exit code 75) within so long: no epoch begins that would end later"},
    {"json", 'j', NULL, "print one JSON object (docs/formats.md)"},
    {0},
};

const Command cmd_rerun = {
    .verb = "rerun",
    .args = "RUN [OTHER] [ranks.KEY=value ...]",
    .summary = "repeat a run, and say whether it gives the same bits",
    .detail =
        "Trains once more with the settings in RUN/used.yaml, as many epochs as RUN has done, and "
        "compares: dataset, model, reports, each number of each epoch, policy. It says what was "
        "not as then (commit, compiler, BLAS and its core, CPU ...), and where the two part, by "
        "phase and epoch, with both numbers. Exit code 0: same bits, 1: they part.\n"
        "On any number of ranks; stopped (75), the same command goes on. Paths of the dataset are "
        "those of RUN: start it in the same directory.\n"
        "\n"
        "  mpirun -n 4 mopo rerun runs/demo-s0\n"
        "  mopo rerun --compare runs/demo-s0 runs/of-a-colleague\n",
    .options = options,
    .run = run,
};
