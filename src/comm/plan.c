#include "comm/plan.h"

#include <stdint.h>

#include "base/panic.h"
#include "base/reduce.h"

/* An update shared by L learners also exchanges gradients: each doubling costs about this share. */
static const double exchange_share = 0.05;

static double epoch_cost(int ranks, int learners, PlanCost cost)
{
    double update = cost.update / learners;
    for (int l = 1; l < learners; l *= 2) {
        update += exchange_share * cost.update;
    }
    if (learners == ranks) { /* no workers: one after the other */
        return update + cost.work / learners;
    }
    const double work = cost.work / (ranks - learners);
    return update > work ? update : work;
}

static int choose_learners(int ranks, int cores, int shards, PlanCost cost)
{
    int best = 1;
    for (int l = 2; l <= shards && l <= ranks && ranks <= cores; l *= 2) {
        if (epoch_cost(ranks, l, cost) < epoch_cost(ranks, best, cost)) {
            best = l;
        }
    }
    return best;
}

Plan plan_make(int ranks, int cores, int wanted, int shards, int units, int episodes, PlanCost cost)
{
    REQUIRE(shards <= PLAN_SHARDS_MAX);
    int learners = wanted > 0 ? wanted : choose_learners(ranks, cores, shards, cost);
    while (learners > ranks || learners > shards) {
        learners /= 2;
    }
    return (Plan){.ranks = ranks,
                  .cores = cores,
                  .learners = learners,
                  .shards = shards,
                  .units = units,
                  .episodes = episodes};
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
