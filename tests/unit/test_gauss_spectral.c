/* gauss: soft log-variance bounds, loss and gradients against autograd. spectral: sigma against an
 * SVD, one step and its gradient against torch.nn.utils.parametrizations.spectral_norm. */
#include "support/check.h"

#include <math.h>
#include <string.h>

#include "nn/gauss.h"
#include "nn/spectral.h"
#include "support/golden.h"

enum { ROWS = 9, Y = 3 };

/* gauss_std of one head in units of 1, out (rows, 2 outs). */
static void deviations(const float *out, const float *bounds, int rows, int outs, float *std)
{
    const float unit[Y] = {1, 1, 1};
    float raw[ROWS * Y];
    float column[3][Y];
    const GaussColumns columns = {column[0], column[1], column[2], unit};

    for (int i = 0; i < rows * outs; i++) {
        raw[i] = out[i / outs * 2 * outs + outs + i % outs];
    }
    gauss_columns(bounds, outs, column[0], column[1], column[2]);
    gauss_std(raw, &columns, rows, outs, std);
}

/* exp(-lv) multiplies the rounding of lv (about 1e-6 at lv = -10) by its size: 2e-6 of each norm. */
static void gaussian_loss_agrees_with_autograd(void **state)
{
    (void)state;
    Golden *g = golden_open("gauss");
    const float *out = golden_array(g, ROWS * 2 * Y, "out");
    const float *bounds = golden_array(g, 2 * Y, "bounds");
    const float *y = golden_array(g, ROWS * Y, "y");
    float std[ROWS * Y];
    float dout[ROWS * 2 * Y];
    float dbounds[2 * Y];

    deviations(out, bounds, ROWS, Y, std);
    CHECK_CLOSE(std, golden_array(g, ROWS * Y, "std"), ROWS * Y, 1e-6, 0);
    const double loss = gauss_nll(out, bounds, y, ROWS, ROWS, Y, dout, dbounds);
    CHECK_NEAR(loss, golden_number(g, "loss"), 1e-6, 0);
    CHECK_CLOSE(dout, golden_array(g, ROWS * 2 * Y, "dout"), ROWS * 2 * Y, 2e-6, 0);
    CHECK_CLOSE(dbounds, golden_array(g, 2 * Y, "dbounds"), 2 * Y, 2e-6, 0);
    golden_close(g);
}

/* Parts of a batch, each with the batch's row count as `total`, add up to the batch. */
static void parts_of_a_batch_add_up(void **state)
{
    (void)state;
    Golden *g = golden_open("gauss");
    const float *out = golden_array(g, ROWS * 2 * Y, "out");
    const float *bounds = golden_array(g, 2 * Y, "bounds");
    const float *y = golden_array(g, ROWS * Y, "y");
    const int cut = 4;
    float dout[ROWS * 2 * Y];
    float sum[2 * Y];
    float part[2 * Y];

    double loss = gauss_nll(out, bounds, y, cut, ROWS, Y, dout, sum);
    loss += gauss_nll(out + cut * 2 * Y, bounds, y + cut * Y, ROWS - cut, ROWS, Y,
                      dout + cut * 2 * Y, part);
    for (int j = 0; j < 2 * Y; j++) {
        sum[j] += part[j];
    }
    CHECK_NEAR(loss, golden_number(g, "loss"), 1e-6, 0);
    CHECK_CLOSE(dout, golden_array(g, ROWS * 2 * Y, "dout"), ROWS * 2 * Y, 2e-6, 0);
    CHECK_CLOSE(sum, golden_array(g, 2 * Y, "dbounds"), 2 * Y, 2e-6, 0);
    golden_close(g);
}

/* Worked out by hand for the start bounds 0.5 and -10: raw 0 gives log variance -0.474004, a huge
 * raw 0.500028 (the second softplus lifts it over M), a very negative one -10. */
static void log_variance_keeps_to_its_bounds(void **state)
{
    (void)state;
    const float bounds[2] = {0.5F, -10};
    const float raws[5] = {0, 1e4F, -1e4F, 3e38F, -3e38F};
    const double want[5] = {-0.474004, 0.500028, -10, 0.500028, -10};

    for (int i = 0; i < 5; i++) {
        const float out[2] = {0, raws[i]};
        float std;
        deviations(out, bounds, 1, 1, &std);
        CHECK_NEAR(2 * log((double)std), want[i], 0, 1e-6);
    }
    float std;
    deviations((const float[]){0, NAN}, bounds, 1, 1, &std);
    assert_true(isnan(std));
}

/* Columns are done in overlapping pieces of 16: each as if it were alone, for widths around the pieces. */
static void columns_do_not_depend_on_their_neighbors(void **state)
{
    (void)state;
    enum { MOST = 40 };
    Rng rng = rng_make(1, RNG_TEST, 0, 0);
    float raw[3 * MOST];
    float column[4][MOST];
    float std[3 * MOST];

    rng_fill_uniform(&rng, -12, 2, raw, 3 * MOST);
    rng_fill_uniform(&rng, 0.5F, 2, column[0], (size_t)4 * MOST);
    for (int n = 1; n <= MOST; n++) {
        const GaussColumns all = {column[0], column[1], column[2], column[3]};
        gauss_std(raw, &all, 3, n, std);
        for (int i = 0; i < 3 * n; i++) {
            const int j = i % n;
            const GaussColumns one = {column[0] + j, column[1] + j, column[2] + j, column[3] + j};
            float alone;
            gauss_std(raw + i, &one, 1, 1, &alone);
            assert_true(alone == std[i]);
        }
    }
}

enum { R = 7, C = 5, LD = 9 };

typedef struct {
    SpectralShape shape;
    float W[R * LD], G[R * LD], u[C], v[R];
} Matrix;

/* The golden matrix inside a wider one, as the mean half of a head is. */
static Matrix matrix(const Golden *g)
{
    Matrix m = {.shape = {R, C, LD}};
    const float *W = golden_array(g, R * C, "W");
    const float *G = golden_array(g, R * C, "G");
    for (int i = 0; i < R; i++) {
        for (int j = 0; j < LD; j++) {
            m.W[i * LD + j] = j < C ? W[i * C + j] : 50;
            m.G[i * LD + j] = j < C ? G[i * C + j] : 50;
        }
    }
    memcpy(m.u, golden_array(g, C, "u"), sizeof m.u);
    return m;
}

/* Five to seven products per sum: 1e-6. */
static void one_power_iteration_is_torchs(void **state)
{
    (void)state;
    Golden *g = golden_open("spectral");
    Matrix m = matrix(g);
    float got[R * C];

    const float sigma = spectral_sigma(&m.shape, m.W, m.u, m.v, 1);
    CHECK_NEAR(sigma, golden_number(g, "sigma_1"), 5e-7, 0);
    CHECK_CLOSE(m.u, golden_array(g, C, "u_1"), C, 1e-6, 0);
    CHECK_CLOSE(m.v, golden_array(g, R, "v_1"), R, 1e-6, 0);
    const float factor = spectral_factor(sigma, 1, false);
    for (int i = 0; i < R * C; i++) {
        got[i] = factor * m.W[i / C * LD + i % C];
    }
    CHECK_CLOSE(got, golden_array(g, R * C, "scaled"), R * C, 1e-6, 0);
    spectral_backward(&m.shape, m.W, m.u, m.v, sigma, 1, false, m.G);
    for (int i = 0; i < R; i++) {
        memcpy(got + i * C, m.G + i * LD, C * sizeof *got);
        for (int j = C; j < LD; j++) {
            assert_true(m.G[i * LD + j] == 50);
        }
    }
    CHECK_CLOSE(got, golden_array(g, R * C, "dW"), R * C, 1e-6, 0);
    golden_close(g);
}

static void sigma_converges_to_the_largest_singular_value(void **state)
{
    (void)state;
    Golden *g = golden_open("spectral");
    Matrix m = matrix(g);
    const float want = golden_number(g, "sigma_svd");

    CHECK_NEAR(spectral_sigma(&m.shape, m.W, m.u, m.v, 200), want, 5e-7, 0);
    const float factor = spectral_factor(want, 3, false);
    for (int i = 0; i < R * LD; i++) {
        m.W[i] *= factor;
    }
    CHECK_NEAR(spectral_sigma(&m.shape, m.W, m.u, m.v, 200), 3, 1e-6, 0);
    golden_close(g);
}

static void bound_touches_only_what_exceeds_it(void **state)
{
    (void)state;
    Golden *g = golden_open("spectral");
    Matrix m = matrix(g);
    const Matrix start = m;
    const float sigma = spectral_sigma(&m.shape, m.W, m.u, m.v, 1);

    assert_true(spectral_factor(sigma, sigma * 1.01F, true) == 1.0F);
    CHECK_NEAR(spectral_factor(sigma, sigma * 0.5F, true), 0.5, 1e-6, 0);
    CHECK_NEAR(spectral_factor(sigma, sigma * 2, false), 2, 1e-6, 0);
    spectral_backward(&m.shape, m.W, m.u, m.v, sigma, sigma * 1.01F, true, m.G);
    assert_memory_equal(m.G, start.G, sizeof m.G);
    /* the exact form with c = sigma scales by 1, but its gradient still has no part along W */
    spectral_backward(&m.shape, m.W, m.u, m.v, sigma, sigma, false, m.G);
    double along = 0;
    double before = 0;
    for (int i = 0; i < R * C; i++) {
        const int at = i / C * LD + i % C;
        along += (double)m.G[at] * (double)m.W[at];
        before += (double)start.G[at] * (double)m.W[at];
    }
    assert_true(fabs(before) > 0.1);
    CHECK_NEAR(along, 0, 0, 1e-5);
    golden_close(g);
}

/* A zero matrix has no direction; the guard keeps everything finite. */
static void zero_matrix_stays_finite(void **state)
{
    (void)state;
    const SpectralShape shape = {2, 2, 2};
    const float W[4] = {0};
    float u[2] = {1, 0};
    float v[2];
    const float sigma = spectral_sigma(&shape, W, u, v, 3);
    assert_true(sigma > 0 && isfinite(spectral_factor(sigma, 1, false)));
    assert_true(isfinite(u[0]) && isfinite(u[1]) && isfinite(v[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gaussian_loss_agrees_with_autograd),
        cmocka_unit_test(parts_of_a_batch_add_up),
        cmocka_unit_test(log_variance_keeps_to_its_bounds),
        cmocka_unit_test(columns_do_not_depend_on_their_neighbors),
        cmocka_unit_test(one_power_iteration_is_torchs),
        cmocka_unit_test(sigma_converges_to_the_largest_singular_value),
        cmocka_unit_test(bound_touches_only_what_exceeds_it),
        cmocka_unit_test(zero_matrix_stays_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
