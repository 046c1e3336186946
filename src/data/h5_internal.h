/* What the files behind data/h5.h share. The only place that includes hdf5.h; nobody else includes
 * this one.
 */
#ifndef DATA_H5_INTERNAL_H
#define DATA_H5_INTERNAL_H

#include <hdf5.h>

#include "data/h5.h"

/* Before the first call of the library: it prints nothing and loads no plugins. */
void h5_start(void);
/* The library's message nearest to the cause of the last failure; valid until the next call. */
const char *h5_says(void);
/* Of `type` in memory. */
hid_t h5_memory_type(SlabType type);

#endif
