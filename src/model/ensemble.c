#include "model/ensemble.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "nn/gauss.h"
#include "nn/spectral.h"
#include "nn/vec.h"

/* Power iterations for weights that are used, not trained: enough to converge from a warm u. */
enum { SETTLE_ITERATIONS = 50, STRIDE_PAD = 16 };

static int inputs(const Ensemble *ens)
{
    return ens->cfg.state_dim + ens->cfg.act_dim;
}

static int outputs(const Ensemble *ens)
{
    return ens->cfg.state_dim + 1;
}

/* The part of a layer that the mean depends on: all of it, or the mean half of the head. */
static SpectralShape mean_path(const Ensemble *ens, int layer)
{
    const MlpMatrix m = mlp_matrix(&ens->net, layer, 0);
    const bool head = layer == ens->net.layers;
    return (SpectralShape){m.rows, head ? outputs(ens) : m.cols, m.ld};
}

static float *spectral_u(const Ensemble *ens, int member, int layer)
{
    return ensemble_member(ens, member) + ens->trained + (size_t)layer * (size_t)ens->cfg.hidden;
}

static Status check_config(const EnsembleConfig *cfg)
{
    if (cfg->members < 1 || cfg->members > ENSEMBLE_MAX || cfg->elites < 1 ||
        cfg->elites > cfg->members) {
        return status_fail(ERR_ARG,
                           "ensemble: %d members and %d elites; allowed 1 <= elites <= "
                           "members <= %d",
                           cfg->members, cfg->elites, ENSEMBLE_MAX);
    }
    if (cfg->state_dim < 1 || cfg->act_dim < 1 ||
        cfg->state_dim + cfg->act_dim > ENSEMBLE_DIM_MAX) {
        return status_fail(ERR_ARG,
                           "ensemble: %d state and %d action dimensions; at most %d in all",
                           cfg->state_dim, cfg->act_dim, ENSEMBLE_DIM_MAX);
    }
    return OK;
}

static void init_member(Ensemble *ens, int member, uint64_t seed)
{
    float *p = ensemble_member(ens, member);
    const size_t Y = (size_t)outputs(ens);
    Rng weights = rng_make(seed, RNG_MODEL_INIT, 0, (uint32_t)member);
    Rng vectors = rng_make(seed, RNG_SPECTRAL_INIT, 0, (uint32_t)member);

    mlp_init_truncated(&ens->net, p, &weights);
    for (size_t j = 0; j < Y; j++) {
        p[ens->net.count + j] = ens->cfg.logvar_max;
        p[ens->net.count + Y + j] = ens->cfg.logvar_min;
    }
    for (int l = 0; l <= ens->net.layers; l++) {
        const SpectralShape shape = mean_path(ens, l);
        float *u = spectral_u(ens, member, l);
        rng_fill_normal(&vectors, u, (size_t)shape.cols);
        const float scale = 1.0F / (float)sqrt(vec_dot(u, u, (size_t)shape.cols));
        for (int j = 0; j < shape.cols; j++) {
            u[j] *= scale;
        }
    }
}

/* Scratch of weights as the network uses them. */
static size_t effective_cost(const Ensemble *ens)
{
    const size_t widest = (size_t)(inputs(ens) > ens->cfg.hidden ? inputs(ens) : ens->cfg.hidden);
    return arena_cost(ens->net.count) +
           2 * (size_t)MLP_LAYERS_MAX * arena_cost(widest + ENSEMBLE_DIM_MAX);
}

Status ensemble_init(Ensemble *ens, const EnsembleConfig *cfg, uint64_t seed)
{
    Status st = OK;

    *ens = (Ensemble){.cfg = *cfg};
    TRY(check_config(cfg));
    const size_t D = (size_t)inputs(ens);
    const size_t Y = (size_t)outputs(ens);
    const size_t E = (size_t)cfg->members;
    ens->net = mlp_make((int)D, cfg->hidden, cfg->layers, 2 * (int)Y, 1, ACT_SILU);
    ens->joint = mlp_make((int)D, cfg->hidden, cfg->layers, 2 * (int)Y, cfg->members, ACT_SILU);
    ens->trained = ens->net.count + 2 * Y;
    const size_t full = ens->trained + (size_t)cfg->layers * (size_t)cfg->hidden + Y;
    ens->stride = (full + STRIDE_PAD - 1) / STRIDE_PAD * STRIDE_PAD;
    TRY(mem_alloc(&ens->params, E * ens->stride, sizeof(float), "ensemble weights"));
    TRY(mem_alloc(&ens->scales, 2 * (D + Y), sizeof(float), "ensemble scales"));
    TRY(mem_alloc(&ens->frozen, ens->joint.count + 4 * E * Y, sizeof(float), "ensemble copy"));
    if (cfg->spectral_norm) {
        TRY(arena_init(&ens->scratch, effective_cost(ens)));
    }
    ens->in_mean = ens->scales;
    ens->in_inv = ens->in_mean + D;
    ens->out_mean = ens->in_inv + D;
    ens->out_std = ens->out_mean + Y;
    for (size_t j = 0; j < D; j++) {
        ens->in_inv[j] = 1.0F;
    }
    for (size_t j = 0; j < Y; j++) {
        ens->out_std[j] = 1.0F;
    }
    for (int i = 0; i < cfg->members; i++) {
        init_member(ens, i, seed);
        ens->elite[i] = i;
    }
done:
    if (st != OK) {
        ensemble_release(ens);
    }
    return st;
}

void ensemble_release(Ensemble *ens)
{
    mem_free(&ens->params);
    mem_free(&ens->scales);
    mem_free(&ens->frozen);
    arena_release(&ens->scratch);
    *ens = (Ensemble){0};
}

/* A copy of a matrix, its mean path times `factor`. */
static void copy_scaled(const SpectralShape *shape, const float *restrict W, float factor,
                        float *restrict to)
{
    const size_t ld = (size_t)shape->ld;
    const size_t cols = (size_t)shape->cols;
    for (size_t i = 0; i < (size_t)shape->rows; i++) {
        for (size_t j = 0; j < cols; j++) {
            to[i * ld + j] = factor * W[i * ld + j];
        }
        memcpy(to + i * ld + cols, W + i * ld + cols, (ld - cols) * sizeof *to);
    }
}

/* Weights as the network uses them: eff (net.count) is a copy with the mean path scaled. */
static void effective(const Ensemble *ens, int member, float *u_of[], int iterations, float *eff,
                      EnsembleSigma *layer, Arena *tmp)
{
    const float *W = ensemble_member(ens, member);

    for (int l = 0; l <= ens->net.layers; l++) {
        const SpectralShape shape = mean_path(ens, l);
        const size_t at = ens->net.w[l];
        const size_t bias = ens->net.b[l];
        const size_t next = l < ens->net.layers ? ens->net.w[l + 1] : ens->net.count;
        layer[l].v = arena_floats(tmp, (size_t)shape.rows);
        layer[l].sigma = spectral_sigma(&shape, W + at, u_of[l], layer[l].v, iterations);
        copy_scaled(
            &shape, W + at,
            spectral_factor(layer[l].sigma, ens->cfg.spectral_c, ens->cfg.spectral_is_bound),
            eff + at);
        memcpy(eff + bias, W + bias, (next - bias) * sizeof *eff);
    }
}

/* Weights for use outside training: sigma converged, the member's own u left alone. */
static const float *settled(const Ensemble *ens, int member, Arena *tmp)
{
    EnsembleSigma layer[MLP_LAYERS_MAX];
    float *u_of[MLP_LAYERS_MAX];

    if (!ens->cfg.spectral_norm) {
        return ensemble_member(ens, member);
    }
    float *eff = arena_floats(tmp, ens->net.count);
    for (int l = 0; l <= ens->net.layers; l++) {
        const size_t n = (size_t)mean_path(ens, l).cols;
        u_of[l] = arena_floats(tmp, n);
        memcpy(u_of[l], spectral_u(ens, member, l), n * sizeof(float));
    }
    effective(ens, member, u_of, SETTLE_ITERATIONS, eff, layer, tmp);
    return eff;
}

static float decay_of(const EnsembleConfig *cfg, int layer)
{
    if (layer == cfg->layers) {
        return cfg->decay_head;
    }
    return layer == 0 ? cfg->decay_first : layer == 1 ? cfg->decay_second : cfg->decay_hidden;
}

/* Weight decay and the pull on the log-variance bounds; returns their part of the loss. */
static double regularize(const Ensemble *ens, const float *p, float *grad)
{
    const size_t Y = (size_t)outputs(ens);
    double loss = 0;

    for (int l = 0; l <= ens->net.layers; l++) {
        const size_t at = ens->net.w[l];
        const size_t n = ens->net.b[l] - at;
        const float decay = decay_of(&ens->cfg, l);
        loss += 0.5 * (double)decay * vec_decay(grad + at, decay, p + at, n);
    }
    const float reg = ens->cfg.logvar_reg;
    for (size_t j = 0; j < Y; j++) {
        grad[ens->net.count + j] += reg;
        grad[ens->net.count + Y + j] -= reg;
        loss += (double)reg * ((double)p[ens->net.count + j] - (double)p[ens->net.count + Y + j]);
    }
    return loss;
}

EnsembleStep ensemble_step_begin(Ensemble *ens, int member, Arena *tmp)
{
    EnsembleStep step = {.member = member, .used = ensemble_member(ens, member)};

    if (ens->cfg.spectral_norm) {
        float *eff = arena_floats(tmp, ens->net.count);
        float *u_of[MLP_LAYERS_MAX];
        for (int l = 0; l <= ens->net.layers; l++) {
            u_of[l] = spectral_u(ens, member, l);
        }
        effective(ens, member, u_of, 1, eff, step.sigma, tmp);
        step.used = eff;
    }
    return step;
}

double ensemble_step_shard(const Ensemble *ens, const EnsembleStep *step, const float *x,
                           const float *y, int rows, int total, Arena *tmp, float *grad)
{
    const size_t mark = tmp->used;
    const size_t Y = (size_t)outputs(ens);
    const float *bounds = ensemble_member(ens, step->member) + ens->net.count;

    if (rows == 0) {
        memset(grad, 0, ens->trained * sizeof *grad);
        return 0;
    }
    MlpTape tape = mlp_tape(&ens->net, rows, tmp);
    float *out = arena_floats(tmp, (size_t)rows * 2 * Y);
    float *dout = arena_floats(tmp, (size_t)rows * 2 * Y);
    mlp_forward(&ens->net, step->used, x, rows, &tape, out);
    const double loss = gauss_nll(out, bounds, y, rows, total, (int)Y, dout, grad + ens->net.count);
    mlp_backward(&ens->net, step->used, x, rows, &tape, dout, grad, NULL, 0, tmp);
    arena_reset(tmp, mark);
    return loss;
}

Status ensemble_step_end(const Ensemble *ens, const EnsembleStep *step, double *loss, float *grad)
{
    const float *p = ensemble_member(ens, step->member);

    for (int l = 0; ens->cfg.spectral_norm && l <= ens->net.layers; l++) {
        const SpectralShape shape = mean_path(ens, l);
        const size_t at = ens->net.w[l];
        spectral_backward(&shape, p + at, spectral_u(ens, step->member, l), step->sigma[l].v,
                          step->sigma[l].sigma, ens->cfg.spectral_c, ens->cfg.spectral_is_bound,
                          grad + at);
    }
    *loss += regularize(ens, p, grad);
    if (!isfinite(*loss) || !vec_finite(grad, ens->trained)) {
        return status_fail(ERR_NUMERIC, "the %s of ensemble member %d is not finite (loss %g)",
                           isfinite(*loss) ? "gradient" : "loss", step->member, *loss);
    }
    return OK;
}

Status ensemble_loss_grad(Ensemble *ens, int member, const float *x, const float *y, int rows,
                          Arena *tmp, double *loss, float *grad)
{
    const size_t mark = tmp->used;
    const EnsembleStep step = ensemble_step_begin(ens, member, tmp);

    *loss = ensemble_step_shard(ens, &step, x, y, rows, rows, tmp, grad);
    const Status st = ensemble_step_end(ens, &step, loss, grad);
    arena_reset(tmp, mark);
    return st;
}

size_t ensemble_loss_cost(const Ensemble *ens, int rows)
{
    const size_t out = arena_cost((size_t)rows * 2 * (size_t)outputs(ens));
    return effective_cost(ens) + mlp_tape_cost(&ens->net, rows) + 2 * out +
           mlp_backward_cost(&ens->net, rows);
}

double ensemble_mse(const Ensemble *ens, int member, const float *x, const float *y, int rows,
                    Arena *tmp)
{
    const size_t mark = tmp->used;
    const size_t Y = (size_t)outputs(ens);
    float *out = arena_floats(tmp, (size_t)rows * 2 * Y);
    double sum = 0;

    mlp_infer(&ens->net, settled(ens, member, tmp), x, rows, tmp, out);
    for (size_t i = 0; i < (size_t)rows; i++) {
        for (size_t j = 0; j < Y; j++) {
            const double off =
                (double)(out[i * 2 * Y + j] - y[i * Y + j]) * (double)ens->out_std[j];
            sum += off * off;
        }
    }
    arena_reset(tmp, mark);
    return sum / ((double)rows * (double)Y);
}

size_t ensemble_mse_cost(const Ensemble *ens, int rows)
{
    return effective_cost(ens) + arena_cost((size_t)rows * 2 * (size_t)outputs(ens)) +
           mlp_infer_cost(&ens->net, rows);
}

void ensemble_choose_elites(Ensemble *ens)
{
    const int E = ens->cfg.members;
    for (int i = 0; i < E; i++) { /* insertion sort; equal errors keep their order, NaN goes last */
        const double error = ens->holdout[i];
        int at = i;
        while (at > 0) {
            const double before = ens->holdout[ens->elite[at - 1]];
            if (!(error < before) && !(isnan(before) && !isnan(error))) {
                break;
            }
            ens->elite[at] = ens->elite[at - 1];
            at--;
        }
        ens->elite[at] = i;
    }
}

static void copy_matrix(const MlpMatrix *from, const float *src, const MlpMatrix *to, float *dst)
{
    for (size_t i = 0; i < (size_t)from->rows; i++) {
        memcpy(dst + to->at + i * (size_t)to->ld, src + from->at + i * (size_t)from->ld,
               (size_t)from->cols * sizeof *dst);
    }
    memcpy(dst + to->bias, src + from->bias, (size_t)from->cols * sizeof *dst);
}

/* ensemble_predict.c reads what is made here. */
void ensemble_freeze(Ensemble *ens)
{
    const size_t Y = (size_t)outputs(ens);
    const size_t EY = (size_t)ens->cfg.members * Y;
    Arena tmp = ens->scratch;

    for (int i = 0; i < ens->cfg.members; i++) {
        const float *used = settled(ens, i, &tmp);
        for (int l = 0; l <= ens->net.layers; l++) {
            const MlpMatrix from = mlp_matrix(&ens->net, l, 0);
            const MlpMatrix to = mlp_matrix(&ens->joint, l, i);
            copy_matrix(&from, used, &to, ens->frozen);
        }
        float *column = ens->frozen + ens->joint.count + (size_t)i * Y;
        gauss_columns(ensemble_member(ens, i) + ens->net.count, (int)Y, column, column + EY,
                      column + 2 * EY);
        memcpy(column + 3 * EY, ens->out_std, Y * sizeof(float));
        arena_reset(&tmp, 0);
    }
}

int ensemble_slabs(const Ensemble *ens, Slab slabs[ENSEMBLE_SLABS_MAX])
{
    const size_t E = (size_t)ens->cfg.members;
    const size_t scales = 2 * (size_t)(inputs(ens) + outputs(ens));
    /* casts: a slab can be written through, a const ensemble only lends it for reading */
    int n = 0;
    slabs[n++] = slab_f32("members", ens->params, E * ens->stride);
    slabs[n++] = slab_f32("scales", ens->scales, scales);
    slabs[n++] = slab_i64("elites", (int64_t *)(uintptr_t)ens->elite, E);
    slabs[n++] = slab_f64("holdout_mse", (double *)(uintptr_t)ens->holdout, E);
    return n;
}
