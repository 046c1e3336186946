/* Activations with their bias, one pass over the data. SiLU is the paper's "swish": z sig(z). */
#ifndef NN_ACT_H
#define NN_ACT_H

#include <stddef.h>

#include "nn/mlp.h"

/* h (rows, cols; ld) holds z without bias and becomes f(z + bias); d, where not NULL, has the same
 * shape and ld and becomes f'(z + bias). For ReLU d is not used: the sign of h tells. */
void act_forward(Act act, float *h, const float *bias, int rows, int cols, int ld, float *d);
/* dh (n) becomes dh * f'(z). */
void act_backward(Act act, const float *h, const float *d, size_t n, float *dh);

#endif
