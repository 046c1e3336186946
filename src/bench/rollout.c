/* One step (h = 1) of a rollout phase with all members. One unit of the phase is measured, as a rank does it; all
 * units are alike, and the time is that of all of them. */
#include "rollout/rollout.h"

#include "base/mem.h"
#include "bench/parts.h"

enum { ROWS = 100000 }; /* of the dataset */

typedef struct {
    Agent agent;
    Ensemble ens;
    Rollout roll;
    Arena tmp;
    float *dataset, *records; /* owned */
    int64_t epoch;
} Unit;

static Status unit_open(Unit *u)
{
    Status st = OK;
    const Config cfg = paper_config();
    const EnvKind *env = env_find("halfcheetah");
    const AgentConfig agent = paper_agent(env->state_dim, env->act_dim);
    const EnsembleConfig ens = paper_ensemble(env->state_dim, env->act_dim, false);

    *u = (Unit){0};
    TRY(agent_init(&u->agent, agent_find("sac"), &agent, 0, 1));
    TRY(ensemble_init(&u->ens, &ens, 1));
    ensemble_freeze(&u->ens);
    u->roll = (Rollout){.ens = &u->ens,
                        .agent = &u->agent,
                        .env = env,
                        .penalty = penalty_find("max_std"),
                        .rec = record_make(env->state_dim, env->act_dim),
                        .dataset_rows = ROWS,
                        .batch = cfg.rollout.batch,
                        .units = cfg.rollout.units,
                        .horizon = 1,
                        .lambda = 1.0F,
                        .guard = 100.0F,
                        .seed = 1};
    TRY(random_floats(&u->dataset, ROWS * u->roll.rec.stride, -1.0F, 1.0F));
    u->roll.dataset = u->dataset;
    TRY(random_floats(&u->records, (size_t)rollout_unit_most(&u->roll) * u->roll.rec.stride, 0, 1));
    TRY(arena_init(&u->tmp, rollout_cost(&u->roll)));
done:
    return st;
}

static void unit_close(Unit *u)
{
    agent_release(&u->agent);
    ensemble_release(&u->ens);
    arena_release(&u->tmp);
    mem_free(&u->dataset);
    mem_free(&u->records);
}

static Status unit_run(void *ctx)
{
    Unit *u = ctx;
    UnitReport report;
    rollout_run(&u->roll, agent_actor(&u->agent), u->epoch++, 0, &u->tmp, u->records, &report);
    return OK;
}

Status bench_rollout(Report *report)
{
    static const char name[] = "rollout step 17/6, 7 members";
    Status st = OK;
    Unit u = {0};

    if (report_wants(report, name)) {
        TRY(unit_open(&u));
        const double units = (double)rollout_unit_starts(&u.roll, 0) / u.roll.batch;
        TRY(part_add_products(
            report, name, &(Pair){.unit = "50000 rows", .units = units, .thing = {unit_run, &u}}));
    }
done:
    unit_close(&u);
    return st;
}
