#include "support/worlds.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "support/check.h"

/* Positions within the box, away from its walls but not so far that none is reached. */
static void fill_data(float *data)
{
    Rng rng = rng_make(4, RNG_TEST, 0, 0);
    for (int i = 0; i < DATA; i++) {
        rng_fill_uniform(&rng, -1.5F, 1.5F, data + (size_t)i * STRIDE, STRIDE);
    }
}

World *world_make(void)
{
    World *w = NULL;
    const EnsembleConfig ens = {.members = MEMBERS,
                                .elites = 2,
                                .state_dim = S,
                                .act_dim = A,
                                .hidden = 8,
                                .layers = 2,
                                .logvar_max = 0.5F,
                                .logvar_min = -10};
    const AgentConfig agent = {.state_dim = S,
                               .act_dim = A,
                               .hidden = 8,
                               .layers = 2,
                               .alpha = 1,
                               .log_std_min = -20,
                               .log_std_max = 2};

    CHECK_OK(mem_alloc(&w, 1, sizeof *w, "test"));
    CHECK_OK(ensemble_init(&w->ens, &ens, 8));
    CHECK_OK(agent_init(&w->agent, agent_find("sac"), &agent, 0, 8));
    w->ens.elite[0] = 2; /* not 1 */
    w->ens.elite[1] = 0;
    ensemble_freeze(&w->ens);
    fill_data(w->data);
    w->roll = (Rollout){.ens = &w->ens,
                        .agent = &w->agent,
                        .env = env_find("pointmass"),
                        .penalty = penalty_find("max_std"),
                        .rec = record_make(S, A),
                        .dataset = w->data,
                        .dataset_rows = DATA,
                        .batch = BATCH,
                        .units = UNITS,
                        .horizon = HORIZON,
                        .lambda = 1.5F,
                        .seed = 12};
    CHECK_OK(arena_init(&w->tmp, rollout_cost(&w->roll))); /* it suffices, or the arena panics */
    CHECK_OK(mem_alloc(&w->records, (size_t)rollout_unit_most(&w->roll) * STRIDE, sizeof(float),
                       "test"));
    return w;
}

void world_free(World *w)
{
    mem_free(&w->records);
    arena_release(&w->tmp);
    agent_release(&w->agent);
    ensemble_release(&w->ens);
    mem_free(&w);
}

UnitReport world_run(World *w, int64_t epoch, int unit)
{
    UnitReport report;
    rollout_run(&w->roll, agent_actor(&w->agent), epoch, unit, &w->tmp, w->records, &report);
    assert_int_equal(w->tmp.used, 0);
    return report;
}

const float *world_record(const World *w, int64_t i)
{
    return w->records + (size_t)i * STRIDE;
}

void world_set_constant(World *w, const float *reward, const float *step, float std)
{
    for (int i = 0; i < MEMBERS; i++) {
        float *p = ensemble_member(&w->ens, i);
        float *bias = p + mlp_matrix(&w->ens.net, w->ens.cfg.layers, 0).bias;
        memset(p, 0, w->ens.net.count * sizeof *p);
        for (int y = 0; y < Y; y++) {
            bias[y] = y == 0 ? reward[i] : step[i];
            bias[Y + y] = 2 * logf(std);
            p[w->ens.net.count + (size_t)y] = 60; /* bounds out of the way */
            p[w->ens.net.count + (size_t)(Y + y)] = -60;
        }
    }
    ensemble_freeze(&w->ens);
}
