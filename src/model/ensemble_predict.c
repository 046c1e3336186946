/* Predictions of all members from the copy that ensemble_freeze made. A member's last hidden layer gives its
 * deviations for all rows and its means for those rows only whose means are read.
 */
#include <string.h>

#include "model/ensemble.h"
#include "nn/gauss.h"

/* One call; D, Y, H, E and B as in the header. */
typedef struct {
    const Ensemble *ens;
    size_t D, Y, H, E;
    int rows;
    const float *sa;
    const int32_t *drawn; /* (B); NULL if all means are read */
    float *x;             /* (B, D) scaled inputs */
    float *raw;           /* (B, E, Y) */
    int32_t *list;        /* (B) rows of one member */
    float *picked;        /* (B, max(D, H)) what belongs to them */
    float *part, *spread; /* (B, Y) their means, their deviations */
    float *mean, *std;    /* (B, E, Y) */
} Call;

static size_t picked_width(const Ensemble *ens)
{
    return (size_t)(ens->joint.in > ens->joint.hidden ? ens->joint.in : ens->joint.hidden);
}

static Call call_make(const Ensemble *ens, const float *sa, int rows, Arena *tmp)
{
    const size_t B = (size_t)rows;
    Call c = {.ens = ens,
              .D = (size_t)ens->joint.in,
              .Y = (size_t)ens->cfg.state_dim + 1,
              .H = (size_t)ens->joint.hidden,
              .E = (size_t)ens->cfg.members,
              .rows = rows,
              .sa = sa,
              .x = arena_floats(tmp, B * (size_t)ens->joint.in)};
    c.raw = arena_floats(tmp, B * c.E * c.Y);
    c.list = arena_bytes(tmp, B * sizeof *c.list);
    c.picked = arena_floats(tmp, B * picked_width(ens));
    c.part = arena_floats(tmp, B * c.Y);
    c.spread = arena_floats(tmp, B * c.Y);
    for (size_t i = 0; i < B; i++) {
        for (size_t j = 0; j < c.D; j++) {
            c.x[i * c.D + j] = (sa[i * c.D + j] - ens->in_mean[j]) * ens->in_inv[j];
        }
    }
    return c;
}

size_t ensemble_predict_cost(const Ensemble *ens, int rows)
{
    const size_t B = (size_t)rows;
    const size_t Y = (size_t)ens->cfg.state_dim + 1;
    return arena_cost(B * (size_t)ens->joint.in) + arena_cost(B * (size_t)ens->cfg.members * Y) +
           arena_cost(B) + arena_cost(B * picked_width(ens)) + 2 * arena_cost(B * Y) +
           mlp_hidden_cost(&ens->joint, rows);
}

/* The columns of member e, or from member 0 on of all. */
static GaussColumns columns_of(const Call *c, size_t e)
{
    const float *first = c->ens->frozen + c->ens->joint.count + e * c->Y;
    const size_t EY = c->E * c->Y;
    return (GaussColumns){first, first + EY, first + 2 * EY, first + 3 * EY};
}

/* Rows that are drawn from member e, into c->list; returns how many. */
static int find_rows(const Call *c, size_t e)
{
    int n = 0;
    for (int b = 0; b < c->rows; b++) {
        if ((size_t)c->drawn[b] == e) {
            c->list[n++] = b;
        }
    }
    return n;
}

/* n listed rows of an array (B, width), one after the other. */
static const float *pick(const Call *c, const float *from, size_t width, int n)
{
    for (size_t k = 0; k < (size_t)n; k++) {
        memcpy(c->picked + k * width, from + (size_t)c->list[k] * width, width * sizeof *from);
    }
    return c->picked;
}

static void head(const Call *c, size_t e, size_t from, const float *h, int rows, float *y,
                 size_t ldy)
{
    mlp_head(&c->ens->joint, c->ens->frozen, (int)e, (int)from, (int)c->Y, h, rows, y, (int)ldy);
}

/* A mean in the task's units: the reward, and s' from s' - s. */
static void write_mean(const Call *c, size_t b, size_t e, const float *restrict from)
{
    const float *restrict unit = c->ens->out_std;
    const float *restrict offset = c->ens->out_mean;
    const float *restrict s = c->sa + b * c->D;
    float *restrict to = c->mean + (b * c->E + e) * c->Y;

    to[0] = from[0] * unit[0] + offset[0];
    for (size_t j = 1; j < c->Y; j++) {
        to[j] = from[j] * unit[j] + offset[j] + s[j - 1];
    }
}

static void predict_all(const Call *c, size_t e, const float *h)
{
    head(c, e, c->Y, h, c->rows, c->raw + e * c->Y, c->E * c->Y);
    head(c, e, 0, h, c->rows, c->part, c->Y);
    for (size_t b = 0; b < (size_t)c->rows; b++) {
        write_mean(c, b, e, c->part + b * c->Y);
    }
}

static void predict_stds(const Call *c, size_t e, const float *h)
{
    const int n = find_rows(c, e);

    head(c, e, c->Y, h, c->rows, c->raw + e * c->Y, c->E * c->Y);
    if (n > 0) {
        head(c, e, 0, pick(c, h, c->H, n), n, c->part, c->Y);
    }
    for (size_t k = 0; k < (size_t)n; k++) {
        write_mean(c, (size_t)c->list[k], e, c->part + k * c->Y);
    }
}

static void predict_drawn(const Call *c, size_t e, Arena *tmp)
{
    const int n = find_rows(c, e);
    const GaussColumns columns = columns_of(c, e);

    if (n == 0) {
        return;
    }
    const float *h =
        mlp_hidden(&c->ens->joint, c->ens->frozen, (int)e, pick(c, c->x, c->D, n), n, tmp);
    head(c, e, 0, h, n, c->part, c->Y);
    head(c, e, c->Y, h, n, c->raw, c->Y);
    gauss_std(c->raw, &columns, n, (int)c->Y, c->spread);
    for (size_t k = 0; k < (size_t)n; k++) {
        const size_t b = (size_t)c->list[k];
        write_mean(c, b, e, c->part + k * c->Y);
        memcpy(c->std + (b * c->E + e) * c->Y, c->spread + k * c->Y, c->Y * sizeof *c->std);
    }
}

void ensemble_predict_what(const Ensemble *ens, const float *sa, int rows, const int32_t *drawn,
                           Predict what, Arena *tmp, float *mean, float *std)
{
    const size_t mark = tmp->used;
    Call c = call_make(ens, sa, rows, tmp);

    c.drawn = drawn;
    c.mean = mean;
    c.std = std;
    for (size_t e = 0; e < c.E; e++) {
        const size_t inner = tmp->used;
        if (what == PREDICT_DRAWN) {
            predict_drawn(&c, e, tmp);
        } else {
            const float *h = mlp_hidden(&ens->joint, ens->frozen, (int)e, c.x, rows, tmp);
            (what == PREDICT_ALL ? predict_all : predict_stds)(&c, e, h);
        }
        arena_reset(tmp, inner);
    }
    if (what != PREDICT_DRAWN) {
        const GaussColumns columns = columns_of(&c, 0);
        gauss_std(c.raw, &columns, rows, (int)(c.E * c.Y), std);
    }
    arena_reset(tmp, mark);
}

void ensemble_predict(const Ensemble *ens, const float *sa, int rows, Arena *tmp, float *mean,
                      float *std)
{
    ensemble_predict_what(ens, sa, rows, NULL, PREDICT_ALL, tmp, mean, std);
}
