/* Agents: a table of learning algorithms (policy/kinds.h). A row is an AgentKind in a file of its own;
 * the epoch loop, checkpoints and messages only use what stands here.
 *
 * An agent's state is one block of floats; `trained` (T) of them move by gradients:
 *   [ actor | critics ... | log alpha | side networks ]   T floats, each part 64-byte aligned
 *   [ target critics ]
 *   [ adam m (T) | adam v (T) ]
 *   [ gradient rows: one of T + AGENT_TAIL floats for each shard this rank owns; or they are elsewhere ]
 * Parts that an agent does not have are empty. Letters: B rows of a batch, V shards of it, S state,
 * A action, D = S + A. No MPI here: sums over shards go through Reduce (policy/stage.h).
 */
#ifndef POLICY_AGENT_H
#define POLICY_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/reduce.h"
#include "base/slab.h"
#include "base/status.h"
#include "nn/mlp.h"
#include "nn/squash.h"
#include "policy/mmd.h"

/* Settings, as the sections of config/config_table.h explain them. Those in front are shared: every
 * agent uses the discount and what else it has use for. */
typedef struct {
    int state_dim, act_dim;
    int hidden, layers;
    double actor_lr, critic_lr, alpha_lr; /* alpha_lr 0: the temperature stays */
    double alpha;                         /* temperature at the start */
    double alpha_max;                     /* 0: no limit */
    bool sequential;                      /* SAC: the actor's gradient after the critics' step */
    float target_entropy, gamma, tau, reward_scale, log_std_min, log_std_max;
    int candidates; /* of choose: 0 = the mean action */
    struct {
        int hidden, vae_hidden;
        double actor_lr, critic_lr, vae_lr, multiplier_lr;
        Kernel kernel;
        float sigma, min_weight, threshold, log_std_min, log_std_max;
        int samples, target_samples;
        int64_t warm_updates;
    } bear;
    struct {
        int actor_hidden, critic_hidden;
        double actor_lr, critic_lr, clone_lr;
        int64_t clone_updates, warm_updates;
        bool mmd; /* not: KL */
        bool value_penalty;
        float alpha, sigma, action_margin;
        int samples;
    } brac;
    struct {
        int hidden;
        double lr;
        bool mse; /* not: likelihood */
        float action_margin;
    } bc;
    struct {
        int hidden, value_hidden;
        double step_size, damping, gae_lambda, value_lr, clone_lr;
        float log_std, log_std_min, log_std_max, kl_max;
        int cg_iterations, value_batch, value_passes;
        int64_t clone_updates;
    } npg;
} AgentConfig;

/* Averages over the batch, summed over shards in the tail of the gradient. */
typedef enum {
    STAT_CRITIC_LOSS, /* as the agent's file defines it; SAC: 1/2 mean (Q - y)^2, mean of the critics */
    STAT_ACTOR_LOSS,
    STAT_ALPHA_LOSS,
    STAT_Q,          /* mean of both critics at the batch's actions */
    STAT_ENTROPY,    /* -mean log pi */
    STAT_DIVERGENCE, /* mean distance of policy and behavior: BEAR's MMD, BRAC's KL or MMD^2 */
    STAT_BEHAVIOR,   /* loss of the model of the behavior: BEAR's VAE, BRAC's clone */
    STAT_COUNT
} AgentStat;

enum { AGENT_TAIL = 16, AGENT_SLABS_MAX = 8, AGENT_SIDES = 2 };
/* Offset of a part that an agent does not have. */
#define AGENT_NO_PART ((size_t)-1)

/* One shard of a batch: `rows` records (data/record.h), borrowed. For an agent that is on_policy: all rows
 * of the shard that its own policy made for this epoch, trajectory after trajectory, each in its order. */
typedef struct {
    const float *records;
    int rows;
} Batch;

typedef struct AgentKind AgentKind;

typedef struct {
    const AgentKind *kind;
    AgentConfig cfg;
    Squash squash;
    Mlp actor, critic;                    /* critic: the twin, as two groups; all zero: none */
    Mlp side[AGENT_SIDES];                /* BEAR: encoder, decoder; BRAC: clone; NPG: baseline */
    size_t trained;                       /* T */
    size_t at_actor, at_critic, at_alpha; /* offsets of the parts in params; at_actor is 0 */
    size_t at_side[AGENT_SIDES];
    float *block; /* owned: everything below */
    float *params, *target, *m, *v;
    float *grads;       /* in the block, or borrowed (agent_use_rows) */
    size_t grad_stride; /* T + AGENT_TAIL */
    int shards;         /* that this rank owns */
    int64_t updates;    /* done so far; also Adam's step number */
    int64_t prepared;   /* updates of `prepare` done so far; Adam's step number there */
    int64_t
        steps; /* on_policy: of a network that takes several in an update; Adam's step number there */
} Agent;

struct AgentKind {
    const char *name;
    const char *source;
    unsigned
        stats; /* which AgentStats it measures, 1 << STAT_...: the others are NaN in the metrics */
    /* An update takes all rows that the policy as it is has made in the model, once: lag 0, one update an
     * epoch, no rows of the dataset (run/settings.c refuses anything else). */
    bool on_policy;
    /* Give the networks their shapes, set the offsets and `trained`, and change `squash` where needed
     * (it is the tanh-Gaussian of cfg.log_std_min, cfg.log_std_max); called before memory is taken. */
    void (*layout)(Agent *agent);
    /* Draw the start values from streams (seed, RNG_AGENT_INIT, network); block is zero before. */
    void (*init)(Agent *agent, uint64_t seed);
    /* Arena bytes of update (and prepare) with shards of at most `rows` rows. */
    size_t (*update_cost)(const Agent *agent, int rows);
    /* One update from this rank's shards: batches[i] is shard reduce->first + i of a batch with
     * `total` rows in all. stats (STAT_COUNT) is overwritten. Collective over the reduction's owners.
     * Errors: ERR_NUMERIC where the batch, a loss or a gradient is not finite (a batch that is not is
     * refused before anything has changed), ERR_MPI. */
    Status (*update)(Agent *agent, const Batch *batches, int total, const Reduce *reduce,
                     uint64_t seed, Arena *tmp, float *stats);
    /* Optional, both or none: so many updates of another kind come before the first `update`, on
     * batches of dataset rows: BRAC's behavior clone. Errors as update. */
    int64_t (*prepare_updates)(const Agent *agent);
    Status (*prepare)(Agent *agent, const Batch *batches, int total, const Reduce *reduce,
                      uint64_t seed, Arena *tmp, float *stats);
};

/* Floats of a part of the block, rounded up to whole 64-byte lines. */
static inline size_t agent_padded(size_t floats)
{
    return (floats + 15) / 16 * 16;
}

/* NULL when there is no such agent. */
const AgentKind *agent_find(const char *name);
/* Row i of the table, NULL at its end. */
const AgentKind *agent_row(int i);

/* Whether agents of this kind have critics, which can choose among actions. */
bool agent_has_critic(const AgentKind *kind, const AgentConfig *cfg);
/* shards: how many of a batch's shards this rank owns (0 for a worker, which only acts). */
NODISCARD Status agent_init(Agent *agent, const AgentKind *kind, const AgentConfig *cfg, int shards,
                            uint64_t seed);
/* The gradient rows of `shards` shards are in `rows` (shards, grad_stride) from now on, zero and borrowed:
 * memory that learners share. For an agent with none of its own. */
void agent_use_rows(Agent *agent, int shards, float *rows);
void agent_release(Agent *agent);
static inline float *agent_actor(const Agent *agent)
{
    return agent->params + agent->at_actor;
}
/* Actions of the policy with actor parameters `actor`: s (rows, S), eps (rows, A) standard normals or
 * NULL for the mean action; a (rows, A). */
void agent_act(const Agent *agent, const float *actor, const float *s, const float *eps, int rows,
               Arena *tmp, float *a);
size_t agent_act_cost(const Agent *agent, int rows);
/* What it takes to play the policy: so many of the first floats of `params`. The actor, and where the best
 * of cfg.candidates actions is played the critics. */
size_t agent_policy_floats(const Agent *agent);
/* exp(log alpha), SAC: at most cfg.alpha_max; NaN for an agent without */
double agent_alpha(const Agent *agent);
/* The state that a checkpoint keeps; returns how many slabs. */
int agent_slabs(Agent *agent, Slab slabs[AGENT_SLABS_MAX]);

#endif
