/* env: every row of the table keeps the contract, under settings far apart; scores; what the
 * simulator says of a wrong model; pointmass. */
#include "support/check.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "env/mj.h"
#include "support/envs.h"

/* ---- contract, for every row ---- */

/* All that a version can differ in, both ways. */
static const EnvConfig configs[] = {
    {0},
    {.exact_inertia = true,
     .v5_foot = true,
     .v5_bonus = true,
     .forces = FORCES_REAL_V5,
     .behavior_reward = true,
     .jump_max = true,
     .jump_no_height = true,
     .jump_fixed = true,
     .angle_no_bonus = true,
     .clip_actions = true},
    {.exact_inertia = true, .v5_bonus = true, .forces = FORCES_REAL, .jump_fixed = true},
    {.forces = FORCES_ZERO, .clip_actions = true},
};

/* `check` with every row under every config; nothing may leak. */
static void with_every_task(void (*check)(const EnvKind *kind, Env *env))
{
    for (int i = 0; env_kind(i) != NULL; i++) {
        for (size_t c = 0; c < sizeof configs / sizeof *configs; c++) {
            const int64_t blocks = mem_count();
            EnvKind kind;
            Env *env = open_task(&kind, env_kind(i)->name, configs[c]);
            check(&kind, env);
            kind.close(env);
            assert_int_equal(mem_count(), blocks);
        }
    }
}

static void rows_are_complete_and_found_by_name(void **state)
{
    (void)state;
    for (int i = 0; env_kind(i) != NULL; i++) {
        const EnvKind *kind = env_kind(i);
        assert_ptr_equal(env_find(kind->name), kind);
        assert_true(kind->state_dim > 0 && kind->state_dim <= DIM_MAX);
        assert_true(kind->act_dim > 0 && kind->act_dim <= DIM_MAX);
        assert_true(kind->nq > 0 && kind->nq <= DIM_MAX && kind->nv > 0 && kind->nv <= DIM_MAX);
        assert_true(kind->horizon > 0 && strlen(kind->source) > 0);
        assert_true((kind->motion == NULL) == (kind->reward == NULL));
    }
    assert_null(env_find("no such task"));
    EnvKind task;
    assert_int_equal(env_configure(&task, "halfchetah", &(EnvConfig){0}), ERR_CONFIG);
    assert_non_null(strstr(status_reason(), "; did you mean halfcheetah?"));
    assert_null(env_kind(-1));
    assert_null(env_kind(1000));
}

/* The last observation of an episode of random actions, cut after `steps`. Other environments may
 * be stepped in between: `other` (NULL: none). */
static void play(const EnvKind *kind, Env *env, Env *other, int steps, float *s)
{
    Rng reset = rng_make(3, RNG_TEST, 0, 0);
    Rng draw = rng_make(3, RNG_TEST, 0, 1);
    Rng noise = rng_make(3, RNG_TEST, 0, 2);
    float action[DIM_MAX];
    EnvStep step = {0};

    CHECK_OK(kind->reset(env, &reset));
    for (int t = 0; t < steps; t++) {
        draw_action(kind, &draw, action);
        CHECK_OK(kind->step(env, action, &step));
        if (other != NULL) {
            draw_action(kind, &noise, action);
            CHECK_OK(kind->step(other, action, &step));
        }
    }
    kind->observe(env, s);
}

static void all_finite(const EnvKind *kind, const float *s)
{
    for (int j = 0; j < kind->state_dim; j++) {
        assert_true(isfinite(s[j]));
    }
}

static void check_repeats(const EnvKind *kind, Env *a)
{
    Env *b = NULL;
    float s[DIM_MAX];
    float again[DIM_MAX];
    Rng rng = rng_make(9, RNG_TEST, 0, 0);

    CHECK_OK(kind->open(&b, kind));
    CHECK_OK(kind->reset(b, &rng));
    memset(s, 0x55, sizeof s);
    memset(again, 0x55, sizeof again); /* entries beyond S stay as they are */
    play(kind, a, NULL, 60, s);
    play(kind, a, b, 60, again);
    assert_memory_equal(s, again, sizeof s);
    all_finite(kind, s);
    kind->close(b);
}

static void same_draws_give_the_same_episode_whatever_else_runs(void **state)
{
    (void)state;
    with_every_task(check_repeats);
}

static void check_set_state(const EnvKind *kind, Env *env)
{
    double qpos[2][DIM_MAX] = {{0}};
    double qvel[2][DIM_MAX] = {{0}};
    float s[2][DIM_MAX] = {{0}};
    float action[DIM_MAX] = {0.5F, -0.25F};
    EnvStep step[2] = {{0}};

    play(kind, env, NULL, 20, s[0]);
    kind->get_state(env, qpos[0], qvel[0]);
    for (int k = 0; k < 2; k++) {
        CHECK_OK(kind->set_state(env, qpos[0], qvel[0]));
        kind->get_state(env, qpos[1], qvel[1]);
        for (int i = 0; i < kind->nq; i++) { /* a quaternion is normalized again */
            CHECK_NEAR(qpos[1][i], qpos[0][i], 1e-15, 1e-15);
        }
        assert_memory_equal(qvel[0], qvel[1], sizeof qvel[0]);
        CHECK_OK(kind->step(env, action, &step[k]));
        kind->observe(env, s[k]);
    }
    assert_memory_equal(s[0], s[1], sizeof s[0]);
    CHECK_NEAR(step[0].reward, step[1].reward, 0, 0);
}

static void a_state_that_was_read_can_be_set(void **state)
{
    (void)state;
    with_every_task(check_set_state);
}

/* Nothing of what a simulator did before is left behind a state that is set. */
static void check_set_state_forgets(const EnvKind *kind, Env *env)
{
    double qpos[DIM_MAX] = {0};
    double qvel[DIM_MAX] = {0};
    float s[2][DIM_MAX] = {{0}};
    Env *fresh = NULL;

    CHECK_OK(kind->open(&fresh, kind));
    play(kind, env, NULL, 5, s[0]);
    kind->get_state(env, qpos, qvel);
    play(kind, env, NULL, 40, s[0]);
    CHECK_OK(kind->set_state(env, qpos, qvel));
    CHECK_OK(kind->set_state(fresh, qpos, qvel));
    kind->observe(env, s[0]);
    kind->observe(fresh, s[1]);
    assert_memory_equal(s[0], s[1], sizeof s[0]);
    play(kind, env, NULL, 30, s[0]);
    play(kind, fresh, NULL, 30, s[1]);
    assert_memory_equal(s[0], s[1], sizeof s[0]);
    kind->close(fresh);
}

static void a_set_state_forgets_what_was_before(void **state)
{
    (void)state;
    with_every_task(check_set_state_forgets);
}

/* A state out of an observation shows as that observation, so it comes out of it once more. */
static void check_state_of(const EnvKind *kind, Env *env)
{
    double qpos[2][DIM_MAX] = {{0}};
    double qvel[2][DIM_MAX] = {{0}};
    float s[DIM_MAX];

    play(kind, env, NULL, 20, s);
    for (int k = 0; k < 2 && kind->state_of != NULL; k++) {
        assert_true(kind->state_of(kind, s, qpos[k], qvel[k]));
        CHECK_OK(kind->set_state(env, qpos[k], qvel[k]));
        kind->observe(env, s);
    }
    for (int i = 0; i < DIM_MAX; i++) { /* single precision, where a quaternion is normalized */
        CHECK_NEAR(qpos[1][i], qpos[0][i], 1e-6, 1e-6);
        CHECK_NEAR(qvel[1][i], qvel[0][i], 1e-6, 1e-6);
    }
    s[1] = (float)NAN;
    assert_false(kind->state_of != NULL && kind->state_of(kind, s, qpos[0], qvel[0]));
}

static void a_state_comes_out_of_its_observation(void **state)
{
    (void)state;
    with_every_task(check_state_of);
}

/* Actions beyond [-1, 1], because rewards may depend on who clips them. */
static void check_reward(const EnvKind *kind, Env *env)
{
    Rng rng = rng_make(8, RNG_TEST, 0, 0);

    CHECK_OK(kind->reset(env, &rng));
    for (int t = 0; t < 30 && kind->reward != NULL; t++) {
        float action[DIM_MAX];
        double given[DIM_MAX];
        EnvStep step = {0};
        Motion motion;
        rng_fill_uniform(&rng, -1.5F, 1.5F, action, (size_t)kind->act_dim);
        for (int i = 0; i < kind->act_dim; i++) {
            const double a = (double)action[i];
            given[i] = kind->config.clip_actions ? fmin(1, fmax(-1, a)) : a;
        }
        CHECK_OK(kind->step(env, action, &step));
        kind->motion(env, &motion);
        CHECK_NEAR(step.reward, (float)kind->reward(kind, &motion, given), 0, 0);
    }
}

static void the_reward_is_a_function_of_the_motion(void **state)
{
    (void)state;
    with_every_task(check_reward);
}

static void check_ends(const EnvKind *kind, Env *env)
{
    int ends = 0;
    for (uint32_t episode = 0; episode < 10; episode++) {
        Rng rng = rng_make(4, RNG_TEST, 0, episode);
        float s[2][DIM_MAX];
        float action[DIM_MAX];
        EnvStep step = {0};
        CHECK_OK(kind->reset(env, &rng));
        for (int t = 0; t < 50 && !step.terminal; t++) {
            kind->observe(env, s[0]);
            draw_action(kind, &rng, action);
            CHECK_OK(kind->step(env, action, &step));
            kind->observe(env, s[1]);
            assert_int_equal(kind->terminates(kind, s[0], action, s[1]), step.terminal);
        }
        ends += step.terminal;
    }
    assert_true(ends == 0 || kind->terminates != env_find("none")->terminates);
}

static void terminates_agrees_with_stepping(void **state)
{
    (void)state;
    with_every_task(check_ends);
}

static void check_refusals(const EnvKind *kind, Env *env)
{
    double qpos[DIM_MAX] = {0};
    double qvel[DIM_MAX] = {0};
    float action[DIM_MAX] = {(float)NAN};
    float s[DIM_MAX];
    EnvStep step = {0};
    Rng rng = rng_make(5, RNG_TEST, 0, 0);

    CHECK_OK(kind->reset(env, &rng));
    assert_int_equal(kind->step(env, action, &step), ERR_ENV);
    assert_non_null(strstr(status_reason(), kind->name));
    qvel[1] = (double)INFINITY;
    assert_int_equal(kind->set_state(env, qpos, qvel), ERR_ENV);
    play(kind, env, NULL, 10, s);
    all_finite(kind, s);
}

static void numbers_that_are_not_finite_are_refused_and_do_not_stick(void **state)
{
    (void)state;
    with_every_task(check_refusals);
    assert_false(file_exists("MUJOCO_LOG.TXT"));
}

static void refused_memory_is_reported_and_nothing_leaks(void **state)
{
    (void)state;
    for (int i = 0; env_kind(i) != NULL; i++) {
        const int64_t blocks = mem_count();
        Env *env = NULL;
        Status st = ERR_NOMEM;
        for (int64_t k = 1; st != OK; k++) {
            mem_fail_at(k);
            st = env_kind(i)->open(&env, env_kind(i));
            mem_fail_at(0);
            assert_true(st == OK || (st == ERR_NOMEM && env == NULL && mem_count() == blocks));
        }
        env_kind(i)->close(env);
        assert_int_equal(mem_count(), blocks);
    }
}

static void score_is_0_at_the_random_and_100_at_the_expert_return(void **state)
{
    (void)state;
    const EnvKind *kind = env_find("halfcheetah");
    CHECK_NEAR(env_normalized_score(kind, -280.178953), 0, 0, 1e-12);
    CHECK_NEAR(env_normalized_score(kind, 12135), 100, 1e-12, 0);
    CHECK_NEAR(env_normalized_score(kind, 5000), 42.5300, 1e-5, 0); /* 5280.178953 / 12415.178953 */
    EnvKind none = *kind;
    none.ref_min = none.ref_max = 0;
    assert_true(isnan(env_normalized_score(&none, 1)));
}

/* ---- the simulator ---- */

static void a_wrong_model_is_explained(void **state)
{
    (void)state;
    MjSim *sim = NULL;
    assert_int_equal(mjsim_open(&sim, "broken", "<mujoco><worldbody><geom/></mujoco>", 1), ERR_ENV);
    assert_null(sim);
    assert_non_null(strstr(status_reason(), "broken: MuJoCo does not take the model: "));
    CHECK_OK(mjsim_open(&sim, "empty", "<mujoco/>", 1));
    assert_int_equal(mjsim_set_inertials(sim, &(MjInertial){.body = "leg"}, 1), ERR_ENV);
    assert_string_equal(status_reason(), "empty: no body is called 'leg'");
    assert_int_equal(mjsim_set_friction(sim, "foot", 1.9), ERR_ENV);
    assert_string_equal(status_reason(), "empty: no geom is called 'foot'");
    mjsim_close(sim);
}

/* ---- pointmass ---- */

static void spring_and_damper(const float *s, float *a)
{
    for (int i = 0; i < 2; i++) {
        a[i] = fminf(1, fmaxf(-1, -7 * s[i] - 3.5F * s[2 + i]));
    }
}

static void pointmass_has_its_reference_returns(void **state)
{
    (void)state;
    const EnvKind *kind = env_find("pointmass");
    CHECK_NEAR(play_episodes(kind, 4000, NULL).mean, kind->ref_min, 0, 1.5);
    CHECK_NEAR(play_episodes(kind, 1000, spring_and_damper).mean, kind->ref_max, 0, 0.3);
}

static void pointmass_steps_as_its_formula_says(void **state)
{
    (void)state;
    EnvKind kind;
    Env *env = open_task(&kind, "pointmass", (EnvConfig){0});
    const float action[2] = {0.5F, -3};
    float s[4];
    EnvStep step = {0};

    CHECK_OK(kind.set_state(env, (double[]){1, -1.9}, (double[]){0.2, -1}));
    CHECK_OK(kind.step(env, action, &step));
    kind.observe(env, s);
    const float want[4] = {1.025F, -2.01F, 0.25F, -1.1F};
    CHECK_CLOSE(s, want, 4, 1e-6, 0);
    CHECK_NEAR(step.reward, exp(-(1.025 * 1.025 + 2.01 * 2.01)) - 0.01 * 9.25, 1e-6, 0);
    assert_true(step.terminal);
    kind.close(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_complete_and_found_by_name),
        cmocka_unit_test(same_draws_give_the_same_episode_whatever_else_runs),
        cmocka_unit_test(a_state_that_was_read_can_be_set),
        cmocka_unit_test(a_set_state_forgets_what_was_before),
        cmocka_unit_test(a_state_comes_out_of_its_observation),
        cmocka_unit_test(the_reward_is_a_function_of_the_motion),
        cmocka_unit_test(terminates_agrees_with_stepping),
        cmocka_unit_test(numbers_that_are_not_finite_are_refused_and_do_not_stick),
        cmocka_unit_test(refused_memory_is_reported_and_nothing_leaks),
        cmocka_unit_test(score_is_0_at_the_random_and_100_at_the_expert_return),
        cmocka_unit_test(a_wrong_model_is_explained),
        cmocka_unit_test(pointmass_has_its_reference_returns),
        cmocka_unit_test(pointmass_steps_as_its_formula_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
