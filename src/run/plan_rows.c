#include "run/plan_rows.h"

#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "comm/comm.h"
#include "data/registry.h"
#include "run/collect.h"
#include "run/plan_clock.h"
#include "run/session.h"

enum { PLAYED_LEAST = 2000 }; /* rows to repeat; a long episode or many short ones */

/* Rank 0: where the dataset is, or how many rows it would have. */
static Status look(PlanRows *rows, const Config *cfg, int64_t assumed)
{
    Status st = OK;
    char path[CONFIG_TEXT_MAX] = "";
    const char *word = cfg->top.dataset;
    const RegistryRow *row = NULL;
    const RegistryRow *published = NULL;

    if (word[0] != '\0') {
        st = registry_locate(word, path, sizeof path, &row);
        rows->here = st == OK && file_exists(path);
    }
    if (rows->here) {
        return OK;
    }
    if (st != OK && registry_find(word, &published) != OK) {
        return status_while(st, "dataset"); /* no name, no file */
    }
    rows->collected = st == OK && cfg->collect.rows > 0;
    rows->rows = assumed > 0         ? assumed
                 : rows->collected   ? cfg->collect.rows
                 : published != NULL ? published->rows
                                     : 0;
    if (rows->rows == 0) {
        return status_fail(ERR_CONFIG,
                           "dataset: %s%s; give one that is here, or say with --rows how many "
                           "transitions it has",
                           word[0] != '\0' ? word : "none is named",
                           word[0] != '\0' ? " is not on this machine" : "");
    }
    return OK;
}

static Status append_episode(const EnvKind *task, int64_t episode, int64_t most, Dataset *set,
                             double *seconds, int64_t *steps)
{
    Status st = OK;
    CollectRows played = {0};
    const CollectSource uniform = {0};
    const double start = plan_clock();

    TRY(collect_episodes(task, &uniform, 1, episode, 1, &played));
    *seconds += plan_clock() - start;
    *steps += played.rows;
    for (int64_t i = 0; i < played.rows && set->rows < most; i++) {
        collect_to_record(&played, i, set->records + (size_t)set->rows++ * set->rec.stride);
    }
done:
    collect_release(&played);
    return st;
}

static Status stand_in(PlanRows *rows, const Config *cfg)
{
    Status st = OK;
    EnvKind task;
    Dataset *set = &rows->stand_in;
    const int64_t most = rows->rows < PLAN_ROWS_MOST ? rows->rows : PLAN_ROWS_MOST;
    const int64_t played = most < PLAYED_LEAST ? most : PLAYED_LEAST;
    double seconds = 0;
    int64_t steps = 0;

    TRY(session_task(cfg, &task));
    if (task.open == NULL) {
        return status_fail(ERR_CONFIG, "task none is as large as its data: give a dataset that is "
                                       "on this machine");
    }
    *set = (Dataset){.rec = record_make(task.state_dim, task.act_dim)};
    TRY(mem_alloc(&set->records, (size_t)most, set->rec.stride * sizeof *set->records,
                  "rows to plan with"));
    for (int64_t episode = 0; set->rows < played; episode++) {
        TRY(append_episode(&task, episode, most, set, &seconds, &steps));
    }
    rows->collect_step = seconds / (double)steps;
    while (set->rows < most) { /* doubled; the last time in part */
        const int64_t left = most - set->rows;
        const int64_t n = left < set->rows ? left : set->rows;
        memcpy(set->records + (size_t)set->rows * set->rec.stride, set->records,
               (size_t)n * set->rec.stride * sizeof *set->records);
        set->rows += n;
    }
done:
    return st;
}

Status plan_rows_find(PlanRows *rows, const Config *cfg, int64_t assumed)
{
    Status st = OK;

    *rows = (PlanRows){0};
    TRY(comm_agree(comm_rank() == 0 ? look(rows, cfg, assumed) : OK));
    coll_bcast(rows, sizeof *rows, 0);
    if (!rows->here) {
        TRY(comm_agree(stand_in(rows, cfg)));
    }
done:
    if (st != OK) {
        plan_rows_release(rows);
    }
    return st;
}

void plan_rows_release(PlanRows *rows)
{
    dataset_release(&rows->stand_in);
    *rows = (PlanRows){0};
}
