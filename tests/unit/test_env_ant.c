/* The ant is the published one: reference trajectories, contact forces and compiled masses of
 * Gymnasium's own model (tests/golden/env_ant_*.txt), recordings of gym v4; and the rules of ant and
 * ant-angle, worked by hand. */
#include "support/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "data/h5.h"
#include "env/ant.h"
#include "support/envs.h"
#include "support/shared.h"

enum { STEPS = 100 };

/* A row of a golden trajectory. */
typedef struct {
    double qpos[ANT_NQ], qvel[ANT_NV], torso[3];
    double contact_cost, v2, v5, angle, angle_no_bonus;
    double terminated;
} Want;
enum { COLUMNS = sizeof(Want) / sizeof(double) };

static double largest(double so_far, const double *got, const double *want, int n)
{
    for (int i = 0; i < n; i++) {
        so_far = fmax(so_far, fabs(got[i] - want[i]));
    }
    return so_far;
}

static double pay(const char *task, EnvConfig config, const Motion *motion, const double *action)
{
    EnvKind kind;
    CHECK_OK(env_configure(&kind, task, &config));
    return kind.reward(&kind, motion, action);
}

/* ---- reference trajectories ---- */

/* All versions of the reward out of one Motion. */
static double reward_error(const Motion *motion, const double *action, const Want *want)
{
    const EnvConfig behavior = {.behavior_reward = true};
    const double got[] = {
        pay("ant", (EnvConfig){0}, motion, action),
        pay("ant", (EnvConfig){.forces = FORCES_REAL_V5, .v5_bonus = true}, motion, action),
        pay("ant-angle", (EnvConfig){0}, motion, action),
        pay("ant-angle", (EnvConfig){.angle_no_bonus = true}, motion, action),
        pay("ant-angle", behavior, motion, action),
    };
    const double wanted[] = {want->v2, want->v5, want->angle, want->angle_no_bonus, want->v2};
    return largest(0, got, wanted, 5);
}

/* Forces are in the file behind some steps. */
static double force_error(double so_far, const MjSim *sim, const char *text, const char *amplitude,
                          int step)
{
    double want[ANT_FORCES];
    char record[64];

    if (step != 1 && step != 10 && step != 50 && step != 100) {
        return so_far;
    }
    (void)snprintf(record, sizeof record, "amp%s.cfrc_ext.%d", amplitude, step);
    golden_doubles(text, record, 0, ANT_FORCES, want);
    return largest(so_far, mjsim_forces(sim), want, ANT_FORCES);
}

static void follow(const char *golden, bool exact, const char *amplitude)
{
    EnvKind kind;
    Env *env = open_task(&kind, "ant", (EnvConfig){.exact_inertia = exact, .forces = FORCES_REAL});
    static Want rows[STEPS];
    double off[6] = {0}; /* qpos, qvel, xpos, rewards, contact cost, forces */
    char record[32];
    char *text = golden_text(golden);

    (void)snprintf(record, sizeof record, "amp%s", amplitude);
    golden_doubles(text, record, STEPS, COLUMNS, rows[0].qpos);
    CHECK_OK(kind.set_state(env, mjsim_qpos0(env->sim), (double[ANT_NV]){0}));
    for (int t = 0; t < STEPS; t++) {
        const Want *want = &rows[t];
        double action[ANT_ACTIONS];
        double reward = 0;
        Motion motion;
        for (int i = 0; i < ANT_ACTIONS; i++) {
            action[i] = strtod(amplitude, NULL) * sin(0.1 * t + i);
        }
        CHECK_OK(ant_step_wide(env, action, &reward));
        kind.motion(env, &motion);
        off[0] = largest(off[0], mjsim_qpos(env->sim), want->qpos, ANT_NQ);
        off[1] = largest(off[1], mjsim_qvel(env->sim), want->qvel, ANT_NV);
        off[2] = largest(off[2], motion.after, want->torso, 3);
        off[3] = fmax(off[3], fabs(reward - (want->v2 - want->contact_cost)));
        off[3] = fmax(off[3], reward_error(&motion, action, want));
        off[4] = fmax(off[4], fabs(5e-4 * motion.contact_force - want->contact_cost));
        off[5] = force_error(off[5], env->sim, text, amplitude, t + 1);
        assert_int_equal(!motion.healthy, want->terminated != 0);
    }
    print_message("%s, amplitude %s: largest error of qpos %.2g, qvel %.2g, xpos %.2g, rewards "
                  "%.2g, contact cost %.2g, forces %.2g\n",
                  golden, amplitude, off[0], off[1], off[2], off[3], off[4], off[5]);
    for (int i = 0; i < 6; i++) {
        CHECK_NEAR(off[i], 0, 0, 1e-9);
    }
    mem_free(&text);
    kind.close(env);
}

static void the_ant_follows_the_reference_trajectories(void **state)
{
    (void)state;
    follow("env_ant_legacy", false, "1");
    follow("env_ant_legacy", false, "0.2");
    follow("env_ant_exact", true, "1");
    follow("env_ant_exact", true, "0.2");
}

static void check_all(const double *got, const char *text, const char *body, const char *key, int n)
{
    char record[64];
    double want[4];

    (void)snprintf(record, sizeof record, "%s.%s", body, key);
    golden_doubles(text, record, 0, n, want);
    for (int i = 0; i < n; i++) {
        CHECK_NEAR(got[i], want[i], 1e-12, 1e-15);
    }
}

static void the_ant_has_the_published_masses(void **state)
{
    (void)state;
    static const char *const parts[] = {"fixed", "hip", "ankle"};
    for (int exact = 0; exact < 2; exact++) {
        EnvKind kind;
        Env *env = open_task(&kind, "ant", (EnvConfig){.exact_inertia = exact == 1});
        char *text = golden_text(exact == 1 ? "env_ant_exact" : "env_ant_legacy");
        for (int b = 0; b < ANT_BODIES - 1; b++) {
            char body[16] = "torso";
            MjInertial got;
            if (b > 0) {
                (void)snprintf(body, sizeof body, "%s_%d", parts[(b - 1) % 3], (b - 1) / 3 + 1);
            }
            CHECK_OK(mjsim_get_inertial(env->sim, body, &got));
            check_all(&got.mass, text, body, "mass", 1);
            check_all(got.inertia, text, body, "inertia", 3);
            check_all(got.pos, text, body, "ipos", 3);
            check_all(got.quat, text, body, "iquat", 4);
        }
        CHECK_NEAR(mjsim_control_dt(env->sim), 0.05, 0, 0);
        mem_free(&text);
        kind.close(env);
    }
}

/* ---- recordings ---- */

enum { ROWS = 2000, EPISODE = 1000 };

typedef struct {
    double s[ROWS][ANT_MOVES], s2[ROWS][ANT_MOVES], a[ROWS][ANT_ACTIONS], r[ROWS];
} Recording;

static Recording *read_recording(void)
{
    const char *path = shared_file("data/berkeley_cs285/ant_expert_cs285-v4.hdf5");
    const size_t states = (size_t)ROWS * ANT_MOVES;
    Recording *rec = NULL;
    H5File *file = NULL;

    CHECK_OK(mem_alloc(&rec, 1, sizeof *rec, "test"));
    CHECK_OK(h5_open(&file, path));
    CHECK_OK(h5_read(file, "observations", SLAB_F64, rec->s, states));
    CHECK_OK(h5_read(file, "next_observations", SLAB_F64, rec->s2, states));
    CHECK_OK(h5_read(file, "actions", SLAB_F64, rec->a, (size_t)ROWS * ANT_ACTIONS));
    CHECK_OK(h5_read(file, "rewards", SLAB_F64, rec->r, ROWS));
    h5_close(file);
    return rec;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Gym v4 recorded s, a, r, s' of an expert: each row is one step of our simulator. A state that was
 * set has a fresh xpos; the recorded reward began at a stale one, by as much as the step before left
 * it behind. Median and maximum of the error of s', maximum of that of r. */
static void predict(const Recording *rec, bool exact, int rows, double off[3])
{
    EnvKind kind;
    Env *env = open_task(&kind, "ant", (EnvConfig){.exact_inertia = exact});
    static double errors[ROWS];
    double behind[2] = {0};

    off[2] = 0;
    for (int t = 0; t < rows; t++) {
        double qpos[ANT_NQ] = {0};
        double reward = 0;
        Motion motion;
        memcpy(qpos + 2, rec->s[t], (ANT_NQ - 2) * sizeof *qpos);
        CHECK_OK(kind.set_state(env, qpos, rec->s[t] + ANT_NQ - 2));
        CHECK_OK(ant_step_wide(env, rec->a[t], &reward));
        errors[t] = largest(0, mjsim_qpos(env->sim) + 2, rec->s2[t], ANT_NQ - 2);
        errors[t] = largest(errors[t], mjsim_qvel(env->sim), rec->s2[t] + ANT_NQ - 2, ANT_NV);
        kind.motion(env, &motion);
        for (int i = 0; i < 2; i++) {
            motion.before[i] += t % EPISODE == 0 ? 0 : behind[i];
            behind[i] = motion.after[i] - mjsim_qpos(env->sim)[i];
        }
        reward = kind.reward(&kind, &motion, rec->a[t]);
        off[2] = fmax(off[2], fabs(reward - rec->r[t]));
    }
    qsort(errors, (size_t)rows, sizeof *errors, by_size);
    off[0] = errors[rows / 2];
    off[1] = errors[rows - 1];
    print_message("recordings of v4, %s inertia: error of the state, median %.2g, largest %.2g, "
                  "of the reward %.2g\n",
                  exact ? "exact" : "legacy", off[0], off[1], off[2]);
    kind.close(env);
}

static void the_ant_predicts_recordings_of_gym(void **state)
{
    (void)state;
    Recording *rec = read_recording();
    double off[3];

    predict(rec, true, ROWS, off);
    CHECK_NEAR(off[1], 0, 0, 1e-11);
    CHECK_NEAR(off[2], 0, 0, 1e-6); /* numpy summed the control cost in single precision */
    predict(rec, false, ROWS / 4, off);
    CHECK_NEAR(off[0], 5e-3, 0.2, 0); /* as measured with gym's own model: not those masses */
    mem_free(&rec);
}

/* ---- states ---- */

/* Noise on everything: uniform positions, of which the quaternion is normalized, normal speeds. */
static void start_states_are_spread_as_published(void **state)
{
    (void)state;
    enum { EPISODES = 300, POSITIONS = ANT_NQ - 4 };
    EnvKind kind;
    Env *env = open_task(&kind, "ant", (EnvConfig){0});
    double pos[2] = {0};
    double vel[2] = {0};
    double tilt = 0;

    for (uint32_t k = 0; k < EPISODES; k++) {
        Rng rng = rng_make(1, RNG_TEST, 0, k);
        double qpos[ANT_NQ];
        double qvel[ANT_NV];
        CHECK_OK(kind.reset(env, &rng));
        kind.get_state(env, qpos, qvel);
        const double *q = qpos + 3;
        CHECK_NEAR(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3], 1, 1e-14, 0);
        tilt += fabs(q[1] / q[0]) / EPISODES;
        qpos[2] -= 0.75;
        for (int i = 0; i < ANT_NQ; i++) {
            const double x = i >= 3 && i < 7 ? 0 : qpos[i];
            assert_true(fabs(x) <= 0.1 * (1 + 1e-12));
            pos[0] += x;
            pos[1] += x * x;
        }
        for (int i = 0; i < ANT_NV; i++) {
            vel[0] += qvel[i];
            vel[1] += qvel[i] * qvel[i];
        }
    }
    const int n = EPISODES * POSITIONS;
    const int m = EPISODES * ANT_NV;
    CHECK_NEAR(pos[0] / n, 0, 0, 5 * 0.1 / sqrt(3.0 * n));
    CHECK_NEAR(sqrt(pos[1] / n), 0.1 / sqrt(3), 5 / sqrt(2.0 * n), 0);
    CHECK_NEAR(vel[0] / m, 0, 0, 5 * 0.1 / sqrt(m));
    CHECK_NEAR(sqrt(vel[1] / m), 0.1, 5 / sqrt(2.0 * m), 0);
    CHECK_NEAR(tilt, 0.05, 0.15, 0);
    kind.close(env);
}

/* One state with the ant's feet on the floor, seen by every version. */
static void the_forces_shown_are_those_of_the_version(void **state)
{
    (void)state;
    static const struct {
        ContactForces forces;
        int state_dim;
    } versions[] = {
        {FORCES_NONE, 27}, {FORCES_ZERO, 111}, {FORCES_REAL, 111}, {FORCES_REAL_V5, 105}};
    float s[4][DIM_MAX] = {{0}};

    for (int v = 0; v < 4; v++) {
        const float action[ANT_ACTIONS] = {0.3F, -0.5F, 0.8F, -0.1F, 0.9F, 0.2F, -0.7F, 0.4F};
        EnvKind kind;
        Env *env = open_task(&kind, "ant", (EnvConfig){.forces = versions[v].forces});
        Rng rng = rng_make(2, RNG_TEST, 0, 0);
        EnvStep step;
        Motion motion;
        assert_int_equal(kind.state_dim, versions[v].state_dim);
        CHECK_OK(kind.reset(env, &rng));
        for (int t = 0; t < 20; t++) {
            CHECK_OK(kind.step(env, action, &step));
        }
        kind.observe(env, s[v]);
        kind.motion(env, &motion);
        assert_memory_equal(s[v], s[0], ANT_MOVES * sizeof s[0][0]);
        assert_true((motion.contact_force > 1) == (versions[v].forces >= FORCES_REAL));
        for (int i = 0; i < ANT_FORCES && versions[v].forces == FORCES_REAL; i++) {
            const float want = (float)fmin(1, fmax(-1, mjsim_forces(env->sim)[i]));
            CHECK_NEAR(s[v][ANT_MOVES + i], want, 0, 0);
        }
        CHECK_OK(kind.reset(env, &rng)); /* nothing is known of forces before the first step */
        float start[DIM_MAX];
        kind.observe(env, start);
        for (int i = ANT_MOVES; i < kind.state_dim; i++) {
            CHECK_NEAR(start[i], 0, 0, 0);
        }
        kind.close(env);
    }
    for (int i = 0; i < ANT_FORCES; i++) {
        CHECK_NEAR(s[1][ANT_MOVES + i], 0, 0, 0);
        assert_true(i >= 6 || s[2][ANT_MOVES + i] == 0.0F); /* the world */
    }
    assert_memory_equal(s[3] + ANT_MOVES, s[2] + ANT_MOVES + 6, (ANT_FORCES - 6) * sizeof s[0][0]);
}

static void angles_show_27_numbers_whatever_is_set(void **state)
{
    (void)state;
    EnvKind kind;
    CHECK_OK(env_configure(&kind, "ant-angle", &(EnvConfig){.forces = FORCES_REAL}));
    assert_int_equal(kind.state_dim, 27);
}

/* x and y are not seen, and a predicted quaternion is not normalized. */
static void a_state_of_an_observation_shows_as_it(void **state)
{
    (void)state;
    EnvKind kind;
    Env *env = open_task(&kind, "ant", (EnvConfig){.forces = FORCES_REAL_V5});
    double qpos[ANT_NQ] = {5, -3, 0.6, 0.8, 0, 0.6, 0, 0.1, 0.6, -0.1, -0.7, 0.2, -0.8, -0.2, 0.9};
    double qvel[ANT_NV] = {1, 2, 3, 4, 5, 6, 7, 8, 9, -20, 11, 12, 13, 14};
    float s[2][DIM_MAX] = {{0}};

    CHECK_OK(kind.set_state(env, qpos, qvel));
    kind.observe(env, s[0]);
    for (int i = 1; i < 5; i++) {
        s[0][i] *= 1.25F;
    }
    memset(qpos, 0x55, sizeof qpos);
    assert_true(kind.state_of(&kind, s[0], qpos, qvel));
    CHECK_NEAR(qpos[0], 0, 0, 0);
    CHECK_NEAR(qpos[1], 0, 0, 0);
    CHECK_OK(kind.set_state(env, qpos, qvel));
    kind.observe(env, s[1]);
    for (int i = 0; i < kind.state_dim; i++) {
        CHECK_NEAR(s[1][i], (double)s[0][i] / (i >= 1 && i < 5 ? 1.25 : 1), 1e-7, 0);
    }
    s[1][104] = (float)NAN;
    assert_false(kind.state_of(&kind, s[1], qpos, qvel));
    for (int i = 1; i < 5; i++) {
        s[0][i] = 0;
    }
    assert_false(kind.state_of(&kind, s[0], qpos, qvel));
    kind.close(env);
}

/* ---- rewards ---- */

/* By (0.2, 0.1) in 0.05 s: v = (4, 2); |a|^2 = 4.5. */
static void rewards_are_those_worked_by_hand(void **state)
{
    (void)state;
    const double action[ANT_ACTIONS] = {0.5, 0, -0.5, 0, 2};
    const double slant = 4 * sqrt(0.75) + 2 * 0.5;
    const EnvConfig v5 = {.forces = FORCES_REAL_V5, .v5_bonus = true};
    const EnvConfig paper = {.angle_no_bonus = true};
    const EnvConfig run = {.behavior_reward = true};
    const EnvConfig paper_run = {.behavior_reward = true, .angle_no_bonus = true};
    const struct {
        const char *task;
        EnvConfig config;
        bool healthy;
        double contact_force, want;
    } table[] = {
        {"ant", {0}, true, 20, 4 + 1 - 2.25},
        {"ant", {.forces = FORCES_ZERO}, false, 20, 4 + 1 - 2.25},
        {"ant", paper, true, 0, 4 + 1 - 2.25}, /* another task's settings */
        {"ant", run, true, 0, 4 + 1 - 2.25},
        {"ant", v5, true, 20, 4 + 1 - 2.25 - 0.01},
        {"ant", v5, false, 20, 4 - 2.25 - 0.01},
        {"ant-angle", {0}, true, 0, slant + 1 - 2.25},
        {"ant-angle", {0}, false, 0, slant + 1 - 2.25},
        {"ant-angle", v5, false, 20, slant - 2.25},
        {"ant-angle", paper, true, 0, slant - 2.25},
        {"ant-angle", run, true, 0, 4 + 1 - 2.25},
        {"ant-angle", paper_run, true, 0, 4 - 2.25},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const Motion motion = {.before = {1, 2, 0.6},
                               .after = {1.2, 2.1, 0.7},
                               .contact_force = table[i].contact_force,
                               .healthy = table[i].healthy};
        CHECK_NEAR(pay(table[i].task, table[i].config, &motion, action), table[i].want, 0, 1e-12);
    }
}

/* Torques are clamped either way; who pays for an action of 3 is the setting. */
static void actions_are_clipped_before_the_cost_on_demand(void **state)
{
    (void)state;
    const float actions[2][ANT_ACTIONS] = {{3, -2, 0.5F}, {1, -1, 0.5F}};
    float s[3][DIM_MAX] = {{0}};
    EnvStep step[3];

    for (int k = 0; k < 3; k++) { /* clipped; as given; within bounds from the start */
        EnvKind kind;
        Env *env = open_task(&kind, "ant", (EnvConfig){.clip_actions = k == 0});
        Rng rng = rng_make(3, RNG_TEST, 0, 0);
        CHECK_OK(kind.reset(env, &rng));
        CHECK_OK(kind.step(env, actions[k == 2], &step[k]));
        kind.observe(env, s[k]);
        kind.close(env);
    }
    assert_memory_equal(s[0], s[2], sizeof s[0]);
    assert_memory_equal(s[1], s[2], sizeof s[0]);
    CHECK_NEAR(step[0].reward, step[2].reward, 0, 0);
    CHECK_NEAR(step[2].reward - step[1].reward, 0.5 * (9 + 4 - 1 - 1), 1e-6, 0);
}

/* ---- ends ---- */

/* A step from height z0 at this vertical speed: the height behind it, and whether that ended the
 * episode. */
static bool ends_from(const EnvKind *kind, Env *env, double z0, double speed, double *z)
{
    const float action[ANT_ACTIONS] = {0};
    const double qpos[ANT_NQ] = {[2] = z0, [3] = 1};
    const double qvel[ANT_NV] = {[2] = speed};
    EnvStep step;

    CHECK_OK(kind->set_state(env, qpos, qvel));
    CHECK_OK(kind->step(env, action, &step));
    *z = mjsim_qpos(env->sim)[2];
    return step.terminal;
}

/* Start heights on both sides of the limit, brought together until the heights reached are. The low
 * one is inside the floor, so the ant has to be shot there. */
static void an_episode_ends_just_outside_of_the_limits(void **state)
{
    (void)state;
    static const struct {
        double inside, outside, speed, limit;
    } ranges[] = {{0.7, 1.5, 0, 1}, {3.4, 3, -60, 0.2}};
    for (int i = 0; i < 2; i++) {
        EnvKind kind;
        Env *env = open_task(&kind, i == 0 ? "ant" : "ant-angle", (EnvConfig){0});
        const double speed = ranges[i].speed;
        double at[2] = {ranges[i].inside, ranges[i].outside};
        double z[2] = {0};
        assert_false(ends_from(&kind, env, at[0], speed, &z[0]));
        assert_true(ends_from(&kind, env, at[1], speed, &z[1]));
        for (int k = 0; k < 50; k++) {
            const double middle = (at[0] + at[1]) / 2;
            double reached = 0;
            const bool ends = ends_from(&kind, env, middle, speed, &reached);
            at[ends] = middle;
            z[ends] = reached;
        }
        CHECK_NEAR(z[0], ranges[i].limit, 0, 1e-12);
        CHECK_NEAR(z[1], ranges[i].limit, 0, 1e-12);
        kind.close(env);
    }
}

static void predictions_end_beyond_the_same_limits(void **state)
{
    (void)state;
    static const struct {
        int index;
        float value;
        bool ends;
    } table[] = {{0, 0.2F, false},
                 {0, 0.19999F, true},
                 {0, 1, false},
                 {0, 1.00001F, true},
                 {0, (float)NAN, true},
                 {26, 1e30F, false},
                 {26, (float)INFINITY, true},
                 {110, 0.5F, false},
                 {110, (float)NAN, true}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        EnvKind kind;
        float s2[DIM_MAX] = {0.6F, 1};
        CHECK_OK(env_configure(&kind, "ant", &(EnvConfig){.forces = FORCES_ZERO}));
        s2[table[i].index] = table[i].value;
        assert_int_equal(kind.terminates(&kind, NULL, NULL, s2), table[i].ends);
        CHECK_OK(env_configure(&kind, "ant-angle", &(EnvConfig){0}));
        assert_int_equal(kind.terminates(&kind, NULL, NULL, s2),
                         table[i].ends && table[i].index < 27);
    }
}

/* Both versions end in the same step and differ by the bonus there. */
static void the_step_of_the_end_pays_by_version(void **state)
{
    (void)state;
    static const char *const tasks[] = {"ant", "ant-angle"};
    for (int t = 0; t < 2; t++) {
        double qpos[ANT_NQ] = {[2] = 1.5, [3] = 1};
        const float action[ANT_ACTIONS] = {0.5F};
        EnvStep step[2];
        for (int v5 = 0; v5 < 2; v5++) {
            EnvKind kind;
            Env *env = open_task(&kind, tasks[t], (EnvConfig){.v5_bonus = v5 == 1});
            CHECK_OK(kind.set_state(env, qpos, (double[ANT_NV]){0}));
            CHECK_OK(kind.step(env, action, &step[v5]));
            kind.close(env);
        }
        assert_true(step[0].terminal && step[1].terminal);
        CHECK_NEAR(step[0].reward - step[1].reward, 1, 0, 1e-6);
    }
}

/* ---- returns ---- */

/* Mean of 300 episodes of gym's model with legacy inertials, as others measured it. */
static void random_actions_return_what_others_measured(void **state)
{
    (void)state;
    enum { EPISODES = 25 };
    EnvKind kind;

    CHECK_OK(env_configure(&kind, "ant", &(EnvConfig){0}));
    const Returns got = play_episodes(&kind, EPISODES, NULL);
    print_message("ant: %.1f +- %.1f, %.0f steps\n", got.mean, got.error, got.length);
    CHECK_NEAR(got.mean, -62.6, 0, 4 * got.error * sqrt(1 + EPISODES / 300.0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ant_follows_the_reference_trajectories),
        cmocka_unit_test(the_ant_has_the_published_masses),
        cmocka_unit_test(the_ant_predicts_recordings_of_gym),
        cmocka_unit_test(start_states_are_spread_as_published),
        cmocka_unit_test(the_forces_shown_are_those_of_the_version),
        cmocka_unit_test(angles_show_27_numbers_whatever_is_set),
        cmocka_unit_test(a_state_of_an_observation_shows_as_it),
        cmocka_unit_test(rewards_are_those_worked_by_hand),
        cmocka_unit_test(actions_are_clipped_before_the_cost_on_demand),
        cmocka_unit_test(an_episode_ends_just_outside_of_the_limits),
        cmocka_unit_test(predictions_end_beyond_the_same_limits),
        cmocka_unit_test(the_step_of_the_end_pays_by_version),
        cmocka_unit_test(random_actions_return_what_others_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
