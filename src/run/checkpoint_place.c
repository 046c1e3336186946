#include "run/checkpoint_place.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char *const phase_names[PHASE_COUNT] = {"model", "prepare", "policy"};

const char *phase_name(Phase phase)
{
    return phase_names[phase];
}

const char *slab_type_name(SlabType type)
{
    static const char *const names[] = {
        [SLAB_F32] = "float32", [SLAB_F64] = "float64", [SLAB_I64] = "int64"};
    return names[type];
}

Status checkpoint_path(char path[CHECKPOINT_PATH_MAX], const char *dir, const char *name)
{
    const int len = snprintf(path, CHECKPOINT_PATH_MAX, "%s/%s", dir, name);
    return len > 0 && len < CHECKPOINT_PATH_MAX
               ? OK
               : status_fail(ERR_IO, "%s: the path is too long", dir);
}

void place_name(const Place *at, char name[DIR_NAME_MAX])
{
    (void)snprintf(name, DIR_NAME_MAX, "%s-%06" PRId64 "%s", phase_names[at->phase], at->step,
                   at->old ? ".old" : "");
}

/* Exactly a name that place_name makes. */
static bool place_read(const char *name, Place *at)
{
    char again[DIR_NAME_MAX];

    for (int p = 0; p < PHASE_COUNT; p++) {
        const size_t len = strlen(phase_names[p]);
        if (strncmp(name, phase_names[p], len) == 0 && name[len] == '-') {
            *at = (Place){.phase = (Phase)p, .step = strtoll(name + len + 1, NULL, 10)};
            at->old = strchr(name, '.') != NULL;
            place_name(at, again);
            return at->step >= 0 && strcmp(name, again) == 0;
        }
    }
    return false;
}

int place_order(const Place *a, const Place *b)
{
    if (a->phase != b->phase) {
        return a->phase > b->phase ? -1 : 1;
    }
    if (a->step != b->step) {
        return a->step > b->step ? -1 : 1;
    }
    return (int)a->old - (int)b->old;
}

Status places_list(Places *places, const char *ckpt_dir)
{
    Status st = OK;
    DirList list = {0};

    *places = (Places){0};
    TRY(dir_list(&list, ckpt_dir));
    TRY(mem_alloc(&places->at, (size_t)list.count + 1, sizeof(Place), "a list of checkpoints"));
    for (int i = 0; i < list.count; i++) {
        Place at;
        if (place_read(list.names[i], &at)) {
            int j = places->count++;
            for (; j > 0 && place_order(&at, &places->at[j - 1]) < 0; j--) {
                places->at[j] = places->at[j - 1];
            }
            places->at[j] = at;
        }
    }
done:
    dir_list_release(&list);
    return st;
}
