/* Vectors give the bits of one number at a time: functions that are compiled for wide vectors (base/wide.h)
 * beside their formulas, here evaluated number by number.
 */
#include "support/check.h"

#include <string.h>

#include "base/rng.h"
#include "base/vmath.h"
#include "nn/act.h"
#include "nn/gauss.h"
#include "nn/squash.h"

enum { ROWS = 5, COLS_MAX = 300, N_MAX = ROWS * COLS_MAX };

/* Widths below, at, between and above whole vectors, and those of the paper's networks. */
static const int widths[] = {1, 3, 6, 15, 16, 17, 36, 126, 200, 255, 256, 257, 300};

/* A compiler cannot make vectors of what goes through here. */
static float alone(float x)
{
    volatile float one = x;
    return one;
}

static void fill(uint32_t item, float low, float high, float *x, int n)
{
    Rng rng = rng_make(4, RNG_TEST, 0, item);
    rng_fill_uniform(&rng, low, high, x, (size_t)n);
}

static void activations_are_the_same_number_by_number(void **state)
{
    (void)state;
    float z[N_MAX];
    float bias[COLS_MAX];
    float h[N_MAX];
    float d[N_MAX];

    fill(1, -30, 30, z, N_MAX);
    fill(2, -1, 1, bias, COLS_MAX);
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        const int cols = widths[w];
        for (Act act = ACT_RELU; act <= ACT_TANH; act++) {
            memcpy(h, z, sizeof h);
            act_forward(act, h, bias, ROWS, cols, cols, act_keeps(act) ? d : NULL);
            for (int i = 0; i < ROWS * cols; i++) {
                const float x = alone(z[i] + bias[i % cols]);
                const float s = vm_sigmoid(x);
                const float want = act == ACT_RELU   ? (x < 0 ? 0 : x)
                                   : act == ACT_SILU ? x * s
                                                     : vm_tanh(x);
                assert_true(h[i] == want);
                assert_true(act != ACT_SILU || d[i] == fmaf(want, 1 - s, s));
            }
        }
    }
}

static void deviations_are_the_same_number_by_number(void **state)
{
    (void)state;
    float raw[N_MAX];
    float column[4][COLS_MAX];
    float std[N_MAX];

    fill(3, -12, 3, raw, N_MAX);
    for (int k = 0; k < 4; k++) {
        fill(4 + (uint32_t)k, 0.1F, 2, column[k], COLS_MAX);
    }
    const GaussColumns columns = {column[0], column[1], column[2], column[3]};
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        gauss_std(raw, &columns, ROWS, widths[w], std);
        for (int i = 0; i < ROWS * widths[w]; i++) {
            const int j = i % widths[w];
            const float share = vm_sigmoid(alone(raw[i] - column[0][j]));
            assert_true(std[i] ==
                        sqrtf(alone(fmaf(column[1][j], share, column[2][j]))) * column[3][j]);
        }
    }
}

/* Blocks of rows and of dimensions do not show: any number of dimensions, rows one by one. */
static void actions_are_the_same_number_by_number(void **state)
{
    (void)state;
    static float head[2 * N_MAX];
    float eps[N_MAX];
    float a[N_MAX];
    float logp[ROWS];

    fill(8, -3, 3, head, 2 * N_MAX);
    fill(9, -2, 2, eps, N_MAX);
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        const int A = widths[w];
        const Squash kind = {.A = A, .low = -2, .high = 1};
        squash_forward(&kind, head, eps, ROWS, a, A, logp);
        for (int row = 0; row < ROWS; row++) {
            float sum = 0;
            for (int j = 0; j < A; j++) {
                const float raw = head[row * 2 * A + A + j];
                const float log_std = alone(fminf(fmaxf(raw, -2), 1));
                const float e = alone(eps[row * A + j]);
                const float u = head[row * 2 * A + j] + vm_exp(log_std) * e;
                assert_true(a[row * A + j] == vm_tanh(u));
                sum += -0.5F * e * e - log_std - 0.918938533F -
                       2.0F * (0.693147181F - u - vm_softplus(-2.0F * u));
            }
            assert_true(logp[row] == sum);
        }
    }
}

/* And so is the way back: d(weight logp - dq a) by mean and raw log deviation. */
static void their_gradient_is_the_same_number_by_number(void **state)
{
    (void)state;
    static float head[2 * N_MAX];
    static float got[2 * N_MAX];
    float eps[N_MAX];
    float a[N_MAX];
    float dq[N_MAX];

    fill(10, -3, 3, head, 2 * N_MAX);
    fill(11, -2, 2, eps, N_MAX);
    fill(12, -1, 1, dq, N_MAX);
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        const int A = widths[w];
        const Squash kind = {.A = A, .low = -2, .high = 1};
        squash_forward(&kind, head, eps, ROWS, a, A, NULL);
        squash_backward(&kind, head, eps, a, A, ROWS, 0.3F, dq, got);
        for (int i = 0; i < ROWS * A; i++) {
            const int at = i / A * 2 * A + i % A;
            const float raw = alone(head[at + A]);
            const float spread = vm_exp(fminf(fmaxf(raw, -2), 1)) * eps[i];
            const float du = 0.3F * 2.0F * a[i] - dq[i] * (1.0F - a[i] * a[i]);
            assert_true(got[at] == du);
            assert_true(got[at + A] ==
                        (raw >= -2 && raw <= 1 ? 1.0F : 0.0F) * (du * spread - 0.3F));
        }
    }
}

/* Box-Muller on pairs of words, 64 blocks of Philox at a time. */
static void normals_are_the_same_number_by_number(void **state)
{
    (void)state;
    enum { BLOCKS = 64, WORDS = 4 };
    float x[BLOCKS * WORDS];
    Rng rng = rng_make(7, RNG_TEST, 5, 3);
    const Rng start = rng;

    rng_fill_normal(&rng, x, BLOCKS * WORDS);
    for (uint32_t b = 0; b < BLOCKS; b++) {
        const uint32_t ctr[4] = {start.ctr[0] + b, start.ctr[1], start.ctr[2], start.ctr[3]};
        uint32_t word[WORDS];
        philox4x32(ctr, start.key, word);
        for (int pair = 0; pair < WORDS; pair += 2) {
            const float u = alone((float)(word[pair] >> 8) * 0x1p-24F + 0x1p-25F);
            const float radius = sqrtf(alone(-2.0F * vm_log(u)));
            float s;
            float c;
            vm_sincos_turn(alone((float)(word[pair + 1] >> 8) * 0x1p-24F), &s, &c);
            assert_true(x[pair * BLOCKS + (int)b] == radius * c);
            assert_true(x[(pair + 1) * BLOCKS + (int)b] == radius * s);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(activations_are_the_same_number_by_number),
        cmocka_unit_test(deviations_are_the_same_number_by_number),
        cmocka_unit_test(actions_are_the_same_number_by_number),
        cmocka_unit_test(their_gradient_is_the_same_number_by_number),
        cmocka_unit_test(normals_are_the_same_number_by_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
