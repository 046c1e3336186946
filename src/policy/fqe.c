#include "policy/fqe.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "data/buffer.h"
#include "nn/adam.h"
#include "nn/vec.h"

typedef struct {
    const FqeConfig *cfg;
    const FqeIn *in;
    Mlp net;      /* S + A -> 1 */
    float *block; /* owned: the five below, (count) each */
    float *q, *target, *grad, *m, *v;
    Arena tmp;
} Fqe;

static Status fqe_open(Fqe *f, const FqeConfig *cfg, const FqeIn *in)
{
    Status st = OK;
    const int D = in->rec.S + in->rec.A;
    const size_t B = (size_t)cfg->batch;

    *f = (Fqe){.cfg = cfg, .in = in};
    f->net = mlp_make(D, cfg->hidden, cfg->layers, 1, 1, ACT_RELU);
    const size_t n = f->net.count;
    TRY(mem_alloc(&f->block, 5 * n, sizeof *f->block, "fitted Q evaluation"));
    f->q = f->block;
    f->target = f->q + n;
    f->grad = f->target + n;
    f->m = f->grad + n;
    f->v = f->m + n;
    TRY(arena_init(&f->tmp,
                   arena_cost(B * in->rec.stride) + 2 * arena_cost(B * (size_t)D) +
                       arena_cost(B * (size_t)in->rec.S) + arena_cost(B * 2 * (size_t)in->rec.A) +
                       3 * arena_cost(B) + mlp_infer_cost(in->actor, cfg->batch) +
                       mlp_infer_cost(&f->net, cfg->batch) + mlp_tape_cost(&f->net, cfg->batch) +
                       mlp_backward_cost(&f->net, cfg->batch)));
    Rng rng = rng_make(cfg->seed, RNG_FQE_INIT, 0, 0);
    mlp_init_glorot(&f->net, f->q, &rng);
    memcpy(f->target, f->q, n * sizeof *f->q);
done:
    return st;
}

static void fqe_close(Fqe *f)
{
    mem_free(&f->block);
    arena_release(&f->tmp);
}

/* Q(s, pi(s)) of `params` for states (rows, S). */
static void value_of(const Fqe *f, const float *params, const float *s, int rows, Arena *tmp,
                     float *value)
{
    const size_t mark = tmp->used;
    const size_t S = (size_t)f->in->rec.S;
    const size_t A = (size_t)f->in->rec.A;
    float *x = arena_floats(tmp, (size_t)rows * (S + A));
    float *head = arena_floats(tmp, (size_t)rows * 2 * A);

    mlp_infer(f->in->actor, f->in->params, s, rows, tmp, head);
    for (size_t i = 0; i < (size_t)rows; i++) {
        memcpy(x + i * (S + A), s + i * S, S * sizeof *x);
    }
    squash_forward(f->in->squash, head, NULL, rows, x + S, (int)(S + A), NULL);
    mlp_infer(&f->net, params, x, rows, tmp, value);
    arena_reset(tmp, mark);
}

/* One step; returns the loss. */
static double update(Fqe *f, int64_t t)
{
    Arena *tmp = &f->tmp;
    const size_t mark = tmp->used;
    const Record *rec = &f->in->rec;
    const int B = f->cfg->batch;
    const size_t S = (size_t)rec->S;
    const size_t D = S + (size_t)rec->A;
    float *rows = arena_floats(tmp, (size_t)B * rec->stride);
    float *next = arena_floats(tmp, (size_t)B * S);
    float *x = arena_floats(tmp, (size_t)B * D);
    float *y = arena_floats(tmp, (size_t)B);
    float *q = arena_floats(tmp, (size_t)B);
    double loss = 0;
    Rng rng = rng_make(f->cfg->seed, RNG_FQE_BATCH, (uint64_t)t, 0);

    records_gather(f->in->records, rec->stride, f->in->rows, &rng, B, rows);
    for (size_t i = 0; i < (size_t)B; i++) {
        memcpy(x + i * D, rows + i * rec->stride, D * sizeof *x);
        memcpy(next + i * S, rows + i * rec->stride + rec->s2, S * sizeof *x);
    }
    value_of(f, f->target, next, B, tmp, y);
    MlpTape tape = mlp_tape(&f->net, B, tmp);
    mlp_forward(&f->net, f->q, x, B, &tape, q);
    for (size_t i = 0; i < (size_t)B; i++) {
        const float *row = rows + i * rec->stride;
        const float off = q[i] - (row[rec->r] + f->cfg->gamma * row[rec->cont] * y[i]);
        loss += (double)off * (double)off / B;
        q[i] = 2.0F * off / (float)B;
    }
    mlp_backward(&f->net, f->q, x, B, &tape, q, f->grad, NULL, 0, tmp);
    adam_step(f->q, f->grad, f->m, f->v, f->net.count, f->cfg->lr, t);
    vec_polyak(f->target, f->q, f->net.count, f->cfg->tau);
    arena_reset(tmp, mark);
    return loss;
}

/* Mean and deviation of Q(s0, pi(s0)), in pieces of a batch. */
static void judge(Fqe *f, FqeResult *result)
{
    const size_t S = (size_t)f->in->rec.S;
    const int64_t n = f->in->n_starts;
    const size_t mark = f->tmp.used;
    float *s = arena_floats(&f->tmp, (size_t)f->cfg->batch * S);
    float *value = arena_floats(&f->tmp, (size_t)f->cfg->batch);
    double sum = 0;
    double squares = 0;

    for (int64_t first = 0; first < n; first += f->cfg->batch) {
        const int rows = (int)(n - first < f->cfg->batch ? n - first : f->cfg->batch);
        for (size_t i = 0; i < (size_t)rows; i++) {
            const size_t row = (size_t)f->in->starts[first + (int64_t)i];
            memcpy(s + i * S, f->in->records + row * f->in->rec.stride, S * sizeof *s);
        }
        value_of(f, f->q, s, rows, &f->tmp, value);
        for (int i = 0; i < rows; i++) {
            sum += (double)value[i];
            squares += (double)value[i] * (double)value[i];
        }
    }
    result->value = sum / (double)n;
    result->std = sqrt(fmax(0, squares / (double)n - result->value * result->value));
    arena_reset(&f->tmp, mark);
}

Status fqe_run(const FqeConfig *cfg, const FqeIn *in, FqeResult *result)
{
    Status st = OK;
    Fqe f;
    const int last = cfg->updates - cfg->updates / 10; /* the loss is averaged from here on */

    *result = (FqeResult){0};
    TRY(fqe_open(&f, cfg, in));
    for (int t = 1; t <= cfg->updates; t++) {
        const double loss = update(&f, t);
        /* squared gradients overflow first, and would only stop the steps */
        const bool sound = t < cfg->updates || vec_finite(f.block, 5 * f.net.count);
        if (!isfinite(loss) || !sound) {
            st = status_fail(ERR_NUMERIC,
                             "fitted Q evaluation diverged at update %d of %d: the data do not "
                             "cover what the policy does, or fqe.lr is too large",
                             t, cfg->updates);
            goto done;
        }
        result->loss += t >= last ? loss / (cfg->updates - last + 1) : 0;
    }
    judge(&f, result);
done:
    fqe_close(&f);
    return st;
}
