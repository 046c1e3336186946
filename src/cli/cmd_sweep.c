/* mopo sweep: many runs, from a grid of settings. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "cli/cmd.h"
#include "cli/print.h"
#include "sweep/build.h"
#include "sweep/launch.h"
#include "sweep/local.h"
#include "sweep/slurm.h"
#include "sweep/sweep_report.h"

enum { RANKS_MAX = 4096, RANKS = 4 };

typedef struct {
    bool print, local, slurm, json, retry;
    const char *only;
    int ranks, at_once;
} Wanted;

/* What cannot stand together. */
static Status check(const OptionValues *in, const Wanted *w)
{
    if (w->local && w->slurm) {
        return status_fail(ERR_USAGE, "--local cannot stand beside --slurm");
    }
    if (w->local && w->print) {
        return status_fail(ERR_USAGE, "--local cannot stand beside --print, which starts nothing");
    }
    if (!w->local && !w->slurm && !w->print) {
        return status_fail(
            ERR_USAGE,
            "say what to do: --print shows jobs and costs, --local N starts them here, each "
            "on N ranks, --slurm submits them");
    }
    if (w->json && (w->local || w->slurm)) {
        return status_fail(ERR_USAGE, "--json goes with --print alone");
    }
    if (w->local && option_flag(in, "ranks")) {
        return status_fail(ERR_USAGE,
                           "--ranks cannot stand beside --local N, where N are the ranks");
    }
    if (w->at_once > 0 && !w->slurm) {
        return status_fail(
            ERR_USAGE, "--at-once goes with --slurm; --local starts as many as the cores allow");
    }
    return OK;
}

static Status read_wanted(const OptionValues *in, Wanted *w)
{
    Status st = OK;
    const char *retry = option_text(in, "retry");

    *w = (Wanted){.print = option_flag(in, "print"),
                  .local = option_flag(in, "local"),
                  .slurm = option_flag(in, "slurm"),
                  .json = option_flag(in, "json"),
                  .retry = retry != NULL,
                  .only = option_text(in, "only"),
                  .ranks = RANKS};
    TRY(options_count(in, 1, 1));
    TRY(option_int(in, "local", 1, RANKS_MAX, &w->ranks));
    TRY(option_int(in, "ranks", 1, RANKS_MAX, &w->ranks));
    TRY(option_int(in, "at-once", 1, JOBS_MAX, &w->at_once));
    TRY(check(in, w));
    if (retry != NULL && strcmp(retry, "failed") != 0) {
        st = status_fail(ERR_USAGE, "--retry: found %.80s, allowed is failed", retry);
    }
done:
    return st;
}

static Status print_sweep(const Sweep *sweep, const char *out, const Wanted *w)
{
    Status st = OK;
    Estimates est = {0};
    char *data = NULL;
    SweepReport report = {
        .sweep = sweep, .out = out, .est = &est, .ranks = w->ranks, .cores = launch_cores()};

    TRY(estimate_jobs(&est, &sweep->jobs, w->ranks));
    if (w->json) {
        TRY(print_json_object(sweep_report_json(&report), JSON_INDENT(2)));
        goto done;
    }
    const size_t room = sweep_report_room(&report);
    TRY(mem_alloc(&data, room, 1, "the sweep as text"));
    Text text = text_over(data, room);
    sweep_report_text(&report, &text);
    (void)fputs(data, stdout);
done:
    mem_free(&data);
    estimate_release(&est);
    return st;
}

static Status start_sweep(const Sweep *sweep, const char *out, const Wanted *w)
{
    Status st = OK;
    OutDir dir = {.lock = {.fd = -1}};

    if (sweep->missing[0] != '\0' && w->only == NULL) {
        return status_fail(ERR_CONFIG, "%s (--only PATTERN starts others)", sweep->missing);
    }
    if (sweep->changed[0] != '\0') {
        return status_fail(ERR_CONFIG, "%s", sweep->changed);
    }
    TRY(outdir_open(&dir, out, &sweep->jobs));
    if (w->slurm) {
        const SlurmRun run = {.jobs = &sweep->jobs,
                              .out = &dir,
                              .only = w->only,
                              .ranks = w->ranks,
                              .at_once = w->at_once,
                              .retry = w->retry,
                              .print = w->print};
        TRY(slurm_run(&run));
    } else {
        const LocalRun run = {.jobs = &sweep->jobs,
                              .out = out,
                              .only = w->only,
                              .ranks = w->ranks,
                              .retry = w->retry};
        TRY(local_run(&run));
    }
done:
    outdir_close(&dir);
    return st;
}

static Status run(const OptionValues *in)
{
    Status st = OK;
    Wanted wanted;
    Grid *grid = NULL;
    Sweep sweep = {0};

    TRY(read_wanted(in, &wanted));
    launch_forget_rank();
    TRY(grid_read(&grid, in->words[0]));
    TRY(sweep_build(&sweep, grid, in->words[0]));
    TRY(wanted.local || wanted.slurm ? start_sweep(&sweep, grid_out(grid), &wanted)
                                     : print_sweep(&sweep, grid_out(grid), &wanted));
done:
    sweep_release(&sweep);
    grid_close(&grid);
    return st;
}

static const Option options[] = {
    {"print", 'p', NULL,
     "start nothing: print jobs, commands, core-hours and what sharing models saves"},
    {"local", 'l', "N",
     "run all jobs on this machine, each on N ranks, as many at once as it has cores for"},
    {"slurm", 's', NULL,
     "submit all jobs as job arrays; with --print only write and print the lines"},
    {"ranks", 'n', "N", "ranks of each job for --slurm and --print (4)"},
    {"at-once", 0, "K", "run at most K tasks of an array at once"},
    {"only", 'o', "PATTERN", "jobs whose names match, as of files, and what they need"},
    {"retry", 'r', "failed", "start those again that have failed"},
    {"json", 'j', NULL, "with --print: one JSON object (docs/formats.md)"},
    {0},
};

const Command cmd_sweep = {
    .verb = "sweep",
    .args = "GRID",
    .summary = "many runs from a grid of settings, here or on a cluster, with shared models",
    .detail =
        "GRID is a YAML file with the settings to combine (docs/sweep.md). Each combination is a "
        "training run in a directory of its own; runs whose models would be the same share one, "
        "which is fitted once. Jobs that were killed or lost their host are started again; those "
        "that ended with an error are not, until --retry failed. The same command goes on where "
        "it was stopped or killed. `mopo status OUT` tells how far it is.\n"
        "SIGINT, SIGTERM or SIGUSR2 let the running jobs save and end (exit code 75); a second "
        "SIGINT ends them at once.\n"
        "\n"
        "  mopo sweep configs/grid/lambda-horizon.yaml --print\n"
        "  mopo sweep configs/grid/smoke.yaml --local 2\n"
        "  mopo sweep configs/grid/lambda-horizon.yaml --slurm --ranks 16 --at-once 8\n",
    .options = options,
    .run = run,
    .alone = true,
};
