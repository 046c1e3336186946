/* squash: the Gaussian policy heads against torch.distributions, against numbers worked out by
 * hand, and against the fact that a density integrates to 1. */
#include "support/check.h"

#include <math.h>

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
        cmocka_unit_test(log_density_at_known_points),
        cmocka_unit_test(density_integrates_to_one),
        cmocka_unit_test(a_linear_head_is_the_normal_distribution),
        cmocka_unit_test(the_density_is_not_computed_unasked),
        cmocka_unit_test(without_noise_the_action_is_the_mean),
        cmocka_unit_test(nan_does_not_hide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
