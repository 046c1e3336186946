/* Inside bench/ only: the parts of mopo that are measured, and what they share. Each adds its rows to the
 * report; sizes are those of the default settings, the paper's. Errors: those of the part, ERR_NOMEM.
 */
#ifndef BENCH_PARTS_H
#define BENCH_PARTS_H

#include <stddef.h>

#include "bench/measure.h"
#include "bench/report.h"
#include "config/config.h"
#include "model/ensemble.h"
#include "policy/agent.h"

/* On rank 0 alone: nothing in them waits for another rank. */
NODISCARD Status bench_update(Report *report);
NODISCARD Status bench_model_step(Report *report);
NODISCARD Status bench_rollout(Report *report);
NODISCARD Status bench_env(Report *report);
NODISCARD Status bench_load(Report *report);
/* Collective, on two ranks or more; rank 0 gets the rows. */
NODISCARD Status bench_exchange(Report *report);

/* The defaults: Table 4 and appendix C.2, SAC 256 x 256; ensemble of 7, 4 x 200; 50,000 start rows. */
Config paper_config(void);
AgentConfig paper_agent(int S, int A);
EnsembleConfig paper_ensemble(int S, int A, bool spectral_norm);

/* A piece of work beside its floor. */
typedef struct {
    const char *unit;     /* what one time is for: "update", "step" */
    const char *floor_is; /* what the floor is: "memcpy" */
    double units;         /* in one call */
    Work thing, floor;
} Pair;

/* Measure both in turn and add a row, if a row of this name is asked for. */
NODISCARD Status part_add(Report *report, const char *name, const Pair *pair);
/* The same with the matrix products of `thing` as its floor; floor and floor_is are not read. */
NODISCARD Status part_add_products(Report *report, const char *name, const Pair *pair);
/* The rate of a large product: the best of this and earlier calls into report->large. */
NODISCARD Status part_large_product(Report *report);

/* *x: n floats uniform in [low, high], to be freed with mem_free. */
NODISCARD Status random_floats(float **x, size_t n, float low, float high);

#endif
