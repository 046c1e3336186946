/* What the files behind data/h5.h share. The only place that includes hdf5.h; nobody else includes
 * this one.
 */
#ifndef DATA_H5_INTERNAL_H
#define DATA_H5_INTERNAL_H

#include <hdf5.h>

#include "data/h5.h"

struct H5File {
    hid_t id;
    int64_t bytes;  /* size of the file */
    char name[400]; /* for messages, cut if longer */
};

/* Before the first call of the library: it prints nothing and loads no plugins. */
void h5_start(void);
/* The library's message nearest to the cause of the last failure; valid until the next call. */
const char *h5_says(void);
/* Of `type` in memory. */
hid_t h5_memory_type(SlabType type);

/* Open an array of numbers (integers_only: of integers) after checking kind, shape and storage.
 * Errors: those of h5_shape. *set is to be closed even then. */
NODISCARD Status h5_open_checked(const H5File *file, const char *name, bool integers_only,
                                 hid_t *set, H5Shape *shape);
/* ERR_FORMAT: the file is damaged. */
Status h5_read_failed(const H5File *file, const char *name);

#endif
