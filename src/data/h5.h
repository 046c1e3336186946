/* Named arrays of numbers and short texts in HDF5 files, for everything the program saves.
 * Writing makes an image in memory whose bytes depend on the content only (no time stamps); reading
 * checks existence, kind of number and shape before it touches memory. Only h5_internal.h includes
 * hdf5.h. HDF5 prints nothing itself: its innermost message is quoted in ours. It loads no plugins and
 * follows no links into other files. Local: nothing here is collective.
 * What we check lies above the library: data/h5_guard.h bounds what HDF5 itself does on a damaged file. A
 * digest, where one is at hand, belongs in front of h5_open_image.
 */
#ifndef DATA_H5_H
#define DATA_H5_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slab.h"
#include "base/status.h"

enum { H5_NAME_MAX = 96, H5_RANK_MAX = 3, H5_TEXT_MAX = 60000 };

typedef struct {
    char name[H5_NAME_MAX]; /* "policy/fc0/weight" makes the groups policy and policy/fc0 */
    SlabType type;
    const void *data; /* row major, borrowed */
    int rank;         /* 0 (one number) .. H5_RANK_MAX */
    int64_t dims[H5_RANK_MAX];
    bool flags;     /* data are uint8_t, 0 or 1, stored as h5py stores bool; `type` is ignored */
    bool compress;  /* chunks of gzip level 1 after byte shuffling; for large arrays */
    bool extend;    /* chunks, and rows can be appended later */
    bool attribute; /* "group/name" is attribute `name` of `group`, which an earlier item made */
} H5Item;

typedef struct {
    const char *name, *text; /* UTF-8, at most H5_TEXT_MAX bytes */
    bool object;             /* true: an object like an array; false: attribute of the root group,
                                or of `group` if it is named "group/name" */
} H5Text;

/* An item of rank 1 named "group/slab" (group NULL: only the slab's name). */
H5Item h5_item(const char *group, const Slab *slab);
/* *bytes gets the image, to be freed with mem_free. Errors: ERR_ARG (a name twice, too long a text),
 * ERR_NOMEM, ERR_IO (HDF5 refuses). */
NODISCARD Status h5_image(const H5Item *items, int n, const H5Text *texts, int m,
                          unsigned char **bytes, size_t *size);
/* h5_image, then file_write; what a process left that was killed there before is deleted. */
NODISCARD Status h5_write(const char *path, const H5Item *items, int n, const H5Text *texts, int m);

/* "1.10.8", of the library in use. */
const char *h5_version(void);

typedef struct H5File H5File;
typedef struct {
    int rank;
    int64_t dims[H5_RANK_MAX]; /* 1 beyond rank */
    int64_t count;             /* their product */
    bool wide;                 /* numbers of more than 32 bits */
} H5Shape;

/* Open for reading. Errors: ERR_IO (cannot be opened), ERR_FORMAT (no HDF5, cut short, damaged). */
NODISCARD Status h5_open(H5File **file, const char *path);
/* The same on an image in memory (copied); `name` is used in messages. */
NODISCARD Status h5_open_image(H5File **file, const char *name, const void *bytes, size_t size);
void h5_close(H5File *file);
/* ERR_IO when the file has changed since it was opened, or the disk refused to say what is in it: then what h5_has
 * and the like did not find may be there all the same. Every h5_read of an array asks this itself. */
NODISCARD Status h5_sound(const H5File *file);

/* Whether there is an object of this name, or a link that leads nowhere: reading that is then an error. */
bool h5_has(const H5File *file, const char *name);
/* How many objects and groups a group holds; 0 when there is no such group. "/" is the root. */
int64_t h5_children(const H5File *file, const char *group);
/* Errors: ERR_FORMAT: absent, not numbers, more than H5_RANK_MAX dimensions, too large to be true,
 * or stored in another file. */
NODISCARD Status h5_shape(const H5File *file, const char *name, H5Shape *shape);
/* All numbers of an object, converted to `type` (SLAB_I64 takes integers only); `out` has room for
 * exactly n. Errors: those of h5_shape, and ERR_FORMAT when it does not hold n numbers. */
NODISCARD Status h5_read(const H5File *file, const char *name, SlabType type, void *out, size_t n);
/* Whether an object has shape (rows, cols), or (rows) when cols is 1: to be asked before memory is. Errors:
 * those of h5_shape, and ERR_FORMAT with both shapes. */
NODISCARD Status h5_check_rows(const H5File *file, const char *name, int64_t rows, int cols);
/* Such an object as float. */
NODISCARD Status h5_read_rows(const H5File *file, const char *name, int64_t rows, int cols,
                              float *out);
/* Fill slab->data from "group/slab"; the length must agree. */
NODISCARD Status h5_read_slab(const H5File *file, const char *group, const Slab *slab);
/* A text attribute of the root group, or a text object. Error: ERR_FORMAT (absent, no text, or not
 * shorter than `size`). */
NODISCARD Status h5_read_text(const H5File *file, const char *name, char *text, size_t size);

/* An array that stays open, to be read in pieces: rows first .. first + count - 1, whole; `out` has room
 * for exactly n. No compressed chunk is unpacked twice when the pieces go from front to back. Close
 * before the file. Errors: those of h5_read, and ERR_FORMAT when there are fewer rows. */
typedef struct H5Array H5Array;
NODISCARD Status h5_array_open(H5Array **array, const H5File *file, const char *name,
                               SlabType type);
NODISCARD Status h5_array_read(const H5Array *array, int64_t first, int64_t count, void *out,
                               size_t n);
void h5_array_close(H5Array **array);

/* Attributes of an object or a group ("/": the root). Errors of reading: ERR_FORMAT (absent, of
 * another kind, or a text that is not shorter than `size`). */
bool h5_has_attribute(const H5File *file, const char *owner, const char *name);
NODISCARD Status h5_attribute_text(const H5File *file, const char *owner, const char *name,
                                   char *text, size_t size);
NODISCARD Status h5_attribute_integer(const H5File *file, const char *owner, const char *name,
                                      int64_t *value);

#endif
