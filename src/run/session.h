/* What every phase of a training run shares on one rank: configuration, task, plan, dataset (once
 * per host), ensemble, agent, scratch. Collective to open and close.
 */
#ifndef RUN_SESSION_H
#define RUN_SESSION_H

#include "base/arena.h"
#include "comm/comm.h"
#include "comm/plan.h"
#include "config/config.h"
#include "data/dataset.h"
#include "data/starts.h"
#include "env/env.h"
#include "model/ensemble.h"
#include "policy/agent.h"
#include "rollout/rollout.h"
#include "run/facts.h"
#include "run/oracle.h"

typedef struct {
    Config cfg;         /* on rank 0 with the dataset's path where its name stood */
    EnvKind task;       /* as configured */
    const EnvKind *env; /* &task */
    Plan plan;
    Dataset data;      /* records lie in shared memory */
    int64_t collected; /* rows of it that this start made first: set by whoever did */
    CommShare *share;
    bool uses_model;  /* false when every row of a batch is real */
    bool needs_model; /* session_needs_model */
    int real_rows;    /* of a batch */
    Ensemble ens;
    Agent agent;
    TerminalHead head;    /* where termination.rule is learned */
    EpisodeStarts starts; /* where rollout.starts is initial */
    Oracle oracle;        /* where the model is used and the task can be put into a state */
    Truth truth;          /* of it; `next` NULL: no oracle */
    Rollout roll;
    Reduce reduce; /* over the learners */
    Arena tmp;
} Session;

/* Task, plan, ensemble and agent from the configuration; then the dataset, which must exist. */
NODISCARD Status session_open(Session *s, const Config *cfg);
/* The same with random numbers for a dataset of so many rows and these sizes: to measure what a run costs
 * before there are data. Every thousandth row ends an episode. */
NODISCARD Status session_open_random(Session *s, const Config *cfg, const Record *rec,
                                     int64_t rows);
void session_close(Session *s);

enum { SESSION_HOSTS_MAX = 2048 };
/* What ran where on what data, for manifest.json; points into s and hosts, which is rank 0's. Collective. */
RunFacts session_facts(const Session *s, char hosts[SESSION_HOSTS_MAX]);

/* Task and its settings, from names. ERR_CONFIG names the known ones. */
NODISCARD Status session_task(const Config *cfg, EnvKind *task);

/* Rows of a batch that are the dataset's. */
int session_real_rows(const Config *cfg);
/* Whether an ensemble is needed: to learn from, or to evaluate in where the task has no simulator. */
bool session_needs_model(const Config *cfg, const EnvKind *task);
/* Whether task, penalty and agent go together: a simulator where one is asked, members enough, rollouts
 * that the agent can learn from, a critic to choose with. Before anything is made. ERR_CONFIG says what to
 * change. */
NODISCARD Status session_check(const Config *cfg);

/* Parts of the configuration as other folders take them. halt: without a threshold of the settings
 * nothing halts until one is found in the data; reward_min: of the dataset. */
AgentConfig session_agent_config(const Config *cfg, const EnvKind *env);
EnsembleConfig session_ensemble_config(const Config *cfg, const EnvKind *env);
Halt session_halt(const Config *cfg, double reward_min);

/* Seed of every draw of the model fit, and of its report. */
uint64_t session_model_seed(const Config *cfg);

/* Digest of everything in the configuration that results depend on: not run_dir, the
 * dataset's place, model.share, ranks.*, checkpoint.*. Error: ERR_NOMEM. */
NODISCARD Status session_settings_digest(const Config *cfg, char digest[SLAB_DIGEST_MAX]);

#endif
