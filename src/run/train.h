/* The main job: dataset, model, policy, summary. Collective. */
#ifndef RUN_TRAIN_H
#define RUN_TRAIN_H

#include "config/config.h"
#include "run/learner.h"
#include "run/session.h"

typedef struct {
    double max_seconds; /* save and stop after so long; 0: never */
} TrainOptions;

/* What a finished run tells its user (rank 0). */
typedef struct {
    LearnResult learned;
    bool in_model;               /* evaluated there, without a simulator */
    bool has_model, has_penalty; /* model.h5 and the report of it; penalty.txt */
    double data_mean, data_best; /* episode returns in the dataset */
    double seconds;
    char run_dir[RUNDIR_PATH_MAX];
} TrainSummary;

/* Train as configured in cfg->top.run_dir, or go on with what stands there. cfg is the same on all
 * ranks; origins are rank 0's. Errors, the same on all ranks: whatever the phases give;
 * ERR_INTERRUPTED: everything is saved and the same command goes on. */
NODISCARD Status train(const Config *cfg, const ConfigOrigins *origins, const TrainOptions *options,
                       TrainSummary *summary);

#endif
