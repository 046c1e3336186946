/* mopo bench: how fast the parts are here, and how that compares. */
#include <stdio.h>

#include "base/mem.h"
#include "bench/bench.h"
#include "cli/cmd.h"
#include "cli/print.h"
#include "comm/comm.h"

static Status check(const OptionValues *in)
{
    Status st = OK;
    const char *then = option_text(in, "compare");

    TRY(options_count(in, 0, 1));
    if (in->count == 1 && then == NULL) {
        return status_fail(ERR_USAGE,
                           "%s: a file is read only to --compare it: `mopo bench --compare "
                           "OLD.json %s`",
                           in->words[0], in->words[0]);
    }
    if (option_flag(in, "json") && then != NULL) {
        return status_fail(ERR_USAGE, "--json cannot stand beside --compare, which is a table");
    }
    if (option_flag(in, "quick") && in->count == 1) {
        return status_fail(ERR_USAGE, "--quick cannot stand beside a file: nothing is measured");
    }
done:
    return st;
}

/* The older report, and the newer one where it is not to be measured. Rank 0. */
static Status read_files(const OptionValues *in, Report *then, Report *now)
{
    Status st = OK;

    if (option_text(in, "compare") != NULL) {
        TRY(report_read(then, option_text(in, "compare")));
    }
    if (in->count == 1) {
        TRY(report_read(now, in->words[0]));
    }
done:
    return st;
}

static Status print_text(const Report *then, const Report *now)
{
    char *data = NULL;
    const Status st = mem_alloc(&data, REPORT_TABLE_MAX, 1, "a table");

    if (st == OK) {
        Text text = text_over(data, REPORT_TABLE_MAX);
        if (then != NULL) {
            report_compare_text(then, now, &text);
        } else {
            report_text(now, &text);
        }
        (void)fputs(text.data, stdout);
    }
    mem_free(&data);
    return st;
}

static Status print(const OptionValues *in, const Report *then, const Report *now)
{
    if (option_flag(in, "json")) {
        return print_json_object(report_json(now), JSON_INDENT(2));
    }
    return print_text(option_text(in, "compare") != NULL ? then : NULL, now);
}

static Status run(const OptionValues *in)
{
    Status st = OK;
    Report *reports = NULL; /* then, now */
    const bool lead = comm_rank() == 0;

    TRY(check(in));
    TRY(comm_agree(mem_alloc(&reports, 2, sizeof *reports, "a report")));
    Report *now = &reports[1];
    now->quick = option_flag(in, "quick");
    now->only = option_text(in, "only");
    TRY(comm_agree(lead ? read_files(in, &reports[0], now) : OK));
    if (in->count == 0) {
        TRY(bench_run(now));
    }
    st = comm_agree(lead ? print(in, &reports[0], now) : OK);
done:
    mem_free(&reports);
    return st;
}

static const Option options[] = {
    {"json", 'j', NULL, "print one JSON object, times in seconds (docs/formats.md)"},
    {"only", 0, "TEXT", "the rows whose name has TEXT: update, ensemble, rollout, exchange ..."},
    {"quick", 0, NULL, "two repetitions of each, only to see that it runs"},
    {"compare", 0, "OLD.json", "show times beside those that --json printed earlier"},
    {0},
};

const Command cmd_bench = {
    .verb = "bench",
    .args = "[NEW.json]",
    .summary = "measure the parts on this machine, each beside the least it could take",
    .detail =
        "Times updates of the agents, a step of the model fit, rollouts, steps of the simulator, "
        "loading a dataset and, on two ranks or more, each exchange between ranks, with the "
        "paper's sizes. Beside each stands its floor: the same matrix products alone, MuJoCo's "
        "steps alone, HDF5's reading alone, the same bytes copied; and the share of the rate that "
        "a large matrix product reaches (docs/speed.md). Takes half a minute and 170 MB in "
        "TMPDIR; one rank measures while the others sleep.\n"
        "With --compare it measures and then shows both times of each row, or those of two files: "
        "then NEW.json is read instead of measured.\n"
        "\n"
        "  mopo bench\n"
        "  mopo bench --only update --json > old.json\n"
        "  mpirun -n 2 mopo bench --only exchange\n"
        "  mopo bench --compare old.json\n",
    .options = options,
    .run = run,
};
