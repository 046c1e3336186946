/* One transition is one contiguous row of floats: [ s | a | r | s' | cont ], cont = 1 - terminal.
 * Dataset, model buffer, messages and batches all use it, so copying a transition is one memcpy.
 */
#ifndef DATA_RECORD_H
#define DATA_RECORD_H

#include <stddef.h>

typedef struct {
    int S, A;              /* state and action size */
    size_t stride;         /* floats in a row: 2 S + A + 2 */
    size_t a, r, s2, cont; /* offsets; s is at 0 */
} Record;

static inline Record record_make(int state_dim, int act_dim)
{
    const size_t S = (size_t)state_dim;
    const size_t A = (size_t)act_dim;
    return (Record){.S = state_dim,
                    .A = act_dim,
                    .stride = 2 * S + A + 2,
                    .a = S,
                    .r = S + A,
                    .s2 = S + A + 1,
                    .cont = 2 * S + A + 1};
}

#endif
