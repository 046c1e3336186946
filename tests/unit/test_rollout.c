/* rollout: a unit's records retold step by step from the ensemble's own predictions, on pointmass with
 * ensembles whose weights are random or, where a certain outcome is wanted, zero but for the biases. */
#include "support/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/worlds.h"

static void starts_are_dealt_to_the_units(void **state)
{
    (void)state;
    Rollout roll = {.horizon = 7};
    for (roll.batch = 1; roll.batch <= 300; roll.batch += 23) {
        for (roll.units = 1; roll.units <= roll.batch && roll.units <= 64; roll.units *= 2) {
            int sum = 0;
            for (int u = 0; u < roll.units; u++) {
                const int n = rollout_unit_starts(&roll, u);
                assert_in_range(n, roll.batch / roll.units, roll.batch / roll.units + 1);
                assert_true((int64_t)n * roll.horizon <= rollout_unit_most(&roll));
                sum += n;
            }
            assert_int_equal(sum, roll.batch);
        }
    }
    roll = (Rollout){.batch = 100000000, .units = 64, .horizon = 1000};
    assert_int_equal(rollout_unit_starts(&roll, 63), 1562500);
    assert_int_equal(rollout_unit_most(&roll), 1562500000);
}

static bool is_start(const World *w, const float *s)
{
    for (int i = 0; i < DATA; i++) {
        if (memcmp(w->data + (size_t)i * STRIDE, s, S * sizeof *s) == 0) {
            return true;
        }
    }
    return false;
}

/* Rows of one step: as many as survived the step before, in their order, from where they were. */
static void records_form_rollouts_that_end_where_the_task_says(void **state)
{
    (void)state;
    World *w = world_make();
    const UnitReport report = world_run(w, 3, 1);
    int64_t at = 0;
    int64_t ended = 0;
    int64_t live = rollout_unit_starts(&w->roll, 1);
    int64_t before = -1; /* first row of the previous step */

    for (int step = 0; step < HORIZON; step++) {
        int64_t from = before;
        int64_t next = 0;
        for (int64_t i = at; i < at + live; i++) {
            const float *row = world_record(w, i);
            if (step == 0) {
                assert_true(is_start(w, row));
            } else {
                while (world_record(w, from)[w->roll.rec.cont] == 0.0F) {
                    from++; /* it ended: stored, then dropped */
                }
                assert_memory_equal(row, world_record(w, from) + w->roll.rec.s2, S * sizeof *row);
                from++;
            }
            const float *s2 = row + w->roll.rec.s2;
            const bool done = fabsf(s2[0]) > 2 || fabsf(s2[1]) > 2; /* env/pointmass.c */
            assert_true(row[w->roll.rec.cont] == (done ? 0.0F : 1.0F));
            ended += done ? 1 : 0;
            next += done ? 0 : 1;
        }
        before = at;
        at += live;
        live = next;
    }
    assert_int_equal(report.rows, at);
    assert_int_equal(report.ended, ended);
    assert_int_equal(report.dropped, 0);
    assert_true(ended > 10 && report.rows > 100); /* both happened */
    world_free(w);
}

/* The penalty of each row from predictions for the very rows of its step; the reward before the penalty
 * from a run with lambda 0, which has the same states since reward moves nothing. */
static void the_penalty_is_subtracted_exactly(void **state)
{
    (void)state;
    World *plain = world_make();
    World *w = world_make();
    const Record *rec = &w->roll.rec;
    static float sa[64 * (S + A)];
    static float mean[64 * MEMBERS * Y];
    static float std[64 * MEMBERS * Y];
    static float u[64];
    double sum = 0;
    double most = 0;
    double rewards = 0;

    plain->roll.lambda = 0;
    const UnitReport r0 = world_run(plain, 3, 1);
    const UnitReport r1 = world_run(w, 3, 1);
    int64_t live = rollout_unit_starts(&w->roll, 1);
    assert_int_equal(r0.rows, r1.rows);
    for (int64_t at = 0; at < r1.rows;) {
        int64_t next = 0;
        for (int64_t i = 0; i < live; i++) {
            memcpy(sa + i * (S + A), world_record(w, at + i), (S + A) * sizeof *sa);
        }
        ensemble_predict(&w->ens, sa, (int)live, &w->tmp, mean, std);
        arena_reset(&w->tmp, 0);
        w->roll.penalty->eval(
            &(PenaltyIn){
                .mean = mean, .std = std, .rows = (int)live, .members = MEMBERS, .outs = Y},
            u);
        for (int64_t i = 0; i < live; i++) {
            const float reward = world_record(plain, at + i)[rec->r];
            assert_true(u[i] > 0);
            assert_true(world_record(w, at + i)[rec->r] == reward - 1.5F * u[i]);
            assert_memory_equal(world_record(w, at + i) + rec->s2,
                                world_record(plain, at + i) + rec->s2, S * sizeof *sa);
            next += world_record(w, at + i)[rec->cont] > 0 ? 1 : 0;
            sum += (double)u[i];
            most = fmax(most, (double)u[i]);
            rewards += (double)reward;
        }
        at += live;
        live = next;
    }
    CHECK_NEAR(r1.penalty_sum, sum, 0, 0);
    CHECK_NEAR(r1.penalty_max, most, 0, 0);
    CHECK_NEAR(r1.reward_sum, rewards, 0, 0);
    CHECK_NEAR(r0.reward_sum, rewards, 0, 0);
    world_free(plain);
    world_free(w);
}

/* Members 0, 1, 2 promise 10, 20, 30; 1 is no elite. */
static void rows_come_from_elites_each_as_often(void **state)
{
    (void)state;
    World *w = world_make();
    const float reward[MEMBERS] = {10, 20, 30};
    const float step[MEMBERS] = {0};
    int hits[MEMBERS] = {0};
    int64_t rows = 0;

    world_set_constant(w, reward, step, 1e-4F);
    w->roll.lambda = 0;
    for (int64_t epoch = 1; epoch <= 5; epoch++) {
        const UnitReport report = world_run(w, epoch, 0);
        for (int64_t i = 0; i < report.rows; i++) {
            const int member = (int)lroundf(world_record(w, i)[w->roll.rec.r] / 10) - 1;
            assert_in_range(member, 0, MEMBERS - 1);
            hits[member]++;
        }
        rows += report.rows;
    }
    assert_int_equal(hits[1], 0);
    assert_true(abs(hits[0] - hits[2]) < 5 * (int)sqrt((double)rows)); /* five deviations */
    world_free(w);
}

/* No row ends here, so row i of every step is the same rollout. Its noise is the reward. */
static void each_step_has_draws_of_its_own(void **state)
{
    (void)state;
    World *w = world_make();
    const float reward[MEMBERS] = {0, 0, 1}; /* tells the elites apart */
    const float step[MEMBERS] = {0};
    const int64_t n = rollout_unit_starts(&w->roll, 0);
    int other_member = 0;

    world_set_constant(w, reward, step, 1e-3F);
    w->roll.lambda = 0;
    w->roll.uniform_actions = true;
    assert_int_equal(world_run(w, 1, 0).rows, HORIZON * n);
    for (int64_t i = n; i < HORIZON * n; i++) {
        const float *row = world_record(w, i);
        const float *before = world_record(w, i - n);
        const float noise = row[w->roll.rec.r] - roundf(row[w->roll.rec.r]);
        const float noise_before = before[w->roll.rec.r] - roundf(before[w->roll.rec.r]);
        assert_true(fabsf(noise - noise_before) > 1e-7F);
        assert_true(row[w->roll.rec.a] != before[w->roll.rec.a]);
        other_member += fabsf(row[w->roll.rec.r] - before[w->roll.rec.r]) > 0.5F ? 1 : 0;
    }
    assert_in_range(other_member, (HORIZON - 1) * n / 4, (HORIZON - 1) * n * 3 / 4);
    world_free(w);
}

/* s' = s + 0.25 + 0.1 N(0, 1), r = N(0, 0.01): the noise has this size in each coordinate. */
static void rows_are_drawn_from_the_gaussian(void **state)
{
    (void)state;
    World *w = world_make();
    const float reward[MEMBERS] = {0};
    const float step[MEMBERS] = {0.25F, 0.25F, 0.25F};
    double sum[Y] = {0};
    double squares[Y] = {0};
    double n = 0;

    world_set_constant(w, reward, step, 0.1F);
    w->roll.penalty = penalty_find("none");
    for (int64_t epoch = 1; epoch <= 20; epoch++) {
        const UnitReport report = world_run(w, epoch, 0);
        for (int64_t i = 0; i < report.rows; i++) {
            const float *row = world_record(w, i);
            for (int y = 0; y < Y; y++) {
                const double off =
                    y == 0 ? (double)row[w->roll.rec.r]
                           : (double)(row[w->roll.rec.s2 + (size_t)y - 1] - row[y - 1] - 0.25F);
                sum[y] += off;
                squares[y] += off * off;
            }
            n += 1;
        }
        CHECK_NEAR(report.penalty_sum, 0, 0, 0);
    }
    for (int y = 0; y < Y; y++) { /* five deviations of a mean and of a variance */
        CHECK_NEAR(sum[y] / n, 0, 0, 5 * 0.1 / sqrt(n));
        CHECK_NEAR(squares[y] / n, 0.01, 5 * sqrt(2 / n), 0);
    }
    world_free(w);
}

static void a_unit_depends_on_epoch_and_number_only(void **state)
{
    (void)state;
    World *a = world_make();
    World *b = world_make();
    const UnitReport first = world_run(a, 3, 2);
    const size_t bytes = (size_t)first.rows * STRIDE * sizeof(float);

    for (int unit = 0; unit < UNITS; unit++) {
        const UnitReport other = world_run(b, 3, unit);
        assert_true(unit == 2 || other.digest != first.digest);
    }
    assert_true(world_run(b, 4, 2).digest != first.digest);
    memset(b->tmp.block, 0xff, b->tmp.size); /* scratch and room are full of NaN */
    memset(b->records, 0xff, (size_t)rollout_unit_most(&b->roll) * STRIDE * sizeof(float));
    const UnitReport again = world_run(b, 3, 2);
    assert_int_equal(again.rows, first.rows);
    assert_memory_equal(a->records, b->records, bytes);
    assert_true(again.digest == first.digest && again.penalty_sum == first.penalty_sum);
    b->roll.seed = 13;
    assert_true(world_run(b, 3, 2).digest != first.digest);
    world_free(a);
    world_free(b);
}

/* Elite 0 predicts NaN or infinity: its rows vanish, those of elite 2 go on. */
static void what_is_not_finite_is_not_stored(void **state)
{
    (void)state;
    const float bad[] = {(float)NAN, (float)INFINITY, -(float)INFINITY};
    const float zero[MEMBERS] = {0};

    for (int k = 0; k < 6; k++) {
        World *w = world_make();
        float reward[MEMBERS] = {0};
        float step[MEMBERS] = {0};
        int64_t good = 0;
        *(k < 3 ? reward : step) = bad[k % 3];
        world_set_constant(w, reward, step, 1e-3F);
        const UnitReport report = world_run(w, 1, 0);
        for (int64_t i = 0; i < report.rows; i++) {
            for (int j = 0; j < STRIDE; j++) {
                assert_true(isfinite(world_record(w, i)[j]));
            }
            good += world_record(w, i)[w->roll.rec.cont] > 0 ? 1 : 0;
        }
        assert_true(report.dropped > 10 && report.rows > 10);
        assert_int_equal(report.ended, report.rows - good);
        assert_true(isfinite(report.penalty_sum) && isfinite(report.reward_sum));
        world_set_constant(w, zero, zero,
                           1e-3F); /* finite rows, but what member 1 says counts, too */
        ensemble_member(&w->ens, 1)[mlp_matrix(&w->ens.net, w->ens.cfg.layers, 0).bias + Y] =
            (float)NAN;
        ensemble_freeze(&w->ens);
        const UnitReport none = world_run(w, 1, 0);
        assert_int_equal(none.rows, 0);
        assert_int_equal(none.dropped, rollout_unit_starts(&w->roll, 0)); /* and no second step */
        world_free(w);
    }
}

/* Velocities do not end an episode of this task; the guard looks at every coordinate. */
static void the_guard_ends_rows(void **state)
{
    (void)state;
    World *w = world_make();
    const int64_t free_rows = world_run(w, 1, 0).ended;

    w->roll.guard = 1.2F;
    const UnitReport report = world_run(w, 1, 0);
    for (int64_t i = 0; i < report.rows; i++) {
        const float *s2 = world_record(w, i) + w->roll.rec.s2;
        float most = 0;
        for (int j = 0; j < S; j++) {
            most = fmaxf(most, fabsf(s2[j]));
        }
        assert_true(world_record(w, i)[w->roll.rec.cont] == (most >= 1.2F ? 0.0F : 1.0F));
    }
    assert_true(report.ended > free_rows);
    world_free(w);
}

static void actions_are_the_policys_or_uniform(void **state)
{
    (void)state;
    World *w = world_make();
    const size_t a = w->roll.rec.a;
    const uint64_t policy = world_run(w, 1, 0).digest;
    double sum = 0;
    double squares = 0;
    double n = 0;

    w->roll.uniform_actions = true;
    const UnitReport report = world_run(w, 1, 0);
    for (int64_t i = 0; i < report.rows; i++) {
        for (size_t j = 0; j < A; j++) {
            const double x = (double)world_record(w, i)[a + j];
            assert_true(x >= -1 && x <= 1);
            sum += x;
            squares += x * x;
            n += 1;
        }
    }
    CHECK_NEAR(sum / n, 0, 0, 5 * sqrt(1.0 / 3 / n));
    CHECK_NEAR(squares / n, 1.0 / 3, 0, 5 * sqrt(4.0 / 45 / n));

    agent_actor(&w->agent)[0] += 1; /* another policy */
    assert_true(world_run(w, 1, 0).digest == report.digest);
    w->roll.uniform_actions = false;
    assert_true(world_run(w, 1, 0).digest != policy);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_are_dealt_to_the_units),
        cmocka_unit_test(records_form_rollouts_that_end_where_the_task_says),
        cmocka_unit_test(the_penalty_is_subtracted_exactly),
        cmocka_unit_test(rows_come_from_elites_each_as_often),
        cmocka_unit_test(each_step_has_draws_of_its_own),
        cmocka_unit_test(rows_are_drawn_from_the_gaussian),
        cmocka_unit_test(a_unit_depends_on_epoch_and_number_only),
        cmocka_unit_test(what_is_not_finite_is_not_stored),
        cmocka_unit_test(the_guard_ends_rows),
        cmocka_unit_test(actions_are_the_policys_or_uniform),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
