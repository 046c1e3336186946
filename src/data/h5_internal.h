/* What the files behind data/h5.h share. The only place that includes hdf5.h; nobody else includes
 * this one.
 */
#ifndef DATA_H5_INTERNAL_H
#define DATA_H5_INTERNAL_H

#include <sys/stat.h>

#include <hdf5.h>

#include "data/h5.h"

struct H5File {
    hid_t id;
    char name[400];    /* for messages, cut if longer */
    int64_t bytes;     /* size of the file */
    int fd;            /* the library's; -1: an image in memory */
    struct stat begun; /* the file when it was opened */
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
/* H5Dread. Errors: ERR_FORMAT: the file is damaged. ERR_IO: the disk refuses, or the file has changed
 * since it was opened: the library takes what is behind a file's new end for zeros, without a word. */
NODISCARD Status h5_read_part(const H5File *file, const char *name, hid_t set, hid_t type,
                              hid_t mem, hid_t from, void *out);
/* ERR_FORMAT: the file is damaged. */
Status h5_read_failed(const H5File *file, const char *name);

#endif
