#include "run/choose_learners.h"

#include "base/log.h"
#include "base/timer.h"
#include "run/forecast.h"

/* A short run is over sooner, one rank has no choice, and without a task the sizes are those of the data. */
static bool worth_measuring(const Config *cfg, const EnvKind *task)
{
    return cfg->ranks.learners == 0 && cfg->train.shards > 1 && comm_size() > 1 &&
           task->state_dim > 0 &&
           (int64_t)cfg->train.epochs * cfg->train.updates_per_epoch >= CHOOSE_UPDATES;
}

Status choose_learners(Config *cfg)
{
    enum { ROWS = 10000 };
    Status st = OK;
    Session s = {0};
    EnvKind task;
    UnitCost cost = {0};
    Config alone = *cfg;
    const double start = timer_now();

    TRY(comm_agree(session_task(cfg, &task)));
    if (!worth_measuring(cfg, &task)) {
        return OK;
    }
    const Record rec = record_make(task.state_dim, task.act_dim);
    alone.ranks.learners = 1; /* rank 0 has all shards */
    TRY(session_open_random(&s, &alone, &rec, ROWS));
    TRY(unit_cost_measure_epoch(&s, &cost));
    if (comm_rank() == 0) {
        Workload work = workload_of(&s, 0);
        work.learners_wanted = 0;
        cfg->ranks.learners =
            forecast_best_plan(&work, &cost, comm_size(), s.plan.cores, 0).learners;
        log_info("%d learner%s: measured in %.1f s, an update %.2f ms, of it %.2f by each learner, "
                 "rollouts %.2f s, a step of an episode %.1f us",
                 cfg->ranks.learners, cfg->ranks.learners == 1 ? "" : "s", timer_now() - start,
                 1e3 * cost.update, 1e3 * cost.update_fixed,
                 cost.rollout * (double)work.rollout_rows, 1e6 * cost.eval);
    }
    coll_bcast(&cfg->ranks.learners, sizeof cfg->ranks.learners, 0);
done:
    session_close(&s);
    return st;
}
