/* Relabeling: the same actions from the same start, rewarded by the simulator and by the formula. */
#include "support/check.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "run/relabel.h"

enum { STEPS = 40, S = 18, A = 6, EPISODE = 25 };

typedef struct {
    Recording rec;
    double want[STEPS]; /* rewards of the task */
    double had[STEPS];  /* rewards of the behavior */
} Case;

/* Two episodes of halfcheetah-jump, the first cut after EPISODE steps. */
static void record(Case *c, const EnvKind *task)
{
    EnvKind behavior = *task;
    Env *envs[2] = {NULL, NULL};
    Recording *r = &c->rec;
    Rng rng = rng_make(4, RNG_TEST, 0, 0);

    behavior.config.behavior_reward = true;
    CHECK_OK(task->open(&envs[0], task));
    CHECK_OK(task->open(&envs[1], &behavior));
    *r = (Recording){.state_dim = task->state_dim, .act_dim = A, .rows = STEPS, .iteration = -1};
    const size_t s_floats = STEPS * (size_t)task->state_dim;
    CHECK_OK(mem_alloc(&r->observations, s_floats, sizeof(double), "test"));
    CHECK_OK(mem_alloc(&r->next_observations, s_floats, sizeof(double), "test"));
    CHECK_OK(mem_alloc(&r->actions, STEPS * A, sizeof(double), "test"));
    CHECK_OK(mem_alloc(&r->rewards, STEPS, sizeof(double), "test"));
    CHECK_OK(mem_alloc(&r->terminals, STEPS, 1, "test"));
    CHECK_OK(mem_alloc(&r->timeouts, STEPS, 1, "test"));
    CHECK_OK(mem_alloc(&r->xpos, (size_t)STEPS * 3, sizeof(double), "test"));
    CHECK_OK(mem_alloc(&r->next_xpos, (size_t)STEPS * 3, sizeof(double), "test"));
    for (int t = 0; t < STEPS; t++) {
        float s[S];
        float a[A];
        EnvStep step[2];
        Motion m;
        for (int k = 0; k < 2 && t % EPISODE == 0; k++) {
            Rng start = rng_make(5, RNG_TEST, (uint64_t)t, 0);
            CHECK_OK(task->reset(envs[k], &start));
        }
        rng_fill_uniform(&rng, -1, 1, a, A);
        task->observe(envs[0], s);
        for (int j = 0; j < task->state_dim; j++) {
            r->observations[t * task->state_dim + j] = (double)s[j];
        }
        CHECK_OK(task->step(envs[0], a, &step[0]));
        CHECK_OK(task->step(envs[1], a, &step[1]));
        task->observe(envs[0], s);
        task->motion(envs[0], &m);
        for (int j = 0; j < task->state_dim; j++) {
            r->next_observations[t * task->state_dim + j] = (double)s[j];
        }
        for (int j = 0; j < A; j++) {
            r->actions[t * A + j] = (double)a[j];
        }
        memcpy(r->xpos + (size_t)t * 3, m.before, sizeof m.before);
        memcpy(r->next_xpos + (size_t)t * 3, m.after, sizeof m.after);
        r->timeouts[t] = (t + 1) % EPISODE == 0;
        c->want[t] = (double)step[0].reward;
        c->had[t] = (double)step[1].reward;
        r->rewards[t] = c->had[t];
    }
    task->close(envs[0]);
    task->close(envs[1]);
}

static void check_rewards(const Case *c, double tolerance)
{
    double most = 0;
    for (int t = 0; t < STEPS; t++) {
        CHECK_NEAR(c->rec.rewards[t], c->want[t], 0, tolerance);
        most = fmax(most, fabs(c->want[t] - c->had[t]));
    }
    assert_true(most > 0.1); /* they do differ */
}

static void with_positions_rewards_are_those_of_the_simulator(void **state)
{
    (void)state;
    EnvKind task;
    Case c;

    for (int fixed = 0; fixed < 2; fixed++) {
        CHECK_OK(env_configure(&task, "halfcheetah-jump", &(EnvConfig){.jump_fixed = fixed == 1}));
        record(&c, &task);
        CHECK_OK(relabel_rewards(&c.rec, &task));
        check_rewards(&c, 2e-6); /* the simulator's are single precision */
        recording_release(&c.rec);
    }
}

static void without_positions_the_jump_is_in_the_observations(void **state)
{
    (void)state;
    EnvKind task;
    Case c;

    CHECK_OK(env_configure(&task, "halfcheetah-jump", &(EnvConfig){0}));
    record(&c, &task);
    mem_free(&c.rec.xpos);
    CHECK_OK(relabel_rewards(&c.rec, &task));
    check_rewards(&c, 15 * 3e-7 + 2e-6);
    recording_release(&c.rec);
}

static void what_cannot_be_known_is_refused(void **state)
{
    (void)state;
    EnvKind jump;
    EnvKind other;
    Case c;

    CHECK_OK(env_configure(&jump, "halfcheetah-jump", &(EnvConfig){.jump_no_height = true}));
    CHECK_OK(env_configure(&other, "halfcheetah", &(EnvConfig){0}));
    record(&c, &jump); /* 17 numbers, as halfcheetah */
    mem_free(&c.rec.xpos);
    assert_int_equal(relabel_rewards(&c.rec, &other), ERR_CONFIG);
    assert_non_null(strstr(status_reason(), "infos/torso_xpos"));
    CHECK_OK(env_configure(&other, "hopper", &(EnvConfig){0}));
    assert_int_equal(relabel_rewards(&c.rec, &other), ERR_CONFIG);
    assert_non_null(strstr(status_reason(), "17 state"));
    CHECK_OK(env_configure(&other, "none", &(EnvConfig){0}));
    assert_int_equal(relabel_rewards(&c.rec, &other), ERR_CONFIG);
    for (int t = 0; t < STEPS; t++) {
        CHECK_NEAR(c.rec.rewards[t], c.had[t], 0, 0); /* untouched */
    }
    recording_release(&c.rec);
}

/* Zeros are enough of a recording: three rows of an ant. */
static void contact_forces_are_refused_only_where_they_are_paid_for(void **state)
{
    (void)state;
    static const struct {
        ContactForces forces;
        Status want;
    } table[] = {{FORCES_NONE, OK},
                 {FORCES_ZERO, OK},
                 {FORCES_REAL, ERR_CONFIG},
                 {FORCES_REAL_V5, ERR_CONFIG}};
    for (int i = 0; i < 4; i++) {
        static double states[3 * 111];
        static double actions[3 * 8];
        static double places[3 * 3];
        uint8_t ends[3] = {0};
        double rewards[3] = {7, 7, 7};
        EnvKind task;
        CHECK_OK(env_configure(&task, "ant", &(EnvConfig){.forces = table[i].forces}));
        Recording rec = {.state_dim = task.state_dim,
                         .act_dim = 8,
                         .rows = 3,
                         .observations = states,
                         .actions = actions,
                         .rewards = rewards,
                         .next_observations = states,
                         .terminals = ends,
                         .timeouts = ends,
                         .xpos = places,
                         .next_xpos = places};
        assert_int_equal(relabel_rewards(&rec, &task), table[i].want);
        CHECK_NEAR(rewards[1], table[i].want == OK ? 1 : 7, 0, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_positions_rewards_are_those_of_the_simulator),
        cmocka_unit_test(without_positions_the_jump_is_in_the_observations),
        cmocka_unit_test(what_cannot_be_known_is_refused),
        cmocka_unit_test(contact_forces_are_refused_only_where_they_are_paid_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
