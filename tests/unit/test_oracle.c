/* run/oracle: what it says of recorded (s, a) is what the simulator recorded. */
#include "support/check.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "run/oracle.h"
#include "support/envs.h"

enum { ROWS = 60, WIDE = 2 * DIM_MAX };

typedef struct {
    EnvKind task;
    Oracle oracle;
    int rows;
    float sa[ROWS * WIDE];      /* (rows, S + A) */
    float want[ROWS * DIM_MAX]; /* (rows, S) as recorded */
    float got[ROWS * DIM_MAX];
} Episode;

/* An episode of random actions: its rows, and an oracle for them. */
static Episode *play(const char *name, EnvConfig config)
{
    Episode *e = NULL;
    EnvStep step = {0};
    Rng rng = rng_make(9, RNG_TEST, 0, 0);

    CHECK_OK(mem_alloc(&e, 1, sizeof *e, "test"));
    Env *env = open_task(&e->task, name, config);
    const size_t S = (size_t)e->task.state_dim;
    const size_t D = S + (size_t)e->task.act_dim;
    CHECK_OK(e->task.reset(env, &rng));
    for (; e->rows < ROWS && !step.terminal; e->rows++) {
        float *sa = e->sa + (size_t)e->rows * D;
        e->task.observe(env, sa);
        draw_action(&e->task, &rng, sa + S);
        CHECK_OK(e->task.step(env, sa + S, &step));
        e->task.observe(env, e->want + (size_t)e->rows * S);
    }
    e->task.close(env);
    CHECK_OK(oracle_open(&e->oracle, &e->task, "a test"));
    return e;
}

static void end(Episode *e)
{
    oracle_close(&e->oracle);
    mem_free(&e);
}

/* Hopper and Walker2d cut velocities at 10, so the state behind is not known. */
static bool known(const Episode *e, int row)
{
    const float *s = e->sa + (size_t)row * (size_t)(e->task.state_dim + e->task.act_dim);
    bool yes = true;

    for (int j = 0; j < e->task.state_dim; j++) {
        yes = yes && fabsf(s[j]) != 10;
    }
    return yes;
}

/* MuJoCo starts from a state in single precision and without the solver's memory: 1e-3, as in
 * run/replay.c. A point of unit mass: one rounding. */
static void the_truth_is_what_was_recorded(void **state)
{
    (void)state;
    static const struct {
        const char *task;
        double tol;
    } cases[] = {{"pointmass", 3e-7},
                 {"halfcheetah", 1e-3},
                 {"hopper", 1e-3},
                 {"ant", 1e-3},
                 {"halfcheetah-jump", 1e-3}};

    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        Episode *e = play(cases[k].task, (EnvConfig){.forces = FORCES_ZERO});
        const int64_t blocks = mem_count();
        const Truth truth = oracle_truth(&e->oracle);
        truth.next(truth.ctx, e->sa, e->rows, e->got);
        assert_true(mem_count() == blocks);
        int rows = 0;
        for (int i = 0; i < e->rows; i++) {
            for (int j = 0; known(e, i) && j < e->task.state_dim; j++) {
                const int at = i * e->task.state_dim + j;
                CHECK_NEAR(e->got[at], e->want[at], cases[k].tol, cases[k].tol);
            }
            rows += known(e, i) ? 1 : 0;
        }
        assert_true(rows >= 5);
        end(e);
    }
}

/* Backwards, one by one: no row knows of another. */
static void a_row_is_a_function_of_itself(void **state)
{
    (void)state;
    Episode *e = play("halfcheetah", (EnvConfig){0});
    const size_t S = (size_t)e->task.state_dim;
    const size_t D = S + (size_t)e->task.act_dim;

    oracle_next(&e->oracle, e->sa, e->rows, e->got);
    for (size_t i = (size_t)e->rows; i-- > 0;) {
        float one[DIM_MAX];
        oracle_next(&e->oracle, e->sa + i * D, 1, one);
        assert_memory_equal(one, e->got + i * S, S * sizeof *one);
    }
    end(e);
}

static void impossible_rows_are_nan_and_spoil_no_other(void **state)
{
    (void)state;
    static const char *const tasks[] = {"pointmass", "hopper", "ant"};

    for (size_t k = 0; k < sizeof tasks / sizeof *tasks; k++) {
        Episode *e = play(tasks[k], (EnvConfig){.forces = FORCES_NONE});
        const size_t S = (size_t)e->task.state_dim;
        const size_t D = S + (size_t)e->task.act_dim;
        oracle_next(&e->oracle, e->sa, e->rows, e->want);
        e->sa[1 * D] = NAN;           /* a state */
        e->sa[3 * D + S] = NAN;       /* an action */
        e->sa[5 * D + S - 1] = 1e30F; /* a velocity: MuJoCo refuses it, a point just flies */
        oracle_next(&e->oracle, e->sa, e->rows, e->got);
        for (size_t i = 0; i < (size_t)e->rows; i++) {
            if (i == 1 || i == 3 || (i == 5 && k > 0)) {
                for (size_t j = 0; j < S; j++) {
                    assert_true(isnan(e->got[i * S + j]));
                }
            } else if (i != 5) {
                assert_memory_equal(e->got + i * S, e->want + i * S, S * sizeof(float));
            }
        }
        end(e);
    }
}

static void without_a_simulator_there_is_advice(void **state)
{
    (void)state;
    Oracle oracle;
    EnvKind odd = *env_find("pointmass");

    assert_true(oracle_open(&oracle, env_find("none"), "penalty.type=oracle") == ERR_CONFIG);
    assert_non_null(strstr(status_reason(), "penalty.type=oracle"));
    odd.state_of = NULL;
    assert_false(oracle_possible(&odd));
    assert_true(oracle_open(&oracle, &odd, "penalty.type=oracle") == ERR_CONFIG);
    assert_non_null(strstr(status_reason(), "cannot be put into the state"));
    oracle_close(&oracle);
    for (int k = 1; k <= 3; k++) {
        const int64_t blocks = mem_count();
        mem_fail_at(k);
        assert_true(oracle_open(&oracle, env_find("pointmass"), "a test") == ERR_NOMEM);
        mem_fail_at(0);
        assert_true(mem_count() == blocks && oracle.env == NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_truth_is_what_was_recorded),
        cmocka_unit_test(a_row_is_a_function_of_itself),
        cmocka_unit_test(impossible_rows_are_nan_and_spoil_no_other),
        cmocka_unit_test(without_a_simulator_there_is_advice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
