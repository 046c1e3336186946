/* Activations with their bias, one pass over the data. SiLU is the paper's "swish": z sig(z). */
#ifndef NN_ACT_H
#define NN_ACT_H

#include <stdbool.h>
#include <stddef.h>

#include "nn/mlp.h"

/* h (rows, cols; ld) holds z without bias and becomes f(z + bias); d, where not NULL, has the same
 * shape and ld and becomes f'(z + bias). It is used only where act_keeps: elsewhere h tells f'. */
void act_forward(Act act, float *h, const float *bias, int rows, int cols, int ld, float *d);
bool act_keeps(Act act);
/* dh (n) becomes dh * f'(z). */
void act_backward(Act act, const float *h, const float *d, size_t n, float *dh);

#endif
