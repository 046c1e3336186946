/* squash: the Gaussian policy heads against torch.distributions, against numbers worked out by
 * hand, and against the fact that a density integrates to 1. */
#include "support/check.h"

#include <math.h>
#include <string.h>

#include "nn/squash.h"
#include "support/golden.h"

enum { ROWS_MAX = 16, A_MAX = 3 };

/* Actions and log densities carry single operations' rounding: a few times 6e-8. The gradient
 * contains 1 - a^2, off by 6e-8 in absolute terms. */
static void head_agrees_with_torch_distributions(void **state)
{
    (void)state;
    Golden *g = golden_open("squash");
    size_t rows = 0;
    const float *logp = golden_get(g, &rows, "logp");
    const size_t A = A_MAX;
    const float *clip = golden_array(g, 2, "clip");
    const Squash kind = {.A = (int)A, .low = clip[0], .high = clip[1]};
    const float *head = golden_array(g, rows * 2 * A, "head");
    const float *eps = golden_array(g, rows * A, "eps");
    const float *dq = golden_array(g, rows * A, "dq");
    float a[ROWS_MAX * A_MAX];
    float got[ROWS_MAX];
    float dhead[ROWS_MAX * 2 * A_MAX];

    assert_true(rows <= ROWS_MAX);
    squash_forward(&kind, head, eps, (int)rows, a, (int)A, got);
    CHECK_CLOSE(a, golden_array(g, rows * A, "action"), rows * A, 2e-7, 0);
    for (size_t i = 0; i < rows; i++) {
        CHECK_NEAR(got[i], logp[i], 1e-6, 1e-6);
    }
    squash_backward(&kind, head, eps, a, (int)A, (int)rows, golden_number(g, "weight"), dq, dhead);
    const float *want = golden_array(g, rows * 2 * A, "dhead");
    for (size_t i = 0; i < rows * 2 * A; i++) {
        CHECK_NEAR(dhead[i], want[i], 1e-6, 1e-6);
    }
    assert_true(dhead[A] == 0.0F && dhead[A + 1] == 0.0F); /* outside the clip: no gradient */
    assert_true(dhead[A + 2] != 0.0F);
    golden_close(g);
}

/* Draws of one head and densities of given actions. */
enum { HEADS = 6, DRAWS = 4, SAMPLES = HEADS * DRAWS };

typedef struct {
    Golden *g;
    const char *name;
    Squash kind;
    const float *head;  /* (HEADS, 2A) */
    const float *eps;   /* (SAMPLES, A) */
    const float *dlogp; /* (SAMPLES) */
} Draws;

static Draws draws_open(int i)
{
    static const char *const names[] = {"clip", "smooth", "linear"};
    Draws d = {.g = golden_open("squash_draws"), .name = names[i]};
    const float *sizes = golden_array(d.g, 3, "sizes");
    const float *range = golden_array(d.g, 2, "%s.range", d.name);

    assert_true(sizes[0] == HEADS && sizes[1] == DRAWS && sizes[2] == A_MAX);
    d.kind =
        (Squash){.A = A_MAX, .low = range[0], .high = range[1], .linear = i == 2, .smooth = i == 1};
    d.head = golden_array(d.g, (size_t)HEADS * 2 * A_MAX, "head");
    d.eps = golden_array(d.g, (size_t)SAMPLES * A_MAX, "eps");
    d.dlogp = golden_array(d.g, SAMPLES, "dlogp");
    return d;
}

/* Row by row. Rounding of the inputs' size: sums over 4 draws and 3 dimensions, and 1 - a^2 is off by
 * 6e-8 times the slopes from outside, of size 1. */
static void check_dhead(const Draws *d, const char *record, const float *got)
{
    const float *want = golden_array(d->g, (size_t)HEADS * 2 * A_MAX, "%s.%s", d->name, record);
    for (size_t i = 0; i < (size_t)HEADS * 2 * A_MAX; i++) {
        check_near((double)got[i], (double)want[i], 2e-6, 2e-6, record, __FILE__, __LINE__);
    }
}

static void draws_agree_with_torch_distributions(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        const Draws d = draws_open(i);
        const size_t n = (size_t)SAMPLES * A_MAX;
        const float *da = golden_array(d.g, n, "da");
        const float *du = golden_array(d.g, n, "du");
        const float *logp = golden_array(d.g, SAMPLES, "%s.logp", d.name);
        float u[SAMPLES * A_MAX];
        float a[SAMPLES * A_MAX];
        float got[SAMPLES];
        float dhead[HEADS * 2 * A_MAX];

        squash_draws(&d.kind, d.head, d.eps, HEADS, DRAWS, NULL, a, NULL);
        CHECK_CLOSE(a, golden_array(d.g, n, "%s.a", d.name), n, 2e-7, 0);
        squash_draws(&d.kind, d.head, d.eps, HEADS, DRAWS, u, a, got);
        CHECK_CLOSE(a, golden_array(d.g, n, "%s.a", d.name), n, 2e-7, 0);
        CHECK_CLOSE(u, golden_array(d.g, n, "%s.u", d.name), n, 2e-7, 0);
        for (size_t k = 0; k < SAMPLES; k++) {
            CHECK_NEAR(got[k], logp[k], 1e-6, 1e-6);
        }
        squash_draws_backward(&d.kind, d.head, d.eps, a, HEADS, DRAWS, d.dlogp, da, du, dhead);
        check_dhead(&d, "dhead", dhead);
        squash_draws_backward(&d.kind, d.head, d.eps, a, HEADS, DRAWS, d.dlogp, NULL, NULL, dhead);
        check_dhead(&d, "dhead_logp", dhead);
        squash_draws_backward(&d.kind, d.head, d.eps, a, HEADS, DRAWS, NULL, da, NULL, dhead);
        check_dhead(&d, "dhead_a", dhead);
        squash_draws_backward(&d.kind, d.head, d.eps, a, HEADS, DRAWS, NULL, NULL, du, dhead);
        check_dhead(&d, "dhead_u", dhead);
        golden_close(d.g);
    }
}

/* The first draw by itself through squash_forward and squash_backward. */
static void one_draw_agrees_with_torch_distributions(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        const Draws d = draws_open(i);
        const size_t n = (size_t)SAMPLES * A_MAX;
        const float *action = golden_array(d.g, n, "%s.a", d.name);
        const float *logp = golden_array(d.g, SAMPLES, "%s.logp", d.name);
        const float *dq = golden_array(d.g, (size_t)HEADS * A_MAX, "dq");
        float eps[HEADS * A_MAX];
        float a[HEADS * A_MAX];
        float got[HEADS];
        float dhead[HEADS * 2 * A_MAX];

        for (size_t k = 0; k < HEADS; k++) {
            memcpy(eps + k * A_MAX, d.eps + k * DRAWS * A_MAX, A_MAX * sizeof *eps);
        }
        squash_forward(&d.kind, d.head, eps, HEADS, a, A_MAX, got);
        for (size_t k = 0; k < HEADS; k++) {
            CHECK_CLOSE(a + k * A_MAX, action + k * DRAWS * A_MAX, A_MAX, 2e-7, 0);
            CHECK_NEAR(got[k], logp[k * DRAWS], 1e-6, 1e-6);
        }
        squash_backward(&d.kind, d.head, eps, a, A_MAX, HEADS, golden_number(d.g, "weight"), dq,
                        dhead);
        check_dhead(&d, "one.dhead", dhead);
        golden_close(d.g);
    }
}

/* Actions up to 0.99999: the inputs are exact, so the distance to 1 is, and nothing is lost there.
 * Deviations down to e^-5 make terms of 1e5 whose rounding is relative; in dhead terms of both signs
 * are added up, where 1e-6 of the largest became 2.4e-6 of the sum. */
static void densities_of_given_actions_agree_with_torch_distributions(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        const Draws d = draws_open(i);
        const size_t n = (size_t)SAMPLES * A_MAX;
        const float *given = golden_array(d.g, n, "given");
        const float *want = golden_array(d.g, SAMPLES, "%s.density", d.name);
        const float *want_dhead =
            golden_array(d.g, (size_t)HEADS * 2 * A_MAX, "%s.density.dhead", d.name);
        const float *want_da = golden_array(d.g, n, "%s.density.da", d.name);
        float logp[SAMPLES];
        float dhead[2][HEADS * 2 * A_MAX];
        float da[2][SAMPLES * A_MAX];

        squash_density(&d.kind, d.head, given, HEADS, DRAWS, logp);
        for (size_t k = 0; k < SAMPLES; k++) {
            CHECK_NEAR(logp[k], want[k], 2e-6, 2e-6);
        }
        squash_density_backward(&d.kind, d.head, given, HEADS, DRAWS, d.dlogp, dhead[0], da[0]);
        for (size_t k = 0; k < HEADS; k++) {
            CHECK_CLOSE(dhead[0] + k * 2 * A_MAX, want_dhead + k * 2 * A_MAX, 2 * A_MAX, 5e-6, 0);
        }
        for (size_t k = 0; k < SAMPLES; k++) {
            CHECK_CLOSE(da[0] + k * A_MAX, want_da + k * A_MAX, A_MAX, 2e-6, 0);
        }
        squash_density_backward(&d.kind, d.head, given, HEADS, DRAWS, d.dlogp, dhead[1], NULL);
        squash_density_backward(&d.kind, d.head, given, HEADS, DRAWS, d.dlogp, NULL, da[1]);
        assert_memory_equal(dhead[0], dhead[1], sizeof dhead[0]);
        assert_memory_equal(da[0], da[1], sizeof da[0]);
        golden_close(d.g);
    }
}

/* N(0, 1) at 0 is 1 / sqrt(2 pi); at u = 10 tanh's slope 1 - a^2 is exp(-18.6137). */
static void log_density_at_known_points(void **state)
{
    (void)state;
    const Squash kind = {.A = 1, .low = -20, .high = 2};
    const float eps = 0;
    float a = 9;
    float logp = 9;

    squash_forward(&kind, (const float[]){0, 0}, &eps, 1, &a, 1, &logp);
    CHECK_NEAR(logp, -0.918938533, 1e-7, 0);
    assert_true(a == 0.0F);
    for (int sign = -1; sign <= 1; sign += 2) {
        squash_forward(&kind, (const float[]){10.0F * (float)sign, 0}, &eps, 1, &a, 1, &logp);
        CHECK_NEAR(logp, -0.918938533 + 18.6137056, 1e-6, 0);
    }
}

/* Trapezoids over a; the action in double, so that only log pi is under test. */
static double integral(const Squash *kind, float mean, float log_std)
{
    enum { N = 20000 };
    const float head[2] = {mean, log_std};
    const double std = exp((double)log_std);
    double sum = 0;
    double before_a = -1;
    double before_p = 0;

    for (int i = 0; i <= N; i++) {
        const float eps = -8.0F + 16.0F * (float)i / (float)N;
        float a;
        float logp;
        squash_forward(kind, head, &eps, 1, &a, 1, &logp);
        const double at = tanh((double)mean + std * (double)eps);
        const double p = exp((double)logp);
        sum += 0.5 * (p + before_p) * (at - before_a);
        before_a = at;
        before_p = p;
    }
    return sum;
}

/* 20000 trapezoids are good to 1e-6 for these widths, the density to 1e-6. */
static void density_integrates_to_one(void **state)
{
    (void)state;
    const Squash kind = {.A = 1, .low = -20, .high = 2};
    const float means[] = {0, 0.3F, -1.5F, 4};
    const float log_stds[] = {-3, -1, 0};

    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 3; j++) {
            CHECK_NEAR(integral(&kind, means[i], log_stds[j]), 1, 1e-5, 0);
        }
    }
}

/* The normal density at mean + 2 std, std = 1/2 and, clipped, e^-5; two dimensions add up. Gradients of
 * weight logp - q(a): the density at a fixed eps depends on the deviation only. */
static void a_linear_head_is_the_normal_distribution(void **state)
{
    (void)state;
    const Squash kind = {.A = 2, .low = -5, .high = 2, .linear = true};
    const float head[4] = {30, -1, -0.693147181F, -7};
    const float eps[2] = {2, -1};
    const float dq[2] = {3, 4};
    const double small = exp(-5);
    float a[2];
    float logp;
    float dhead[4];

    squash_forward(&kind, head, eps, 1, a, 2, &logp);
    CHECK_NEAR(a[0], 31, 1e-6, 0);
    CHECK_NEAR(a[1], -1 - small, 1e-6, 0);
    CHECK_NEAR(logp, log(0.107981933) + log(0.241970725 / small), 1e-6, 0); /* phi(2) 2, phi(1) */
    squash_backward(&kind, head, eps, a, 2, 1, 0.7F, dq, dhead);
    assert_true(dhead[0] == -3 && dhead[1] == -4);
    CHECK_NEAR(dhead[2], -3 * 0.5 * 2 - 0.7, 1e-6, 0); /* -dq std eps - weight */
    assert_true(dhead[3] == 0);                        /* outside the clip */
    squash_forward(&kind, head, NULL, 1, a, 2, NULL);
    assert_true(a[0] == 30 && a[1] == -1);
}

static void the_density_is_not_computed_unasked(void **state)
{
    (void)state;
    const float head[4] = {0.3F, -1, 0.2F, -0.5F};
    const float eps[2] = {0.7F, -2};
    for (int linear = 0; linear < 2; linear++) {
        const Squash kind = {.A = 2, .low = -5, .high = 2, .linear = linear != 0};
        float a[2];
        float b[2];
        float logp;
        squash_forward(&kind, head, eps, 1, a, 2, &logp);
        squash_forward(&kind, head, eps, 1, b, 2, NULL);
        assert_memory_equal(a, b, sizeof a);
    }
}

static void without_noise_the_action_is_the_mean(void **state)
{
    (void)state;
    const Squash kind = {.A = 2, .low = -5, .high = 2};
    const float head[8] = {0.5F, -3, 1, 1, 100, -0.01F, 0, 0};
    float a[2 * 5] = {7, 7, 7, 7, 7, 7, 7, 7, 7, 7};
    float logp[2] = {7, 7};

    squash_forward(&kind, head, NULL, 2, a, 5, logp);
    CHECK_NEAR(a[0], tanh(0.5), 2e-7, 0);
    CHECK_NEAR(a[1], tanh(-3), 2e-7, 0);
    CHECK_NEAR(a[5], 1, 0, 1e-30);
    CHECK_NEAR(a[6], tanh(-0.01), 2e-7, 0);
    for (int i = 2; i < 10; i++) { /* lda 5: what stands between is the critic's input */
        assert_true(i == 5 || i == 6 || a[i] == 7);
    }
    assert_true(logp[0] == 7 && logp[1] == 7);
    squash_forward(&kind, head, NULL, 2, a, 5, NULL);
}

static void nan_does_not_hide(void **state)
{
    (void)state;
    const Squash kind = {.A = 1, .low = -5, .high = 2};
    const float eps = 1;
    const float dq = 0;
    for (size_t at = 0; at < 2; at++) {
        float head[2] = {0, 0};
        float a;
        float logp;
        float dhead[2];
        head[at] = NAN;
        squash_forward(&kind, head, &eps, 1, &a, 1, &logp);
        assert_true(isnan(a) && isnan(logp));
        squash_backward(&kind, head, &eps, &a, 1, 1, 1.0F, &dq, dhead);
        assert_true(isnan(dhead[0]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head_agrees_with_torch_distributions),
        cmocka_unit_test(draws_agree_with_torch_distributions),
        cmocka_unit_test(one_draw_agrees_with_torch_distributions),
        cmocka_unit_test(densities_of_given_actions_agree_with_torch_distributions),
        cmocka_unit_test(log_density_at_known_points),
        cmocka_unit_test(density_integrates_to_one),
        cmocka_unit_test(a_linear_head_is_the_normal_distribution),
        cmocka_unit_test(the_density_is_not_computed_unasked),
        cmocka_unit_test(without_noise_the_action_is_the_mean),
        cmocka_unit_test(nan_does_not_hide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
