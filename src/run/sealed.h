/* HDF5 files with a digest of all their bytes behind them, so that damage is found before HDF5 sees
 * it (the library itself may crash on a damaged file). HDF5 ignores what stands behind its end: the
 * files open in h5dump, h5py and others.
 *
 *   [ HDF5 image ] [ "\nmopo-xxh128:" 32 hexadecimal digits "\n" ]     46 bytes more
 */
#ifndef RUN_SEALED_H
#define RUN_SEALED_H

#include <stdbool.h>

#include "base/status.h"
#include "data/h5.h"

/* h5_write, with a seal. */
NODISCARD Status sealed_write(const char *path, const H5Item *items, int n, const H5Text *texts,
                              int m);
/* h5_open, after comparing bytes and seal. A file without one is ERR_FORMAT if `required`, otherwise
 * opened as it is: files of others have none. Errors: those of h5_open, and ERR_NOMEM. */
NODISCARD Status sealed_open(H5File **file, const char *path, bool required);

#endif
