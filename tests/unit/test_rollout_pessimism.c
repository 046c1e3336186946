/* rollout: what MOReL does otherwise, and a penalty that asks for the truth. */
#include "support/check.h"

#include <math.h>
#include <string.h>

#include "support/worlds.h"

static void trajectories_begin_where_episodes_do(void **state)
{
    (void)state;
    World *w = world_make();
    const int64_t starts[] = {3, 17, 40};
    const int n = rollout_unit_starts(&w->roll, 0);
    int hits[3] = {0};

    w->roll.starts = starts;
    w->roll.n_starts = 3;
    assert_true(world_run(w, 1, 0).rows >= n);
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < 3; k++) {
            hits[k] +=
                memcmp(world_record(w, i), w->data + starts[k] * STRIDE, S * sizeof(float)) == 0;
        }
    }
    assert_int_equal(hits[0] + hits[1] + hits[2], n);
    assert_true(hits[0] > 0 && hits[1] > 0 && hits[2] > 0);
    world_free(w);
}

/* The reward tells the elites apart. Rows that end or are not stored leave gaps: the rows behind them
 * must keep theirs. */
static void a_trajectory_keeps_its_elite(void **state)
{
    (void)state;
    World *w = world_make();
    const float reward[MEMBERS] = {0, 0, 1};
    const float step[MEMBERS] = {0.3F, 0.3F, 0.3F};
    int64_t live = rollout_unit_starts(&w->roll, 0);
    int both[2] = {0};
    int64_t ended = 0;

    world_set_constant(w, reward, step, 1e-3F);
    w->roll.lambda = 0;
    w->roll.keeps_member = true;
    const UnitReport report = world_run(w, 1, 0);
    for (int64_t at = 0; at + live < report.rows;) {
        int64_t next = at + live;
        for (int64_t i = at; i < at + live; i++) {
            const long elite = lroundf(world_record(w, i)[w->roll.rec.r]);
            both[elite]++;
            if (world_record(w, i)[w->roll.rec.cont] > 0) {
                assert_memory_equal(world_record(w, next), world_record(w, i) + w->roll.rec.s2,
                                    S * sizeof(float));
                assert_int_equal(lroundf(world_record(w, next)[w->roll.rec.r]), elite);
                next++;
            } else {
                ended++;
            }
        }
        at += live;
        live = next - at;
    }
    assert_true(both[0] > 10 && both[1] > 10 && ended > 10);
    world_free(w);
}

/* One step, so that the rows are those of the same phase without HALT. */
static void a_row_above_the_threshold_halts(void **state)
{
    (void)state;
    World *plain = world_make();
    World *w = world_make();
    const Record *rec = &w->roll.rec;
    const double gain = 0.9 * 7 / (1 - 0.9);

    plain->roll.horizon = w->roll.horizon = 1;
    plain->roll.lambda = 0;
    w->roll.penalty = penalty_find("halt");
    plain->roll.penalty = penalty_find("pairwise");
    const UnitReport r0 = world_run(plain, 1, 0);
    const double mean = r0.penalty_sum / (double)r0.rows;
    for (int form = HALT_FLOOR; form <= HALT_CUT; form++) {
        w->roll.halt = (Halt){.threshold = (float)mean,
                              .form = (HaltForm)form,
                              .cost = 7,
                              .floor = -3,
                              .gamma = 0.9F};
        const UnitReport r1 = world_run(w, 1, 0);
        int64_t halted = 0;
        assert_int_equal(r1.rows, r0.rows);
        for (int64_t i = 0; i < r1.rows; i++) {
            const double before = (double)world_record(plain, i)[rec->r];
            const double after = (double)world_record(w, i)[rec->r];
            const double want[] = {
                [HALT_FLOOR] = -10, [HALT_ABSORBING] = before - gain, [HALT_CUT] = before - 7};
            if (after != before) {
                CHECK_NEAR(after, want[form], 1e-6, 0);
                assert_true(world_record(w, i)[rec->cont] == 0);
                halted++;
            } else {
                assert_true(world_record(w, i)[rec->cont] == world_record(plain, i)[rec->cont]);
            }
        }
        assert_int_equal(halted, r1.halted);
        assert_true(halted > 3 && halted < r1.rows - 3); /* the mean divides them */
        CHECK_NEAR(r1.penalty_sum, r0.penalty_sum, 0, 0);
    }
    world_free(plain);
    world_free(w);
}

/* s' = s + 0.25 but for 0.5 more in the last number; nobody knows where x is positive. */
static void other_truth(void *ctx, const float *sa, int rows, float *next)
{
    *(int *)ctx += rows;
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < S; j++) {
            const float s = sa[i * (S + A) + j];
            next[i * S + j] = s + (j == S - 1 ? 0.75F : 0.25F);
        }
        next[i * S] = sa[i * (S + A)] > 0 ? (float)NAN : next[i * S];
    }
}

static void the_truth_is_asked_for_every_row(void **state)
{
    (void)state;
    World *w = world_make();
    const float reward[MEMBERS] = {2, 2, 2};
    const float step[MEMBERS] = {0.25F, 0, 0.25F}; /* number 1 is no elite */
    int asked = 0;
    const Truth truth = {.next = other_truth, .ctx = &asked};

    world_set_constant(w, reward, step, 1e-5F);
    w->roll.penalty = penalty_find("oracle");
    w->roll.truth = &truth;
    arena_release(&w->tmp);
    CHECK_OK(arena_init(&w->tmp, rollout_cost(&w->roll)));
    const UnitReport report = world_run(w, 1, 0);
    assert_true(report.rows > 10 && report.dropped > 10);
    assert_int_equal(asked, report.rows + report.dropped);
    for (int64_t i = 0; i < report.rows; i++) {
        assert_true(world_record(w, i)[0] <= 0);
        CHECK_NEAR(world_record(w, i)[w->roll.rec.r], 2 - 1.5 * 0.5, 0, 1e-4); /* noise of 1e-5 */
    }
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trajectories_begin_where_episodes_do),
        cmocka_unit_test(a_trajectory_keeps_its_elite),
        cmocka_unit_test(a_row_above_the_threshold_halts),
        cmocka_unit_test(the_truth_is_asked_for_every_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
