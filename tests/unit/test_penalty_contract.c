/* What every row of the table of penalties promises, whatever it measures. */
#include "support/check.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "model/ensemble.h"
#include "model/penalty.h"

enum { ROWS = 13, NUMBERS_MAX = ROWS * ENSEMBLE_MAX * (ENSEMBLE_DIM_MAX + 1) };

/* Arrays of an input, with room for the largest one. */
typedef struct {
    PenaltyIn in;
    float mean[NUMBERS_MAX], std[NUMBERS_MAX];
    float sample[NUMBERS_MAX], truth[NUMBERS_MAX];
    int32_t drawn[ROWS];
    float u[ROWS];
} Case;

static Case *make(int members, int outs)
{
    Case *c = NULL;
    Rng rng = rng_make(3, RNG_TEST, (uint64_t)outs, (uint32_t)members);
    const size_t n = (size_t)ROWS * (size_t)members * (size_t)outs;

    CHECK_OK(mem_alloc(&c, 1, sizeof *c, "test"));
    rng_fill_normal(&rng, c->mean, n);
    rng_fill_uniform(&rng, 0.1F, 2, c->std, n);
    rng_fill_normal(&rng, c->sample, (size_t)ROWS * (size_t)outs);
    rng_fill_normal(&rng, c->truth, (size_t)ROWS * (size_t)outs);
    for (int b = 0; b < ROWS; b++) {
        c->drawn[b] = (int32_t)rng_below(&rng, (uint32_t)members);
    }
    c->in = (PenaltyIn){.mean = c->mean,
                        .std = c->std,
                        .sample = c->sample,
                        .drawn = c->drawn,
                        .truth = c->truth,
                        .rows = ROWS,
                        .members = members,
                        .outs = outs};
    return c;
}

static bool is(const Penalty *penalty, const char *name)
{
    return strcmp(penalty->name, name) == 0;
}

/* Over the smallest, the paper's and the largest ensembles. */
static void u_is_finite_and_not_negative(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 2}, {2, 2}, {7, 18}, {ENSEMBLE_MAX, ENSEMBLE_DIM_MAX + 1}};

    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        Case *c = make(sizes[k][0], sizes[k][1]);
        for (int i = 0; penalty_row(i) != NULL; i++) {
            const Penalty *penalty = penalty_row(i);
            memset(c->u, 0xff, sizeof c->u);
            penalty->eval(&c->in, c->u);
            for (int b = 0; b < ROWS; b++) {
                assert_true(isfinite(c->u[b]) && c->u[b] >= 0);
                assert_true(c->u[b] > 0 || is(penalty, "none") || penalty->members > c->in.members);
            }
        }
        mem_free(&c);
    }
}

static void cuts_into_calls_do_not_show(void **state)
{
    (void)state;
    Case *c = make(5, 11);
    const size_t E = 5;
    const size_t Y = 11;

    for (int i = 0; penalty_row(i) != NULL; i++) {
        float again[ROWS];
        penalty_row(i)->eval(&c->in, c->u);
        penalty_row(i)->eval(&c->in, again);
        assert_memory_equal(again, c->u, sizeof again);
        for (size_t from = 0; from < ROWS; from += 4) {
            PenaltyIn in = c->in;
            in.mean += from * E * Y;
            in.std += from * E * Y;
            in.sample += from * Y;
            in.drawn += from;
            in.truth += from * (Y - 1);
            in.rows = ROWS - from < 4 ? (int)(ROWS - from) : 4;
            penalty_row(i)->eval(&in, again + from);
        }
        assert_memory_equal(again, c->u, sizeof again);
    }
    mem_free(&c);
}

/* What a penalty says it does not read may be NaN. */
static void what_is_not_read_does_not_matter(void **state)
{
    (void)state;
    enum { E = 5, Y = 11 };
    Case *c = make(E, Y);

    for (int i = 0; penalty_row(i) != NULL; i++) {
        const Penalty *penalty = penalty_row(i);
        Case *poor = make(E, Y);
        for (int k = 0; k < ROWS * E * Y; k++) {
            const bool drawn = k / Y % E == c->drawn[k / Y / E];
            poor->mean[k] = penalty->reads == PREDICT_ALL || drawn ? poor->mean[k] : NAN;
            poor->std[k] = penalty->reads != PREDICT_DRAWN || drawn ? poor->std[k] : NAN;
        }
        penalty->eval(&c->in, c->u);
        penalty->eval(&poor->in, poor->u);
        assert_memory_equal(poor->u, c->u, sizeof c->u);
        mem_free(&poor);
    }
    mem_free(&c);
}

/* A number that matters is one whose large change shows. No such number may be infinite or NaN unseen,
 * and in no other row. */
static void check_poison(Case *c, const Penalty *penalty, float *x)
{
    const float bad[] = {NAN, INFINITY, -INFINITY};
    const float kept = *x;
    float before[ROWS];
    float after[ROWS];
    int row = -1;

    penalty->eval(&c->in, before);
    *x = 1e4F; /* a change that no maximum hides */
    penalty->eval(&c->in, after);
    for (int b = 0; b < ROWS; b++) {
        if (after[b] != before[b]) {
            assert_int_equal(row, -1);
            row = b;
        }
    }
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        *x = bad[k];
        penalty->eval(&c->in, after);
        for (int b = 0; b < ROWS; b++) {
            assert_true(b == row ? !isfinite(after[b]) : after[b] == before[b]);
        }
    }
    *x = kept;
}

static void what_is_not_finite_shows(void **state)
{
    (void)state;
    enum { E = 3, Y = 10 };
    Case *c = make(E, Y);

    for (int i = 0; penalty_row(i) != NULL; i++) {
        for (size_t at = 0; at < (size_t)ROWS * E * Y; at++) {
            check_poison(c, penalty_row(i), c->mean + at);
            check_poison(c, penalty_row(i), c->std + at);
        }
        for (size_t at = 0; at < (size_t)ROWS * Y; at++) {
            check_poison(c, penalty_row(i), c->sample + at);
            check_poison(c, penalty_row(i), c->truth + at);
        }
    }
    mem_free(&c);
}

/* Members 0 and 2, of which neither was drawn, change places. Sums are then rounded in another order. */
static void the_order_of_members_does_not_matter(void **state)
{
    (void)state;
    enum { E = 4, Y = 9 };
    Case *c = make(E, Y);

    for (int b = 0; b < ROWS; b++) {
        c->drawn[b] = 1;
    }
    for (int i = 0; penalty_row(i) != NULL; i++) {
        float other[ROWS];
        penalty_row(i)->eval(&c->in, c->u);
        for (size_t b = 0; b < ROWS; b++) {
            float *const arrays[] = {c->mean + b * E * Y, c->std + b * E * Y};
            for (size_t k = 0; k < 2; k++) {
                float kept[Y];
                memcpy(kept, arrays[k], sizeof kept);
                memcpy(arrays[k], arrays[k] + (size_t)2 * Y, sizeof kept);
                memcpy(arrays[k] + (size_t)2 * Y, kept, sizeof kept);
            }
        }
        penalty_row(i)->eval(&c->in, other);
        for (int b = 0; b < ROWS; b++) {
            CHECK_NEAR(other[b], c->u[b], 1e-6, 0);
        }
    }
    mem_free(&c);
}

/* Who needs two members measures how they differ, and equal ones do not. The moments of equal Gaussians
 * are those of one up to rounding, which the divergence sees in its second power. */
static void equal_members_agree(void **state)
{
    (void)state;
    enum { E = 7, Y = 18 };
    Case *c = make(E, Y);

    for (size_t b = 0; b < ROWS; b++) {
        for (size_t i = 1; i < E; i++) {
            memcpy(c->mean + (b * E + i) * Y, c->mean + b * E * Y, Y * sizeof(float));
            memcpy(c->std + (b * E + i) * Y, c->std + b * E * Y, Y * sizeof(float));
        }
    }
    for (int i = 0; penalty_row(i) != NULL; i++) {
        const Penalty *penalty = penalty_row(i);
        penalty->eval(&c->in, c->u);
        for (int b = 0; penalty->members > 1 && b < ROWS; b++) {
            CHECK_NEAR(c->u[b], 0, 0, is(penalty, "loo_kl") ? 3e-6 : 0);
        }
    }
    mem_free(&c);
}

static int degree(const Penalty *penalty)
{
    if (is(penalty, "none") || is(penalty, "ll_var") || is(penalty, "loo_kl")) {
        return 0; /* densities: nats have no unit */
    }
    return is(penalty, "frobenius") ? 2 : 1;
}

/* By a power of two, which rounds nothing but in logarithms. */
static void u_follows_the_units(void **state)
{
    (void)state;
    enum { E = 5, Y = 18 };
    Case *c = make(E, Y);
    const float factor = 64;

    for (int i = 0; penalty_row(i) != NULL; i++) {
        float *const arrays[] = {c->mean, c->std, c->sample, c->truth};
        const double want = pow((double)factor, degree(penalty_row(i)));
        float other[ROWS];
        penalty_row(i)->eval(&c->in, c->u);
        for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++) {
            for (size_t j = 0; j < (size_t)ROWS * E * Y; j++) {
                arrays[k][j] *= factor;
            }
        }
        penalty_row(i)->eval(&c->in, other);
        for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++) {
            for (size_t j = 0; j < (size_t)ROWS * E * Y; j++) {
                arrays[k][j] /= factor;
            }
        }
        for (int b = 0; b < ROWS; b++) {
            CHECK_NEAR(other[b], want * (double)c->u[b], is(penalty_row(i), "ll_var") ? 1e-5 : 0,
                       0);
        }
    }
    mem_free(&c);
}

static void rows_say_what_they_are(void **state)
{
    (void)state;
    for (int i = 0; penalty_row(i) != NULL; i++) {
        const Penalty *penalty = penalty_row(i);
        assert_true(penalty->members == 1 || penalty->members == 2);
        assert_true(strlen(penalty->source) > 0 && strlen(penalty->name) <= 12);
        assert_true(strlen(penalty->unit) > 0 || is(penalty, "none"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(u_is_finite_and_not_negative),
        cmocka_unit_test(what_is_not_read_does_not_matter),
        cmocka_unit_test(cuts_into_calls_do_not_show),
        cmocka_unit_test(what_is_not_finite_shows),
        cmocka_unit_test(the_order_of_members_does_not_matter),
        cmocka_unit_test(equal_members_agree),
        cmocka_unit_test(u_follows_the_units),
        cmocka_unit_test(rows_say_what_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
