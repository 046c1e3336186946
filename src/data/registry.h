/* Datasets by name: D4RL's gym-MuJoCo files and Minari's mujoco sets (registry_table.h), where their
 * files lie on this machine, and whether a file is one of them. Nothing is downloaded. Local.
 *
 * Names as users write them: halfcheetah-medium-replay-v2, or -mixed- as the paper calls medium-replay,
 * or mujoco/halfcheetah/medium-v0. A word is a path when it is a file that exists, or has a '.', or has
 * a '/' and does not begin with mujoco/.
 */
#ifndef DATA_REGISTRY_H
#define DATA_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct {
    const char *name;
    bool minari;
    const char *folder, *file; /* below D4RL's address, or below Minari's cache */
    int64_t bytes, rows;       /* 0: not known */
    const char *sha256;        /* "": not known */
} RegistryRow;

/* The row of a name. ERR_CONFIG when there is none: says the versions there are, or the nearest name. */
NODISCARD Status registry_find(const char *name, const RegistryRow **row);

/* The file that `word` stands for, into path; *row is NULL when the word is a path itself (which is not
 * looked at), or the folder of a set in Minari's layout (the path is that of its data/main_data.hdf5).
 * A name is looked up in $MOPO_DATA, under the name and as published, and in the cache of the
 * publisher's own tool: $D4RL_DATASET_DIR or ~/.d4rl/datasets, $MINARI_DATASETS_PATH or
 * ~/.minari/datasets. Errors: ERR_CONFIG: no such name, a path too long, or nowhere: says what was
 * looked at and how to get the file. */
NODISCARD Status registry_locate(const char *word, char *path, size_t size,
                                 const RegistryRow **row);

enum { REGISTRY_NOTE_MAX = 1024 };

typedef struct {
    const RegistryRow *row; /* the published file that it is; NULL: none that is known */
    bool suspect;           /* not what its name or its size promise */
    char note
        [REGISTRY_NOTE_MAX]; /* the rest of "FILE: ...", for the log: which file it is and its known
                                     defects, or the suspicion; "" when there is nothing to say */
} Recognition;

/* Look at a file: by size, then by SHA-256 where that is known. expected: the row it was found for, or
 * NULL. Errors: ERR_IO, ERR_NOMEM. */
NODISCARD Status registry_recognize(Recognition *rec, const char *path,
                                    const RegistryRow *expected);
/* The same with a table of the caller's, for tests. */
NODISCARD Status registry_recognize_in(Recognition *rec, const char *path,
                                       const RegistryRow *expected, const RegistryRow *rows,
                                       int count);

#endif
