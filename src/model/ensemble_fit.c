#include "model/ensemble_fit.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/wide.h"
#include "nn/adam.h"
#include "nn/vec.h"

enum { HOLD_PIECE = 500 }; /* rows of one holdout product: part of the result, like a batch size */

static const double never = 1e10; /* released code: the first pass always counts as a gain */

static void shuffle(Rng *rng, uint32_t *x, int64_t n)
{
    for (int64_t i = n - 1; i > 0; i--) { /* Fisher-Yates */
        const uint32_t j = rng_below(rng, (uint32_t)(i + 1));
        const uint32_t swap = x[i];
        x[i] = x[j];
        x[j] = swap;
    }
}

Status fit_data_init(FitData *data, const Record *rec, const float *records, int64_t rows,
                     double holdout_ratio, int64_t holdout_max, uint64_t seed)
{
    Status st = OK;

    *data = (FitData){.rec = *rec, .records = records};
    if (rows < 2 || rows > UINT32_MAX) {
        return status_fail(ERR_ARG,
                           "the model needs between 2 and %u transitions, the dataset has "
                           "%lld",
                           UINT32_MAX, (long long)rows);
    }
    int64_t hold = (int64_t)(holdout_ratio * (double)rows);
    hold = hold > holdout_max ? holdout_max : hold;
    data->n_hold = hold < 1 ? 1 : hold;
    data->n_train = rows - data->n_hold;
    TRY(mem_alloc(&data->order, (size_t)rows, sizeof *data->order, "the holdout split"));
    const size_t held = (size_t)data->n_hold;
    TRY(mem_alloc(&data->hold_x, held * (size_t)(rec->S + rec->A), sizeof(float), "holdout rows"));
    TRY(mem_alloc(&data->hold_y, held * (size_t)(rec->S + 1), sizeof(float), "holdout rows"));
    for (int64_t i = 0; i < rows; i++) {
        data->order[i] = (uint32_t)i;
    }
    Rng rng = rng_make(seed, RNG_SPLIT, 0, 0);
    shuffle(&rng, data->order, rows);
done:
    if (st != OK) {
        fit_data_release(data);
    }
    return st;
}

void fit_data_release(FitData *data)
{
    mem_free(&data->order);
    mem_free(&data->hold_x);
    mem_free(&data->hold_y);
    *data = (FitData){0};
}

static float target_of(const Record *rec, const float *row, int j)
{
    return j == 0 ? row[rec->r] : row[rec->s2 + (size_t)j - 1] - row[j - 1];
}

/* Scaled input and target of one record. */
WIDE static void scale_row(const Ensemble *ens, const Record *rec, const float *restrict row,
                           float *restrict x, float *restrict y)
{
    const size_t S = (size_t)rec->S;
    const size_t D = S + (size_t)rec->A;
    const float *restrict next = row + rec->s2;

    for (size_t j = 0; j < D; j++) {
        x[j] = (row[j] - ens->in_mean[j]) * ens->in_inv[j];
    }
    y[0] = (row[rec->r] - ens->out_mean[0]) / ens->out_std[0];
    for (size_t j = 0; j < S; j++) {
        y[j + 1] = (next[j] - row[j] - ens->out_mean[j + 1]) / ens->out_std[j + 1];
    }
}

enum { COLUMNS_MAX = 2 * ENSEMBLE_DIM_MAX };

/* Column k of the inputs, then of the targets. */
static double column_value(const Record *rec, const float *row, int k)
{
    const int D = rec->S + rec->A;
    return (double)(k < D ? row[k] : target_of(rec, row, k - D));
}

/* Means and population deviations of the first `columns` columns over the training rows, all columns
 * in two passes over the rows; a constant column gets deviation 1. */
static void column_scales(const FitData *data, int columns, double *mean, double *std)
{
    double sum[COLUMNS_MAX] = {0};
    double squares[COLUMNS_MAX] = {0};
    const double n = (double)data->n_train;

    for (int64_t i = 0; i < data->n_train; i++) {
        const float *row = data->records + (size_t)data->order[i] * data->rec.stride;
        for (int k = 0; k < columns; k++) {
            sum[k] += column_value(&data->rec, row, k);
        }
    }
    for (int k = 0; k < columns; k++) {
        mean[k] = sum[k] / n;
    }
    for (int64_t i = 0; i < data->n_train; i++) {
        const float *row = data->records + (size_t)data->order[i] * data->rec.stride;
        for (int k = 0; k < columns; k++) {
            const double off = column_value(&data->rec, row, k) - mean[k];
            squares[k] += off * off;
        }
    }
    for (int k = 0; k < columns; k++) {
        std[k] = sqrt(squares[k] / n);
        std[k] = std[k] < 1e-12 ? 1.0 : std[k];
    }
}

Status fit_data_scales(FitData *data, Ensemble *ens)
{
    double mean[COLUMNS_MAX] = {0};
    double std[COLUMNS_MAX] = {0};
    const int D = data->rec.S + data->rec.A;
    const int Y = data->rec.S + 1;

    column_scales(data, ens->cfg.zscore_targets ? D + Y : D, mean, std);
    for (int j = 0; j < D; j++) {
        ens->in_mean[j] = (float)mean[j];
        ens->in_inv[j] = (float)(1.0 / std[j]);
    }
    for (int j = 0; ens->cfg.zscore_targets && j < Y; j++) {
        ens->out_mean[j] = (float)mean[D + j];
        ens->out_std[j] = (float)std[D + j];
    }
    for (int64_t i = 0; i < data->n_hold; i++) {
        const float *row =
            data->records + (size_t)data->order[data->n_train + i] * data->rec.stride;
        scale_row(ens, &data->rec, row, data->hold_x + i * D, data->hold_y + i * Y);
    }
    for (int j = 0; j < D; j++) {
        if (!isfinite(ens->in_mean[j]) || !isfinite(ens->in_inv[j])) {
            return status_fail(ERR_NUMERIC, "input column %d of the dataset has no finite scale",
                               j);
        }
    }
    return OK;
}

size_t member_fit_stride(const Ensemble *ens)
{
    enum { LINE = 16 }; /* floats of a cache line */
    return (ens->trained + 1 + LINE - 1) / LINE * LINE;
}

Status member_fit_init(MemberFit *fit, const Ensemble *ens, const FitData *data, int member,
                       const Reduce *reduce, float *grads, uint64_t seed)
{
    Status st = OK;
    const size_t T = ens->trained;
    const size_t n = (size_t)data->n_train;
    const size_t own = grads == NULL ? (size_t)reduce->count * member_fit_stride(ens) : 0;

    *fit = (MemberFit){.member = member, .best = never, .reduce = *reduce};
    TRY(mem_alloc(&fit->block, own + 2 * T + ens->stride, sizeof(float), "a member's optimizer"));
    TRY(mem_alloc(&fit->sample, n, sizeof *fit->sample, "a member's bootstrap"));
    TRY(mem_alloc(&fit->queue, n, sizeof *fit->queue, "a member's bootstrap"));
    fit->grads = grads == NULL ? fit->block : grads;
    fit->m = fit->block + own;
    fit->v = fit->m + T;
    fit->snapshot = fit->v + T;
    Rng rng = rng_make(seed, RNG_BOOTSTRAP, 0, (uint32_t)member);
    for (size_t i = 0; i < n; i++) {
        fit->sample[i] = data->order[rng_below(&rng, (uint32_t)n)];
    }
done:
    if (st != OK) {
        member_fit_release(fit);
    }
    return st;
}

void member_fit_release(MemberFit *fit)
{
    mem_free(&fit->block);
    mem_free(&fit->sample);
    mem_free(&fit->queue);
    *fit = (MemberFit){0};
}

size_t member_fit_cost(const Ensemble *ens, const FitData *data, int batch)
{
    const size_t one = 2 * (size_t)data->rec.S + (size_t)data->rec.A + 1;
    const size_t pass = 2 * arena_cost((size_t)batch * one) + ensemble_loss_cost(ens, batch);
    const size_t hold = ensemble_mse_cost(ens, HOLD_PIECE);
    return pass > hold ? pass : hold;
}

/* The rows lie anywhere in the dataset: they are asked for before they are needed. */
static void gather(const Ensemble *ens, const FitData *data, const uint32_t *order, int rows,
                   float *x, float *y)
{
    enum { AHEAD = 8, LINE = 16 }; /* rows; floats of a cache line */
    const size_t stride = data->rec.stride;
    const size_t D = (size_t)data->rec.S + (size_t)data->rec.A;
    const size_t Y = (size_t)data->rec.S + 1;

    for (size_t i = 0; i < (size_t)rows; i++) {
        if (i + AHEAD < (size_t)rows) {
            const float *next = data->records + (size_t)order[i + AHEAD] * stride;
            for (size_t j = 0; j < stride; j += LINE) {
                __builtin_prefetch(next + j);
            }
        }
        scale_row(ens, &data->rec, data->records + (size_t)order[i] * stride, x + i * D, y + i * Y);
    }
}

/* One step on these rows; *loss gets their mean. */
static Status take_step(MemberFit *fit, Ensemble *ens, const FitData *data, const uint32_t *order,
                        int rows, double lr, Arena *tmp, double *loss)
{
    const Reduce *reduce = &fit->reduce;
    const size_t mark = tmp->used;
    const size_t T = ens->trained;
    const size_t stride = member_fit_stride(ens);
    const size_t most = (size_t)((rows + reduce->shards - 1) / reduce->shards);
    float *x = arena_floats(tmp, most * ((size_t)data->rec.S + (size_t)data->rec.A));
    float *y = arena_floats(tmp, most * ((size_t)data->rec.S + 1));
    const EnsembleStep step = ensemble_step_begin(ens, fit->member, tmp);
    Status st = OK;

    for (int i = 0; i < reduce->count; i++) {
        const int from = reduce_row(rows, reduce->shards, reduce->first + i);
        const int n = reduce_row(rows, reduce->shards, reduce->first + i + 1) - from;
        float *grad = fit->grads + (size_t)i * stride;
        gather(ens, data, order + from, n, x, y);
        grad[T] = (float)ensemble_step_shard(ens, &step, x, y, n, rows, tmp, grad);
    }
    TRY(reduce->sum(reduce, fit->grads, stride, T + 1));
    *loss = (double)fit->grads[T];
    TRY(ensemble_step_end(ens, &step, loss, fit->grads));
    adam_step(ensemble_member(ens, fit->member), fit->grads, fit->m, fit->v, T, lr, ++fit->steps);
done:
    arena_reset(tmp, mark);
    return st;
}

Status member_fit_pass(MemberFit *fit, Ensemble *ens, const FitData *data, int64_t pass, int batch,
                       double lr, uint64_t seed, Arena *tmp, double *loss)
{
    double sum = 0;
    Status st = OK;

    memcpy(fit->queue, fit->sample, (size_t)data->n_train * sizeof *fit->queue);
    Rng rng = rng_make(seed, RNG_SHUFFLE, (uint64_t)pass, (uint32_t)fit->member);
    shuffle(&rng, fit->queue, data->n_train);
    for (int64_t at = 0; at < data->n_train; at += batch) {
        const int64_t left = data->n_train - at;
        const int rows = left < batch ? (int)left : batch;
        double part = 0;
        TRY(take_step(fit, ens, data, fit->queue + at, rows, lr, tmp, &part));
        sum += part * (double)rows;
    }
    *loss = sum / (double)data->n_train;
done:
    return st;
}

double member_fit_holdout(const Ensemble *ens, const FitData *data, int member, Arena *tmp)
{
    const int64_t D = data->rec.S + data->rec.A;
    const int64_t Y = data->rec.S + 1;
    double sum = 0;

    for (int64_t at = 0; at < data->n_hold; at += HOLD_PIECE) {
        const int64_t left = data->n_hold - at;
        const int rows = left < HOLD_PIECE ? (int)left : HOLD_PIECE;
        sum += (double)rows *
               ensemble_mse(ens, member, data->hold_x + at * D, data->hold_y + at * Y, rows, tmp);
    }
    return sum / (double)data->n_hold;
}

bool member_fit_judge(MemberFit *fit, const Ensemble *ens, double mse, double gain)
{
    if (!((fit->best - mse) / fit->best > gain)) {
        return false;
    }
    fit->best = mse;
    memcpy(fit->snapshot, ensemble_member(ens, fit->member), ens->stride * sizeof(float));
    return true;
}

Status member_fit_check(const MemberFit *fit, const Ensemble *ens, double mse)
{
    const bool sound = vec_finite(ensemble_member(ens, fit->member), ens->stride);

    if (!sound || !vec_finite(fit->m, ens->trained) || !vec_finite(fit->v, ens->trained)) {
        return status_fail(ERR_NUMERIC, "%s of ensemble member %d are no longer finite",
                           sound ? "Adam's means" : "the weights", fit->member);
    }
    if (!isfinite(mse)) {
        return status_fail(ERR_NUMERIC, "the holdout error of ensemble member %d is %g",
                           fit->member, mse);
    }
    return OK;
}

Status member_fit_restore(const MemberFit *fit, Ensemble *ens)
{
    if (fit->best >= never) {
        return status_fail(ERR_NUMERIC,
                           "ensemble member %d never had a finite holdout error below %g",
                           fit->member, never);
    }
    memcpy(ensemble_member(ens, fit->member), fit->snapshot, ens->stride * sizeof(float));
    return OK;
}
