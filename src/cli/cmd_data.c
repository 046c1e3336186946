/* mopo data: look at a dataset, judge it, make another one of it. One row per action. */
#include "cli/cmd.h"
#include "cli/data_actions.h"
#include "comm/comm.h"

static const char *const names[] = {"info", "check", "convert", "relabel", NULL};
static Status (*const actions[])(const OptionValues *) = {data_show, data_judge, data_convert,
                                                          data_relabel};

static Status run(const OptionValues *in)
{
    int action = 0;
    Status st = OK;

    TRY(options_action(in, &action));
    const bool writes = action >= 2;
    if (option_flag(in, writes ? "json" : "force")) {
        return status_fail(ERR_USAGE, "--%s has no meaning with %s", writes ? "json" : "force",
                           names[action]);
    }
    st = comm_agree(comm_rank() == 0 ? actions[action](in) : OK);
done:
    return st;
}

static const Option options[] = {
    {"json", 'j', NULL, "with info and check: print one JSON object"},
    {"force", 'f', NULL, "with convert and relabel: write over a file that is there"},
    {0},
};

const Command cmd_data = {
    .verb = "data",
    .args = "info|check FILE_OR_NAME | convert|relabel FROM TO [key=value ...]",
    .summary = "say what is in a dataset and what is wrong with it; convert and relabel",
    .detail =
        "info prints counts, returns, ranges of every column, and the digest of the transitions "
        "that training would use under these settings (data.*).\n"
        "check looks for what is wrong with the numbers, the order of rows and the flags, and "
        "asks the task's simulator about rows spread over the file (docs/data-check.md). Exit "
        "code 76 when an error is found, 0 with warnings only. Without task=NAME both look for "
        "the task whose simulator fits.\n"
        "convert writes D4RL's layout when TO ends in .hdf5 or .h5, else a folder in Minari's; "
        "FROM may be a table, FILE.csv (docs/own-data.md).\n"
        "relabel does the same with the rewards of task=NAME.\n"
        "FILE_OR_NAME and FROM are a file, a folder in Minari's layout, or a name such as "
        "hopper-medium-v2 (docs/datasets.md).\n"
        "\n"
        "  mopo data info hc.hdf5\n"
        "  mopo data check hopper-medium-v2 task=hopper\n"
        "  mopo data convert log.csv log.hdf5\n"
        "  mopo data relabel runs.hdf5 jump.hdf5 task=halfcheetah-jump\n",
    .options = options,
    .run = run,
    .actions = names,
};
