/* plan: every unit of work has one owner of the right role, loads are even, learners get aligned blocks
 * of shards, and the choice of learners. */
#include "support/check.h"

#include "comm/plan.h"

enum { RANKS_MOST = 1000 };

static const PlanCost even = {.update = 1, .rollout = 1};

/* Fails with the plan's numbers, which cmocka would not show. */
static void check_plan(const Plan *p, bool held, const char *what)
{
    if (!held) {
        print_error("ranks %d, learners %d, shards %d, units %d, episodes %d: %s\n", p->ranks,
                    p->learners, p->shards, p->units, p->episodes, what);
        fail();
    }
}

/* n items with these owners: all in first .. last, each of whom has n / owners or one more. */
static void check_loads(const Plan *p, int (*owner)(const Plan *, int), int n, int first, int last,
                        const char *what)
{
    static int load[RANKS_MOST];
    const int owners = last - first + 1;

    for (int r = 0; r < p->ranks; r++) {
        load[r] = 0;
    }
    for (int i = 0; i < n; i++) {
        const int r = owner(p, i);
        check_plan(p, r >= first && r <= last, what);
        load[r]++;
    }
    for (int r = first; r <= last; r++) {
        check_plan(p, load[r] >= n / owners, what);
        check_plan(p, load[r] <= (n + owners - 1) / owners, what);
    }
}

static void check_properties(const Plan *p)
{
    const int first = plan_first_worker(p);

    check_plan(p, p->learners >= 1 && p->learners <= p->ranks && p->learners <= p->shards, "roles");
    check_plan(p, (p->learners & (p->learners - 1)) == 0, "learners are a power of two");
    check_plan(p, first == (p->ranks > p->learners ? p->learners : 0), "first worker");
    for (int r = 0; r < p->ranks; r++) {
        check_plan(p, plan_is_learner(p, r) == (r < p->learners), "learners come first");
    }
    check_loads(p, plan_shard_owner, p->shards, 0, p->learners - 1, "owner of a shard");
    for (int s = 0; s < p->shards; s++) { /* as comm_reduce_open cuts the tree */
        check_plan(p, plan_shard_owner(p, s) == s / (p->shards / p->learners), "aligned blocks");
    }
    for (int u = 0; u < p->units; u++) {
        const int s = plan_unit_shard(p, u);
        check_plan(p, s >= 0 && s < p->shards, "shard of a unit");
        check_plan(p, u == 0 || s >= plan_unit_shard(p, u - 1), "units go to shards in order");
        check_plan(p, first > 0 || plan_unit_owner(p, u) == plan_shard_owner(p, s),
                   "without workers, records stay where they are made");
    }
    const int last = first == 0 ? p->learners - 1 : p->ranks - 1;
    check_loads(p, plan_unit_owner, p->units, first, last, "owner of a unit");
    check_loads(p, plan_episode_owner, p->episodes, first, last, "owner of an episode");
}

static void everything_has_one_owner_and_loads_are_even(void **state)
{
    (void)state;
    static const int ranks[] = {1, 2, 3, 4, 5, 7, 8, 16, 17, 64, 65, 100, 999, RANKS_MOST};

    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++) {
        for (int shards = 1; shards <= 64; shards *= 2) {
            for (int wanted = 0; wanted <= shards; wanted = wanted > 0 ? 2 * wanted : 1) {
                for (int times = 1; times <= 16; times += 5) {
                    const int cores = times % 2 == 0 ? ranks[i] : 2;
                    const Plan p =
                        plan_make(ranks[i], cores, wanted, shards, times * shards, 9 + times, even);
                    check_properties(&p);
                }
            }
        }
    }
}

/* All members are fitted, by teams that fit_model.c can work with; returns how long the busiest rank fits,
 * in members: one of a team of n has 1/n of it to do. */
static double check_teams(const Plan *p, int members, int size)
{
    static double load[RANKS_MOST];
    static bool done[RANKS_MOST]; /* it was in a team of several */
    double most = 0;

    for (int r = 0; r < p->ranks; r++) {
        load[r] = 0;
        done[r] = false;
    }
    for (int i = 0; i < members; i++) {
        const PlanTeam team = plan_member_team(p, members, size, i);
        check_plan(p, team.first >= 0 && team.first + team.size <= p->ranks, "ranks of a team");
        check_plan(p, team.size == size || team.size == 1, "teams of one size");
        check_plan(p, team.first % team.size == 0, "aligned blocks");
        for (int r = team.first; r < team.first + team.size; r++) {
            check_plan(p, plan_in_team(team, r), "in the team");
            check_plan(p, !done[r], "a team's member is the last of a rank");
            done[r] = team.size > 1;
            load[r] += 1.0 / team.size;
            most = load[r] > most ? load[r] : most;
        }
        check_plan(p, !plan_in_team(team, team.first - 1), "nobody before");
        check_plan(p, !plan_in_team(team, team.first + team.size), "nobody behind");
    }
    const int rounds = (members + p->ranks - 1) / p->ranks;
    check_plan(p, most <= rounds, "no slower than without teams");
    return most;
}

static void members_are_dealt_in_rounds_and_the_rest_to_teams(void **state)
{
    (void)state;
    for (int ranks = 1; ranks <= 300; ranks = ranks < 40 ? ranks + 1 : 2 * ranks + 1) {
        for (int cores = 1; cores <= 400; cores *= 3) {
            const Plan p = plan_make(ranks, cores, 0, 4, 64, 10, even);
            for (int shards = 1; shards <= 8; shards *= 2) {
                for (int members = 1; members <= 32; members++) {
                    const int size = plan_team_size(&p, 0, members, shards);
                    check_plan(&p, size >= 1 && (size & (size - 1)) == 0, "a power of two");
                    check_plan(&p, size <= shards && (size == 1 || size <= cores), "at most");
                    (void)check_teams(&p, members, size);
                }
            }
        }
    }
}

/* The table of docs/parallel.md, for 7 members. */
static void more_ranks_never_fit_slower(void **state)
{
    (void)state;
    static const struct {
        int ranks, shards;
        double members; /* that the busiest has to fit */
    } known[] = {{1, 2, 7},     {2, 2, 3.5},   {3, 2, 2.5},  {4, 2, 2},    {5, 2, 1.5},
                 {6, 2, 1.5},   {7, 2, 1},     {13, 2, 1},   {14, 2, 0.5}, {16, 2, 0.5},
                 {64, 2, 0.5},  {16, 1, 1},    {6, 4, 1.25}, {16, 4, 0.5}, {28, 4, 0.25},
                 {32, 8, 0.25}, {56, 8, 0.125}};

    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        const Plan p = plan_make(known[k].ranks, known[k].ranks, 0, 4, 64, 10, even);
        const int size = plan_team_size(&p, 0, 7, known[k].shards);
        CHECK_NEAR(check_teams(&p, 7, size), known[k].members, 0, 0);
    }
    for (int shards = 1; shards <= 8; shards *= 2) {
        double before = 7;
        for (int ranks = 1; ranks <= 64; ranks++) {
            const Plan p = plan_make(ranks, ranks, 0, 4, 64, 10, even);
            const double now = check_teams(&p, 7, plan_team_size(&p, 0, 7, shards));
            check_plan(&p, now <= before, "more ranks are no slower");
            before = now;
        }
    }
}

/* 16 ranks on 2 cores: seven of them keep the cores busy. */
static void a_team_has_a_core_for_each_rank_or_was_asked_for(void **state)
{
    (void)state;
    const Plan crowded = plan_make(16, 2, 0, 4, 64, 10, even);
    const Plan some = plan_make(16, 14, 0, 4, 64, 10, even);

    assert_int_equal(plan_team_size(&crowded, 0, 7, 8), 1);
    assert_int_equal(plan_team_size(&crowded, 2, 7, 8), 2);
    assert_int_equal(plan_team_size(&crowded, 8, 7, 8), 2); /* no ranks for more */
    assert_int_equal(plan_team_size(&crowded, 8, 1, 8), 8);
    assert_int_equal(plan_team_size(&some, 0, 7, 8), 2);
    assert_int_equal(plan_team_size(&some, 1, 7, 8), 1);
}

static void units_fill_the_shards_evenly(void **state)
{
    (void)state;
    const Plan p = plan_make(5, 5, 2, 4, 64, 10, even);
    int load[4] = {0};

    for (int u = 0; u < 64; u++) {
        load[plan_unit_shard(&p, u)]++;
    }
    for (int s = 0; s < 4; s++) {
        assert_int_equal(load[s], 16);
    }
}

static void wanted_learners_are_taken_as_far_as_they_go(void **state)
{
    (void)state;
    assert_int_equal(plan_make(8, 1, 4, 4, 8, 1, even).learners, 4); /* cores do not matter then */
    assert_int_equal(plan_make(4, 1, 4, 4, 8, 1, even).learners, 4); /* no workers: as asked */
    assert_int_equal(plan_make(3, 8, 4, 4, 8, 1, even).learners, 2);
    assert_int_equal(plan_make(1, 8, 4, 4, 8, 1, even).learners, 1);
    assert_int_equal(plan_make(8, 8, 8, 2, 8, 1, even).learners, 2);
}

/* With more ranks than shards some cannot learn anyhow; with as much work as updates both go on at once. */
static void a_choice_leaves_a_worker_where_there_is_work(void **state)
{
    (void)state;
    static const PlanCost costs[] = {{.update = 1, .exchange = 0.05, .rollout = 1},
                                     {.update = 1, .rollout = 1000},
                                     {.update = 1000, .rollout = 1}};

    for (int ranks = 2; ranks <= RANKS_MOST; ranks++) {
        for (int c = 0; c < (ranks > 4 ? 3 : 1); c++) {
            const Plan p = plan_make(ranks, ranks, 0, 4, 64, 10, costs[c]);
            check_plan(&p, p.learners < ranks && plan_first_worker(&p) == p.learners, "a worker");
        }
    }
    assert_int_equal(plan_first_worker(&(Plan){.ranks = 1, .learners = 1}), 0);
}

/* Agents without a model: evaluation is little, and nobody waits for it. */
static void where_updates_are_nearly_all_every_rank_learns(void **state)
{
    (void)state;
    const PlanCost no_model = {.update = 15, .fixed = 0.6, .exchange = 0.3, .eval = 1};

    for (int ranks = 2; ranks <= 4; ranks *= 2) {
        assert_int_equal(plan_make(ranks, ranks, 0, 4, 64, 10, no_model).learners, ranks);
    }
    assert_int_equal(plan_make(3, 3, 0, 4, 64, 10, no_model).learners, 2);
    assert_int_equal(plan_make(16, 16, 0, 4, 64, 10, no_model).learners, 4);
}

/* Learners without a core each go on at the pace of the slowest: they are chosen where workers have little
 * to do, and never more than cores. */
static void ranks_that_share_cores_have_few_learners(void **state)
{
    (void)state;
    const PlanCost updates = {.update = 1000, .exchange = 1, .rollout = 1};
    const PlanCost both = {.update = 2, .exchange = 0.01, .rollout = 1};

    for (int cores = 1; cores < 16; cores++) {
        const int learners = plan_make(16, cores, 0, 8, 64, 10, updates).learners;
        assert_true(learners <= cores && 2 * learners > (cores < 8 ? cores : 8));
    }
    assert_int_equal(plan_make(3, 2, 0, 8, 64, 10, both).learners, 1); /* the worker delays both */
    assert_int_equal(plan_make(16, 2, 0, 8, 64, 10, both).learners, 2);
}

/* Slow updates want learners, slow rollouts want workers. */
static void the_choice_follows_the_costs(void **state)
{
    (void)state;
    int before = 1;

    assert_int_equal(
        plan_make(16, 16, 0, 8, 64, 10, (PlanCost){.update = 1, .rollout = 1000}).learners, 1);
    for (double update = 0.1; update < 1000; update *= 2) {
        const PlanCost cost = {.update = update, .rollout = 1};
        const int now = plan_make(16, 16, 0, 8, 64, 10, cost).learners;
        assert_true(now >= before);
        before = now;
    }
    assert_true(before >= 4);
    /* sums that cost more than they save */
    const PlanCost far = {.update = 15, .exchange = 8, .eval = 1};
    assert_int_equal(plan_make(2, 2, 0, 4, 64, 10, far).learners, 1);
    const PlanCost fixed = {.update = 15, .fixed = 14, .exchange = 0.6, .rollout = 0.1};
    assert_int_equal(plan_make(2, 2, 0, 4, 64, 10, fixed).learners, 1);
}

static double predict(int ranks, int learners, PlanCost cost)
{
    return plan_epoch_seconds(
        &(Plan){.ranks = ranks, .learners = learners, .shards = 4, .units = 8, .episodes = 10},
        cost);
}

/* Update 6 of which 1 fixed, 0.5 for each doubling; 8 units of 1, 10 episodes of 0.1. */
static void seconds_are_those_worked_by_hand(void **state)
{
    (void)state;
    PlanCost cost = {.update = 6, .fixed = 1, .exchange = 0.5, .rollout = 8, .eval = 1};

    CHECK_NEAR(predict(1, 1, cost), 6 + 8 + 1, 1e-12, 0);
    CHECK_NEAR(predict(2, 2, cost), 3.5 + 0.5 + 4 + 0.5, 1e-12, 0);
    CHECK_NEAR(predict(4, 4, cost), 2.25 + 1 + 2 + 0.3, 1e-12, 0);
    CHECK_NEAR(predict(2, 1, cost), 8 + 1, 1e-12, 0);
    /* units 3, 3, 2 and episodes 3, 3, 4 */
    CHECK_NEAR(predict(5, 2, cost), 4, 1e-12, 0);
    CHECK_NEAR(predict(4, 1, cost), 6, 1e-12, 0);
    CHECK_NEAR(predict(7, 4, cost), 3.3, 1e-12, 0);
    cost.in_turn = true;
    CHECK_NEAR(predict(1, 1, cost), 6 + 8 + 1, 1e-12, 0);
    CHECK_NEAR(predict(4, 1, cost), 3 + 6, 1e-12, 0);
    cost.update = 1;
    CHECK_NEAR(predict(4, 1, cost), 3 + 1, 1e-12, 0);
    cost.eval = 20; /* episodes 3, 3, 4 of 2 each */
    CHECK_NEAR(predict(4, 1, cost), 2 + 8, 1e-12, 0);
    CHECK_NEAR(predict(1, 1, (PlanCost){.update = 2}), 2, 1e-12, 0); /* nothing else to do */
}

/* floor(k (s+1) / V) - floor(k s / V); 12 rows over 8 shards: 1 2 1 2 1 2 1 2. */
static void rows_are_dealt_completely(void **state)
{
    (void)state;
    for (int shards = 1; shards <= 64; shards *= 2) {
        for (int k = 0; k <= 300; k++) {
            int sum = 0;
            for (int s = 0; s < shards; s++) {
                const int n = plan_deal(k, shards, s);
                assert_in_range(n, k / shards, (k + shards - 1) / shards);
                sum += n;
            }
            assert_int_equal(sum, k);
        }
    }
    for (int s = 0; s < 8; s++) {
        assert_int_equal(plan_deal(12, 8, s), 1 + s % 2);
    }
    assert_int_equal(plan_deal(2000000000, 64, 63), 31250000); /* no overflow on the way */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_has_one_owner_and_loads_are_even),
        cmocka_unit_test(members_are_dealt_in_rounds_and_the_rest_to_teams),
        cmocka_unit_test(more_ranks_never_fit_slower),
        cmocka_unit_test(a_team_has_a_core_for_each_rank_or_was_asked_for),
        cmocka_unit_test(units_fill_the_shards_evenly),
        cmocka_unit_test(wanted_learners_are_taken_as_far_as_they_go),
        cmocka_unit_test(a_choice_leaves_a_worker_where_there_is_work),
        cmocka_unit_test(where_updates_are_nearly_all_every_rank_learns),
        cmocka_unit_test(ranks_that_share_cores_have_few_learners),
        cmocka_unit_test(the_choice_follows_the_costs),
        cmocka_unit_test(seconds_are_those_worked_by_hand),
        cmocka_unit_test(rows_are_dealt_completely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
