#include "run/provide_dataset.h"

#include "base/file.h"
#include "comm/comm.h"
#include "data/registry.h"
#include "run/collect_job.h"
#include "run/session.h"

Status provide_dataset(const Config *cfg, int64_t *collected)
{
    Status st = OK;
    EnvKind env;
    char path[CONFIG_TEXT_MAX];
    const RegistryRow *row = NULL;
    int there = 0;

    TRY(comm_agree(session_task(cfg, &env)));
    if (cfg->top.dataset[0] == '\0') {
        return status_fail(ERR_CONFIG, "dataset: none is given; say dataset=FILE.hdf5 or a name "
                                       "(docs/datasets.md), or make one with `mopo collect`");
    }
    if (comm_rank() == 0) {
        st = status_while(registry_locate(cfg->top.dataset, path, sizeof path, &row), "dataset");
        there = st == OK && file_exists(path) ? 1 : 0;
    }
    TRY(comm_agree(
        st)); /* a name that is nowhere is an error: collected rows are no published set */
    coll_bcast(&there, sizeof there, 0);
    if (there != 0) {
        return OK;
    }
    if (cfg->collect.rows == 0) {
        return status_fail(ERR_CONFIG,
                           "dataset: %s is not there; give another file, make one with "
                           "`mopo collect`, or set collect.rows to let mopo collect random data",
                           cfg->top.dataset);
    }
    const CollectJob job = {.env = &env,
                            .seed = (uint64_t)cfg->top.seed,
                            .rows = cfg->collect.rows,
                            .path = cfg->top.dataset};
    TRY(collect_job(&job));
    *collected = job.rows;
done:
    return st;
}
