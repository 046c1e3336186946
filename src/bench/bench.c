#include "bench/bench.h"

#include "bench/parts.h"
#include "comm/comm.h"

static Status (*const parts[])(Report *report) = {
    part_large_product, bench_update, bench_model_step,   bench_rollout,
    bench_env,          bench_load,   part_large_product, /* again: whoever else runs here may have been in the way */
};

static Status run_parts(Report *report)
{
    Status st = OK;

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        TRY(parts[i](report));
    }
done:
    return st;
}

Status bench_run(Report *report)
{
    Status st = OK;
    const bool lead = comm_rank() == 0;

    report_begin(report);
    TRY(comm_agree(lead ? run_parts(report) : OK));
    if (comm_size() > 1) {
        TRY(bench_exchange(report));
    }
    if (lead && report->count == 0) {
        st = status_fail(
            ERR_USAGE, "--only %s: no row has this in its name; `mopo bench --quick` lists them%s",
            report->only, comm_size() > 1 ? "" : ", `mpirun -n 2` also those of exchanges");
    }
    st = comm_agree(st);
done:
    return st;
}
