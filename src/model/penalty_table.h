/* The table of penalties: a row here, and a file that defines penalty_<name>. */
#ifndef MODEL_PENALTY_TABLE_H
#define MODEL_PENALTY_TABLE_H

#include "model/penalty.h"

#define PENALTY_TABLE(X) \
    X(none)              \
    X(max_std)           \
    X(frobenius)         \
    X(mean_gap)          \
    X(pairwise)          \
    X(ensemble_std)      \
    X(mixture_std)       \
    X(ll_var)            \
    X(loo_kl)            \
    X(oracle)            \
    X(halt)

#define PENALTY_DECLARE(name) extern const Penalty penalty_##name;
PENALTY_TABLE(PENALTY_DECLARE)
#undef PENALTY_DECLARE

#endif
