/* How long a run will take on so many ranks: from counts of its work and unit costs, before it is made. Pure
 * functions: no clock, no MPI.
 *
 * Each phase is what its busiest rank does. Who does what is asked of comm/plan.h, as in a run: L learners, the
 * other ranks workers; teams of ranks for the last members of the ensemble. A core for each rank is taken for
 * granted. Rollouts and episodes count as if none ended early.
 */
#ifndef RUN_FORECAST_H
#define RUN_FORECAST_H

#include "comm/plan.h"
#include "run/unit_cost.h"

/* What a run has to do. */
typedef struct {
    int64_t rows;         /* of the dataset */
    int64_t collect_rows; /* collected first; 0: the dataset is there */
    bool rows_assumed;
    bool needs_model, uses_model;
    /* the model fit */
    int members, elites, model_batch, model_shards;
    int64_t train_rows, hold_rows;
    int passes;
    bool passes_assumed;
    bool is_shared; /* a model is taken from model.share: there are no passes */
    int terminal_updates;
    /* reports */
    int64_t predict_rows, truth_rows; /* through all members; through the simulator */
    /* epochs */
    int epochs, updates, shards, units, lag;
    int64_t prepare_updates;
    int64_t rollout_rows; /* of a phase: starts x horizon */
    int episodes, episode_steps, eval_every;
    int checkpoint_every;
    int learners_wanted, team_wanted; /* ranks.learners, ranks.team */
    /* messages, bytes */
    double gradient_bytes, member_bytes, policy_bytes, record_bytes;
} Workload;

enum { FORECAST_PASSES = 40 }; /* of the model fit where only early stopping ends it, unless told */

/* Counts of the run that s was opened for. passes: 0 = model.max_epochs, or FORECAST_PASSES. */
Workload workload_of(const Session *s, int passes);

typedef struct {
    int ranks, learners;
    /* seconds, wall clock */
    double load; /* collecting the dataset, if it is not there, included */
    double fit, reports;
    double prepare; /* updates before the first epoch; the first rollouts */
    double epochs;
    double epoch; /* one of them, evaluated */
    double total;
    double speedup, efficiency; /* against the forecast of one rank */
} Forecast;

/* Who does what on so many ranks, a core for each. */
Plan forecast_plan(const Workload *work, int ranks, int learners);
/* The same with so many cores; learners 0: as wanted, or what makes an epoch shortest. */
Plan forecast_best_plan(const Workload *work, const UnitCost *cost, int ranks, int cores,
                        int learners);
/* learners as above; a core for each rank. */
Forecast forecast_run(const Workload *work, const UnitCost *cost, int ranks, int learners);
/* Seconds of one pass of the model fit; of one epoch with or without an evaluation. */
double forecast_pass(const Workload *work, const UnitCost *cost, int ranks);
double forecast_epoch(const Workload *work, const UnitCost *cost, int ranks, int learners,
                      bool evaluated);
/* Of forecasts (count) in ascending order of ranks: the index of the last that is at least `efficient`. */
int forecast_choose(const Forecast *forecasts, int count, double efficient);

#endif
