/* Recordings that others made and that are not in this repository: the folder `shared` beside it, or
 * the one that MOPO_SHARED names.
 */
#ifndef SUPPORT_SHARED_H
#define SUPPORT_SHARED_H

/* Path of shared/<name>, valid until the next call; where it is absent the test says so and is
 * skipped. */
const char *shared_file(const char *name);

#endif
