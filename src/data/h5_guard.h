/* What a damaged or hostile file can make HDF5 itself do, bounded while such a file is open. Debian's HDF5
 * 1.10.8 crashes on one in some hundred files with changed bytes, and what our checks refuse comes later.
 *
 *   crash             SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT: one message, exit code 76
 *   endless loop      5 s of processor time, and 1 s more for each MB of the file: the same
 *   memory            512 MiB of address space, and 128 bytes for each byte of the file: HDF5 reports that
 *                     memory was refused, and so do we
 *
 * Handlers rather than a child process that proves the file first: MPI libraries warn of fork, the file would
 * be read twice, and only the crash is at stake: the guard is no sandbox. A file made to take over the
 * process needs one around mopo (docs/security.md). Process-wide; begin and end may be nested. Not in builds
 * with sanitizers, which have handlers of their own.
 */
#ifndef DATA_H5_GUARD_H
#define DATA_H5_GUARD_H

#include <stdbool.h>
#include <stdint.h>

/* `name` is used in the message; `bytes` is the size of the file. */
void h5_guard_begin(const char *name, int64_t bytes);
void h5_guard_end(void);
/* False in builds with sanitizers. */
bool h5_guard_works(void);

#endif
