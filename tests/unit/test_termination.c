/* When rollouts end: bounds as text, their marks, the classifier of terminal rows on a rule known here. */
#include "support/check.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "rollout/termination.h"

enum { S = 3, A = 1, STRIDE = 2 * S + A + 2, ROWS = 6000 };

static const Record *rec(void)
{
    static Record r;
    r = record_make(S, A);
    return &r;
}

static void bounds_are_read_as_written(void **state)
{
    (void)state;
    Termination end = {.rule = END_BOUNDS};

    CHECK_OK(termination_bounds(&end, "", S));
    assert_int_equal(end.bounds, 0);
    CHECK_OK(termination_bounds(&end, " 0:0.7..2, 2 : -1e-1 .. +0.2 ", S));
    assert_int_equal(end.bounds, 2);
    assert_int_equal(end.bound[0].column, 0);
    CHECK_NEAR(end.bound[0].low, 0.7, 1e-6, 0);
    CHECK_NEAR(end.bound[0].high, 2, 0, 0);
    assert_int_equal(end.bound[1].column, 2);
    CHECK_NEAR(end.bound[1].low, -0.1, 1e-6, 0);
    CHECK_NEAR(end.bound[1].high, 0.2, 1e-6, 0);
    CHECK_OK(termination_bounds(
        &end, "1:..5,                                                       0:-3..", S));
    assert_int_equal(end.bounds, 2);
    assert_true(end.bound[0].low == -HUGE_VALF && end.bound[1].high == HUGE_VALF);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "0",      "0:",     "0:1",     "0:1.5",    "0:2..1", "0:1..1",   "3:0..1",       "-1:0..1",
        "x:0..1", "0:a..1", "0:0..1;", "0:0..1,,", ":0..1",  "0:nan..1", "0:0..1 2:0..1"};
    Termination end = {.rule = END_BOUNDS};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (termination_bounds(&end, texts[i], S) != ERR_CONFIG) {
            fail_msg("'%s' was taken", texts[i]);
        }
        assert_non_null(strstr(status_reason(), "termination.bounds"));
    }
}

static void a_state_outside_of_any_bound_ends(void **state)
{
    (void)state;
    Termination end = {.rule = END_BOUNDS};
    const float states[][S] = {{1, 0, 0},    {0.69F, 0, 0}, {2.01F, 0, 0},      {1, 9, 0},
                               {1, 0, 0.3F}, {NAN, 0, 0},   {0.7F, -50, -0.2F}, {1, 0, NAN}};
    const uint8_t want[] = {0, 1, 1, 0, 1, 1, 0, 1};
    float records[8 * STRIDE] = {0};
    uint8_t done[8];
    Arena tmp = {0};

    for (int i = 0; i < 8; i++) {
        memcpy(records + (size_t)i * STRIDE + rec()->s2, states[i], sizeof states[i]);
    }
    CHECK_OK(termination_bounds(&end, "0:0.7..2, 2:-0.2..0.2", S));
    termination_mark(&end, env_find("pointmass"), rec(), records, 8, &tmp, done);
    assert_memory_equal(done, want, sizeof want);
    end.rule = END_NEVER;
    termination_mark(&end, env_find("pointmass"), rec(), records, 8, &tmp, done);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(done[i], 0);
    }
}

/* s uniform, s' = s + 0.1 a + noise; the episode ends where s'[1] > limit. */
static void make_rows(float *records, float limit, uint32_t item)
{
    Rng rng = rng_make(3, RNG_TEST, 1, item);
    for (int i = 0; i < ROWS; i++) {
        float *row = records + (size_t)i * STRIDE;
        rng_fill_uniform(&rng, -1, 1, row, S + A);
        for (int j = 0; j < S; j++) {
            row[rec()->s2 + (size_t)j] = 50 * (row[j] + 0.1F * row[S]); /* any unit will do */
        }
        row[rec()->cont] = row[rec()->s2 + 1] > limit ? 0.0F : 1.0F;
    }
}

/* Rows the classifier gets right of `rows`; *ends: how many it calls terminal. */
static int right_of(const TerminalHead *head, const float *records, int *ends)
{
    Arena tmp = {0};
    uint8_t *done = NULL;
    int right = 0;

    CHECK_OK(arena_init(&tmp, terminal_head_cost(head, ROWS)));
    CHECK_OK(mem_alloc(&done, ROWS, 1, "test"));
    terminal_head_mark(head, records, ROWS, &tmp, done);
    *ends = 0;
    for (int i = 0; i < ROWS; i++) {
        right += done[i] == (records[(size_t)i * STRIDE + rec()->cont] == 0.0F) ? 1 : 0;
        *ends += done[i];
    }
    mem_free(&done);
    arena_release(&tmp);
    return right;
}

static void the_classifier_learns_a_rare_limit(void **state)
{
    (void)state;
    float *records = NULL;
    TerminalHead head;
    TerminalReport r;
    int ends = 0;

    CHECK_OK(mem_alloc(&records, ROWS, STRIDE * sizeof(float), "test"));
    make_rows(records, 48, 0); /* about 2.5 % of the rows */
    CHECK_OK(terminal_head_init(&head, *rec(), 32, 1));
    assert_int_equal(right_of(&head, records, &ends) > 0 ? ends : -1, 0); /* unfitted: never */
    CHECK_OK(terminal_head_fit(&head, records, ROWS, 1500, 1, &r));
    assert_in_range(r.terminals + r.others, ROWS / 10 - 1, ROWS / 10);
    assert_true(r.terminals >= 5 && r.trained_on > 100);
    make_rows(records, 48, 1); /* others */
    assert_true(right_of(&head, records, &ends) > 0.99 * ROWS);
    assert_true(ends > 0);
    terminal_head_release(&head);
    mem_free(&records);
}

/* Episodes of ten rows: the held-out rows must not be all the ends there are. */
static void episodes_of_one_length_do_not_hide_their_ends(void **state)
{
    (void)state;
    float *records = NULL;
    TerminalHead head;
    TerminalReport r;

    CHECK_OK(mem_alloc(&records, ROWS, STRIDE * sizeof(float), "test"));
    make_rows(records, 1000, 0);
    for (size_t i = 9; i < ROWS; i += 10) {
        records[i * STRIDE + rec()->cont] = 0.0F;
    }
    CHECK_OK(terminal_head_init(&head, *rec(), 8, 1));
    CHECK_OK(terminal_head_fit(&head, records, ROWS, 10, 1, &r));
    assert_int_equal(r.terminals, ROWS / 100);
    assert_int_equal(r.trained_on, ROWS / 10 - ROWS / 100);
    terminal_head_release(&head);
    mem_free(&records);
}

static void without_terminal_rows_nothing_ends(void **state)
{
    (void)state;
    float *records = NULL;
    TerminalHead head;
    TerminalReport r;
    int ends = 0;

    CHECK_OK(mem_alloc(&records, ROWS, STRIDE * sizeof(float), "test"));
    make_rows(records, 1000, 0);
    CHECK_OK(terminal_head_init(&head, *rec(), 8, 1));
    CHECK_OK(terminal_head_fit(&head, records, ROWS, 10, 1, &r));
    assert_int_equal(r.trained_on, 0);
    (void)right_of(&head, records, &ends);
    assert_int_equal(ends, 0);
    terminal_head_release(&head);
    mem_free(&records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_are_read_as_written),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(a_state_outside_of_any_bound_ends),
        cmocka_unit_test(episodes_of_one_length_do_not_hide_their_ends),
        cmocka_unit_test(the_classifier_learns_a_rare_limit),
        cmocka_unit_test(without_terminal_rows_nothing_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
