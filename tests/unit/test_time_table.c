/* account and time_table: seconds have one owner; least, mean and most over ranks by hand; and sentences for
 * ranks that wait, none for those that do not. */
#include "support/check.h"

#include <stdio.h>
#include <string.h>

#include "base/account.h"
#include "base/timer.h"
#include "run/time_table.h"

/* Times given, not taken: the clock does not matter. */
static void each_second_has_one_kind_and_one_way(void **state)
{
    (void)state;
    account_start(ACCOUNT_LOAD);
    const double t = timer_now();
    assert_int_equal(account_way_from(ACCOUNT_EXCHANGE, t + 1), ACCOUNT_COMPUTE);
    assert_int_equal(account_way_from(ACCOUNT_WAIT, t + 3), ACCOUNT_EXCHANGE);
    assert_int_equal(account_way_from(ACCOUNT_COMPUTE, t + 7), ACCOUNT_WAIT);
    assert_int_equal(account_kind(ACCOUNT_EVAL), ACCOUNT_LOAD);
    assert_int_equal(account_current_kind(), ACCOUNT_EVAL);
    assert_int_equal(account_current_way(), ACCOUNT_COMPUTE);
    const AccountSheet sheet = account_sheet();
    const double now = timer_now();
    double sum = 0;

    CHECK_NEAR(sheet.of[ACCOUNT_LOAD][ACCOUNT_EXCHANGE], 2, 0, 1e-6);
    CHECK_NEAR(sheet.of[ACCOUNT_LOAD][ACCOUNT_WAIT], 4, 0, 1e-6);
    CHECK_NEAR(account_outside(), 6, 0, 1e-6);
    for (int k = 0; k < ACCOUNT_KINDS; k++) {
        for (int w = 0; w < ACCOUNT_WAYS; w++) {
            sum += sheet.of[k][w];
            assert_true(sheet.of[k][w] == 0 || k == ACCOUNT_LOAD || k == ACCOUNT_EVAL);
        }
    }
    CHECK_NEAR(sum, now - t, 0, 0.5); /* what passed since t: the made-up seconds cancel out */
    account_start(ACCOUNT_OTHER);
    CHECK_NEAR(account_outside(), 0, 0, 0);
}

static TimeRow find(const TimeRow *rows, int n, AccountWay way, int kind)
{
    for (int i = 0; i < n; i++) {
        if (rows[i].way == way && rows[i].kind == kind) {
            return rows[i];
        }
    }
    fail_msg("no row for way %d of kind %d", (int)way, kind);
    return (TimeRow){0};
}

static void rows_are_those_worked_by_hand(void **state)
{
    (void)state;
    AccountSheet sheets[3] = {0};
    TimeRow rows[TIME_ROWS_MAX];
    char line[TIME_LINE_MAX];

    for (int r = 0; r < 3; r++) { /* 10 s each */
        sheets[r].of[ACCOUNT_UPDATE][ACCOUNT_COMPUTE] = 3 + 2 * r;
        sheets[r].of[ACCOUNT_UPDATE][ACCOUNT_WAIT] = 6.95 - 2 * r;
        sheets[r].of[ACCOUNT_LOAD][ACCOUNT_COMPUTE] = 0.05;
    }
    const int n = time_table(sheets, 3, rows);
    assert_int_equal(n, 3 + 2); /* loading is too little for a row */
    const TimeRow row = find(rows, n, ACCOUNT_COMPUTE, ACCOUNT_UPDATE);
    CHECK_NEAR(row.min, 3, 0, 1e-12);
    CHECK_NEAR(row.mean, 5, 0, 1e-12);
    CHECK_NEAR(row.max, 7, 0, 1e-12);
    CHECK_NEAR(row.above, 0.4, 0, 1e-12);
    CHECK_NEAR(row.share, 0.5, 0, 1e-12);
    CHECK_NEAR(find(rows, n, ACCOUNT_COMPUTE, -1).max, 7.05, 0, 1e-12);
    CHECK_NEAR(find(rows, n, ACCOUNT_EXCHANGE, -1).share, 0, 0, 0);
    CHECK_NEAR(find(rows, n, ACCOUNT_WAIT, -1).mean, 4.95, 0, 1e-12);
    time_table_line(&row, line);
    assert_non_null(strstr(line, "  updates"));
    assert_non_null(strstr(line, "     3.00      5.00      7.00      40 %  50.0 %"));
}

enum { RANKS = 4 };

/* An epoch of 10 s, in which learners update and workers roll out; waits of a role in a kind take the place. */
static void planted(AccountSheet sheets[RANKS], const Plan *plan, bool workers, AccountKind kind,
                    double wait)
{
    memset(sheets, 0, RANKS * sizeof *sheets);
    for (int r = 0; r < RANKS; r++) {
        const bool learner = plan_is_learner(plan, r);
        const AccountKind own = learner ? ACCOUNT_UPDATE : ACCOUNT_ROLLOUT;
        const double lost = learner != workers ? wait : 0;
        sheets[r].of[own][ACCOUNT_COMPUTE] = 10 - lost;
        sheets[r].of[kind][ACCOUNT_WAIT] += lost;
    }
}

static void who_waits_is_told_what_to_change(void **state)
{
    (void)state;
    static const struct {
        bool workers;
        AccountKind kind;
        const char *begin, *key;
    } cases[] = {
        {false, ACCOUNT_HANDOVER, "learners waited 40 % of the epochs", "more ranks"},
        {true, ACCOUNT_HANDOVER, "workers waited 40 % of the epochs", "fewer ranks"},
        {false, ACCOUNT_UPDATE, "learners waited 40 % of their updates", "ranks.learners"},
    };
    const Plan plan = {.ranks = RANKS, .learners = 2, .shards = 4, .units = 8, .episodes = 4};
    char text[TIME_ADVICE_MAX][TIME_ADVICE_SIZE];
    AccountSheet sheets[RANKS];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        planted(sheets, &plan, cases[i].workers, cases[i].kind, 4);
        assert_int_equal(time_advice(sheets, &plan, RANKS, text), 1);
        assert_memory_equal(text[0], cases[i].begin, strlen(cases[i].begin));
        assert_non_null(strstr(text[0], cases[i].key));
        assert_int_equal(time_advice(sheets, &plan, 2, text), 1);
        assert_non_null(strstr(text[0], "4 ranks waited for each other on 2 cores"));
    }
    memset(sheets, 0, sizeof sheets); /* 7 members on 4 ranks: one rank has one, the others two */
    for (int r = 0; r < RANKS; r++) {
        sheets[r].of[ACCOUNT_FIT][ACCOUNT_COMPUTE] = r < 3 ? 10 : 5;
        sheets[r].of[ACCOUNT_FIT][ACCOUNT_WAIT] = r < 3 ? 0 : 5;
    }
    assert_int_equal(time_advice(sheets, &plan, RANKS, text), 0); /* an eighth */
    sheets[2] = sheets[3];
    assert_int_equal(time_advice(sheets, &plan, RANKS, text), 1);
    assert_non_null(strstr(text[0], "model.members"));
}

static void small_waits_are_not_worth_a_word(void **state)
{
    (void)state;
    const Plan plan = {.ranks = RANKS, .learners = 1, .shards = 4, .units = 8, .episodes = 4};
    const Plan alone = {.ranks = RANKS, .learners = RANKS, .shards = 4, .units = 8, .episodes = 4};
    char text[TIME_ADVICE_MAX][TIME_ADVICE_SIZE];
    AccountSheet sheets[RANKS];

    planted(sheets, &plan, true, ACCOUNT_HANDOVER, 2.4);
    assert_int_equal(time_advice(sheets, &plan, RANKS, text), 0);
    assert_int_equal(time_advice(sheets, &plan, 1, text), 0);
    planted(sheets, &plan, true, ACCOUNT_HANDOVER, 2.6);
    assert_int_equal(time_advice(sheets, &plan, RANKS, text), 1);
    planted(sheets, &alone, false, ACCOUNT_HANDOVER, 5); /* there is no worker to wait for */
    assert_int_equal(time_advice(sheets, &alone, RANKS, text), 0);
    memset(sheets, 0, sizeof sheets);
    sheets[0].of[ACCOUNT_HANDOVER][ACCOUNT_WAIT] = 0.9; /* all of it, but not a second */
    assert_int_equal(time_advice(sheets, &plan, RANKS, text), 0);
    memset(sheets, 0, sizeof sheets); /* a run without any epoch */
    assert_int_equal(time_advice(sheets, &plan, RANKS, text), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_second_has_one_kind_and_one_way),
        cmocka_unit_test(rows_are_those_worked_by_hand),
        cmocka_unit_test(who_waits_is_told_what_to_change),
        cmocka_unit_test(small_waits_are_not_worth_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
