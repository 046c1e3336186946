#include "comm/plan.h"

#include <stdint.h>

#include "base/panic.h"
#include "base/reduce.h"

/* So many of n items has hand i of `hands`, dealt in turn. */
static int in_turn(int n, int hands, int i)
{
    return n / hands + (i < n % hands ? 1 : 0);
}

static double part(double all, int items, int of)
{
    return of > 0 ? all * items / of : 0;
}

/* The most that one of those who roll out and evaluate has to do, and its part of rollouts alone. */
static double work_seconds(const Plan *plan, PlanCost cost, double *rollout)
{
    const int first = plan_first_worker(plan);
    const int hands = first == 0 ? plan->learners : plan->ranks - first;
    double most = 0;

    *rollout = 0;
    for (int i = 0; i < hands; i++) {
        const double unit = part(cost.rollout, in_turn(plan->units, hands, i), plan->units);
        const int played = in_turn(plan->episodes, hands, hands - 1 - i);
        const double both = unit + part(cost.eval, played, plan->episodes);
        *rollout = unit > *rollout ? unit : *rollout;
        most = both > most ? both : most;
    }
    return most;
}

static double update_seconds(const Plan *plan, PlanCost cost)
{
    double seconds = cost.fixed + (cost.update - cost.fixed) / plan->learners;
    for (int l = 1; l < plan->learners; l *= 2) {
        seconds += cost.exchange;
    }
    return seconds;
}

double plan_epoch_seconds(const Plan *plan, PlanCost cost)
{
    double rollout = 0;
    const double work = work_seconds(plan, cost, &rollout);
    double update = update_seconds(plan, cost);

    if (plan_first_worker(plan) == 0) { /* no workers: one after the other */
        return update + work;
    }
    update += cost.in_turn ? rollout : 0;
    return update > work ? update : work;
}

/* Ranks that share cores. One learner loses no more than the cores lack. Several go on at the pace of the
 * slowest: what else runs on its core delays all. */
static double crowded_seconds(const Plan *plan, int cores, PlanCost cost)
{
    double rollout = 0;
    const double shared = (cost.rollout + cost.eval) / cores;
    const double most = work_seconds(plan, cost, &rollout);
    const double alone = plan_epoch_seconds(plan, cost);

    if (plan->learners > 1) {
        return update_seconds(plan, cost) + (most > shared ? most : shared);
    }
    return alone > cost.update / cores + shared ? alone : cost.update / cores + shared;
}

static double seconds(const Plan *plan, int cores, PlanCost cost)
{
    return plan->ranks > cores ? crowded_seconds(plan, cores, cost)
                               : plan_epoch_seconds(plan, cost);
}

Plan plan_make(int ranks, int cores, int wanted, int shards, int units, int episodes, PlanCost cost)
{
    Plan best = {.ranks = ranks,
                 .cores = cores,
                 .learners = wanted > 0 ? wanted : 1,
                 .shards = shards,
                 .units = units,
                 .episodes = episodes};

    REQUIRE(shards <= PLAN_SHARDS_MAX);
    while (best.learners > ranks || best.learners > shards) {
        best.learners /= 2;
    }
    for (int l = 2; wanted == 0 && l <= shards && l <= ranks && l <= cores; l *= 2) {
        Plan plan = best;
        plan.learners = l;
        best = seconds(&plan, cores, cost) < seconds(&best, cores, cost) ? plan : best;
    }
    return best;
}

/* Item i of n dealt in blocks to `owners`: block sizes differ by at most one. */
static int block_owner(int i, int n, int owners)
{
    return (int)(((int64_t)(i + 1) * owners - 1) / n);
}

int plan_shard_owner(const Plan *plan, int shard)
{
    return block_owner(shard, plan->shards, plan->learners);
}

int plan_unit_shard(const Plan *plan, int unit)
{
    return (int)((int64_t)unit * plan->shards / plan->units);
}

int plan_unit_owner(const Plan *plan, int unit)
{
    const int first = plan_first_worker(plan);
    if (first == 0) { /* no workers: records stay where they are made */
        return plan_shard_owner(plan, plan_unit_shard(plan, unit));
    }
    return first + unit % (plan->ranks - first);
}

int plan_episode_owner(const Plan *plan, int episode)
{
    const int first = plan_first_worker(plan);
    const int hands = first == 0 ? plan->learners : plan->ranks - first;
    REQUIRE(hands > 0);
    /* from the far end: the first workers have the odd units */
    return first + hands - 1 - episode % hands;
}

int plan_team_size(const Plan *plan, int wanted, int members, int shards)
{
    const int last = members % plan->ranks; /* members of the last round */
    const int most = wanted > 0 ? wanted : shards;
    const int hands = wanted > 0 || plan->ranks < plan->cores ? plan->ranks : plan->cores;
    int size = 1;

    while (last > 0 && 2 * size <= most && 2 * size * last <= hands) {
        size *= 2;
    }
    return size;
}

PlanTeam plan_member_team(const Plan *plan, int members, int size, int member)
{
    const int alone = members - members % plan->ranks;
    if (member < alone) {
        return (PlanTeam){.first = member % plan->ranks, .size = 1};
    }
    return (PlanTeam){.first = (member - alone) * size, .size = size};
}

int plan_deal(int k, int shards, int s)
{
    return reduce_row(k, shards, s + 1) - reduce_row(k, shards, s);
}
