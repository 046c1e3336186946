/* Dense networks, G of them side by side on the same input ("groups": twin critics, an ensemble at
 * prediction time). Parameters of all groups are one vector, so Adam, target averages, broadcast
 * and checkpoint are each one call.
 *
 *   z_0 = x W_0 + b_0, h_0 = f(z_0), z_l = h_(l-1) W_l + b_l, ..., y = h_(L-1) W_L + b_L
 *
 * Layout of `params`, layer after layer: W_0 is (in, G hidden), the groups side by side, so that the
 * thin first product is made once for all; W_l for l > 0 is (G, hidden, n), one matrix after the
 * other; each b_l is (G, n); n is hidden, or out in the last layer. Matrices are inputs x outputs.
 */
#ifndef NN_MLP_H
#define NN_MLP_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/rng.h"

enum { MLP_LAYERS_MAX = 9 };

typedef enum { ACT_RELU, ACT_SILU, ACT_TANH } Act;

typedef struct {
    int in, hidden, layers, out, groups; /* layers: hidden ones, L >= 1 */
    Act act;
    size_t w[MLP_LAYERS_MAX], b[MLP_LAYERS_MAX]; /* where W_l and b_l of group 0 begin */
    size_t count;                                /* floats in all */
} Mlp;

Mlp mlp_make(int in, int hidden, int layers, int out, int groups, Act act);

/* One matrix of the network, as BLAS wants it. */
typedef struct {
    size_t at; /* offset in params */
    int rows, cols, ld;
    size_t bias; /* offset of its bias (cols) */
} MlpMatrix;
MlpMatrix mlp_matrix(const Mlp *net, int layer, int group); /* layer 0 .. layers */

/* Glorot (2010) uniform: +-sqrt(6 / (in + out)), biases 0: Keras' default, as in the released code. */
void mlp_init_glorot(const Mlp *net, float *params, Rng *rng);
/* Normal with deviation 1 / (2 sqrt(in)), redrawn beyond two deviations, biases 0: released code. */
void mlp_init_truncated(const Mlp *net, float *params, Rng *rng);
/* Uniform +-1 / sqrt(in), weights and biases: PyTorch's nn.Linear. */
void mlp_init_linear(const Mlp *net, float *params, Rng *rng);
/* Uniform +-1 / sqrt(out of the layer), biases 0.1, and +-last for weights and biases of the last layer:
 * rlkit, whose "fan-in" is the first dimension of a weight, in PyTorch the outputs. */
void mlp_init_rlkit(const Mlp *net, double last, float *params, Rng *rng);

/* What backward needs from forward; rows lie one after the other, so a part of the rows is a tape. */
typedef struct {
    float *h[MLP_LAYERS_MAX]; /* (rows, G hidden) activations */
    float *d[MLP_LAYERS_MAX]; /* (rows, G hidden) their derivatives; NULL where h tells them */
} MlpTape;

MlpTape mlp_tape(const Mlp *net, int rows, Arena *tmp);
/* The same tape from row `first` on. */
MlpTape mlp_tape_from(const Mlp *net, const MlpTape *tape, int first);
size_t mlp_tape_cost(const Mlp *net, int rows); /* bytes of arena */

/* x (rows, in) -> y (rows, G out), filling the tape. */
void mlp_forward(const Mlp *net, const float *params, const float *x, int rows, MlpTape *tape,
                 float *y);
/* The same without a tape; small scratch (mlp_infer_cost bytes). */
void mlp_infer(const Mlp *net, const float *params, const float *x, int rows, Arena *tmp, float *y);
size_t mlp_infer_cost(const Mlp *net, int rows);
/* Its parts, for one group. The activations of the last hidden layer (rows, hidden), in scratch that is
 * left in `tmp` (mlp_hidden_cost bytes); from them n outputs, number `from` and on, y (rows, n; ldy). */
const float *mlp_hidden(const Mlp *net, const float *params, int group, const float *x, int rows,
                        Arena *tmp);
size_t mlp_hidden_cost(const Mlp *net, int rows);
void mlp_head(const Mlp *net, const float *params, int group, int from, int n, const float *h,
              int rows, float *y, int ldy);

/* dy (rows, G out) is dLoss/dy. grad (count) is overwritten with dLoss/dparams; NULL: not wanted.
 * dx (rows, in - dx_from) is overwritten with dLoss/dx of the input columns from dx_from on, summed
 * over groups; NULL: not wanted. Scratch: mlp_backward_cost bytes. */
void mlp_backward(const Mlp *net, const float *params, const float *x, int rows,
                  const MlpTape *tape, const float *dy, float *grad, float *dx, int dx_from,
                  Arena *tmp);
size_t mlp_backward_cost(const Mlp *net, int rows);

/* The derivative by the inputs alone, of one group, for n rows of a tape, list (n): dy (n, out) ->
 * dx (n, in - dx_from), overwritten. Scratch: mlp_input_slope_cost bytes. */
void mlp_input_slope(const Mlp *net, const float *params, int group, const MlpTape *tape,
                     const int32_t *list, int n, const float *dy, float *dx, int dx_from,
                     Arena *tmp);
size_t mlp_input_slope_cost(const Mlp *net, int n);

/* Forward mode: how the outputs move when the parameters move by dparams (count) and x stays. The tape is
 * that of mlp_forward at `params`; dy (rows, G out). Scratch: mlp_backward_cost bytes. */
void mlp_tangent(const Mlp *net, const float *params, const float *dparams, const float *x,
                 int rows, const MlpTape *tape, float *dy, Arena *tmp);

#endif
