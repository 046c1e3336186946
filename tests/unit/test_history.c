/* history: sums and digests of phases, and which phases a ring of given size still needs. */
#include "support/check.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "run/learner_state.h"
#include "support/temp_dir.h"

enum { V = 2, ACTOR = 3, UNITS = 4 };

static History make(int64_t room)
{
    History h;
    CHECK_OK(history_init(&h, V, ACTOR, room));
    return h;
}

/* A phase with a policy of its own and `rows` rows in each unit. */
static void add(History *h, int64_t epoch, int64_t rows)
{
    const float policy[ACTOR] = {(float)epoch, -(float)epoch, 0.5F};
    UnitReport units[UNITS];
    for (int u = 0; u < UNITS; u++) {
        units[u] = (UnitReport){.rows = rows, .digest = (uint64_t)(100 * epoch + u)};
    }
    CHECK_OK(history_add(h, epoch, policy, units, UNITS));
}

/* The epochs that are left, oldest first. */
static void check_epochs(const History *h, int64_t first, int64_t last)
{
    assert_int_equal(h->count, last - first + 1);
    for (int64_t i = 0; i < h->count; i++) {
        assert_int_equal(h->epoch[i], first + i);
        assert_int_equal(history_find(h, first + i), i);
        assert_true(h->policy[i * ACTOR] == (float)(first + i)); /* the rest moved with it */
        assert_true(h->policy[i * ACTOR + 1] == -(float)(first + i));
    }
    assert_int_equal(history_find(h, first - 1), -1);
    assert_int_equal(history_find(h, last + 1), -1);
}

static void a_phase_is_the_sum_of_its_units(void **state)
{
    (void)state;
    const UnitReport units[UNITS] = {
        {10, 1, 0, 1.5, 0.3, -4, 7, 1},
        {20, 2, 1, 2.5, 0.9, 8, 8, 0},
        {30, 4, 0, 0.0, 0.0, 16, 9, 2},
        {40, 8, 2, 4.0, 0.5, 32, 10, 4},
    };
    const float policy[ACTOR] = {1, 2, 3};
    const double want[SUM_COUNT] = {
        [SUM_ROWS] = 100,        [SUM_ENDED] = 15,  [SUM_DROPPED] = 3, [SUM_PENALTY] = 8,
        [SUM_PENALTY_MAX] = 0.9, [SUM_REWARD] = 52, [SUM_HALTED] = 7};
    History h = make(1);

    CHECK_OK(history_add(&h, 5, policy, units, UNITS));
    for (int k = 0; k < SUM_COUNT; k++) {
        CHECK_NEAR(h.sums[k], want[k], 0, 0);
    }
    assert_int_equal(h.rows[0], 30); /* units 0 and 1 */
    assert_int_equal(h.rows[1], 70);
    history_release(&h);
}

static void the_digest_knows_the_order_of_units(void **state)
{
    (void)state;
    const float policy[ACTOR] = {0};
    const UnitReport a[2] = {{.digest = 1}, {.digest = 2}};
    const UnitReport b[2] = {{.digest = 2}, {.digest = 1}};
    const UnitReport c[2] = {{.digest = 1, .rows = 9}, {.digest = 2}};
    const UnitReport d[2] = {{.digest = 3}, {.digest = 2}};
    History h = make(4);

    CHECK_OK(history_add(&h, 1, policy, a, 2));
    CHECK_OK(history_add(&h, 2, policy, b, 2));
    CHECK_OK(history_add(&h, 3, policy, c, 2));
    CHECK_OK(history_add(&h, 4, policy, d, 2));
    assert_true(h.digest[0] != h.digest[1]);
    assert_true(h.digest[0] != h.digest[3]);
    assert_true(h.digest[0] == h.digest[2]); /* of the units' digests, nothing else */
    history_release(&h);
}

/* Full phases of 2 x 10 rows per shard and rings of three phases: exactly three are needed. */
static void full_phases_are_kept_as_long_as_the_ring_holds_them(void **state)
{
    (void)state;
    const int64_t capacity[V] = {60, 60};
    History h = make(2);

    for (int64_t e = 1; e <= 10; e++) {
        add(&h, e, 10);
        history_trim(&h, capacity);
        check_epochs(&h, e < 3 ? 1 : e - 2, e);
    }
    history_release(&h);
}

/* Rollouts that end early give fewer rows: more phases fit, and all with a row left are needed. */
static void short_phases_are_kept_longer(void **state)
{
    (void)state;
    const int64_t capacity[V] = {60, 60};
    History h = make(4);

    add(&h, 1, 10);
    for (int64_t e = 2; e <= 6; e++) {
        add(&h, e, 4); /* 8 rows in a shard */
        history_trim(&h, capacity);
    }
    check_epochs(&h, 1, 6); /* 20 + 5 x 8 = 60: full to the row */
    add(&h, 7, 4);
    history_trim(&h, capacity);
    check_epochs(&h, 1, 7); /* 12 of the 20 rows of epoch 1 are left */
    add(&h, 8, 4);
    history_trim(&h, capacity);
    check_epochs(&h, 1, 8); /* 7 x 8 = 56 < 60: 4 are left */
    add(&h, 9, 4);
    history_trim(&h, capacity);
    check_epochs(&h, 2, 9);
    history_release(&h);
}

/* The slowest ring decides. */
static void a_phase_goes_when_no_shard_needs_it(void **state)
{
    (void)state;
    const int64_t capacity[V] = {20, 40};
    History h = make(4);

    for (int64_t e = 1; e <= 5; e++) {
        add(&h, e, 10);
        history_trim(&h, capacity);
    }
    check_epochs(&h, 4, 5);
    history_release(&h);
}

static void the_newest_phase_always_stays(void **state)
{
    (void)state;
    const int64_t capacity[V] = {1, 1};
    History h = make(1);

    history_trim(&h, capacity); /* nothing there */
    add(&h, 1, 0);              /* every row was dropped */
    history_trim(&h, capacity);
    check_epochs(&h, 1, 1);
    add(&h, 2, 1000);
    history_trim(&h, capacity);
    check_epochs(&h, 2, 2);
    history_release(&h);
}

static void the_slabs_are_the_phases_that_are_left(void **state)
{
    (void)state;
    const int64_t capacity[V] = {40, 40};
    Slab slabs[HISTORY_SLABS];
    History h = make(1);

    for (int64_t e = 1; e <= 6; e++) { /* room grows from 1 */
        add(&h, e, 10);
    }
    history_trim(&h, capacity);
    assert_int_equal(history_slabs(&h, slabs), HISTORY_SLABS);
    const size_t want[HISTORY_SLABS] = {2, 2, 2 * SUM_COUNT, 2 * V, 2 * ACTOR};
    for (int i = 0; i < HISTORY_SLABS; i++) {
        assert_int_equal(slabs[i].n, want[i]);
    }
    assert_string_equal(slabs[0].name, "history.epoch");
    assert_int_equal(((const int64_t *)slabs[0].data)[0], 5);
    history_release(&h);
}

/* Every allocation of init and of growing fails once; the phases that were there stay. */
static void memory_may_run_out(void **state)
{
    (void)state;
    const int64_t before = mem_count();
    const float policy[ACTOR] = {0};
    const UnitReport units[V] = {{0}};

    for (int64_t k = 1; k <= 5; k++) {
        History h;
        mem_fail_at(k);
        assert_int_equal(history_init(&h, V, ACTOR, 2), ERR_NOMEM);
        assert_int_equal(mem_count(), before);
        mem_fail_at(0);
        h = make(2);
        add(&h, 1, 10);
        add(&h, 2, 10);
        mem_fail_at(k);
        assert_int_equal(history_add(&h, 3, policy, units, V), ERR_NOMEM);
        mem_fail_at(0);
        check_epochs(&h, 1, 2);
        add(&h, 3, 10);
        check_epochs(&h, 1, 3);
        history_release(&h);
        assert_int_equal(mem_count(), before);
    }
}

/* How many warnings are in the log. */
static int warnings(const char *path)
{
    int n = 0;
    for (const char *at = temp_read(path); (at = strstr(at, "left out")) != NULL; at++) {
        n++;
    }
    return n;
}

static void rows_left_out_are_told_and_again_when_ten_times_as_many(void **state)
{
    (void)state;
    static const int64_t dropped[] = {0, 3, 3, 29, 30, 299, 300, 0, 3};
    static const int told[] = {0, 1, 1, 1, 2, 2, 3, 3, 3};
    static Session s;
    static Learner l;
    const float policy[ACTOR] = {0};
    char folder[TEMP_PATH_MAX];
    char path[TEMP_PATH_MAX];

    temp_dir_make(folder);
    (void)snprintf(path, sizeof path, "%s", temp_path(folder, "log.txt"));
    CHECK_OK(log_open_file(path));
    s.roll.penalty = penalty_find("max_std");
    l.s = &s;
    l.history = make(1);
    for (int k = 0; k < (int)(sizeof told / sizeof *told); k++) {
        const UnitReport units[UNITS] = {{.rows = 100}, {.rows = 100, .dropped = dropped[k]}};
        CHECK_OK(history_add(&l.history, k + 1, policy, units, UNITS));
        learner_tell_dropped(&l, k + 1);
        assert_int_equal(warnings(path), told[k]);
    }
    log_close_file();
    history_release(&l.history);
    temp_dir_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_phase_is_the_sum_of_its_units),
        cmocka_unit_test(the_digest_knows_the_order_of_units),
        cmocka_unit_test(full_phases_are_kept_as_long_as_the_ring_holds_them),
        cmocka_unit_test(short_phases_are_kept_longer),
        cmocka_unit_test(a_phase_goes_when_no_shard_needs_it),
        cmocka_unit_test(the_newest_phase_always_stays),
        cmocka_unit_test(the_slabs_are_the_phases_that_are_left),
        cmocka_unit_test(memory_may_run_out),
        cmocka_unit_test(rows_left_out_are_told_and_again_when_ten_times_as_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
