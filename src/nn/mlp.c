#include "nn/mlp.h"

#include <string.h>

#include "base/panic.h"
#include "nn/act.h"
#include "nn/gemm.h"
#include "nn/vec.h"

Mlp mlp_make(int in, int hidden, int layers, int out, int groups, Act act)
{
    REQUIRE(in > 0 && hidden > 0 && layers > 0 && layers < MLP_LAYERS_MAX && out > 0 && groups > 0);
    Mlp net = {
        .in = in, .hidden = hidden, .layers = layers, .out = out, .groups = groups, .act = act};
    size_t at = 0;
    for (int l = 0; l <= layers; l++) {
        const size_t rows = (size_t)(l == 0 ? in : hidden);
        const size_t cols = (size_t)groups * (size_t)(l == layers ? out : hidden);
        net.w[l] = at;
        net.b[l] = at + rows * cols;
        at = net.b[l] + cols;
    }
    net.count = at;
    return net;
}

MlpMatrix mlp_matrix(const Mlp *net, int layer, int group)
{
    const int cols = layer == net->layers ? net->out : net->hidden;
    const size_t g = (size_t)group;
    const size_t bias = net->b[layer] + g * (size_t)cols;
    if (layer == 0) {
        return (MlpMatrix){net->w[0] + g * (size_t)cols, net->in, cols, net->groups * cols, bias};
    }
    const size_t size = (size_t)net->hidden * (size_t)cols;
    return (MlpMatrix){net->w[layer] + g * size, net->hidden, cols, cols, bias};
}

static size_t width(const Mlp *net)
{
    return (size_t)net->groups * (size_t)net->hidden;
}

MlpTape mlp_tape(const Mlp *net, int rows, Arena *tmp)
{
    MlpTape tape = {0};
    for (int l = 0; l < net->layers; l++) {
        tape.h[l] = arena_floats(tmp, (size_t)rows * width(net));
        tape.d[l] = act_keeps(net->act) ? arena_floats(tmp, (size_t)rows * width(net)) : NULL;
    }
    return tape;
}

MlpTape mlp_tape_from(const Mlp *net, const MlpTape *tape, int first)
{
    MlpTape part = *tape;
    for (int l = 0; l < net->layers; l++) {
        part.h[l] += (size_t)first * width(net);
        if (part.d[l] != NULL) {
            part.d[l] += (size_t)first * width(net);
        }
    }
    return part;
}

size_t mlp_tape_cost(const Mlp *net, int rows)
{
    const size_t one = arena_cost((size_t)rows * width(net));
    return one * (size_t)net->layers * (act_keeps(net->act) ? 2 : 1);
}

static void add_bias(float *y, const float *bias, int rows, int cols, int ld)
{
    for (int i = 0; i < rows; i++) {
        float *restrict row = y + (size_t)i * (size_t)ld;
        for (int j = 0; j < cols; j++) {
            row[j] += bias[j];
        }
    }
}

/* n outputs of group g from number `from` on, without their bias, from the last hidden layer. */
static void head(const Mlp *net, const float *params, int g, int from, int n, const float *h,
                 int ldh, int rows, float *y, int ldy)
{
    const MlpMatrix m = mlp_matrix(net, net->layers, g);
    gemm_nn(rows, n, m.rows, h, ldh, params + m.at + from, m.ld, 0.0F, y, ldy);
    add_bias(y, params + m.bias + from, rows, n, ldy);
}

void mlp_forward(const Mlp *net, const float *params, const float *x, int rows, MlpTape *tape,
                 float *y)
{
    const int H = net->hidden;
    const int GH = net->groups * H;

    gemm_nn(rows, GH, net->in, x, net->in, params + net->w[0], GH, 0.0F, tape->h[0], GH);
    act_forward(net->act, tape->h[0], params + net->b[0], rows, GH, GH, tape->d[0]);
    for (int l = 1; l < net->layers; l++) {
        for (int g = 0; g < net->groups; g++) {
            const MlpMatrix m = mlp_matrix(net, l, g);
            const size_t col = (size_t)g * (size_t)H;
            gemm_nn(rows, H, H, tape->h[l - 1] + col, GH, params + m.at, m.ld, 0.0F,
                    tape->h[l] + col, GH);
        }
        act_forward(net->act, tape->h[l], params + net->b[l], rows, GH, GH, tape->d[l]);
    }
    for (int g = 0; g < net->groups; g++) {
        head(net, params, g, 0, net->out, tape->h[net->layers - 1] + (size_t)g * (size_t)H, GH,
             rows, y + (size_t)g * (size_t)net->out, net->groups * net->out);
    }
}

size_t mlp_hidden_cost(const Mlp *net, int rows)
{
    return 2 * arena_cost((size_t)rows * (size_t)net->hidden);
}

const float *mlp_hidden(const Mlp *net, const float *params, int group, const float *x, int rows,
                        Arena *tmp)
{
    const int H = net->hidden;
    const size_t floats = (size_t)rows * (size_t)H;
    float *two[2] = {arena_floats(tmp, floats), arena_floats(tmp, floats)};
    const float *below = x;

    for (int l = 0; l < net->layers; l++) {
        const MlpMatrix m = mlp_matrix(net, l, group);
        float *h = two[l & 1];
        gemm_nn(rows, H, m.rows, below, m.rows, params + m.at, m.ld, 0.0F, h, H);
        act_forward(net->act, h, params + m.bias, rows, H, H, NULL);
        below = h;
    }
    return below;
}

void mlp_head(const Mlp *net, const float *params, int group, int from, int n, const float *h,
              int rows, float *y, int ldy)
{
    head(net, params, group, from, n, h, net->hidden, rows, y, ldy);
}

size_t mlp_infer_cost(const Mlp *net, int rows)
{
    return mlp_hidden_cost(net, rows);
}

/* Group after group, so that a group's rows stay in cache; its first product is thin either way. */
void mlp_infer(const Mlp *net, const float *params, const float *x, int rows, Arena *tmp, float *y)
{
    for (int g = 0; g < net->groups; g++) {
        const size_t mark = tmp->used;
        const float *h = mlp_hidden(net, params, g, x, rows, tmp);
        mlp_head(net, params, g, 0, net->out, h, rows, y + (size_t)g * (size_t)net->out,
                 net->groups * net->out);
        arena_reset(tmp, mark);
    }
}

static void column_sums(const float *dz, int rows, int cols, float *sum)
{
    memset(sum, 0, (size_t)cols * sizeof *sum);
    for (int i = 0; i < rows; i++) {
        vec_axpy(sum, 1.0F, dz + (size_t)i * (size_t)cols, (size_t)cols);
    }
}

size_t mlp_backward_cost(const Mlp *net, int rows)
{
    return 2 * arena_cost((size_t)rows * width(net));
}

/* Gradient of W_l, l >= 1, from dz (rows, G n), and of the layer below: dh (rows, G H). */
static void backward_layer(const Mlp *net, const float *params, int l, int rows,
                           const MlpTape *tape, const float *dz, float *grad, float *dh)
{
    const int H = net->hidden;
    const int GH = net->groups * H;
    const int n = l == net->layers ? net->out : H;
    const int Gn = net->groups * n;

    for (int g = 0; g < net->groups; g++) {
        const MlpMatrix m = mlp_matrix(net, l, g);
        const float *dzg = dz + (size_t)g * (size_t)n;
        const size_t col = (size_t)g * (size_t)H;
        if (grad != NULL) {
            gemm_tn(H, n, rows, tape->h[l - 1] + col, GH, dzg, Gn, 0.0F, grad + m.at, m.ld);
        }
        gemm_nt(rows, H, n, dzg, Gn, params + m.at, m.ld, 0.0F, dh + col, GH);
    }
}

/* dh (rows, G H) of a hidden layer becomes dz, and its column sums the gradient of the biases, row by row
 * while the row is in cache. */
static void backward_act(const Mlp *net, int layer, int rows, const MlpTape *tape, float *dh,
                         float *grad)
{
    const size_t n = width(net);
    float *sum = grad == NULL ? NULL : grad + net->b[layer];

    if (sum != NULL) {
        memset(sum, 0, n * sizeof *sum);
    }
    for (size_t i = 0; i < (size_t)rows; i++) {
        const float *d = tape->d[layer];
        act_backward(net->act, tape->h[layer] + i * n, d == NULL ? NULL : d + i * n, n, dh + i * n);
        if (sum != NULL) {
            vec_axpy(sum, 1.0F, dh + i * n, n);
        }
    }
}

void mlp_backward(const Mlp *net, const float *params, const float *x, int rows,
                  const MlpTape *tape, const float *dy, float *grad, float *dx, int dx_from,
                  Arena *tmp)
{
    const int GH = net->groups * net->hidden;
    const size_t mark = tmp->used;
    float *two[2] = {arena_floats(tmp, (size_t)rows * width(net)),
                     arena_floats(tmp, (size_t)rows * width(net))};
    const float *dz = dy;

    if (grad != NULL) {
        const int outs = net->groups * net->out;
        column_sums(dy, rows, outs, grad + net->b[net->layers]);
    }
    for (int l = net->layers; l > 0; l--) {
        float *dh = two[l & 1];
        backward_layer(net, params, l, rows, tape, dz, grad, dh);
        backward_act(net, l - 1, rows, tape, dh, grad);
        dz = dh;
    }
    if (grad != NULL) {
        gemm_tn(net->in, GH, rows, x, net->in, dz, GH, 0.0F, grad + net->w[0], GH);
    }
    if (dx != NULL) {
        const int n = net->in - dx_from;
        const float *w = params + net->w[0] + (size_t)dx_from * (size_t)GH;
        gemm_nt(rows, n, GH, dz, GH, w, GH, 0.0F, dx, n);
    }
    arena_reset(tmp, mark);
}

size_t mlp_input_slope_cost(const Mlp *net, int n)
{
    return 2 * arena_cost((size_t)n * (size_t)net->hidden);
}

/* dh (n, H) becomes dh f'(z) of the listed rows of a layer. */
static void listed_act(const Mlp *net, const MlpTape *tape, int layer, int group,
                       const int32_t *list, int n, float *dh)
{
    const size_t H = (size_t)net->hidden;
    for (size_t i = 0; i < (size_t)n; i++) {
        const size_t at = (size_t)list[i] * width(net) + (size_t)group * H;
        const float *d = tape->d[layer];
        act_backward(net->act, tape->h[layer] + at, d == NULL ? NULL : d + at, H, dh + i * H);
    }
}

void mlp_input_slope(const Mlp *net, const float *params, int group, const MlpTape *tape,
                     const int32_t *list, int n, const float *dy, float *dx, int dx_from,
                     Arena *tmp)
{
    const int H = net->hidden;
    const size_t mark = tmp->used;
    float *two[2] = {arena_floats(tmp, (size_t)n * (size_t)H),
                     arena_floats(tmp, (size_t)n * (size_t)H)};
    const float *dz = dy;

    for (int l = net->layers; l > 0; l--) {
        const MlpMatrix m = mlp_matrix(net, l, group);
        float *dh = two[l & 1];
        gemm_nt(n, H, m.cols, dz, m.cols, params + m.at, m.ld, 0.0F, dh, H);
        listed_act(net, tape, l - 1, group, list, n, dh);
        dz = dh;
    }
    const MlpMatrix first = mlp_matrix(net, 0, group);
    const int cols = net->in - dx_from;
    gemm_nt(n, cols, H, dz, H, params + first.at + (size_t)dx_from * (size_t)first.ld, first.ld,
            0.0F, dx, cols);
    arena_reset(tmp, mark);
}

/* dz = dh W + h dW + db of group g of layer l >= 1; dz (rows, G n). */
static void tangent_layer(const Mlp *net, const float *params, const float *dparams, int l, int g,
                          int rows, const MlpTape *tape, const float *dh, float *dz)
{
    const int GH = net->groups * net->hidden;
    const MlpMatrix m = mlp_matrix(net, l, g);
    const size_t col = (size_t)g * (size_t)net->hidden;
    const int ld = net->groups * m.cols;
    float *out = dz + (size_t)g * (size_t)m.cols;

    gemm_nn(rows, m.cols, m.rows, dh + col, GH, params + m.at, m.ld, 0.0F, out, ld);
    gemm_nn(rows, m.cols, m.rows, tape->h[l - 1] + col, GH, dparams + m.at, m.ld, 1.0F, out, ld);
    add_bias(out, dparams + m.bias, rows, m.cols, ld);
}

void mlp_tangent(const Mlp *net, const float *params, const float *dparams, const float *x,
                 int rows, const MlpTape *tape, float *dy, Arena *tmp)
{
    const int GH = net->groups * net->hidden;
    const size_t floats = (size_t)rows * width(net);
    const size_t mark = tmp->used;
    float *two[2] = {arena_floats(tmp, floats), arena_floats(tmp, floats)};

    gemm_nn(rows, GH, net->in, x, net->in, dparams + net->w[0], GH, 0.0F, two[0], GH);
    add_bias(two[0], dparams + net->b[0], rows, GH, GH);
    for (int l = 1; l <= net->layers; l++) {
        float *dh = two[(l - 1) & 1];
        act_backward(net->act, tape->h[l - 1], tape->d[l - 1], floats, dh);
        for (int g = 0; g < net->groups; g++) {
            tangent_layer(net, params, dparams, l, g, rows, tape, dh,
                          l == net->layers ? dy : two[l & 1]);
        }
    }
    arena_reset(tmp, mark);
}
