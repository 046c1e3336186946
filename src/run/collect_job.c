#include "run/collect_job.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timer.h"
#include "comm/comm.h"
#include "run/collect.h"
#include "run/timing.h"

/* Whole episodes of all ranks, in episode order, on rank 0. */
static Status gather_rows(const EnvKind *env, const CollectRows *mine, CollectRows *all)
{
    Status st = OK;
    size_t *sizes = NULL;
    size_t sum = 0;
    const size_t row = mine->stride * sizeof(double);

    TRY(comm_agree(mem_alloc(&sizes, (size_t)comm_size(), sizeof *sizes, "sizes")));
    coll_sizes((size_t)mine->rows * row, sizes);
    for (int r = 0; r < comm_size(); r++) {
        sum += sizes[r];
    }
    if (comm_rank() == 0) {
        st = collect_init(all, env, (int64_t)(sum / row));
    }
    TRY(comm_agree(st));
    coll_gather(mine->data, (size_t)mine->rows * row, all->data, sizes);
    all->rows = comm_rank() == 0 ? (int64_t)(sum / row) : 0;
done:
    mem_free(&sizes);
    return st;
}

/* Episodes first .. first + count - 1 over the ranks, appended to *total (rank 0). */
static Status one_round(const EnvKind *env, uint64_t seed, int64_t first, int64_t count,
                        int64_t most, CollectRows *total)
{
    Status st = OK;
    CollectRows mine = {0};
    CollectRows round = {0};
    const int64_t r = comm_rank();
    const int64_t n = comm_size();
    const int64_t from = first + count * r / n;
    const int64_t to = first + count * (r + 1) / n;
    const double start = timer_now();

    st = collect_episodes(env, seed, from, to - from, &mine);
    const double busy = timer_now() - start;
    TRY(comm_agree(st));
    timing_phase("collect", busy, timer_now() - start - busy);
    TRY(gather_rows(env, &mine, &round));
    if (comm_rank() == 0) {
        st = collect_join(total, &round, 1, most);
    }
    st = comm_agree(st);
done:
    collect_release(&mine);
    collect_release(&round);
    return st;
}

static Status make_folder_of(const char *path)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');

    if (slash == NULL || slash == path) {
        return OK;
    }
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
    return file_make_dirs(folder);
}

Status collect_job(const EnvKind *env, uint64_t seed, int64_t rows, const char *path)
{
    Status st = OK;
    CollectRows total = {0};
    int64_t have = 0;
    int64_t next = 0;
    const double start = timer_now();

    TRY(comm_agree(comm_rank() == 0 ? make_folder_of(path) : OK));
    TRY(comm_agree(collect_init(&total, env, 1)));
    log_info("collecting %lld rows of %s with random actions", (long long)rows, env->name);
    while (have < rows) {
        /* as many episodes as are needed if none ends early; at least as many as keep ranks busy */
        const int64_t needed = (rows - have + env->horizon - 1) / env->horizon;
        TRY(one_round(env, seed, next, needed, rows, &total));
        next += needed;
        have = total.rows;
        coll_bcast(&have, sizeof have, 0);
    }
    if (comm_rank() == 0) {
        st = collect_write(path, &total);
    }
    TRY(comm_agree(st));
    log_info("collected %lld rows from %lld episodes in %.1f s: %s", (long long)rows,
             (long long)next, timer_now() - start, path);
done:
    collect_release(&total);
    return st;
}
