/* What a power cut may leave of a directory. The calls of base/disk.h are recorded as they are made; then every
 * moment between two of them is visited, and states of the disk are drawn there.
 *
 * The disk promises what POSIX does: the data of a file last after its fsync, the names in a directory after the
 * directory's. Of what came since, any part may be there: of a directory any changes of names (a rename is one
 * change), of a file any sectors of 512 bytes, zeros in place of the others, and any length that it had meanwhile.
 */
#ifndef SUPPORT_POWER_H
#define SUPPORT_POWER_H

#include <stdint.h>

#include "base/rng.h"

/* Record what is done below `root`, an empty directory that is there for good, until power_stop. */
void power_start(const char *root);
void power_stop(void);
/* Calls recorded so far. */
int power_calls(void);
void power_release(void);

/* Go through the recorded calls from the first: nothing is done yet, then one more with each step. */
void power_rewind(void);
void power_step(void);
typedef enum {
    POWER_LEAST, /* nothing but what was promised */
    POWER_MOST,  /* all that was done */
    POWER_ANY    /* drawn */
} PowerKind;
/* Put a state of this moment into `out`, an empty directory. Returns a hash of names and bytes. */
uint64_t power_cut(PowerKind kind, Rng *rng, const char *out);

#endif
