/* memory: terms are the sizes of what a run takes, whoever of the ranks has it; a peak is what is always there and the
 * largest of the phases. */
#include "support/check.h"

#include <string.h>

#include "run/memory.h"

enum { S = 3, A = 2, ROWS = 5000, MB = 1 << 20 };

/* A session as far as memory_terms looks at it: HalfCheetah's settings, small sizes. */
static void open_sizes(Session *s)
{
    *s = (Session){.uses_model = true, .needs_model = true};
    config_default(&s->cfg);
    s->task = (EnvKind){.state_dim = S, .act_dim = A};
    s->env = &s->task;
    s->data.rec = record_make(S, A);
    const EnsembleConfig ens = session_ensemble_config(&s->cfg, s->env);
    const AgentConfig agent = session_agent_config(&s->cfg, s->env);
    assert_int_equal(ensemble_init(&s->ens, &ens, 1), OK);
    assert_int_equal(agent_init(&s->agent, agent_find("sac"), &agent, 0, 1), OK);
    assert_int_equal(arena_init(&s->tmp, 1000), OK);
    s->roll = (Rollout){.rec = s->data.rec,
                        .batch = s->cfg.rollout.batch,
                        .units = s->cfg.rollout.units,
                        .horizon = s->cfg.rollout.horizon};
}

static void close_sizes(Session *s)
{
    ensemble_release(&s->ens);
    agent_release(&s->agent);
    arena_release(&s->tmp);
}

static Plan plan_of(const Session *s, int ranks, int learners)
{
    return (Plan){.ranks = ranks,
                  .cores = ranks,
                  .learners = learners,
                  .shards = s->cfg.train.shards,
                  .units = s->cfg.rollout.units,
                  .episodes = s->cfg.eval.episodes};
}

/* Bytes of a term, 0 where it is not there; over all ranks. */
static double sum_of(const Session *s, const Plan *plan, const char *name)
{
    double sum = 0;
    for (int r = 0; r < plan->ranks; r++) {
        MemoryTerm terms[MEMORY_TERMS_MAX];
        const int n = memory_terms(s, plan, r, ROWS, 0, terms);
        assert_true(n > 0 && n <= MEMORY_TERMS_MAX);
        for (int i = 0; i < n; i++) {
            assert_true(terms[i].bytes > 0);
            sum += strcmp(terms[i].name, name) == 0 ? terms[i].bytes : 0;
        }
    }
    return sum;
}

/* Each row of the model's, each member, each gradient lies on one rank, on however many there are. */
static void what_ranks_share_out_is_there_once(void **state)
{
    (void)state;
    Session s;

    open_sizes(&s);
    const double row = (double)(s.data.rec.stride * sizeof(float));
    const double rings = 50000.0 * 5 * 5 * row;
    const double grads = 4.0 * (double)(s.agent.grad_stride * sizeof(float));
    const double members = 7.0 * (2.0 * (double)s.ens.stride + 2.0 * (double)s.ens.trained) * 4;
    for (int ranks = 1; ranks <= 32; ranks++) {
        for (int l = 1; l <= 4 && l <= ranks; l *= 2) {
            const Plan plan = plan_of(&s, ranks, l);
            CHECK_NEAR(sum_of(&s, &plan, "model rows"), rings, 0, 1e-12);
            CHECK_NEAR(sum_of(&s, &plan, "gradients of shards"), grads, 0, 1e-12);
            CHECK_NEAR(sum_of(&s, &plan, "members for a checkpoint"), members, 0, 1e-12);
            CHECK_NEAR(sum_of(&s, &plan, "dataset"), ranks * ROWS * row, 0, 1e-12);
            /* slots of 64 units of 782 rows x 5 at most, where somebody sends any */
            CHECK_NEAR(sum_of(&s, &plan, "rows that arrive"), ranks > l ? 64 * 782 * 5 * row : 0, 0,
                       1e-12);
        }
    }
    close_sizes(&s);
}

/* A team has one member's moments on each of its ranks, and its gradients once. */
static void teams_repeat_all_of_a_member_but_its_gradients(void **state)
{
    (void)state;
    Session s;
    static const char name[] = "gradients, Adam, best state of members";

    open_sizes(&s);
    const Plan alone = plan_of(&s, 7, 1);
    const Plan teams = plan_of(&s, 14, 1);
    const double trained = 4.0 * (double)s.ens.trained;
    const double stride = 4.0 * (double)s.ens.stride;
    CHECK_NEAR(sum_of(&s, &alone, name), 7 * (4 * trained + stride), 0, 1e-12);
    CHECK_NEAR(sum_of(&s, &teams, name), 14 * (3 * trained + stride), 0, 1e-12);
    close_sizes(&s);
}

static void without_a_model_nothing_of_it_is_there(void **state)
{
    (void)state;
    MemoryTerm terms[MEMORY_TERMS_MAX];
    Session s;

    open_sizes(&s);
    s.uses_model = false;
    s.needs_model = false;
    const Plan plan = plan_of(&s, 4, 4);
    const int n = memory_terms(&s, &plan, 0, ROWS, 5 * MB, terms);
    for (int i = 0; i < n; i++) {
        assert_true(terms[i].when != MEMORY_FIT);
        assert_string_not_equal(terms[i].name, "model rows");
    }
    CHECK_NEAR(terms[0].bytes, 5.0 * MB, 0, 1e-12);
    close_sizes(&s);
}

static void the_peak_has_the_largest_phase(void **state)
{
    (void)state;
    const MemoryTerm terms[] = {{.name = "a", .bytes = 10, .when = MEMORY_ALWAYS, .shared = true},
                                {.name = "b", .bytes = 20, .when = MEMORY_ALWAYS},
                                {.name = "c", .bytes = 7, .when = MEMORY_FIT},
                                {.name = "d", .bytes = 4, .when = MEMORY_LEARN},
                                {.name = "e", .bytes = 5, .when = MEMORY_LEARN},
                                {.name = "f", .bytes = 3, .when = MEMORY_PROGRAM},
                                {.name = "g", .bytes = 100, .when = MEMORY_COLLECT}};

    CHECK_NEAR(memory_peak(terms, 4), 37, 1e-12, 0);
    CHECK_NEAR(memory_peak(terms, 5), 39, 1e-12, 0);
    CHECK_NEAR(memory_peak(terms, 6), 42, 1e-12, 0);
    CHECK_NEAR(memory_peak(terms, 7), 103, 1e-12, 0);
    CHECK_NEAR(memory_shared(terms, 5), 10, 1e-12, 0);
}

static void the_system_knows_a_process(void **state)
{
    (void)state;
    const double now = memory_status("VmRSS");

    assert_true(now > MB / 10);
    assert_true(memory_status("VmHWM") >= now);
    CHECK_NEAR(memory_status("VmNothing"), 0, 0, 0);
    memory_note_base();
    assert_true(memory_base() >= now / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_ranks_share_out_is_there_once),
        cmocka_unit_test(teams_repeat_all_of_a_member_but_its_gradients),
        cmocka_unit_test(without_a_model_nothing_of_it_is_there),
        cmocka_unit_test(the_peak_has_the_largest_phase),
        cmocka_unit_test(the_system_knows_a_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
