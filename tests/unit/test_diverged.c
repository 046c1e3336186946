/* Numbers that ran away are found where they stand, and named; whole runs are in tests/e2e/test_diverged.sh. */
#include "support/check.h"

#include <math.h>
#include <string.h>

#include "model/ensemble_fit.h"
#include "run/diverged.h"
#include "support/worlds.h"

static void what_is_not_finite_never_outlives_a_pass(void **state)
{
    (void)state;
    World *w = world_make();
    const Record rec = record_make(S, A);
    const Reduce reduce = reduce_local(2);
    FitData data;
    MemberFit fit;

    CHECK_OK(fit_data_init(&data, &rec, w->data, DATA, 0.2, 1000, 3));
    CHECK_OK(member_fit_init(&fit, &w->ens, &data, 1, &reduce, NULL, 3));
    const struct {
        float *at;
        const char *words;
    } places[] = {
        {ensemble_member(&w->ens, 1) + w->ens.stride - 1, "the weights of ensemble member 1"},
        {fit.m, "Adam's means of ensemble member 1"},
        {fit.v + w->ens.trained - 1, "Adam's means of ensemble member 1"}};
    CHECK_OK(member_fit_check(&fit, &w->ens, 1));
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        *places[i].at = (float)(i % 2 == 0 ? INFINITY : NAN);
        assert_int_equal(member_fit_check(&fit, &w->ens, 1), ERR_NUMERIC);
        assert_non_null(strstr(status_reason(), places[i].words));
        *places[i].at = 0;
    }
    assert_int_equal(member_fit_check(&fit, &w->ens, (double)NAN), ERR_NUMERIC);
    assert_non_null(strstr(status_reason(), "the holdout error of ensemble member 1 is nan"));
    member_fit_release(&fit);
    fit_data_release(&data);
    world_free(w);
}

/* Each array of an agent, at its first and last float. */
static void what_is_not_finite_of_an_agent_is_named(void **state)
{
    (void)state;
    World *w = world_make();
    Session s = {.uses_model = true};

    s.agent = w->agent; /* the world owns it */
    const struct {
        float *at;
        const char *words;
    } places[] = {{s.agent.params, "the weights of agent sac"},
                  {s.agent.target + s.agent.critic.count - 1, "the target critics' weights"},
                  {s.agent.m, "Adam's mean of the gradients"},
                  {s.agent.v + s.agent.trained - 1, "Adam's mean of the squared gradients"}};
    CHECK_OK(diverged_agent(&s));
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const float was = *places[i].at;
        *places[i].at = (float)(i % 2 == 0 ? NAN : INFINITY);
        assert_int_equal(diverged_agent(&s), ERR_NUMERIC);
        assert_non_null(strstr(status_reason(), places[i].words));
        *places[i].at = was;
    }
    world_free(w);
}

/* Cures go behind the reason of numbers, and of nothing else. */
static void cures_are_those_of_the_part_and_the_dataset_is_blamed_first(void **state)
{
    (void)state;
    World *w = world_make();
    Session s = {.uses_model = true, .data = {.rec = record_make(S, A), .rows = DATA}};

    s.agent = w->agent;
    s.data.records = w->data;
    assert_int_equal(diverged_cures(status_fail(ERR_IO, "full"), &s, DIVERGED_MODEL), ERR_IO);
    assert_string_equal(status_reason(), "full");
    (void)diverged_cures(status_fail(ERR_NUMERIC, "nan"), &s, DIVERGED_MODEL);
    assert_non_null(strstr(status_reason(), "nan; usual cures: a smaller model.lr"));
    (void)diverged_cures(status_fail(ERR_NUMERIC, "nan"), &s, DIVERGED_AGENT);
    assert_non_null(strstr(status_reason(), "penalty.lambda"));
    assert_non_null(strstr(status_reason(), "sac.critic_lr"));
    s.uses_model = false;
    (void)diverged_cures(status_fail(ERR_NUMERIC, "nan"), &s, DIVERGED_AGENT);
    assert_null(strstr(status_reason(), "penalty.lambda"));
    w->data[7 * STRIDE + S] = -2e15F;
    (void)diverged_cures(status_fail(ERR_NUMERIC, "nan"), &s, DIVERGED_ROLLOUT);
    assert_non_null(
        strstr(status_reason(), "the dataset went first: in transition 7 the action has"));
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_finite_never_outlives_a_pass),
        cmocka_unit_test(what_is_not_finite_of_an_agent_is_named),
        cmocka_unit_test(cures_are_those_of_the_part_and_the_dataset_is_blamed_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
