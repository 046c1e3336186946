/* env: every row of the table keeps the contract; halfcheetah is the published one (reference
 * trajectories, compiled masses, recordings of gym, D4RL's return of random actions); pointmass. */
#include "support/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "data/h5.h"
#include "env/planar.h"
#include "support/shared.h"

enum { DIM_MAX = 64 };

static Env *open_env(const EnvKind *kind, bool exact)
{
    Env *env = NULL;
    EnvKind task = *kind;

    task.config.exact_inertia = exact;
    CHECK_OK(kind->open(&env, &task));
    assert_non_null(env);
    return env;
}

static void draw_action(const EnvKind *kind, Rng *rng, float *action)
{
    rng_fill_uniform(rng, -1, 1, action, (size_t)kind->act_dim);
}

/* ---- contract, for every row ---- */

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
    }
    assert_null(env_find("no such task"));
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

static void same_draws_give_the_same_episode_whatever_else_runs(void **state)
{
    (void)state;
    for (int i = 0; env_kind(i) != NULL; i++) {
        const EnvKind *kind = env_kind(i);
        const int64_t blocks = mem_count();
        Env *a = open_env(kind, false);
        Env *b = open_env(kind, false);
        float s[DIM_MAX];
        float again[DIM_MAX];
        Rng rng = rng_make(9, RNG_TEST, 0, 0);

        CHECK_OK(kind->reset(b, &rng));
        memset(s, 0x55, sizeof s);
        memset(again, 0x55, sizeof again); /* entries beyond S stay as they are */
        play(kind, a, NULL, 60, s);
        play(kind, a, b, 60, again);
        assert_memory_equal(s, again, sizeof s);
        for (int j = 0; j < kind->state_dim; j++) {
            assert_true(isfinite(s[j]));
        }
        kind->close(a);
        kind->close(b);
        assert_int_equal(mem_count(), blocks);
    }
}

static void a_state_that_was_read_can_be_set(void **state)
{
    (void)state;
    for (int i = 0; env_kind(i) != NULL; i++) {
        const EnvKind *kind = env_kind(i);
        Env *a = open_env(kind, false);
        double qpos[2][DIM_MAX] = {{0}};
        double qvel[2][DIM_MAX] = {{0}};
        float s[2][DIM_MAX] = {{0}};
        float action[DIM_MAX] = {0.5F, -0.25F};
        EnvStep step[2] = {{0}};

        play(kind, a, NULL, 20, s[0]);
        kind->get_state(a, qpos[0], qvel[0]);
        for (int k = 0; k < 2; k++) {
            CHECK_OK(kind->set_state(a, qpos[0], qvel[0]));
            kind->get_state(a, qpos[1], qvel[1]);
            assert_memory_equal(qpos[0], qpos[1], sizeof qpos[0]);
            assert_memory_equal(qvel[0], qvel[1], sizeof qvel[0]);
            CHECK_OK(kind->step(a, action, &step[k]));
            kind->observe(a, s[k]);
        }
        assert_memory_equal(s[0], s[1], sizeof s[0]);
        CHECK_NEAR(step[0].reward, step[1].reward, 0, 0);
        kind->close(a);
    }
}

static void terminates_agrees_with_stepping(void **state)
{
    (void)state;
    for (int i = 0; env_kind(i) != NULL; i++) {
        const EnvKind *kind = env_kind(i);
        Env *env = open_env(kind, false);
        int ends = 0;
        for (uint32_t episode = 0; episode < 20; episode++) {
            Rng rng = rng_make(4, RNG_TEST, 0, episode);
            float s[2][DIM_MAX];
            float action[DIM_MAX];
            EnvStep step = {0};
            CHECK_OK(kind->reset(env, &rng));
            for (int t = 0; t < 100 && !step.terminal; t++) {
                kind->observe(env, s[0]);
                draw_action(kind, &rng, action);
                CHECK_OK(kind->step(env, action, &step));
                kind->observe(env, s[1]);
                assert_int_equal(kind->terminates(kind, s[0], action, s[1]), step.terminal);
            }
            ends += step.terminal;
        }
        print_message("%s: %d of 20 random episodes terminate\n", kind->name, ends);
        assert_true(strcmp(kind->name, "pointmass") != 0 || (ends > 3 && ends < 20));
        kind->close(env);
    }
}

static void numbers_that_are_not_finite_are_refused_and_do_not_stick(void **state)
{
    (void)state;
    for (int i = 0; env_kind(i) != NULL; i++) {
        const EnvKind *kind = env_kind(i);
        Env *env = open_env(kind, false);
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
        for (int j = 0; j < kind->state_dim; j++) {
            assert_true(isfinite(s[j]));
        }
        kind->close(env);
    }
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
    mjsim_close(sim);
}

/* ---- halfcheetah against others ---- */

/* n doubles of a record of tests/golden/env_halfcheetah_<inertia>.txt. */
static void golden(bool exact, const char *name, double *x, int n)
{
    char path[1024];
    char line[4096];
    char want[128];

    (void)snprintf(path, sizeof path, "%s/tests/golden/env_halfcheetah_%s.txt", MOPO_SOURCE_DIR,
                   exact ? "exact" : "legacy");
    (void)snprintf(want, sizeof want, "%s %d\n", name, n);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    bool found = false;
    while (!found && fgets(line, sizeof line, file) != NULL) {
        found = strcmp(line, want) == 0;
    }
    assert_true(found && fgets(line, sizeof line, file) != NULL);
    char *at = line;
    for (int i = 0; i < n; i++) {
        x[i] = strtod(at, &at);
    }
    (void)fclose(file);
}

static void check_all(const double *got, const double *want, int n, double rel, double abs)
{
    for (int i = 0; i < n; i++) {
        CHECK_NEAR(got[i], want[i], rel, abs);
    }
}

static void check_trajectory(bool exact, const char *amplitude)
{
    const EnvKind *kind = env_find("halfcheetah");
    Env *env = open_env(kind, exact);
    double qpos[9] = {0};
    double qvel[9] = {0};
    double want[9];
    double reward = 0;

    CHECK_OK(kind->set_state(env, qpos, qvel));
    for (int t = 0; t < 100; t++) {
        char name[32];
        double action[6];
        for (int i = 0; i < 6; i++) {
            action[i] = strtod(amplitude, NULL) * sin(0.1 * t + i);
        }
        CHECK_OK(planar_step_wide(env, action, &reward));
        if (t + 1 == 1 || t + 1 == 10 || t + 1 == 50 || t + 1 == 100) {
            kind->get_state(env, qpos, qvel);
            (void)snprintf(name, sizeof name, "amp%s.%d.qpos", amplitude, t + 1);
            golden(exact, name, want, 9);
            check_all(qpos, want, 9, 0, 1e-9);
            (void)snprintf(name, sizeof name, "amp%s.%d.qvel", amplitude, t + 1);
            golden(exact, name, want, 9);
            check_all(qvel, want, 9, 0, 1e-9);
            (void)snprintf(name, sizeof name, "amp%s.%d.reward", amplitude, t + 1);
            golden(exact, name, want, 1);
            CHECK_NEAR(reward, want[0], 0, 1e-9);
        }
    }
    kind->close(env);
}

static void halfcheetah_follows_the_reference_trajectories(void **state)
{
    (void)state;
    check_trajectory(false, "1");
    check_trajectory(false, "0.2");
    check_trajectory(true, "1");
    check_trajectory(true, "0.2");
}

static void halfcheetah_has_the_published_masses(void **state)
{
    (void)state;
    static const char *const bodies[] = {"torso",  "bthigh", "bshin", "bfoot",
                                         "fthigh", "fshin",  "ffoot"};
    for (int exact = 0; exact < 2; exact++) {
        Env *env = open_env(&env_halfcheetah, exact == 1);
        double total = 0;
        for (int i = 0; i < 7; i++) {
            MjInertial got;
            double want[4];
            char name[32];
            CHECK_OK(mjsim_get_inertial(env->sim, bodies[i], &got));
            (void)snprintf(name, sizeof name, "%s.mass", bodies[i]);
            golden(exact == 1, name, want, 1);
            CHECK_NEAR(got.mass, want[0], 1e-12, 0);
            (void)snprintf(name, sizeof name, "%s.inertia", bodies[i]);
            golden(exact == 1, name, want, 3);
            check_all(got.inertia, want, 3, 1e-12, 0);
            (void)snprintf(name, sizeof name, "%s.ipos", bodies[i]);
            golden(exact == 1, name, want, 3);
            check_all(got.pos, want, 3, 1e-12, 1e-15);
            (void)snprintf(name, sizeof name, "%s.iquat", bodies[i]);
            golden(exact == 1, name, want, 4);
            check_all(got.quat, want, 4, 1e-12, 1e-15);
            total += got.mass;
        }
        CHECK_NEAR(total, 14, 1e-12, 0);
        env_halfcheetah.close(env);
    }
}

/* Gym v4 recorded s, a, r, s' of an expert: each row is one step of our simulator. x is not in s. */
static void halfcheetah_predicts_recordings_of_gym(void **state)
{
    (void)state;
    enum { N = 2000, S = 17, A = 6 };
    const char *path = shared_file("data/berkeley_cs285/halfcheetah_expert_cs285-v4.hdf5");
    H5File *file = NULL;
    double *x = NULL;
    CHECK_OK(mem_alloc(&x, (size_t)N * (2 * S + A + 1), sizeof *x, "test"));
    double *s = x;
    double *s2 = s + (size_t)N * S;
    double *a = s2 + (size_t)N * S;
    double *r = a + (size_t)N * A;
    CHECK_OK(h5_open(&file, path));
    CHECK_OK(h5_read(file, "observations", SLAB_F64, s, (size_t)N * S));
    CHECK_OK(h5_read(file, "next_observations", SLAB_F64, s2, (size_t)N * S));
    CHECK_OK(h5_read(file, "actions", SLAB_F64, a, (size_t)N * A));
    CHECK_OK(h5_read(file, "rewards", SLAB_F64, r, N));
    h5_close(file);

    Env *env = open_env(&env_halfcheetah, true);
    double off = 0;
    double off_reward = 0;
    for (size_t t = 0; t < N; t++) {
        double qpos[9] = {0};
        double qvel[9];
        double reward = 0;
        memcpy(qpos + 1, s + t * S, 8 * sizeof *s);
        memcpy(qvel, s + t * S + 8, 9 * sizeof *s);
        CHECK_OK(env_halfcheetah.set_state(env, qpos, qvel));
        CHECK_OK(planar_step_wide(env, a + t * A, &reward));
        env_halfcheetah.get_state(env, qpos, qvel);
        for (size_t j = 0; j < S; j++) {
            const double got = j < 8 ? qpos[j + 1] : qvel[j - 8];
            off = fmax(off, fabs(got - s2[t * S + j]));
        }
        off_reward = fmax(off_reward, fabs(reward - r[t]));
    }
    print_message("largest error over %d steps: state %.2g, reward %.2g\n", (int)N, off,
                  off_reward);
    CHECK_NEAR(off, 0, 0, 1e-10);       /* 1e-11 with MuJoCo 2.2.2, 3.3.2, 3.9.0 */
    CHECK_NEAR(off_reward, 0, 0, 1e-6); /* numpy summed the control cost in single precision */
    env_halfcheetah.close(env);
    mem_free(&x);
}

/* Mean return over episodes of `act`, NULL: uniform actions. */
static double mean_return(const EnvKind *kind, uint32_t episodes,
                          void (*act)(const float *, float *))
{
    Env *env = open_env(kind, false);
    double sum = 0;
    for (uint32_t k = 0; k < episodes; k++) {
        Rng rng = rng_make(6, RNG_TEST, 0, k);
        EnvStep step = {0};
        CHECK_OK(kind->reset(env, &rng));
        for (int t = 0; t < kind->horizon && !step.terminal; t++) {
            float s[DIM_MAX];
            float action[DIM_MAX];
            kind->observe(env, s);
            if (act != NULL) {
                act(s, action);
            } else {
                draw_action(kind, &rng, action);
            }
            CHECK_OK(kind->step(env, action, &step));
            sum += (double)step.reward;
        }
    }
    kind->close(env);
    return sum / episodes;
}

static void random_actions_return_what_d4rl_measured(void **state)
{
    (void)state;
    /* D4RL: -280.18 over 100 episodes; one episode deviates by about 90, the mean of 20 by 20 */
    CHECK_NEAR(mean_return(&env_halfcheetah, 20, NULL), -280.18, 0, 4 * 20);
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
    CHECK_NEAR(mean_return(kind, 4000, NULL), kind->ref_min, 0, 1.5);
    CHECK_NEAR(mean_return(kind, 1000, spring_and_damper), kind->ref_max, 0, 0.3);
}

static void pointmass_steps_as_its_formula_says(void **state)
{
    (void)state;
    const EnvKind *kind = env_find("pointmass");
    Env *env = open_env(kind, false);
    const float action[2] = {0.5F, -3};
    float s[4];
    EnvStep step = {0};

    CHECK_OK(kind->set_state(env, (double[]){1, -1.9}, (double[]){0.2, -1}));
    CHECK_OK(kind->step(env, action, &step));
    kind->observe(env, s);
    const float want[4] = {1.025F, -2.01F, 0.25F, -1.1F};
    CHECK_CLOSE(s, want, 4, 1e-6, 0);
    CHECK_NEAR(step.reward, exp(-(1.025 * 1.025 + 2.01 * 2.01)) - 0.01 * 9.25, 1e-6, 0);
    assert_true(step.terminal);
    kind->close(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_complete_and_found_by_name),
        cmocka_unit_test(same_draws_give_the_same_episode_whatever_else_runs),
        cmocka_unit_test(a_state_that_was_read_can_be_set),
        cmocka_unit_test(terminates_agrees_with_stepping),
        cmocka_unit_test(numbers_that_are_not_finite_are_refused_and_do_not_stick),
        cmocka_unit_test(refused_memory_is_reported_and_nothing_leaks),
        cmocka_unit_test(score_is_0_at_the_random_and_100_at_the_expert_return),
        cmocka_unit_test(a_wrong_model_is_explained),
        cmocka_unit_test(halfcheetah_follows_the_reference_trajectories),
        cmocka_unit_test(halfcheetah_has_the_published_masses),
        cmocka_unit_test(halfcheetah_predicts_recordings_of_gym),
        cmocka_unit_test(random_actions_return_what_d4rl_measured),
        cmocka_unit_test(pointmass_has_its_reference_returns),
        cmocka_unit_test(pointmass_steps_as_its_formula_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
