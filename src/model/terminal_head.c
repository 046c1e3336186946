#include "model/terminal_head.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "nn/adam.h"

enum { LAYERS = 2, BATCH = 256, HELD_OUT = 10 };
static const double step_size = 1e-3;

static size_t inputs(const Record *rec)
{
    return 2 * (size_t)rec->S + (size_t)rec->A;
}

static float *means(const TerminalHead *head)
{
    return head->params + head->net.count;
}

static float *scales(const TerminalHead *head)
{
    return means(head) + inputs(&head->rec);
}

static float *shift(const TerminalHead *head)
{
    return scales(head) + inputs(&head->rec);
}

Status terminal_head_init(TerminalHead *head, Record rec, int hidden, uint64_t seed)
{
    *head = (TerminalHead){.rec = rec};
    head->net = mlp_make((int)inputs(&rec), hidden, LAYERS, 1, 1, ACT_RELU);
    head->count = head->net.count + 2 * inputs(&rec) + 1;
    const Status st = mem_alloc(&head->params, head->count, sizeof *head->params, "a classifier");
    if (st != OK) {
        *head = (TerminalHead){0};
        return st;
    }
    Rng rng = rng_make(seed, RNG_TERMINAL_INIT, 0, 0);
    mlp_init_glorot(&head->net, head->params, &rng);
    *shift(head) = -HUGE_VALF; /* never, until fitted */
    return OK;
}

void terminal_head_release(TerminalHead *head)
{
    mem_free(&head->params);
    *head = (TerminalHead){0};
}

/* (s, a, s') of one record, z-scored. */
static void take_input(const TerminalHead *head, const float *row, float *x)
{
    const Record *rec = &head->rec;
    const size_t first = (size_t)rec->S + (size_t)rec->A;
    const float *mean = means(head);
    const float *scale = scales(head);

    memcpy(x, row, first * sizeof *x);
    memcpy(x + first, row + rec->s2, (size_t)rec->S * sizeof *x);
    for (size_t j = 0; j < inputs(rec); j++) {
        x[j] = (x[j] - mean[j]) * scale[j];
    }
}

size_t terminal_head_cost(const TerminalHead *head, int rows)
{
    return arena_cost((size_t)rows * inputs(&head->rec)) + arena_cost((size_t)rows) +
           mlp_infer_cost(&head->net, rows);
}

void terminal_head_mark(const TerminalHead *head, const float *records, int rows, Arena *tmp,
                        uint8_t *end)
{
    const size_t mark = tmp->used;
    const size_t I = inputs(&head->rec);
    float *x = arena_floats(tmp, (size_t)rows * I);
    float *logit = arena_floats(tmp, (size_t)rows);

    for (size_t i = 0; i < (size_t)rows; i++) {
        take_input(head, records + i * head->rec.stride, x + i * I);
    }
    mlp_infer(&head->net, head->params, x, rows, tmp, logit);
    for (size_t i = 0; i < (size_t)rows; i++) {
        end[i] = logit[i] + *shift(head) > 0.0F;
    }
    arena_reset(tmp, mark);
}

Slab terminal_head_slab(TerminalHead *head)
{
    return slab_f32("terminal_head", head->params, head->count);
}

/* ---- fitting ---- */

typedef struct {
    TerminalHead *head;
    const float *records;
    int64_t rows;
    int64_t *ends, *goes; /* training rows that are terminal, and the others */
    int64_t *held;        /* the rest */
    int64_t n1, n0, n_held;
    float *grad, *m, *v; /* of the network */
    Arena tmp;
} HeadFit;

static const float *row_of(const HeadFit *f, int64_t i)
{
    return f->records + (size_t)i * f->head->rec.stride;
}

static bool is_end(const HeadFit *f, int64_t i)
{
    return row_of(f, i)[f->head->rec.cont] == 0.0F;
}

/* Every tenth row of a kind is held out: every tenth row of all could be the end of every episode. */
static Status split(HeadFit *f)
{
    Status st = OK;
    int64_t seen[2] = {0, 0};

    TRY(mem_alloc(&f->ends, (size_t)f->rows, sizeof *f->ends, "rows of a classifier"));
    TRY(mem_alloc(&f->goes, (size_t)f->rows, sizeof *f->goes, "rows of a classifier"));
    TRY(mem_alloc(&f->held, (size_t)f->rows, sizeof *f->held, "rows of a classifier"));
    for (int64_t i = 0; i < f->rows; i++) {
        const bool end = is_end(f, i);
        if (seen[end]++ % HELD_OUT == HELD_OUT - 1) {
            f->held[f->n_held++] = i;
        } else if (end) {
            f->ends[f->n1++] = i;
        } else {
            f->goes[f->n0++] = i;
        }
    }
done:
    return st;
}

/* Mean and 1/deviation of each input over all rows. */
static void set_scales(const HeadFit *f)
{
    const TerminalHead *head = f->head;
    const Record *rec = &head->rec;
    const size_t first = (size_t)rec->S + (size_t)rec->A;

    for (size_t j = 0; j < inputs(rec); j++) {
        const size_t column = j < first ? j : rec->s2 + j - first;
        double sum = 0;
        double squares = 0;
        for (int64_t i = 0; i < f->rows; i++) {
            sum += (double)row_of(f, i)[column];
        }
        const double mean = sum / (double)f->rows;
        for (int64_t i = 0; i < f->rows; i++) {
            const double d = (double)row_of(f, i)[column] - mean;
            squares += d * d;
        }
        const double std = sqrt(squares / (double)f->rows);
        means(head)[j] = (float)mean;
        scales(head)[j] = std < 1e-12 ? 1.0F : (float)(1 / std);
    }
}

/* Cross entropy of one balanced batch: dL/dlogit = (p - y) / B. */
static void update(const HeadFit *f, uint64_t seed, int64_t t, Arena *tmp)
{
    const size_t mark = tmp->used;
    const TerminalHead *head = f->head;
    const size_t I = inputs(&head->rec);
    float *x = arena_floats(tmp, BATCH * I);
    float *logit = arena_floats(tmp, BATCH);
    MlpTape tape = mlp_tape(&head->net, BATCH, tmp);
    Rng rng = rng_make(seed, RNG_TERMINAL_BATCH, (uint64_t)t, 0);

    for (size_t i = 0; i < BATCH; i++) {
        const bool end = i < BATCH / 2;
        const int64_t *from = end ? f->ends : f->goes;
        const int64_t n = end ? f->n1 : f->n0;
        take_input(head, row_of(f, from[rng_below(&rng, (uint32_t)n)]), x + i * I);
    }
    mlp_forward(&head->net, head->params, x, BATCH, &tape, logit);
    for (size_t i = 0; i < BATCH; i++) {
        const float p = 1.0F / (1.0F + expf(-logit[i]));
        logit[i] = (p - (i < BATCH / 2 ? 1.0F : 0.0F)) / BATCH;
    }
    mlp_backward(&head->net, head->params, x, BATCH, &tape, logit, f->grad, NULL, 0, tmp);
    adam_step(head->params, f->grad, f->m, f->v, head->net.count, step_size, t);
    arena_reset(tmp, mark);
}

static void judge(HeadFit *f, TerminalReport *report)
{
    for (int64_t k = 0; k < f->n_held; k++) {
        const int64_t i = f->held[k];
        uint8_t end = 0;
        terminal_head_mark(f->head, row_of(f, i), 1, &f->tmp, &end);
        if (is_end(f, i)) {
            report->terminals++;
            report->found += end;
        } else {
            report->others++;
            report->false_ends += end;
        }
    }
}

static Status check(const HeadFit *f)
{
    for (size_t i = 0; i < f->head->net.count; i++) {
        if (!isfinite(f->head->params[i])) {
            return status_fail(ERR_NUMERIC,
                               "the termination classifier diverged; are the states of the dataset "
                               "of sensible size? `mopo data info` shows their ranges");
        }
    }
    return OK;
}

Status terminal_head_fit(TerminalHead *head, const float *records, int64_t rows, int updates,
                         uint64_t seed, TerminalReport *report)
{
    Status st = OK;
    HeadFit f = {.head = head, .records = records, .rows = rows};
    const size_t n = head->net.count;
    const size_t need = arena_cost(BATCH * inputs(&head->rec)) + arena_cost(BATCH) +
                        mlp_tape_cost(&head->net, BATCH) + mlp_backward_cost(&head->net, BATCH);

    *report = (TerminalReport){0};
    TRY(split(&f));
    set_scales(&f);
    if (f.n1 > 0 && f.n0 > 0) {
        TRY(mem_alloc(&f.grad, n, sizeof(float), "a classifier"));
        TRY(mem_alloc(&f.m, n, sizeof(float), "a classifier"));
        TRY(mem_alloc(&f.v, n, sizeof(float), "a classifier"));
        TRY(arena_init(&f.tmp, need));
        for (int t = 1; t <= updates; t++) {
            update(&f, seed, t, &f.tmp);
        }
        TRY(check(&f));
        *shift(head) = (float)log((double)f.n1 / (double)f.n0);
        judge(&f, report);
        report->trained_on = f.n1;
    }
done:
    mem_free(&f.ends);
    mem_free(&f.goes);
    mem_free(&f.held);
    mem_free(&f.grad);
    mem_free(&f.m);
    mem_free(&f.v);
    arena_release(&f.tmp);
    return st;
}
