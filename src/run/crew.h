/* A rank's work for the learners: roll out its units and play its evaluation episodes with a given
 * policy, and deliver the results. Workers do it when a POLICY message comes, learners without
 * workers do it before the updates of an epoch.
 */
#ifndef RUN_CREW_H
#define RUN_CREW_H

#include "run/evaluate.h"
#include "run/model_world.h"
#include "run/session.h"

/* What the learners ask for; goes in front of the policy (agent_policy_floats) in a POLICY message. */
typedef struct {
    int64_t epoch;   /* of the policy */
    int64_t rollout; /* make the records of this epoch; 0: none */
    int64_t eval;    /* play the evaluation episodes: 0 or 1 */
    int64_t stop;    /* the run is over */
} Task;

typedef struct {
    int64_t unit;
    UnitReport report;
} UnitEntry;

/* Seconds of one task, for timing.jsonl. */
typedef struct {
    double rollout, eval, wait;
} TaskTime;

enum { CREW_BUFFERS = 4 };

typedef struct {
    Session *s;
    Env *env;             /* NULL where there is no simulator: episodes are played in the model */
    EpisodeStarts starts; /* of those */
    Mail *records[CREW_BUFFERS]; /* units under way to the owners of their shards */
    Mail *report;                /* UnitEntry of each unit of this rank, to rank 0 */
    Mail *done;                  /* TaskTime, then an EpisodeEntry of each episode, to rank 0 */
    double waited;               /* comm_waited at the end of the last task */
} Crew;

NODISCARD Status crew_open(Crew *crew, Session *s);
void crew_close(Crew *crew);
/* Units and episodes of a rank, and the room its messages take. */
int crew_units(const Plan *plan, int rank);
int crew_episodes(const Plan *plan, int rank);
size_t crew_report_bytes(const Plan *plan, int rank);
size_t crew_done_bytes(const Plan *plan, int rank);

/* The agent's policy, `params` (agent_policy_floats) after `epoch` epochs, as it plays evaluation
 * episodes; everything borrowed. */
Player session_player(const Session *s, const float *params, int64_t epoch);

/* Do this rank's part of a task and send the results: records of unit u to the owner of its shard
 * (TAG_RECORDS + u), the report if the task rolls out, and always `done`. */
NODISCARD Status crew_do(Crew *crew, const Task *task, const float *policy);

/* The loop of a worker: until a task says stop. */
NODISCARD Status worker_run(Session *s);

#endif
