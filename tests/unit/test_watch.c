/* What the watch makes of what it sees: five ranks of two hosts, of which the first three are here, and times by
 * hand. How a job really ends is in tests/e2e/test_hang.sh. */
#include "support/check.h"

#include <string.h>

#include "comm/watch_state.h"

enum { RANKS = 5, NEAR = 3, PATIENCE = 10, NOW = 1000 };

static WatchKnown known[RANKS];

/* All ranks compute, and the folder is read and written. */
static void all_is_well(int rank)
{
    memset(known, 0, sizeof known);
    watch.patience = PATIENCE;
    watch.ranks = RANKS;
    watch.near = NEAR;
    watch.rank = rank;
    watch.leader = 0;
    watch.known = known;
    watch.folder.on = true;
    watch.folder.round_at = NOW;
    for (int r = 0; r < RANKS; r++) {
        known[r] = (WatchKnown){.leader = r < NEAR ? 0 : NEAR,
                                .heard = true,
                                .beat_at = NOW,
                                .still_at = NOW,
                                .same_at = NOW};
    }
}

static void silent_for(int rank, double seconds)
{
    known[rank].beat_at = NOW - seconds;
}

/* Ranks from..to-1 are in one exchange each for so long. */
static void wait_for(int from, int to, double seconds)
{
    for (int r = from; r < to; r++) {
        known[r].now.waits = true;
        known[r].still_at = NOW - seconds;
    }
}

static void a_silent_rank_of_this_host_has_stopped(void **state)
{
    (void)state;

    all_is_well(0);
    assert_int_equal(watch_judge(NOW), WATCH_FINE);
    silent_for(2, PATIENCE);
    assert_int_equal(watch_judge(NOW), WATCH_FINE);
    silent_for(2, PATIENCE + 0.1);
    assert_int_equal(watch_judge(NOW), WATCH_STOPPED);
    known[2].heard = false; /* it has left in order */
    assert_int_equal(watch_judge(NOW), WATCH_FINE);
}

static void another_host_is_judged_as_a_whole(void **state)
{
    (void)state;

    all_is_well(0);
    silent_for(4, 100);
    assert_int_equal(watch_judge(NOW), WATCH_FINE); /* its own host sees to it */
    silent_for(3, PATIENCE * WATCH_FAR);
    assert_int_equal(watch_judge(NOW), WATCH_FINE);
    silent_for(3, PATIENCE * WATCH_FAR + 0.1);
    assert_int_equal(watch_judge(NOW), WATCH_STOPPED);
}

static void a_job_is_stuck_when_all_wait(void **state)
{
    (void)state;

    all_is_well(0);
    wait_for(0, RANKS, PATIENCE + 0.1);
    assert_int_equal(watch_judge(NOW), WATCH_STUCK);
    wait_for(4, RANKS, PATIENCE);
    assert_int_equal(watch_judge(NOW), WATCH_FINE); /* one has just begun to */
    wait_for(4, RANKS, PATIENCE + 0.1);
    known[4].heard = false; /* nobody knows what it does */
    assert_int_equal(watch_judge(NOW), WATCH_FINE);
}

/* It stopped in the exchange in which all wait for it, a moment after it came there. */
static void who_stopped_in_an_exchange_is_not_called_stuck(void **state)
{
    (void)state;

    all_is_well(0);
    wait_for(0, RANKS, PATIENCE + 0.1);
    silent_for(1, PATIENCE);
    assert_int_equal(watch_judge(NOW), WATCH_FINE);
    silent_for(1, PATIENCE + 0.1);
    assert_int_equal(watch_judge(NOW), WATCH_STOPPED);
    silent_for(1, PATIENCE / 2.0); /* as long as a look may take on a busy machine */
    assert_int_equal(watch_judge(NOW), WATCH_STUCK);
}

/* The ranks of this host wait for longer than any other, and nothing is known of the others since the folder
 * cannot be read: then their times are those of now. */
static void adrift(void)
{
    all_is_well(0);
    wait_for(0, NEAR, 5 * PATIENCE + 0.1);
    watch.folder.round_at = NOW - 2 * PATIENCE - 0.1;
}

static void a_host_is_adrift_without_the_folder(void **state)
{
    (void)state;

    adrift();
    assert_int_equal(watch_judge(NOW), WATCH_ADRIFT);
    wait_for(1, 2, 5 * PATIENCE); /* a rank that has moved since */
    assert_int_equal(watch_judge(NOW), WATCH_FINE);
    adrift();
    known[1].heard = false;
    assert_int_equal(watch_judge(NOW), WATCH_FINE);
    adrift();
    watch.folder.round_at = NOW - 2 * PATIENCE; /* a slow disk */
    assert_int_equal(watch_judge(NOW), WATCH_FINE);
    adrift();
    watch.folder.on =
        false; /* a command without a run directory, or not the first rank of the host */
    assert_int_equal(watch_judge(NOW), WATCH_FINE);
    adrift();
    wait_for(NEAR, RANKS, PATIENCE + 0.1); /* the folder went after this was read: all wait */
    assert_int_equal(watch_judge(NOW), WATCH_STUCK);
    adrift();
    silent_for(2, PATIENCE + 0.1); /* more is known of this */
    assert_int_equal(watch_judge(NOW), WATCH_STOPPED);
}

static void the_first_who_sees_it_tells(void **state)
{
    (void)state;

    all_is_well(0);
    assert_false(watch_others_turn(WATCH_STUCK, NOW));
    all_is_well(2);
    assert_true(watch_others_turn(WATCH_STUCK, NOW));
    silent_for(0, 100);
    assert_true(watch_others_turn(WATCH_STOPPED, NOW)); /* rank 1's */
    known[1].heard = false;
    assert_false(watch_others_turn(WATCH_STOPPED, NOW));

    all_is_well(3); /* the first rank of the other host */
    watch.leader = NEAR;
    assert_true(watch_others_turn(WATCH_STUCK, NOW));
    assert_false(watch_others_turn(WATCH_ADRIFT, NOW)); /* no host knows of another's */
    silent_for(4, 100);
    assert_false(watch_others_turn(WATCH_STOPPED, NOW)); /* a rank of this host alone */
    silent_for(0, 100);
    silent_for(1, 100);
    silent_for(2, 100);
    silent_for(4, 0);
    assert_false(watch_others_turn(WATCH_STOPPED, NOW)); /* that host cannot */
}

/* What changes when a sight comes in. */
static void times_are_those_of_changes(void **state)
{
    (void)state;
    WatchKnown k = {0};
    WatchSight s = {.beat = 1, .changes = 5, .waits = true};

    watch_learn(&k, &s, 1);
    assert_true(k.heard && k.beat_at == 1 && k.still_at == 1 && k.same_at == 1);
    s.beat = 2;
    watch_learn(&k, &s, 2); /* alive, and in the same exchange */
    assert_true(k.beat_at == 2 && k.still_at == 1 && k.same_at == 1);
    watch_learn(&k, &s, 3); /* the same sight once more */
    assert_true(k.beat_at == 2 && k.still_at == 1 && k.same_at == 1);
    s.changes = 6;
    watch_learn(&k, &s, 4); /* another exchange */
    assert_true(k.beat_at == 2 && k.still_at == 4 && k.same_at == 4);
    s.waits = false;
    watch_learn(&k, &s, 5); /* long work is no waiting, and still the same piece of it */
    assert_true(k.still_at == 5 && k.same_at == 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silent_rank_of_this_host_has_stopped),
        cmocka_unit_test(another_host_is_judged_as_a_whole),
        cmocka_unit_test(a_job_is_stuck_when_all_wait),
        cmocka_unit_test(who_stopped_in_an_exchange_is_not_called_stuck),
        cmocka_unit_test(a_host_is_adrift_without_the_folder),
        cmocka_unit_test(the_first_who_sees_it_tells),
        cmocka_unit_test(times_are_those_of_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
