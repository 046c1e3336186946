/* One step (h = 1) of one unit of a rollout phase: 50000 start rows in 64 units, 7 members. */
#include <stdio.h>

#include "base/mem.h"
#include "parts.h"
#include "rollout/rollout.h"

enum { BATCH = 50000, UNITS = 64, ROWS = 100000 };

typedef struct {
    Agent agent;
    Ensemble ens;
    Rollout roll;
    Arena tmp;
    float *dataset, *records; /* owned */
    int64_t epoch;
} Unit;

static void unit_open(Unit *u, bool spectral_norm)
{
    const EnvKind *env = env_find("halfcheetah");
    const AgentConfig agent = paper_agent(env->state_dim, env->act_dim);
    const EnsembleConfig ens = paper_ensemble(env->state_dim, env->act_dim, spectral_norm);

    *u = (Unit){0};
    must(agent_init(&u->agent, agent_find("sac"), &agent, 0, 1));
    must(ensemble_init(&u->ens, &ens, 1));
    ensemble_freeze(&u->ens);
    u->roll = (Rollout){.ens = &u->ens,
                        .agent = &u->agent,
                        .env = env,
                        .penalty = penalty_find("max_std"),
                        .rec = record_make(env->state_dim, env->act_dim),
                        .dataset_rows = ROWS,
                        .batch = BATCH,
                        .units = UNITS,
                        .horizon = 1,
                        .lambda = 1.0F,
                        .guard = 100.0F,
                        .seed = 1};
    u->dataset = random_floats(ROWS * u->roll.rec.stride, -1.0F, 1.0F);
    u->roll.dataset = u->dataset;
    u->records = random_floats((size_t)rollout_unit_most(&u->roll) * u->roll.rec.stride, 0, 1);
    must(arena_init(&u->tmp, rollout_cost(&u->roll)));
}

static void unit_close(Unit *u)
{
    agent_release(&u->agent);
    ensemble_release(&u->ens);
    arena_release(&u->tmp);
    mem_free(&u->dataset);
    mem_free(&u->records);
}

static void unit_run(void *ctx)
{
    Unit *u = ctx;
    UnitReport report;
    rollout_run(&u->roll, agent_actor(&u->agent), u->epoch++, 0, &u->tmp, u->records, &report);
}

void bench_rollout(Report *report)
{
    Pair pair = {.what = "rollout step 17/6, 7 members",
                 .unit = "row",
                 .thing = unit_run,
                 .floor = products_run};
    Unit u;
    Products products;

    if (!report_wants(report, pair.what)) {
        return;
    }
    unit_open(&u, false);
    products_record(&products, unit_run, &u);
    pair.thing_ctx = &u;
    pair.floor_ctx = &products;
    pair.flops = products.flops;
    pair.units = rollout_unit_starts(&u.roll, 0);
    report_add(report, &pair);
    products_release(&products);
    unit_close(&u);
}
