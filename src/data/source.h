/* The columns of a dataset file as single precision, a block of rows at a time, whichever layout the
 * file has: what data/dataset.c makes records of. Local: nothing here is collective.
 */
#ifndef DATA_SOURCE_H
#define DATA_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "data/h5.h"
#include "data/recording.h"

typedef enum { FIELD_STATE, FIELD_ACTION, FIELD_REWARD, FIELD_NEXT, FIELDS } Field;

typedef struct {
    const char *path; /* borrowed, for messages */
    int64_t rows;     /* N */
    int state_dim, act_dim;
    bool has_next, has_timeouts;
    uint8_t *terminal, *timeout; /* (N) 0 or 1, owned; timeout all 0 where the file has none */
    H5File *file;
    H5Array *array[FIELDS]; /* of D4RL's layout */
    Recording rec;          /* of Minari's, read whole */
} Source;

/* Shapes and flags. Errors: ERR_IO, ERR_FORMAT (not HDF5, damaged, arrays missing or of other shapes,
 * flags other than 0 and 1), ERR_NOMEM. *src is to be closed even then. */
NODISCARD Status source_open(Source *src, const char *path);
void source_close(Source *src);

/* Numbers in a row of a field, and its name in the file. */
int source_width(const Source *src, Field field);
const char *source_name(Field field);
/* Rows first .. first + count - 1 to out (count, width). Error: ERR_FORMAT (damaged). */
NODISCARD Status source_read(Source *src, Field field, int64_t first, int64_t count, float *out);
/* Errors: ERR_FORMAT when one of these is not finite in single precision. */
NODISCARD Status source_check_finite(const Source *src, Field field, int64_t first, int64_t count,
                                     const float *x);

#endif
