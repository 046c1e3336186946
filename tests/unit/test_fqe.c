/* Fitted Q evaluation against values worked out by hand. One state s in [-1, 1] that never moves, one
 * action; the policy's mean action is the same everywhere. */
#include "support/check.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "policy/fqe.h"

enum { S = 1, A = 1, STRIDE = 2 * S + A + 2, ROWS = 2000, STARTS = 300 };
static const float gamma_ = 0.9F;

typedef struct {
    FqeIn in;
    Mlp actor;
    Squash squash;
    float *params, *records;
    int64_t starts[STARTS];
} Case;

/* r = slope a + level s; rows with |s| > end are terminal. The policy always plays tanh(bias). */
static void case_open(Case *c, float slope, float level, float end, float bias)
{
    const Record rec = record_make(S, A);
    Rng rng = rng_make(5, RNG_TEST, 0, 0);

    *c = (Case){.actor = mlp_make(S, 4, 1, 2 * A, 1, ACT_RELU),
                .squash = {.A = A, .low = -20, .high = 2}};
    CHECK_OK(mem_alloc(&c->params, c->actor.count, sizeof(float), "test"));
    CHECK_OK(mem_alloc(&c->records, ROWS, STRIDE * sizeof(float), "test"));
    c->params[mlp_matrix(&c->actor, 1, 0).bias] = bias;
    for (int64_t i = 0; i < ROWS; i++) {
        float *row = c->records + i * STRIDE;
        rng_fill_uniform(&rng, -1, 1, row, S + A);
        row[rec.r] = slope * row[rec.a] + level * row[0];
        row[rec.s2] = row[0];
        row[rec.cont] = fabsf(row[0]) > end ? 0.0F : 1.0F;
        if (i < STARTS) {
            c->starts[i] = i;
        }
    }
    c->in = (FqeIn){.rec = rec,
                    .records = c->records,
                    .rows = ROWS,
                    .starts = c->starts,
                    .n_starts = STARTS,
                    .actor = &c->actor,
                    .squash = &c->squash,
                    .params = c->params};
}

static void case_close(Case *c)
{
    mem_free(&c->params);
    mem_free(&c->records);
}

static const FqeConfig config = {.hidden = 32,
                                 .layers = 2,
                                 .updates = 4000,
                                 .batch = 64,
                                 .lr = 1e-3,
                                 .gamma = 0.9F,
                                 .tau = 0.02F,
                                 .seed = 2};

/* The policy plays 0.5 for ever: r = 2 * 0.5 a step, 1 / (1 - 0.9) = 10, whatever the data did. */
static void the_value_is_the_policys_not_the_datas(void **state)
{
    (void)state;
    Case c;
    FqeResult r;

    case_open(&c, 2, 0, 2, atanhf(0.5F));
    CHECK_OK(fqe_run(&config, &c.in, &r));
    CHECK_NEAR(r.value, 2 * 0.5 / (1 - (double)gamma_), 0.03, 0);
    assert_true(r.std < 0.5 && r.loss < 0.1);
    case_close(&c);
}

/* r = s: worth 10 s where it goes on, s where it ends at once. */
static void what_ends_earns_once(void **state)
{
    (void)state;
    Case on;
    Case off;
    FqeResult a;
    FqeResult b;
    double squares = 0;

    case_open(&on, 0, 1, 2, 0);
    case_open(&off, 0, 1, -1, 0); /* all rows are terminal */
    for (int i = 0; i < STARTS; i++) {
        squares += (double)on.records[i * STRIDE] * (double)on.records[i * STRIDE] / STARTS;
    }
    CHECK_OK(fqe_run(&config, &on.in, &a));
    CHECK_OK(fqe_run(&config, &off.in, &b));
    CHECK_NEAR(a.std, 10 * sqrt(squares), 0.05, 0);
    CHECK_NEAR(b.std, sqrt(squares), 0.05, 0);
    case_close(&on);
    case_close(&off);
}

/* One long recording: the state stays, r = 2 a, actions 0.5 throughout. Rows follow each other, so
 * the recorded actions are worth 10, though the policy would play -0.5. */
static void without_a_policy_the_recorded_actions_are_judged(void **state)
{
    (void)state;
    Case c;
    FqeResult r;

    case_open(&c, 2, 0, 2, atanhf(-0.5F));
    for (int i = 0; i < ROWS; i++) {
        float *row = c.records + i * STRIDE;
        row[0] = row[c.in.rec.s2] = 0.25F;
        row[c.in.rec.a] = 0.5F;
        row[c.in.rec.r] = 1;
    }
    c.in.actor = NULL;
    CHECK_OK(fqe_run(&config, &c.in, &r));
    CHECK_NEAR(r.value, 10, 0.03, 0);
    for (int i = 0; i < ROWS; i++) { /* no row is the next one's predecessor */
        c.records[i * STRIDE] = (float)i;
    }
    assert_int_equal(fqe_run(&config, &c.in, &r), ERR_FORMAT);
    case_close(&c);
}

static void the_same_seed_gives_the_same_bits(void **state)
{
    (void)state;
    Case c;
    FqeResult a;
    FqeResult b;
    FqeConfig few = config;

    few.updates = 50;
    case_open(&c, 1, 1, 0.5F, 0.3F);
    CHECK_OK(fqe_run(&few, &c.in, &a));
    CHECK_OK(fqe_run(&few, &c.in, &b));
    assert_memory_equal(&a, &b, sizeof a);
    case_close(&c);
}

static void divergence_is_an_error(void **state)
{
    (void)state;
    Case c;
    FqeResult r;
    FqeConfig wild = config;

    wild.updates = 20;
    case_open(&c, 1e25F, 0, 2, 1); /* squares of the gradients are beyond single precision */
    assert_int_equal(fqe_run(&wild, &c.in, &r), ERR_NUMERIC);
    assert_non_null(strstr(status_reason(), "fqe.lr"));
    c.params[0] = NAN;
    assert_int_equal(fqe_run(&wild, &c.in, &r), ERR_NUMERIC);
    case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_value_is_the_policys_not_the_datas),
        cmocka_unit_test(what_ends_earns_once),
        cmocka_unit_test(without_a_policy_the_recorded_actions_are_judged),
        cmocka_unit_test(the_same_seed_gives_the_same_bits),
        cmocka_unit_test(divergence_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
