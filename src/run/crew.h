/* A rank's work for the learners: roll out its units and play its evaluation episodes with a given
 * policy, and deliver the results. Workers do it when a POLICY message comes. Learners without workers
 * play before the updates of an epoch, and roll a unit out when its rows are due in their own ring: these
 * rows are never sent.
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

/* At the head of the message about one part of a task: its seconds, for timing.jsonl, and the outcome. */
typedef struct {
    double busy, wait;
    int64_t status; /* a Status; not OK: the reason follows, STATUS_REASON_MAX bytes */
} TaskTime;

enum { CREW_BUFFERS = 4 };

typedef struct {
    Session *s;
    Env *env;             /* NULL where there is no simulator: episodes are played in the model */
    EpisodeStarts starts; /* of those */
    Mail *records[CREW_BUFFERS]; /* workers: units under way to the owners of their shards */
    float *rows;                 /* learners: records of a unit on their way into the ring */
    Mail *report;    /* TaskTime, then a UnitEntry of each unit of this rank, to rank 0 */
    int reported;    /* units in it so far */
    Mail *done;      /* TaskTime, then an EpisodeEntry of each episode or a reason, to rank 0 */
    TaskTime rolled; /* of the units in the report */
    double waited;   /* account_outside when the last part of a task was done */
} Crew;

/* Local. */
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

/* This rank's episodes of a task, if it evaluates; `done` goes to rank 0 in any case, with the reason when
 * they failed (ERR_ENV). */
void crew_play(Crew *crew, const Task *task, const float *policy);
/* Unit `unit` of a task into `records` (room for rollout_unit_most rows) and the report; returns its rows. */
int64_t crew_unit(Crew *crew, const Task *task, int unit, const float *policy, float *records);
/* The report of this rank's units to rank 0. */
void crew_report(Crew *crew);

/* The loop of a worker: until a task says stop. Begins with a comm_agree, as learner_run does. */
NODISCARD Status worker_run(Session *s);

#endif
