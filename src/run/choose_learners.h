/* How many ranks learn. Results do not depend on it; the time of a run does. */
#ifndef RUN_CHOOSE_LEARNERS_H
#define RUN_CHOOSE_LEARNERS_H

#include "config/config.h"

/* Where ranks.learners is 0 and the run is long (CHOOSE_UPDATES at least) it becomes what makes an epoch
 * shortest, by costs that are measured here in about a second; otherwise it stays, and session_open chooses by
 * counts. The dataset is not looked at. Collective. Errors, the same on all ranks: those of
 * session_open_random and unit_cost_measure_epoch. */
NODISCARD Status choose_learners(Config *cfg);

enum { CHOOSE_UPDATES = 100000 };

#endif
