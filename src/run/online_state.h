/* What run/online*.c share: the state of an online run on one rank, and its files. */
#ifndef RUN_ONLINE_STATE_H
#define RUN_ONLINE_STATE_H

#include "base/arena.h"
#include "base/reduce.h"
#include "comm/plan.h"
#include "data/record.h"
#include "policy/agent.h"
#include "run/online.h"
#include "run/parts.h"
#include "run/rundir.h"

typedef struct {
    const Config *cfg;
    const char *dir;
    RunDir rundir; /* lead: lock, settings, log */
    bool done;     /* replay.hdf5 is there */
    EnvKind task;
    bool lead, learner; /* rank 0; one that updates */
    Reduce reduce;      /* over the learners */
    Agent agent;        /* the others only need its actor */
    Arena tmp;
    Record rec;
    Env *env;                      /* learners */
    float *records;                /* (collect.steps, stride) owned: the replay buffer; learners */
    float *batch;                  /* rows of this rank's shards, owned */
    Batch shards[PLAN_SHARDS_MAX]; /* of this rank */
    float *s, *action;             /* (S) now, (A), owned */
    int in_episode;                /* steps of the episode; 0 between episodes */
    CollectRows fresh;             /* steps since the last part; learners */
    Parts parts;                   /* lead */
    int64_t next_save;             /* at the first start of an episode from this step on */
    /* the state that is saved */
    int64_t step, episodes, count; /* steps done, episodes ended, evaluations */
    OnlineEval *evals;             /* (evals_max) owned */
    int64_t evals_max;
    /* for the log */
    double since; /* when the last evaluation was over */
    int64_t since_step;
} Online;

enum { ONLINE_SLABS_MAX = AGENT_SLABS_MAX + 4 };

/* dir/name; returns path (ONLINE_PATH_MAX). */
const char *online_file(const char *dir, const char *name, char *path);
/* progress.csv anew. Local. Errors: ERR_IO, ERR_NOMEM. */
NODISCARD Status online_write_progress(const char *dir, const OnlineEval *evals, int64_t count);

/* Everything but the state, which is that of a fresh start. Nothing but `done` where that is true.
 * Collective. */
NODISCARD Status online_open(Online *o, const Config *cfg, const char *dir, bool force);
void online_close(Online *o);
/* Open the parts and go back to where they end. Collective. */
NODISCARD Status online_resume(Online *o);
/* A part with the rows since the last one; between episodes, or at the end. Collective over the
 * learners. */
NODISCARD Status online_save(Online *o);
/* replay.hdf5 from all parts, which then go. Local, rank 0. */
NODISCARD Status online_write_replay(Online *o);

#endif
