/* Minari's HDF5 layout: a group per episode. Called by recording_read. Local: nothing here is
 * collective.
 */
#ifndef DATA_MINARI_H
#define DATA_MINARI_H

#include "data/h5.h"
#include "data/recording.h"

/* The episodes of an open file, in order of their number, as one recording. `path` is for messages
 * and for files beside it. Errors: ERR_FORMAT, ERR_NOMEM; what *rec then holds, the caller
 * releases. */
NODISCARD Status minari_read(Recording *rec, H5File *file, const char *path);

#endif
