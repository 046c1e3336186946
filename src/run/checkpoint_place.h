/* Names and order of checkpoints under ckpt/. Internal to checkpoint.c and checkpoint_read.c. */
#ifndef RUN_CHECKPOINT_PLACE_H
#define RUN_CHECKPOINT_PLACE_H

#include "base/dir.h"
#include "run/checkpoint.h"

enum { CHECKPOINT_FORMAT = 1 };

typedef struct {
    Phase phase;
    int64_t step;
    bool old; /* moved aside for a new one of the same step */
} Place;

/* "policy-000120", "policy-000120.old" */
void place_name(const Place *at, char name[DIR_NAME_MAX]);
/* < 0 when a is newer. */
int place_order(const Place *a, const Place *b);

typedef struct {
    int count;
    Place *at; /* (count) newest first, owned */
} Places;

/* What has the name of a checkpoint, sound or not. mem_free(&places->at) afterwards. Errors: ERR_IO,
 * ERR_NOMEM. */
NODISCARD Status places_list(Places *places, const char *ckpt_dir);

/* "dir/name"; ERR_IO when it is too long. */
NODISCARD Status checkpoint_path(char path[CHECKPOINT_PATH_MAX], const char *dir, const char *name);
const char *slab_type_name(SlabType type);

#endif
