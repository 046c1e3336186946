/* Who does what: pure functions of a few counts, no MPI. Results never depend on a plan, only speed.
 *
 * While the policy is learned, ranks 0 .. learners-1 are learners and the others workers, who roll
 * out and evaluate. Without workers the learners do that too.
 */
#ifndef COMM_PLAN_H
#define COMM_PLAN_H

#include <stdbool.h>

enum { PLAN_SHARDS_MAX = 64 }; /* the most that train.shards allows */

typedef struct {
    int ranks, cores;
    int learners; /* a power of two, at most shards */
    int shards, units, episodes;
} Plan;

/* What one epoch costs, in seconds on a core of its own. Shards share what is not fixed evenly. */
typedef struct {
    double update; /* all updates on one learner, all shards */
    double
        fixed; /* of these, what every learner does in full: Adam, targets, the stages' overhead */
    double
        exchange; /* all gradient sums with one partner; each doubling of learners costs it again */
    double rollout, eval; /* all rollouts and all evaluation episodes on one rank; 0: none */
    bool in_turn;         /* rollout.lag=0: updates wait for the epoch's rollouts */
} PlanCost;

/* Predicted seconds of an epoch, every rank on a core of its own. Units and episodes are dealt whole, as the
 * owners below are, so the rank with most of them counts. */
double plan_epoch_seconds(const Plan *plan, PlanCost cost);
/* wanted: ranks.learners, 0 = the least plan_epoch_seconds, the fewer where they are equal. At most as many
 * learners as ranks. Where ranks share cores (`cores` of all hosts): no more learners than cores, and only as
 * many as gain although a learner is as late as the slowest. */
Plan plan_make(int ranks, int cores, int wanted, int shards, int units, int episodes,
               PlanCost cost);
static inline bool plan_is_learner(const Plan *plan, int rank)
{
    return rank < plan->learners;
}
/* Ranks that roll out and evaluate: plan_first_worker .. ranks-1. */
static inline int plan_first_worker(const Plan *plan)
{
    return plan->ranks > plan->learners ? plan->learners : 0;
}
int plan_shard_owner(const Plan *plan, int shard); /* a learner */
int plan_unit_shard(const Plan *plan, int unit);   /* the shard that gets the unit's records */
int plan_unit_owner(const Plan *plan, int unit);   /* who rolls it out */
int plan_episode_owner(const Plan *plan, int episode);

/* Members are dealt to all ranks in rounds of one for each rank. The last round may have fewer members than
 * there are ranks: then teams of equal size share them, and a rank is in one team at most.
 * The size: a power of two, at most `shards` of a member's batch. wanted: ranks.team, 0 = the largest for
 * which every rank of a team has a core. */
int plan_team_size(const Plan *plan, int wanted, int members, int shards);
/* Ranks first .. first + size - 1 fit a member; the first of them owns it. */
typedef struct {
    int first, size;
} PlanTeam;
PlanTeam plan_member_team(const Plan *plan, int members, int size, int member);
static inline bool plan_in_team(PlanTeam team, int rank)
{
    return rank >= team.first && rank < team.first + team.size;
}

/* Rows of shard s when k rows are dealt to V shards, as reduce_row does. */
int plan_deal(int k, int shards, int s);

#endif
