/* Branched model rollouts: MOPO algorithm 2, lines 4 to 12; released code, mopo.py _rollout_model.
 *
 * A rollout phase of one epoch is a fixed list of units; unit u is a function of (policy, ensemble,
 * dataset, seed, epoch, u) and of nothing else, so any rank may do it. From dataset states (any, or
 * those that begin an episode), h times:
 *   a ~ pi(s); an elite drawn per row, anew or once for all h steps; (r, s') ~ N(mean, std^2) of that elite;
 *   r <- r - lambda u(s, a) (model/penalty.h); done by the task's rule on s';
 *   store (s, a, r, s', cont); rows that ended are dropped after being stored.
 * A row with a non-finite prediction or uncertainty is dropped without being stored.
 *
 * With a penalty that halts, MOReL's pessimistic MDP (Kidambi et al. 2020, definition 1) instead of
 * r - lambda u: a row with u above the threshold goes to HALT, so it is done, with a reward by `halt`.
 */
#ifndef ROLLOUT_ROLLOUT_H
#define ROLLOUT_ROLLOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "data/record.h"
#include "env/env.h"
#include "model/ensemble.h"
#include "model/penalty.h"
#include "policy/agent.h"
#include "rollout/termination.h"

/* Reward of the step into HALT. */
typedef enum {
    HALT_FLOOR,     /* lowest reward of the data - cost: EmptyJackson/unifloral */
    HALT_ABSORBING, /* r - gamma cost / (1 - gamma): the paper, HALT pays -cost for ever */
    HALT_CUT        /* r - cost: aravindr93/mjrl */
} HaltForm;

typedef struct {
    float threshold; /* of u */
    HaltForm form;
    float cost;  /* kappa */
    float floor; /* lowest reward of the data */
    float gamma;
} Halt;

/* The simulator as an oracle: next (rows, S) of sa (rows, S + A); NaN where the simulator cannot follow
 * (an impossible state). Local. */
typedef struct {
    void (*next)(void *ctx, const float *sa, int rows, float *next);
    void *ctx;
} Truth;

typedef struct {
    const Ensemble *ens; /* frozen */
    const Agent *agent;
    const EnvKind *env; /* for its termination rule */
    Termination end;    /* what it may be replaced by; all zero: the task's rule */
    const Penalty *penalty;
    Halt halt;          /* if the penalty halts */
    const Truth *truth; /* if the penalty needs it; borrowed */
    Record rec;
    const float *dataset; /* (dataset_rows, rec.stride) start states, borrowed */
    int64_t dataset_rows;
    const int64_t *starts; /* (n_starts) rows to start from, borrowed; NULL: any */
    int64_t n_starts;
    int batch, units, horizon; /* start rows of a phase, units, h */
    float lambda;
    float guard; /* a row ends where some |s'| reaches this; 0 = off */
    bool uniform_actions;
    bool keeps_member; /* a trajectory stays with the elite of its first step */
    uint64_t seed;
} Rollout;

/* What a unit did; sums in double so that units can be added in order. */
typedef struct {
    int64_t rows, ended, dropped;    /* ended: those in HALT included */
    double penalty_sum, penalty_max; /* of u, raw */
    double reward_sum;               /* before the penalty */
    uint64_t digest;                 /* xxHash64 of the records */
    int64_t halted;                  /* rows that went to HALT, among those ended */
} UnitReport;

/* Whether some number of a predicted state s (S) reaches the guard. */
bool rollout_beyond_guard(const Rollout *roll, const float *s);
/* Start rows of unit u, and the most records a unit can give. */
int rollout_unit_starts(const Rollout *roll, int unit);
int64_t rollout_unit_most(const Rollout *roll);

/* Roll out unit `unit` for `epoch` with actor parameters `actor`; records needs room for
 * rollout_unit_most rows. Cannot fail. */
void rollout_run(const Rollout *roll, const float *actor, int64_t epoch, int unit, Arena *tmp,
                 float *records, UnitReport *report);
size_t rollout_cost(const Rollout *roll); /* bytes of arena */

#endif
