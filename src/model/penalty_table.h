/* The table of penalties: a row here, and a file that defines penalty_<name>. */
#ifndef MODEL_PENALTY_TABLE_H
#define MODEL_PENALTY_TABLE_H

#include "model/penalty.h"

#define PENALTY_TABLE(X) \
    X(none)              \
    X(max_std)

#define PENALTY_DECLARE(name) extern const Penalty penalty_##name;
PENALTY_TABLE(PENALTY_DECLARE)
#undef PENALTY_DECLARE

#endif
