/* Initial weights. */
#include <math.h>
#include <string.h>

#include "nn/mlp.h"

typedef float (*Draw)(Rng *rng, double width);

static float draw_uniform(Rng *rng, double width)
{
    return (float)(width * (2.0 * rng_uniform(rng) - 1.0));
}

static float draw_truncated(Rng *rng, double width)
{
    double x;
    do {
        x = rng_normal(rng);
    } while (fabs(x) > 2.0);
    return (float)(width * x);
}

static void init_matrix(const MlpMatrix *m, float *params, Rng *rng, Draw draw, double width)
{
    for (int i = 0; i < m->rows; i++) {
        for (int j = 0; j < m->cols; j++) {
            params[m->at + (size_t)i * (size_t)m->ld + (size_t)j] = draw(rng, width);
        }
    }
}

void mlp_init_glorot(const Mlp *net, float *params, Rng *rng)
{
    memset(params, 0, net->count * sizeof *params);
    for (int g = 0; g < net->groups; g++) {
        for (int l = 0; l <= net->layers; l++) {
            const MlpMatrix m = mlp_matrix(net, l, g);
            init_matrix(&m, params, rng, draw_uniform, sqrt(6.0 / (double)(m.rows + m.cols)));
        }
    }
}

void mlp_init_truncated(const Mlp *net, float *params, Rng *rng)
{
    memset(params, 0, net->count * sizeof *params);
    for (int g = 0; g < net->groups; g++) {
        for (int l = 0; l <= net->layers; l++) {
            const MlpMatrix m = mlp_matrix(net, l, g);
            init_matrix(&m, params, rng, draw_truncated, 0.5 / sqrt((double)m.rows));
        }
    }
}

static void init_bias(const MlpMatrix *m, float *params, Rng *rng, double width)
{
    for (int j = 0; j < m->cols; j++) {
        params[m->bias + (size_t)j] = draw_uniform(rng, width);
    }
}

void mlp_init_linear(const Mlp *net, float *params, Rng *rng)
{
    for (int g = 0; g < net->groups; g++) {
        for (int l = 0; l <= net->layers; l++) {
            const MlpMatrix m = mlp_matrix(net, l, g);
            const double width = 1.0 / sqrt((double)m.rows);
            init_matrix(&m, params, rng, draw_uniform, width);
            init_bias(&m, params, rng, width);
        }
    }
}

void mlp_init_rlkit(const Mlp *net, double last, float *params, Rng *rng)
{
    for (int g = 0; g < net->groups; g++) {
        for (int l = 0; l < net->layers; l++) {
            const MlpMatrix m = mlp_matrix(net, l, g);
            init_matrix(&m, params, rng, draw_uniform, 1.0 / sqrt((double)m.cols));
            for (int j = 0; j < m.cols; j++) {
                params[m.bias + (size_t)j] = 0.1F;
            }
        }
        const MlpMatrix m = mlp_matrix(net, net->layers, g);
        init_matrix(&m, params, rng, draw_uniform, last);
        init_bias(&m, params, rng, last);
    }
}
