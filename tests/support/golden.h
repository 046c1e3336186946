/* Known answers of tests/golden/<name>.txt, made by tools/golden/<...>.py. All failures end the test
 * with a message: a test cannot go on without its answers.
 */
#ifndef SUPPORT_GOLDEN_H
#define SUPPORT_GOLDEN_H

#include <stdbool.h>
#include <stddef.h>

#include "nn/mlp.h"

typedef struct Golden Golden;

/* Read the file; release with golden_close. */
Golden *golden_open(const char *name);
void golden_close(Golden *golden);
/* The values of a record, borrowed; *n (may be NULL) gets how many. The name is a printf format. */
const float *golden_get(const Golden *golden, size_t *n, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same where the record must have exactly n values. */
const float *golden_array(const Golden *golden, size_t n, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool golden_has(const Golden *golden, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A record of one value. */
float golden_number(const Golden *golden, const char *name);

/* One group's weights from records <prefix>.w0, <prefix>.b0, <prefix>.w1, ... into params. */
void golden_load_net(const Golden *golden, const char *prefix, const Mlp *net, int group,
                     float *params);
/* CHECK_CLOSE, tensor by tensor, of `got` (as params) against the records. */
void golden_check_net(const Golden *golden, const char *prefix, const Mlp *net, int group,
                      const float *got, double rel, double abs);

#endif
