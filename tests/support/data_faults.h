/* Faults of recordings, planted: what tests/unit/test_data_check.c must find. */
#ifndef SUPPORT_DATA_FAULTS_H
#define SUPPORT_DATA_FAULTS_H

#include "data/recording.h"

/* Recordings that are right. */
typedef enum { POINT, CHEETAH, HOPPER, WALKER, ANT, JUMP, EXACT, TASKS } Base;

typedef struct {
    const char *name;
    Base base;
    void (*plant)(Recording *r);
    const char *check;
    const char *says; /* part of the text; NULL: any */
    Base as;          /* task that it is checked as, where that is another; 0: `base` */
    bool behavior;    /* with the reward of the behavior */
} Fault;

/* The table; ends with a row without a name. */
extern const Fault data_faults[];

/* A copy that owns its arrays. */
Recording recording_copy(const Recording *r);
/* Leave arrays out that a file need not have; next_observations go together with infos. */
void recording_drop_infos(Recording *r);
void recording_drop_next(Recording *r);

#endif
