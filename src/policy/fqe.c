#include "policy/fqe.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "nn/adam.h"
#include "nn/vec.h"

typedef struct {
    const FqeConfig *cfg;
    const FqeIn *in;
    Mlp net;       /* S + A -> 1 */
    float *block;  /* owned: the five below, (count) each */
    int64_t *rows; /* (n_rows) owned: those learned from, where the recorded actions are judged */
    int64_t n_rows;
    float *q, *target, *grad, *m, *v;
    Arena tmp;
} Fqe;

/* The action after row i is that of row i + 1, or none is needed. */
static bool has_next_action(const FqeIn *in, int64_t i)
{
    const Record *rec = &in->rec;
    const float *row = in->records + (size_t)i * rec->stride;

    return row[rec->cont] == 0.0F ||
           (i + 1 < in->rows &&
            memcmp(row + rec->s2, row + rec->stride, (size_t)rec->S * sizeof *row) == 0);
}

static Status list_rows(Fqe *f)
{
    Status st = OK;

    TRY(mem_alloc(&f->rows, (size_t)f->in->rows, sizeof *f->rows, "fitted Q evaluation"));
    for (int64_t i = 0; i < f->in->rows; i++) {
        if (has_next_action(f->in, i)) {
            f->rows[f->n_rows++] = i;
        }
    }
    if (f->n_rows == 0) {
        st = status_fail(ERR_FORMAT, "no row of the dataset is followed by its next step: the "
                                     "recorded actions cannot be judged");
    }
done:
    return st;
}

static Status fqe_open(Fqe *f, const FqeConfig *cfg, const FqeIn *in)
{
    Status st = OK;
    const int D = in->rec.S + in->rec.A;
    const size_t B = (size_t)cfg->batch;

    *f = (Fqe){.cfg = cfg, .in = in};
    f->net = mlp_make(D, cfg->hidden, cfg->layers, 1, 1, ACT_RELU);
    const size_t n = f->net.count;
    const size_t act = in->actor != NULL ? arena_cost(B * (size_t)in->actor->out) +
                                               mlp_infer_cost(in->actor, cfg->batch)
                                         : 0;
    TRY(mem_alloc(&f->block, 5 * n, sizeof *f->block, "fitted Q evaluation"));
    f->q = f->block;
    f->target = f->q + n;
    f->grad = f->target + n;
    f->m = f->grad + n;
    f->v = f->m + n;
    TRY(arena_init(&f->tmp, 3 * arena_cost(B * (size_t)D) + 2 * arena_cost(B) + act +
                                mlp_infer_cost(&f->net, cfg->batch) +
                                mlp_tape_cost(&f->net, cfg->batch) +
                                mlp_backward_cost(&f->net, cfg->batch) +
                                arena_cost(B * sizeof(int64_t) / sizeof(float))));
    if (in->actor == NULL) {
        TRY(list_rows(f));
    }
    Rng rng = rng_make(cfg->seed, RNG_FQE_INIT, 0, 0);
    mlp_init_glorot(&f->net, f->q, &rng);
    memcpy(f->target, f->q, n * sizeof *f->q);
done:
    return st;
}

static void fqe_close(Fqe *f)
{
    mem_free(&f->block);
    mem_free(&f->rows);
    arena_release(&f->tmp);
}

/* The policy's actions into x (rows, D), whose states stand there. */
static void act(const Fqe *f, float *x, int rows, Arena *tmp)
{
    const size_t mark = tmp->used;
    const size_t S = (size_t)f->in->rec.S;
    const size_t D = S + (size_t)f->in->rec.A;
    float *s = arena_floats(tmp, (size_t)rows * D); /* (rows, S) */
    float *head = arena_floats(tmp, (size_t)rows * (size_t)f->in->actor->out);

    for (size_t i = 0; i < (size_t)rows; i++) {
        memcpy(s + i * S, x + i * D, S * sizeof *s);
    }
    mlp_infer(f->in->actor, f->in->params, s, rows, tmp, head);
    squash_forward(f->in->squash, head, NULL, rows, x + S, (int)D, NULL);
    arena_reset(tmp, mark);
}

/* Rows of a batch: (s, a) into x, (s', a') into next. */
static void take_rows(const Fqe *f, const int64_t *rows, float *x, float *next)
{
    const Record *rec = &f->in->rec;
    const size_t S = (size_t)rec->S;
    const size_t A = (size_t)rec->A;
    const size_t D = S + A;

    for (size_t i = 0; i < (size_t)f->cfg->batch; i++) {
        const float *row = f->in->records + (size_t)rows[i] * rec->stride;
        memcpy(x + i * D, row, D * sizeof *x);
        memcpy(next + i * D, row + rec->s2, S * sizeof *x);
        memset(next + i * D + S, 0, A * sizeof *x);
        if (f->in->actor == NULL && row[rec->cont] != 0.0F) {
            memcpy(next + i * D + S, row + rec->stride + rec->a, A * sizeof *x);
        }
    }
}

/* One step; returns the loss. */
static double update(Fqe *f, int64_t t)
{
    Arena *tmp = &f->tmp;
    const size_t mark = tmp->used;
    const Record *rec = &f->in->rec;
    const int B = f->cfg->batch;
    const size_t D = (size_t)rec->S + (size_t)rec->A;
    int64_t *rows = arena_bytes(tmp, (size_t)B * sizeof *rows);
    float *x = arena_floats(tmp, (size_t)B * D);
    float *next = arena_floats(tmp, (size_t)B * D);
    float *y = arena_floats(tmp, (size_t)B);
    float *q = arena_floats(tmp, (size_t)B);
    double loss = 0;
    Rng rng = rng_make(f->cfg->seed, RNG_FQE_BATCH, (uint64_t)t, 0);

    for (int i = 0; i < B; i++) {
        rows[i] = f->rows != NULL ? f->rows[rng_below(&rng, (uint32_t)f->n_rows)]
                                  : rng_below(&rng, (uint32_t)f->in->rows);
    }
    take_rows(f, rows, x, next);
    if (f->in->actor != NULL) {
        act(f, next, B, tmp);
    }
    mlp_infer(&f->net, f->target, next, B, tmp, y);
    MlpTape tape = mlp_tape(&f->net, B, tmp);
    mlp_forward(&f->net, f->q, x, B, &tape, q);
    for (size_t i = 0; i < (size_t)B; i++) {
        const float *row = f->in->records + (size_t)rows[i] * rec->stride;
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

/* Mean and deviation of Q(s0, a0), in pieces of a batch. */
static void judge(Fqe *f, FqeResult *result)
{
    const size_t D = (size_t)f->in->rec.S + (size_t)f->in->rec.A;
    const int64_t n = f->in->n_starts;
    const size_t mark = f->tmp.used;
    float *x = arena_floats(&f->tmp, (size_t)f->cfg->batch * D);
    float *value = arena_floats(&f->tmp, (size_t)f->cfg->batch);
    double sum = 0;
    double squares = 0;

    for (int64_t first = 0; first < n; first += f->cfg->batch) {
        const int rows = (int)(n - first < f->cfg->batch ? n - first : f->cfg->batch);
        for (size_t i = 0; i < (size_t)rows; i++) {
            const size_t row = (size_t)f->in->starts[first + (int64_t)i];
            memcpy(x + i * D, f->in->records + row * f->in->rec.stride, D * sizeof *x);
        }
        if (f->in->actor != NULL) {
            act(f, x, rows, &f->tmp);
        }
        mlp_infer(&f->net, f->q, x, rows, &f->tmp, value);
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
