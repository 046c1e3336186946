#include "support/plain.h"

#include <math.h>
#include <string.h>

void plain_gemm(PlainForm form, int M, int N, int K, const float *A, int lda, const float *B,
                int ldb, double beta, double *C, int ldc)
{
    for (int i = 0; i < M; i++) {
        for (int j = 0; j < N; j++) {
            double sum = 0;
            for (int k = 0; k < K; k++) {
                const float a = form == PLAIN_TN ? A[k * lda + i] : A[i * lda + k];
                const float b = form == PLAIN_NT ? B[j * ldb + k] : B[k * ldb + j];
                sum += (double)a * (double)b;
            }
            C[i * ldc + j] = sum + (beta == 0 ? 0 : beta * C[i * ldc + j]);
        }
    }
}

static double act(Act kind, double z)
{
    if (kind == ACT_TANH) {
        return tanh(z);
    }
    return kind == ACT_RELU ? fmax(z, 0) : z / (1 + exp(-z));
}

static double act_slope(Act kind, double z)
{
    const double s = 1 / (1 + exp(-z));
    if (kind == ACT_TANH) {
        return 1 / (cosh(z) * cosh(z));
    }
    return kind == ACT_RELU ? (z > 0 ? 1 : 0) : s + z * s * (1 - s);
}

/* z[l] and h[l] of one row through one group; h[0] is the input. */
typedef struct {
    double z[MLP_LAYERS_MAX][PLAIN_WIDTH_MAX];
    double h[MLP_LAYERS_MAX + 1][PLAIN_WIDTH_MAX];
} Row;

static void row_forward(const Mlp *net, const float *params, int group, const float *x, Row *row)
{
    for (int i = 0; i < net->in; i++) {
        row->h[0][i] = (double)x[i];
    }
    for (int l = 0; l <= net->layers; l++) {
        const MlpMatrix m = mlp_matrix(net, l, group);
        for (int j = 0; j < m.cols; j++) {
            double z = (double)params[m.bias + (size_t)j];
            for (int i = 0; i < m.rows; i++) {
                z += row->h[l][i] * (double)params[m.at + (size_t)(i * m.ld + j)];
            }
            row->z[l][j] = z;
            row->h[l + 1][j] = l < net->layers ? act(net->act, z) : z;
        }
    }
}

void plain_forward(const Mlp *net, const float *params, const float *x, int rows, double *y)
{
    Row row;
    for (int b = 0; b < rows; b++) {
        for (int g = 0; g < net->groups; g++) {
            row_forward(net, params, g, x + b * net->in, &row);
            memcpy(y + (b * net->groups + g) * net->out, row.z[net->layers],
                   (size_t)net->out * sizeof *y);
        }
    }
}

static void row_backward(const Mlp *net, const float *params, int group, const Row *row,
                         const float *dy, double *grad, double *dx)
{
    double dz[PLAIN_WIDTH_MAX];
    double dh[PLAIN_WIDTH_MAX];

    for (int j = 0; j < net->out; j++) {
        dz[j] = (double)dy[j];
    }
    for (int l = net->layers; l >= 0; l--) {
        const MlpMatrix m = mlp_matrix(net, l, group);
        for (int j = 0; j < m.cols; j++) {
            grad[m.bias + (size_t)j] += dz[j];
        }
        for (int i = 0; i < m.rows; i++) {
            dh[i] = 0;
            for (int j = 0; j < m.cols; j++) {
                const size_t at = m.at + (size_t)(i * m.ld + j);
                grad[at] += row->h[l][i] * dz[j];
                dh[i] += (double)params[at] * dz[j];
            }
        }
        for (int i = 0; l > 0 && i < m.rows; i++) {
            dz[i] = dh[i] * act_slope(net->act, row->z[l - 1][i]);
        }
    }
    for (int i = 0; i < net->in; i++) {
        dx[i] += dh[i];
    }
}

void plain_backward(const Mlp *net, const float *params, const float *x, int rows, const float *dy,
                    double *grad, double *dx)
{
    Row row;

    memset(grad, 0, net->count * sizeof *grad);
    memset(dx, 0, (size_t)rows * (size_t)net->in * sizeof *dx);
    for (int b = 0; b < rows; b++) {
        for (int g = 0; g < net->groups; g++) {
            row_forward(net, params, g, x + b * net->in, &row);
            row_backward(net, params, g, &row, dy + (b * net->groups + g) * net->out, grad,
                         dx + b * net->in);
        }
    }
}
