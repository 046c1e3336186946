/* What the parts of a run cost on this machine: measured in a few seconds on random data of the run's own sizes,
 * before there is a run. A time is the typical one (the median of a sustained second or so, in CPU time of one
 * process), since a forecast is to meet what a run will do, not the best it could do.
 */
#ifndef RUN_UNIT_COST_H
#define RUN_UNIT_COST_H

#include <stdbool.h>

#include "run/session.h"

/* COST(name, what it is the cost of): seconds. 0: the run has no such work. */
#define UNIT_COSTS(COST)                                                                  \
    COST(update, "an update, all shards on one rank, with gathering its rows")            \
    COST(update_fixed, "of it what every learner does in full, however many share it")    \
    COST(gather, "of it gathering its rows")                                              \
    COST(prepare, "one of the updates before the first epoch")                            \
    COST(rollout, "a row of a rollout in the model, one step")                            \
    COST(eval, "a step of an evaluation episode")                                         \
    COST(fit_open, "before the first pass: permutation, scales of the inputs")            \
    COST(fit_member, "before the first pass, for each member: its bootstrap")             \
    COST(fit_step, "a training step of one member, all shards on one rank")               \
    COST(fit_step_fixed, "of it what every rank of a team does in full")                  \
    COST(holdout, "a held-out row through one member")                                    \
    COST(predict, "a row through all members, for reports")                               \
    COST(truth, "a step of the simulator from a given state, for reports")                \
    COST(terminal, "a step of fitting the termination rule")                              \
    COST(collect, "a row of a dataset that the run collects, played with random actions") \
    COST(store, "writing it")                                                             \
    COST(load, "a row of the dataset, read and checked")                                  \
    COST(save, "a checkpoint in TMPDIR")                                                  \
    COST(latency, "an exchange between two ranks: a sum of gradients, a message")         \
    COST(byte, "a byte of it")

typedef struct {
#define UNIT_COST_FIELD(name, what) double name;
    UNIT_COSTS(UNIT_COST_FIELD)
#undef UNIT_COST_FIELD
    bool messages_measured; /* between two ranks; else a copy in memory and a latency assumed */
} UnitCost;

/* Measure on rank 0 while the others sleep, and sums between ranks 0 and 1 where there are two. s: of
 * session_open_random with ranks.learners = 1; its agent and ensemble are used up. Writes to TMPDIR (/tmp)
 * and deletes what it wrote. Rank 0 gets the costs. Collective. Errors, the same on all ranks: those of the
 * parts, ERR_IO, ERR_NOMEM. */
NODISCARD Status unit_cost_measure(Session *s, UnitCost *cost);
/* The same for what an epoch is made of (updates, rollouts, episodes, messages), in about a second. */
NODISCARD Status unit_cost_measure_epoch(Session *s, UnitCost *cost);

/* Inside run/ only: a piece of work; *units gets how much of it a call made, such as rows. */
typedef struct {
    Status (*run)(void *ctx, double *units);
    void *ctx;
} CostPiece;

/* Typical CPU seconds of a unit of each piece, piece[0 .. count) in turn (so that they can be compared) until
 * `budget` seconds are spent, at least three times. A first call of each is not counted. */
NODISCARD Status unit_cost_typical(const CostPiece *piece, int count, double budget,
                                   double *seconds);
/* load, save (unit_cost_files.c); fit_... and holdout (unit_cost_fit.c); latency and byte, collective
 * (unit_cost_messages.c). */
NODISCARD Status unit_cost_files(Session *s, UnitCost *cost);
NODISCARD Status unit_cost_fit(Session *s, UnitCost *cost);
NODISCARD Status unit_cost_messages(UnitCost *cost);

#endif
