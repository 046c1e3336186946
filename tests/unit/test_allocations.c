/* Nothing is allocated where the time goes, by us or by a library: the second update of every agent, rollout
 * under every penalty, episode of every task, pass over the ensemble's data. The first may set something up. */
#include "support/check.h"

#include <stdlib.h>

#include "base/mem.h"
#include "data/record.h"
#include "model/ensemble_fit.h"
#include "nn/gemm.h"
#include "run/evaluate.h"
#include "support/agents.h"
#include "support/count_mallocs.h"
#include "support/worlds.h"

/* Whatever way it takes. volatile: the compiler would leave out a block that nobody uses. */
static void the_count_sees_all_that_is_allocated(void **state)
{
    (void)state;
    const int64_t before = mallocs_counted();
    float *ours = NULL;
    void *volatile a = malloc(10);
    void *volatile b = calloc(2, 10);
    b = realloc(b, 100000);
    CHECK_OK(mem_alloc(&ours, 3, sizeof *ours, "test"));
    assert_true(mallocs_counted() >= before + 4);
    free(a);
    free(b);
    mem_free(&ours);
    const EnvKind *kind = env_find("halfcheetah");
    Env *env = NULL;
    const int64_t closed = mallocs_counted();
    CHECK_OK(kind->open(&env, kind));
    assert_true(mallocs_counted() > closed + 1); /* more than our own block: MuJoCo's */
    kind->close(env);
}

static void no_agent_allocates_in_an_update(void **state)
{
    (void)state;
    enum { ROWS = 16, SHARDS = 2, PART = ROWS / SHARDS, ROW = 10 };
    float rows[ROWS * ROW];
    float stats[STAT_COUNT];
    Rng rng = rng_make(1, RNG_TEST, 0, 0);
    const AgentConfig cfg = bench_config();
    const Reduce reduce = reduce_local(SHARDS);
    const Batch batch[SHARDS] = {{rows, PART}, {rows + PART * ROW, PART}};

    rng_fill_uniform(&rng, -1, 1, rows, ROWS * ROW);
    for (int i = 0; agent_row(i) != NULL; i++) {
        const AgentKind *kind = agent_row(i);
        Bench b = bench_init(kind, &cfg, SHARDS, PART);
        const int first = kind->prepare != NULL ? (int)kind->prepare_updates(&b.agent) : 0;
        for (int k = 0; k < first; k++) {
            const int64_t before = mallocs_counted();
            CHECK_OK(kind->prepare(&b.agent, batch, ROWS, &reduce, 5, &b.tmp, stats));
            assert_true(k == 0 || mallocs_counted() == before);
        }
        for (int k = 0; k < 4; k++) {
            const int64_t before = mallocs_counted();
            CHECK_OK(kind->update(&b.agent, batch, ROWS, &reduce, 5, &b.tmp, stats));
            if (k > 0 && mallocs_counted() != before) {
                fail_msg("%s: %d allocations in update %d", kind->name,
                         (int)(mallocs_counted() - before), k);
            }
        }
        bench_release(&b);
    }
}

static void zero_truth(void *ctx, const float *sa, int rows, float *next)
{
    (void)ctx;
    (void)sa;
    for (int i = 0; i < rows * S; i++) {
        next[i] = 0;
    }
}

static void no_penalty_allocates_in_a_rollout(void **state)
{
    (void)state;
    const Truth truth = {.next = zero_truth};
    World *w = world_make();

    w->roll.truth = &truth;
    w->roll.halt = (Halt){.threshold = 0.5F, .form = HALT_CUT};
    for (int i = 0; penalty_row(i) != NULL; i++) {
        w->roll.penalty = penalty_row(i);
        for (int k = 0; k < UNITS; k++) {
            const int64_t before = mallocs_counted();
            const UnitReport report = world_run(w, 1, k);
            assert_true(report.rows > 0);
            if (k > 0 && mallocs_counted() != before) {
                fail_msg("%s: %d allocations in unit %d", w->roll.penalty->name,
                         (int)(mallocs_counted() - before), k);
            }
        }
    }
    world_free(w);
}

static void no_task_allocates_in_an_episode(void **state)
{
    (void)state;
    for (int i = 0; env_kind(i) != NULL; i++) {
        const EnvKind *kind = env_kind(i);
        AgentConfig cfg = bench_config();
        cfg.state_dim = kind->state_dim;
        cfg.act_dim = kind->act_dim;
        Bench b = bench_init(agent_find("sac"), &cfg, 1, 8);
        Arena tmp = {0};
        Env *env = NULL;
        EpisodeEntry entry;
        for (int candidates = 0; candidates < 6; candidates += 5) {
            const Player player = {.env = kind,
                                   .actor = &b.agent.actor,
                                   .squash = &b.agent.squash,
                                   .params = agent_actor(&b.agent),
                                   .candidates = candidates,
                                   .critic = &b.agent.critic,
                                   .values = agent_actor(&b.agent) + b.agent.at_critic};
            CHECK_OK(arena_init(&tmp, play_cost(&player)));
            CHECK_OK(kind->open(&env, kind));
            for (int k = 0; k < 2; k++) {
                const int64_t before = mallocs_counted();
                CHECK_OK(play_episode(&player, env, k, &tmp, &entry));
                if (k > 0 && mallocs_counted() != before) {
                    fail_msg("%s: %d allocations in an episode", kind->name,
                             (int)(mallocs_counted() - before));
                }
            }
            kind->close(env);
            arena_release(&tmp);
        }
        bench_release(&b);
    }
}

static void no_pass_over_the_ensembles_data_allocates(void **state)
{
    (void)state;
    World *w = world_make();
    FitData data = {0};
    MemberFit fit = {0};
    Arena tmp = {0};
    double loss = 0;
    const Record rec = record_make(S, A);
    const Reduce reduce = reduce_local(2);

    CHECK_OK(fit_data_init(&data, &rec, w->data, DATA, 0.2, 1000, 3));
    CHECK_OK(fit_data_scales(&data, &w->ens));
    CHECK_OK(member_fit_init(&fit, &w->ens, &data, 0, &reduce, NULL, 3));
    CHECK_OK(arena_init(&tmp, member_fit_cost(&w->ens, &data, 16)));
    for (int pass = 0; pass < 3; pass++) {
        const int64_t before = mallocs_counted();
        CHECK_OK(member_fit_pass(&fit, &w->ens, &data, pass, 16, 1e-3, 3, &tmp, &loss));
        (void)member_fit_judge(&fit, &w->ens, member_fit_holdout(&w->ens, &data, 0, &tmp), 0.01);
        assert_true(pass == 0 || mallocs_counted() == before);
    }
    arena_release(&tmp);
    member_fit_release(&fit);
    fit_data_release(&data);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_count_sees_all_that_is_allocated),
        cmocka_unit_test(no_agent_allocates_in_an_update),
        cmocka_unit_test(no_penalty_allocates_in_a_rollout),
        cmocka_unit_test(no_task_allocates_in_an_episode),
        cmocka_unit_test(no_pass_over_the_ensembles_data_allocates),
    };
    gemm_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
