/* Inside policy/npg*.c only: what the parts of a natural policy gradient share. npg.c has the formulas.
 *
 * Rows of a phase are many, so networks see them in pieces of NPG_CHUNK rows, the same on any number of
 * ranks: a piece never reaches over the end of a shard.
 */
#ifndef POLICY_NPG_H
#define POLICY_NPG_H

#include "policy/stage.h"

enum { NPG_CHUNK = 1024, NPG_VALUE = 0 /* the baseline, among Agent.side */ };

/* An update under way. Rows of this rank's shards, one shard after the other: R in all. */
typedef struct {
    Agent *agent;
    const Batch *batches;
    int total; /* rows of all ranks */
    const Reduce *reduce;
    uint64_t seed;
    Arena *tmp;
    float *adv; /* (R) standardized advantages, npg_advantages */
    float *ret; /* (R) discounted sums of rewards, the baseline's targets */
} NpgPhase;

NpgPhase npg_phase(Agent *agent, const Batch *batches, int total, const Reduce *reduce,
                   uint64_t seed, Arena *tmp);
/* Bytes of arena of everything below, with shards of at most `rows` rows. */
size_t npg_cost(const Agent *agent, int rows);

/* One shard's share of a sum over all rows. */
typedef struct {
    const Batch *batch;
    size_t at;    /* its first row in adv and ret */
    float *grad;  /* (count) zero before, as the next */
    float *stats; /* (AGENT_TAIL) */
} NpgShare;

typedef void (*NpgPass)(const NpgPhase *phase, const NpgShare *share, const float *given);
/* The sum, in agent->grads. Collective; errors as stage_gradient. */
NODISCARD Status npg_pass(const NpgPhase *phase, const char *name, size_t count, NpgPass pass,
                          const float *given, float stats[AGENT_TAIL]);

/* Arrays of one piece of rows. */
typedef struct {
    int b;              /* rows in use */
    float *s, *a;       /* (b, S), (b, A) as drawn */
    float *head, *dist; /* (b, 2 A) */
    float *x, *y;       /* (b) */
    float *grad;        /* (actor) */
    MlpTape tape;       /* of the actor */
} NpgChunk;

NpgChunk npg_chunk(const Agent *agent, int rows, Arena *tmp);
/* Load the rows of the batch from `first` on; b becomes 0 at its end. */
void npg_chunk_load(const Agent *agent, const Batch *batch, int first, NpgChunk *chunk);

/* Where the actor's log deviations (A) lie among its floats; and zero for what reaches the weights of
 * these outputs, which have none. */
size_t npg_at_log_std(const Agent *agent);
void npg_mask(const Agent *agent, float *gradient);

/* Generalized advantage estimation of rows in order; npg_gae.c. `last` marks the rows that end a
 * trajectory: after them comes cont gamma after[i] of their own, elsewhere the row behind. */
typedef struct {
    const float *r, *cont;      /* (n) */
    const float *value, *after; /* (n) V(s), V(s') */
    const uint8_t *last;        /* (n) */
    size_t n;
    double gamma, lambda;
} Gae;
void npg_gae(const Gae *in, float *adv, float *ret);
/* last (rows): cont is 0, or the next row's s is not this row's s'. */
void npg_find_ends(const Agent *agent, const Batch *batch, uint8_t *last);
/* Fills adv and ret of the phase; stats: the mean value, in STAT_Q. Collective. Errors: as stage_gradient;
 * nothing has changed. */
NODISCARD Status npg_advantages(const NpgPhase *phase, float *stats);
size_t npg_advantages_cost(const Agent *agent, int rows);

/* npg_fisher.c. out (actor) = g, the gradient of mean adv log pi. Collective. */
NODISCARD Status npg_gradient(const NpgPhase *phase, float *out);
/* out = (F + damping) v, F the Fisher matrix, a Product of nn/conjugate.h with the phase as context. */
NODISCARD Status npg_fisher(void *phase, const float *v, float *out);
/* How far the policy gets with actor parameters `next`: STAT_DIVERGENCE mean KL(old | next),
 * STAT_ACTOR_LOSS minus mean adv pi_next / pi_old. */
NODISCARD Status npg_measure(const NpgPhase *phase, const float *next, float *stats);

/* npg_fit.c. Squared error of the baseline, in passes over the phase; STAT_CRITIC_LOSS. Collective. */
NODISCARD Status npg_fit_value(const NpgPhase *phase, float *stats);
size_t npg_fit_cost(const Agent *agent);
/* The start: AgentKind.prepare. */
int64_t npg_clone_updates(const Agent *agent);
NODISCARD Status npg_clone_update(Agent *agent, const Batch *batches, int total,
                                  const Reduce *reduce, uint64_t seed, Arena *tmp, float *stats);

#endif
