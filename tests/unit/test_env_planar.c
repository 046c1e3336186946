/* The planar robots' rules, worked by hand: start states, observations, rewards, ends, settings; and
 * returns of random actions as others measured them. */
#include "support/check.h"

#include <math.h>
#include <string.h>

#include "env/planar.h"
#include "support/envs.h"

enum { N_MAX = 9 };

typedef struct {
    const char *task;
    double start_z; /* qpos0[1] */
    double pos_width, vel_width;
    bool vel_is_normal;
} Start;

static const Start starts[] = {
    {"halfcheetah", 0, 0.1, 0.1, true},
    {"halfcheetah-jump", 0, 0.1, 0.1, true},
    {"hopper", 1.25, 0.005, 0.005, false},
    {"walker2d", 1.25, 0.005, 0.005, false},
};
enum { TASKS = sizeof starts / sizeof *starts };

/* Mean and spread of n draws x whose deviation is `deviation`, in their sampling error. */
static void check_moments(const double *sums, int n, double deviation)
{
    const double mean = sums[0] / n;
    const double spread = sqrt(sums[1] / n);
    CHECK_NEAR(mean, 0, 0, 5 * deviation / sqrt(n));
    CHECK_NEAR(spread, deviation, 5 / sqrt(2.0 * n), 0);
}

static void check_start(const Start *start)
{
    enum { EPISODES = 600 };
    EnvKind kind;
    Env *env = open_task(&kind, start->task, (EnvConfig){0});
    double pos[2] = {0};
    double vel[2] = {0};

    for (uint32_t k = 0; k < EPISODES; k++) {
        Rng rng = rng_make(1, RNG_TEST, 0, k);
        double qpos[N_MAX];
        double qvel[N_MAX];
        CHECK_OK(kind.reset(env, &rng));
        kind.get_state(env, qpos, qvel);
        qpos[1] -= start->start_z;
        for (int i = 0; i < kind.nq; i++) {
            assert_true(fabs(qpos[i]) <= start->pos_width * (1 + 1e-12));
            assert_true(start->vel_is_normal || fabs(qvel[i]) <= start->vel_width);
            pos[0] += qpos[i];
            pos[1] += qpos[i] * qpos[i];
            vel[0] += qvel[i];
            vel[1] += qvel[i] * qvel[i];
        }
    }
    check_moments(pos, EPISODES * kind.nq, start->pos_width / sqrt(3));
    check_moments(vel, EPISODES * kind.nq, start->vel_width / (start->vel_is_normal ? 1 : sqrt(3)));
    kind.close(env);
}

static void start_states_are_spread_as_published(void **state)
{
    (void)state;
    for (int i = 0; i < TASKS; i++) {
        check_start(&starts[i]);
    }
}

/* ---- observations ---- */

static void observations_are_positions_without_x_and_clipped_velocities(void **state)
{
    (void)state;
    for (int t = 0; t < TASKS; t++) {
        EnvKind kind;
        Env *env = open_task(&kind, starts[t].task, (EnvConfig){.jump_no_height = true});
        const double limit = starts[t].vel_is_normal ? 1000 : 10;
        double qpos[2][N_MAX] = {{5, 1.1, 0.05, -0.2, -0.3, 0.1, -0.4, -0.5, 0.2}};
        double qvel[2][N_MAX] = {{1, 9.5, -10.5, 12, 3, -99, 7, 10, -1}};
        float s[DIM_MAX];

        CHECK_OK(kind.set_state(env, qpos[0], qvel[0]));
        kind.observe(env, s);
        assert_true(kind.state_of(&kind, s, qpos[1], qvel[1]));
        assert_int_equal(kind.state_dim, kind.nq + kind.nv - 1);
        for (int i = 0; i < kind.nq; i++) {
            CHECK_NEAR(qpos[1][i], i == 0 ? 0 : (float)qpos[0][i], 0, 0);
            CHECK_NEAR(qvel[1][i], (float)fmin(limit, fmax(-limit, qvel[0][i])), 0, 0);
            assert_true(i == 0 || s[i - 1] == (float)qpos[1][i]);
            assert_true(s[kind.nq - 1 + i] == (float)qvel[1][i]);
        }
        s[kind.state_dim - 1] = (float)INFINITY;
        assert_false(kind.state_of(&kind, s, qpos[1], qvel[1]));
        kind.close(env);
    }
}

static void jumping_shows_the_height_that_the_reward_takes(void **state)
{
    (void)state;
    EnvKind kind;
    Env *env = open_task(&kind, "halfcheetah-jump", (EnvConfig){0});
    const float action[6] = {1, 1, 1, -1, -1, -1};
    Rng rng = rng_make(2, RNG_TEST, 0, 0);
    double qpos[N_MAX];
    double qvel[N_MAX];
    float s[18];
    EnvStep step;
    Motion motion;

    assert_int_equal(kind.state_dim, 18);
    CHECK_OK(kind.reset(env, &rng));
    kind.observe(env, s);
    const double start = 0.7 + mjsim_qpos(env->sim)[1];
    CHECK_NEAR(s[8], start, 1e-6, 0);
    for (int t = 0; t < 3; t++) {
        const double before = t == 0 ? start : motion.after[2];
        CHECK_OK(kind.step(env, action, &step));
        kind.observe(env, s);
        kind.motion(env, &motion);
        CHECK_NEAR(motion.before[2], before, 1e-15, 0);
        CHECK_NEAR(motion.start_z, start, 1e-15, 0);
        CHECK_NEAR(s[8], motion.after[2], 1e-7, 0);
        CHECK_NEAR(kind.height(&kind, s), motion.after[2], 1e-7, 0);
        /* one simulator step, 0.01 s, older than the position */
        const double age = 0.7 + (double)s[0] - (double)s[8];
        CHECK_NEAR(age, 0.01 * (double)s[10], 0, 0.01);
        assert_true(fabs(age) > 1e-4);
    }
    assert_true(kind.state_of(&kind, s, qpos, qvel));
    CHECK_NEAR(qpos[8], s[7], 0, 0);
    CHECK_NEAR(qvel[0], s[9], 0, 0); /* s[8] is skipped */
    CHECK_NEAR(qvel[8], s[17], 0, 0);
    kind.close(env);
}

/* ---- rewards ---- */

/* From x = 1 to 1 + way; the torso from z = 0.6 to 0.8 in an episode that began at 0.75. */
static double pay(const char *task, EnvConfig config, double way, bool healthy)
{
    const double action[6] = {0.5, -0.5, 2, 0, 0, 0}; /* |a|^2 = 4.5 */
    const Motion motion = {
        .before = {1, 0, 0.6}, .after = {1 + way, 0, 0.8}, .start_z = 0.75, .healthy = healthy};
    EnvKind kind;

    CHECK_OK(env_configure(&kind, task, &config));
    return kind.reward(&kind, &motion, action);
}

static void rewards_are_those_worked_by_hand(void **state)
{
    (void)state;
    const EnvConfig v5 = {.v5_bonus = true};
    const EnvConfig run = {.behavior_reward = true};
    const EnvConfig run_max = {.behavior_reward = true, .jump_max = true};
    const struct {
        const char *task;
        EnvConfig config;
        double way;
        bool healthy;
        double want;
    } table[] = {
        {"halfcheetah", {0}, 0.2, true, 4 - 0.45},
        {"halfcheetah", v5, -0.1, true, -2 - 0.45},
        {"hopper", {0}, 0.016, true, 2 + 1 - 0.0045},
        {"hopper", {0}, 0.016, false, 2 + 1 - 0.0045}, /* v2 to v4 pay for the fall, too */
        {"hopper", v5, 0.016, true, 2 + 1 - 0.0045},
        {"hopper", v5, 0.016, false, 2 - 0.0045},
        {"walker2d", {0}, -0.008, false, -1 + 1 - 0.0045},
        {"walker2d", v5, -0.008, false, -1 - 0.0045},
        {"halfcheetah-jump", {0}, 0.1, true, 2 - 0.45 + 15 * 0.05},
        {"halfcheetah-jump", {0}, 0.2, true, 3 - 0.45 + 15 * 0.05}, /* v = 4 counts as 3 */
        {"halfcheetah-jump", {.jump_max = true}, 0.2, true, 4 - 0.45 + 15 * 0.05},
        {"halfcheetah-jump", {.jump_max = true}, 0.1, true, 3 - 0.45 + 15 * 0.05},
        {"halfcheetah-jump", {.jump_fixed = true}, 0.1, true, 2 - 0.45 + 15 * 0.1},
        {"halfcheetah-jump", run, 0.2, true, 3 - 0.45},
        {"halfcheetah-jump", run_max, 0.2, true, 4 - 0.45},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const double got = pay(table[i].task, table[i].config, table[i].way, table[i].healthy);
        CHECK_NEAR(got, table[i].want, 0, 1e-12);
    }
}

/* Torques are clamped either way; who pays for an action of 3 is the setting. */
static void actions_are_clipped_before_the_cost_on_demand(void **state)
{
    (void)state;
    const float actions[2][6] = {{3, -2, 0.5F}, {1, -1, 0.5F}};
    float s[3][DIM_MAX] = {{0}};
    EnvStep step[3];

    for (int k = 0; k < 3; k++) { /* clipped; as given; within bounds from the start */
        EnvKind kind;
        Env *env = open_task(&kind, "hopper", (EnvConfig){.clip_actions = k == 0});
        Rng rng = rng_make(3, RNG_TEST, 0, 0);
        CHECK_OK(kind.reset(env, &rng));
        CHECK_OK(kind.step(env, actions[k == 2], &step[k]));
        kind.observe(env, s[k]);
        kind.close(env);
    }
    assert_memory_equal(s[0], s[2], sizeof s[0]);
    assert_memory_equal(s[1], s[2], sizeof s[0]);
    CHECK_NEAR(step[0].reward, step[2].reward, 0, 0);
    CHECK_NEAR(step[2].reward - step[1].reward, 0.001 * (9 + 4 - 1 - 1), 0, 1e-6);
}

/* ---- ends ---- */

/* A start state but for one number. */
typedef struct {
    const char *task;
    bool is_vel;
    int index;
    double inside, outside; /* health is strict: the limit itself is outside */
} Limit;

static const Limit limits[] = {
    {"hopper", false, 1, 0.7000001, 0.7},   {"hopper", false, 2, 0.1999999, 0.2},
    {"hopper", false, 2, -0.1999999, -0.2}, {"hopper", false, 4, 99.99, 100},
    {"hopper", false, 3, -99.99, -100},     {"hopper", true, 0, 99.99, 100},
    {"hopper", true, 5, -99.99, -100},      {"hopper", false, 1, 50, (double)INFINITY},
    {"hopper", true, 1, 0, (double)NAN},    {"walker2d", false, 1, 0.8000001, 0.8},
    {"walker2d", false, 1, 1.9999999, 2},   {"walker2d", false, 2, 0.9999999, 1},
    {"walker2d", false, 2, -0.9999999, -1}, {"walker2d", false, 1, 1, (double)NAN},
};

static void health_has_the_published_limits(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        EnvKind kind;
        Env *env = open_task(&kind, limits[i].task, (EnvConfig){0});
        double x[2][N_MAX] = {{0, 1.25}};
        double *changed = &x[limits[i].is_vel][limits[i].index];
        *changed = limits[i].inside;
        assert_true(env->planar->is_healthy(x[0], x[1]));
        *changed = limits[i].outside;
        assert_false(env->planar->is_healthy(x[0], x[1]));
        kind.close(env);
    }
}

static void predicted_states_end_beyond_the_same_limits(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        const Limit *limit = &limits[i];
        /* a little more than single precision */
        const double more = isfinite(limit->outside) ? 10 * (limit->inside - limit->outside) : 0;
        EnvKind kind;
        float s2[DIM_MAX] = {1.25F};
        CHECK_OK(env_configure(&kind, limit->task, &(EnvConfig){0}));
        float *changed = &s2[limit->is_vel ? kind.nq - 1 + limit->index : limit->index - 1];
        *changed = (float)(limit->inside + more);
        assert_false(kind.terminates(&kind, NULL, NULL, s2));
        *changed = (float)(limit->outside - more);
        assert_true(kind.terminates(&kind, NULL, NULL, s2));
    }
}

/* In flight, with a speed that the observation clips: that alone would not end the episode. */
static void health_is_judged_before_clipping(void **state)
{
    (void)state;
    EnvKind kind;
    Env *env = open_task(&kind, "hopper", (EnvConfig){0});
    const float action[3] = {0};
    const double qpos[6] = {0, 1.5};
    double qvel[6] = {120};
    float s[11];
    EnvStep step;

    CHECK_OK(kind.set_state(env, qpos, qvel));
    CHECK_OK(kind.step(env, action, &step));
    kind.observe(env, s);
    assert_true(step.terminal);
    CHECK_NEAR(s[5], 10, 0, 0);
    assert_false(kind.terminates(&kind, NULL, action, s));
    qvel[0] = 80;
    CHECK_OK(kind.set_state(env, qpos, qvel));
    CHECK_OK(kind.step(env, action, &step));
    assert_false(step.terminal);
    kind.close(env);
}

/* Both versions fall in the same step and differ by the bonus there. */
static void the_step_of_the_fall_pays_by_version(void **state)
{
    (void)state;
    for (int t = 2; t < TASKS; t++) {
        EnvStep step[2];
        for (int v5 = 0; v5 < 2; v5++) {
            EnvKind kind;
            Env *env = open_task(&kind, starts[t].task, (EnvConfig){.v5_bonus = v5 == 1});
            Rng rng = rng_make(4, RNG_TEST, 0, 0);
            float action[DIM_MAX];
            step[v5] = (EnvStep){0};
            CHECK_OK(kind.reset(env, &rng));
            for (int n = 0; n < kind.horizon && !step[v5].terminal; n++) {
                draw_action(&kind, &rng, action);
                CHECK_OK(kind.step(env, action, &step[v5]));
            }
            kind.close(env);
        }
        assert_true(step[0].terminal && step[1].terminal);
        CHECK_NEAR(step[0].reward - step[1].reward, 1, 0, 1e-6);
    }
}

/* ---- returns ---- */

static void random_actions_return_what_others_measured(void **state)
{
    (void)state;
    /* Gym's models with legacy inertials, uniform actions: halfcheetah is D4RL's published reference,
     * the falling robots means of 300 episodes, the jump's running part under max(v, 3) a sum over
     * 1000 steps. (Its height part deviates by 2100 from episode to episode, too much for a test.) */
    const struct {
        const char *task;
        EnvConfig config;
        uint32_t episodes;
        double want, slack;
    } table[] = {{"halfcheetah", {0}, 10, -280.18, 0},
                 {"hopper", {0}, 150, 17.2, 0.9},
                 {"walker2d", {0}, 150, 2.2, 0.5},
                 {"halfcheetah-jump", {.behavior_reward = true, .jump_max = true}, 3, 2800, 2}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        EnvKind kind;
        CHECK_OK(env_configure(&kind, table[i].task, &table[i].config));
        const Returns got = play_episodes(&kind, table[i].episodes, NULL);
        print_message("%s: %.1f +- %.1f, %.0f steps\n", table[i].task, got.mean, got.error,
                      got.length);
        CHECK_NEAR(got.mean, table[i].want, 0, 4 * got.error + table[i].slack);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(start_states_are_spread_as_published),
        cmocka_unit_test(observations_are_positions_without_x_and_clipped_velocities),
        cmocka_unit_test(jumping_shows_the_height_that_the_reward_takes),
        cmocka_unit_test(rewards_are_those_worked_by_hand),
        cmocka_unit_test(actions_are_clipped_before_the_cost_on_demand),
        cmocka_unit_test(health_has_the_published_limits),
        cmocka_unit_test(predicted_states_end_beyond_the_same_limits),
        cmocka_unit_test(health_is_judged_before_clipping),
        cmocka_unit_test(the_step_of_the_fall_pays_by_version),
        cmocka_unit_test(random_actions_return_what_others_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
