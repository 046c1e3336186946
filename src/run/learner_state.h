/* Inside run/ only: a learner's state, and what rank 0 does with it besides learning (metrics, timing,
 * checkpoints).
 */
#ifndef RUN_LEARNER_STATE_H
#define RUN_LEARNER_STATE_H

#include "base/account.h"
#include "data/buffer.h"
#include "run/crew.h"
#include "run/history.h"
#include "run/learner.h"
#include "run/metrics.h"

typedef struct {
    Session *s;
    const RunDir *dir;
    bool lead;      /* rank 0 */
    bool works;     /* no workers: this learner also rolls out and evaluates */
    bool fresh;     /* nothing has happened since the start or the last checkpoint was read */
    int64_t began;  /* epochs that were done before this start */
    Crew crew;      /* if works */
    Buffer *buffer; /* (owned shards) model records */
    Mail *
        *records; /* (units) arriving records; NULL for units of other learners and for own ones */
    float *batch; /* rows of the owned shards */
    Batch *shard; /* (owned shards) views of batch */
    float *sent;  /* the policy that the crew works with */
    Task task;    /* what the crew works on */
    LearnResult result;
    /* rank 0 */
    Mail **policy, **reports, **dones; /* (ranks) */
    UnitReport *units;                 /* (units) of the last phase */
    EpisodeEntry *episodes;            /* (episodes) of the last evaluation */
    TaskTime *rolled, *played;         /* (ranks) what the task took */
    History history;
    MetricsLog log;
    Metrics line;   /* of the last epoch, waiting for its evaluation */
    Metrics first;  /* of the first epoch of this start */
    double dropped; /* rows of an epoch that were left out when that was last told; 0: never */
} Learner;

/* Buffers, messages, crew. *l is safe to close afterwards, whatever the outcome. */
NODISCARD Status learner_open(Learner *l, Session *s, const RunDir *dir);
void learner_close(Learner *l);

/* Hand a task out and, without workers, play its episodes. */
void learner_start_task(Learner *l, const Task *task, const float *actor);
/* Between updates: let messages go through. */
void learner_poll(Learner *l);
/* All records of the task into the buffers, unit by unit; without workers they are made now. Rank 0 notes
 * the phase. */
NODISCARD Status learner_finish_rollout(Learner *l, const float *actor);
/* Returns of the task's episodes; then the metrics line of its epoch. Error of a rank's episodes: its own. */
NODISCARD Status learner_finish_eval(Learner *l);
/* After an error of all learners: let the task come to its end. */
void learner_drain(Learner *l);
void learner_stop_workers(Learner *l);

/* What comes before the first epoch for some agents (AgentKind.prepare): the updates that are still to do,
 * on rows of the dataset, in pieces of train.updates_per_epoch with a checkpoint as between epochs. Error
 * ERR_INTERRUPTED: a stop was asked for, all is saved. */
NODISCARD Status learner_prepare(Learner *l);
/* The rows of this learner's shards into l->shard: of the agent's next update (drawn into l->batch; for an
 * agent that is on-policy all that the rings hold), and of its next one in `prepare`, which are all of the
 * dataset. learner_gather returns the rows of all learners together. */
int learner_gather(Learner *l);
void learner_gather_prepare(Learner *l);
/* Whether a stop was asked for, which rank 0 knows. Collective over the learners. */
bool learner_stop_asked(const Learner *l);
/* Local: true on the lead alone. */
bool learner_save_asked(const Learner *l);

/* Rows that the ring of a shard can hold: those of rollout.retain epochs. */
int64_t learner_shard_capacity(const Session *s, int shard);
/* Behind the reason of ERR_NUMERIC in epoch e: whether the model's rewards had run away, and how Q grew from
 * the first epoch of this start to the last one. Returns st. */
Status learner_tell_growth(const Learner *l, int64_t e, Status st);
/* A warning of rows that rollouts for epoch e, just noted, left out: once, and again when ten times as many. */
void learner_tell_dropped(Learner *l, int64_t e);
/* Start the metrics line of epoch e; sums: statistics added over its updates. */
void learner_begin_line(Learner *l, int64_t e, const double *sums);
/* Fill in the returns if the task evaluated, and write the line of the task's epoch. */
Status learner_note_epoch(Learner *l);
/* timing.jsonl: what the task took on each rank; an epoch's updates on rank 0, which began at `before`. */
void learner_note_tasks(const Learner *l);
void learner_note_updates(int64_t epoch, const AccountSheet *before);

/* Checkpoint after `step` epochs, or in PHASE_PREPARE pieces (learner_prepare.c). */
NODISCARD Status learner_save(Learner *l, Phase phase, int64_t step);
/* Open the logs; with a checkpoint, also take the agent, the line and the phases from it. */
NODISCARD Status learner_load(Learner *l, const Checkpoint *from, History *past, int64_t *epoch);

#endif
