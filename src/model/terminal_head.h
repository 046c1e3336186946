/* A classifier that learns from the terminal rows of a dataset when an episode ends: for systems whose
 * rule is not known. A network of its own beside the ensemble, on z-scored (s, a, s'):
 *   p(end | s, a, s') = sigmoid(f(s, a, s') + log(n1 / n0)),   n1 terminal rows, n0 others
 * Trained by cross entropy on batches of which half is terminal (they are rare), hence the shift
 * back to the data's own odds. Letters: N rows, S, A; I = 2 S + A inputs. Local.
 */
#ifndef MODEL_TERMINAL_HEAD_H
#define MODEL_TERMINAL_HEAD_H

#include <stdint.h>

#include "base/arena.h"
#include "base/slab.h"
#include "base/status.h"
#include "data/record.h"
#include "nn/mlp.h"

typedef struct {
    Record rec;
    Mlp net;       /* I -> 1, ReLU */
    size_t count;  /* floats in `params` */
    float *params; /* owned: [ net | mean (I) | 1/deviation (I) | shift (1) ] */
} TerminalHead;

/* What the fit found, on rows that it did not train on (every tenth terminal one, every tenth other). */
typedef struct {
    int64_t terminals, found;   /* held-out terminal rows; those that are called so */
    int64_t others, false_ends; /* held-out other rows; those that are called terminal */
    int64_t trained_on;         /* terminal rows it learned from; 0: it never says end */
} TerminalReport;

/* Errors: ERR_NOMEM. *head is then zero. */
NODISCARD Status terminal_head_init(TerminalHead *head, Record rec, int hidden, uint64_t seed);
void terminal_head_release(TerminalHead *head);
/* Fit to records (N, stride) by `updates` steps of Adam. Errors: ERR_NOMEM, ERR_NUMERIC. */
NODISCARD Status terminal_head_fit(TerminalHead *head, const float *records, int64_t rows,
                                   int updates, uint64_t seed, TerminalReport *report);
/* end[i] = whether p > 1/2 for records (rows, stride), of which s, a and s' are read. */
void terminal_head_mark(const TerminalHead *head, const float *records, int rows, Arena *tmp,
                        uint8_t *end);
size_t terminal_head_cost(const TerminalHead *head, int rows); /* bytes of arena */
/* The whole head as one array, to send and to save. */
Slab terminal_head_slab(TerminalHead *head);

#endif
