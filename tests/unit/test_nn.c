/* nn: products and networks against plain loops in double, activations, initial weights, parameter
 * counts, Adam against PyTorch, and the small vector operations.
 * Tolerances: a float32 sum of K products is off by about sqrt(K) * 6e-8 of its norm; K <= 64 here. */
#include "support/check.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "nn/act.h"
#include "nn/adam.h"
#include "nn/gemm.h"
#include "nn/vec.h"
#include "support/golden.h"
#include "support/plain.h"

static const double sum_tol = 2e-6;

static void normals(float *x, size_t n, uint32_t item)
{
    Rng rng = rng_make(5, RNG_TEST, 0, item);
    rng_fill_normal(&rng, x, n);
}

enum { GEMM_MAX = 70 * 70 };

/* C starts as NaN where beta is 0 (the product must not read it), and its padding must stay. */
static void check_product(PlainForm form, int M, int N, int K, int gap, float beta)
{
    static float A[GEMM_MAX];
    static float B[GEMM_MAX];
    static float C[GEMM_MAX];
    static float want[GEMM_MAX];
    static double plain[GEMM_MAX];
    const int lda = (form == PLAIN_TN ? M : K) + gap;
    const int ldb = (form == PLAIN_NT ? K : N) + gap;
    const int ldc = N + gap;
    const size_t n = (size_t)(M * ldc);

    normals(A, GEMM_MAX, 1);
    normals(B, GEMM_MAX, 2);
    normals(C, GEMM_MAX, 3);
    for (size_t i = 0; i < n; i++) {
        plain[i] = (double)C[i];
    }
    plain_gemm(form, M, N, K, A, lda, B, ldb, (double)beta, plain, ldc);
    for (int i = 0; i < M; i++) {
        for (int j = 0; j < N; j++) {
            C[i * ldc + j] = beta == 0.0F ? NAN : C[i * ldc + j];
        }
    }
    switch (form) {
    case PLAIN_NN:
        gemm_nn(M, N, K, A, lda, B, ldb, beta, C, ldc);
        break;
    case PLAIN_NT:
        gemm_nt(M, N, K, A, lda, B, ldb, beta, C, ldc);
        break;
    case PLAIN_TN:
        gemm_tn(M, N, K, A, lda, B, ldb, beta, C, ldc);
        break;
    }
    for (size_t i = 0; i < n; i++) {
        want[i] = (float)plain[i];
    }
    CHECK_CLOSE(C, want, n, sum_tol, 0);
}

static void products_equal_triple_loops(void **state)
{
    (void)state;
    const int shapes[][3] = {{1, 1, 1},   {3, 1, 7},   {7, 1, 1},  {1, 5, 1},    {1, 6, 13},
                             {17, 33, 1}, {13, 7, 29}, {64, 2, 3}, {31, 18, 64}, {5, 1, 64}};

    gemm_setup();
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        const int *s = shapes[k];
        for (int gap = 0; gap <= 3; gap += 3) {
            for (int beta = 0; beta <= 2; beta++) {
                check_product(PLAIN_NN, s[0], s[1], s[2], gap, 0.5F * (float)beta);
                check_product(PLAIN_NT, s[0], s[1], s[2], gap, 0.5F * (float)beta);
                check_product(PLAIN_TN, s[0], s[1], s[2], gap, 0.5F * (float)beta);
            }
        }
    }
}

enum { ROWS = 11, IN = 5, HIDDEN = 9, OUT = 3, GROUPS_MAX = 3, PARAMS_MAX = 1100 };

static float *narrow(const double *x, size_t n)
{
    static float y[PARAMS_MAX];
    for (size_t i = 0; i < n; i++) {
        y[i] = (float)x[i];
    }
    return y;
}

/* forward, infer, and backward of all rows and of the last ones from the same tape */
/* The way back to the inputs from some rows of one group: as if the others' dy were zero. */
static void check_listed_rows(const Mlp *net, const float *params, const float *x,
                              const MlpTape *tape, const float *dy, Arena *tmp)
{
    enum { FROM = 1, LEFT = IN - FROM };
    const int32_t list[] = {1, 2, ROWS - 1};
    enum { N = sizeof list / sizeof *list };
    float some_dy[N * OUT];
    float dx[N * LEFT];
    double plain_grad[PARAMS_MAX];
    double plain_dx[ROWS * IN];

    for (int g = 0; g < net->groups; g++) {
        float only[ROWS * OUT * GROUPS_MAX] = {0};
        double want[N * LEFT];
        for (int i = 0; i < N; i++) {
            const size_t at = (size_t)((list[i] * net->groups + g) * OUT);
            memcpy(some_dy + (size_t)i * OUT, dy + at, OUT * sizeof *dy);
            memcpy(only + at, dy + at, OUT * sizeof *dy);
        }
        plain_backward(net, params, x, ROWS, only, plain_grad, plain_dx);
        for (int i = 0; i < N * LEFT; i++) {
            want[i] = plain_dx[list[i / LEFT] * IN + FROM + i % LEFT];
        }
        mlp_input_slope(net, params, g, tape, list, N, some_dy, dx, FROM, tmp);
        CHECK_CLOSE(dx, narrow(want, N * LEFT), N * LEFT, sum_tol, 0);
    }
}

static void check_network(int layers, int groups, Act act)
{
    const Mlp net = mlp_make(IN, HIDDEN, layers, OUT, groups, act);
    const int first = 4;
    const int part = ROWS - first;
    const int from = 2;
    float params[PARAMS_MAX];
    float x[ROWS * IN];
    float dy[ROWS * OUT * GROUPS_MAX];
    float y[ROWS * OUT * GROUPS_MAX];
    float grad[PARAMS_MAX];
    float dx[ROWS * IN];
    double plain_y[ROWS * OUT * GROUPS_MAX];
    double plain_grad[PARAMS_MAX];
    double plain_dx[ROWS * IN];
    const size_t outs = (size_t)(ROWS * OUT * groups);
    Arena tmp;

    assert_true(net.count <= PARAMS_MAX);
    const size_t both = mlp_backward_cost(&net, ROWS) + mlp_infer_cost(&net, ROWS);
    CHECK_OK(arena_init(&tmp, mlp_tape_cost(&net, ROWS) + both));
    normals(params, net.count, 1);
    normals(x, ROWS * IN, 2);
    normals(dy, outs, 3);
    MlpTape tape = mlp_tape(&net, ROWS, &tmp);
    const size_t mark = tmp.used;

    plain_forward(&net, params, x, ROWS, plain_y);
    mlp_forward(&net, params, x, ROWS, &tape, y);
    CHECK_CLOSE(y, narrow(plain_y, outs), outs, sum_tol, 0);
    memset(y, 0, sizeof y);
    mlp_infer(&net, params, x, ROWS, &tmp, y);
    CHECK_CLOSE(y, narrow(plain_y, outs), outs, sum_tol, 0);

    plain_backward(&net, params, x, ROWS, dy, plain_grad, plain_dx);
    normals(grad, net.count, 4); /* must be overwritten, not added to */
    mlp_backward(&net, params, x, ROWS, &tape, dy, grad, dx, 0, &tmp);
    CHECK_CLOSE(grad, narrow(plain_grad, net.count), net.count, sum_tol, 0);
    CHECK_CLOSE(dx, narrow(plain_dx, ROWS * IN), ROWS * IN, sum_tol, 0);

    const float *last_dy = dy + first * OUT * groups;
    const MlpTape rest = mlp_tape_from(&net, &tape, first);
    plain_backward(&net, params, x + first * IN, part, last_dy, plain_grad, plain_dx);
    mlp_backward(&net, params, x + first * IN, part, &rest, last_dy, grad, NULL, 0, &tmp);
    CHECK_CLOSE(grad, narrow(plain_grad, net.count), net.count, sum_tol, 0);
    mlp_backward(&net, params, x + first * IN, part, &rest, last_dy, NULL, dx, from, &tmp);
    for (int i = 0; i < part; i++) { /* keep the columns that were asked for */
        memmove(plain_dx + i * (IN - from), plain_dx + i * IN + from,
                (size_t)(IN - from) * sizeof(double));
    }
    const size_t n = (size_t)(part * (IN - from));
    CHECK_CLOSE(dx, narrow(plain_dx, n), n, sum_tol, 0);
    check_listed_rows(&net, params, x, &tape, dy, &tmp);
    assert_int_equal(tmp.used, mark); /* scratch was given back */
    arena_release(&tmp);
}

static void networks_equal_plain_loops(void **state)
{
    (void)state;
    for (int layers = 1; layers <= 4; layers++) {
        for (int groups = 1; groups <= GROUPS_MAX; groups += 2) {
            check_network(layers, groups, ACT_RELU);
            check_network(layers, groups, ACT_SILU);
            check_network(layers, groups, ACT_TANH);
        }
    }
}

/* MOPO's networks on HalfCheetah; facts: 23 inputs, 2 x 18 outputs; 17 states, 6 actions. */
static void networks_have_the_published_sizes(void **state)
{
    (void)state;
    assert_int_equal(mlp_make(23, 200, 4, 36, 1, ACT_SILU).count, 132636);
    assert_int_equal(mlp_make(17, 256, 2, 12, 1, ACT_RELU).count, 73484);
    assert_int_equal(mlp_make(23, 256, 2, 1, 1, ACT_RELU).count, 72193);
    assert_int_equal(mlp_make(23, 256, 2, 1, 2, ACT_RELU).count, 2 * 72193);
}

typedef struct {
    double most, mean, std;
} Moments;

static Moments moments(const MlpMatrix *m, const float *params)
{
    Moments out = {0};
    const double n = (double)m->rows * (double)m->cols;
    for (int i = 0; i < m->rows; i++) {
        for (int j = 0; j < m->cols; j++) {
            const double w = (double)params[m->at + (size_t)(i * m->ld + j)];
            out.most = fmax(out.most, fabs(w));
            out.mean += w / n;
            out.std += w * w / n;
        }
    }
    out.std = sqrt(out.std);
    return out;
}

/* The truncated normal has deviation sqrt(1 - 4 phi(2) / (2 Phi(2) - 1)) = 0.87962 of the nominal;
 * the uniform 1 / sqrt(3) = 0.57735 of its limit. Allowed: five sigma for the smallest matrix. */
static void initial_weights_are_those_of_the_released_code(void **state)
{
    (void)state;
    const Mlp net = mlp_make(23, 200, 3, 36, 2, ACT_SILU);
    float *params = NULL;

    CHECK_OK(mem_alloc(&params, net.count, sizeof *params, "weights"));
    for (int kind = 0; kind < 2; kind++) {
        Rng rng = rng_make(3, RNG_MODEL_INIT, 0, 0);
        memset(params, 0xFF, net.count * sizeof *params); /* NaN: must be overwritten */
        if (kind == 0) {
            mlp_init_truncated(&net, params, &rng);
        } else {
            mlp_init_glorot(&net, params, &rng);
        }
        for (int l = 0; l <= net.layers; l++) {
            for (int g = 0; g < net.groups; g++) {
                const MlpMatrix m = mlp_matrix(&net, l, g);
                const Moments is = moments(&m, params);
                const double limit =
                    kind == 0 ? 2 * 0.5 / sqrt(m.rows) : sqrt(6.0 / (m.rows + m.cols));
                const double std = kind == 0 ? 0.5 / sqrt(m.rows) * 0.87962 : limit * 0.57735;
                assert_true(is.most <= limit * (1 + 1e-6) && is.most > 0.99 * limit);
                CHECK_NEAR(is.std, std, 0.04, 0);
                CHECK_NEAR(is.mean, 0, 0, 0.08 * std);
                for (int j = 0; j < m.cols; j++) {
                    assert_true(params[m.bias + (size_t)j] == 0.0F);
                }
            }
        }
    }
    mem_free(&params);
}

/* d/dz z sig(z) is 1/2 at 0 and at most 1.0998, at z = 2.3994. */
static void activations_and_slopes_are_right(void **state)
{
    (void)state;
    enum { N = 7, LD = 9 };
    const float z[N] = {0, 2.3994F, -2.5F, 30, -30, 100, -200};
    const float bias[N] = {0, 0, 0.5F, -1, 1, 0, 0};
    float h[2 * LD];
    float d[2 * LD];
    float dh[2 * LD];

    for (int i = 0; i < 2 * LD; i++) {
        h[i] = i % LD < N ? z[i % LD] : 77;
        d[i] = 77;
        dh[i] = 3;
    }
    act_forward(ACT_SILU, h, bias, 2, N, LD, d);
    for (int i = 0; i < 2 * LD; i++) {
        if (i % LD >= N) {
            assert_true(h[i] == 77 && d[i] == 77);
            continue;
        }
        const double x = (double)(z[i % LD] + bias[i % LD]);
        const double s = 1 / (1 + exp(-x));
        CHECK_NEAR(h[i], x * s, 5e-7, 1e-35);
        CHECK_NEAR(d[i], s + x * s * (1 - s), 5e-7, 1e-7);
    }
    CHECK_NEAR(d[0], 0.5, 1e-7, 0);
    CHECK_NEAR(d[1], 1.0998, 1e-4, 0);
    act_backward(ACT_SILU, h, d, 2 * LD, dh);
    assert_true(dh[1] == 3 * d[1]);

    float r[4] = {-1, 0, 2, NAN};
    const float none[4] = {0};
    float dr[4] = {5, 5, 5, 5};
    act_forward(ACT_RELU, r, none, 1, 4, 4, NULL);
    assert_true(r[0] == 0 && r[1] == 0 && r[2] == 2 && isnan(r[3])); /* NaN must show */
    act_backward(ACT_RELU, r, NULL, 3, dr);
    assert_true(dr[0] == 0 && dr[1] == 0 && dr[2] == 5);

    float t[4] = {-0.5F, 40, 1, NAN};
    const float shift[4] = {0.5F, 0, -0.5F, 0};
    float dt[4] = {5, 5, 5, 5};
    act_forward(ACT_TANH, t, shift, 1, 4, 4, NULL);
    assert_true(t[0] == 0 && t[1] == 1 && isnan(t[3]));
    CHECK_NEAR(t[2], 0.46211716, 1e-7, 0); /* (e - 1) / (e + 1) */
    act_backward(ACT_TANH, t, NULL, 4, dt);
    assert_true(dt[0] == 5 && dt[1] == 0 && isnan(dt[3]));
    CHECK_NEAR(dt[2], 5 * 0.78644773, 2e-7, 0); /* 4 e / (e + 1)^2 */
}

/* Five steps with gradients from 1e-9 to 1e2, and zeros. Parameters are about 0.01, so a step keeps
 * 1e-9 / 1e-3 of its size; that and Adam's float32 moments give 1e-6. */
static void adam_steps_as_pytorch_does(void **state)
{
    (void)state;
    Golden *g = golden_open("adam");
    size_t n = 0;
    size_t all = 0;
    const float *start = golden_get(g, &n, "p");
    const float *grads = golden_get(g, &all, "grads");
    const float *moved = golden_array(g, all, "moved");
    float p[64];
    float m[64] = {0};
    float v[64] = {0};
    float off[64];

    assert_true(n <= 64 && n > 0);
    memcpy(p, start, n * sizeof *p);
    for (size_t t = 0; t < all / n; t++) {
        adam_step(p, grads + t * n, m, v, n, (double)golden_number(g, "lr"), (int64_t)t + 1);
        for (size_t i = 0; i < n; i++) {
            off[i] = p[i] - start[i];
            CHECK_NEAR(off[i], moved[t * n + i], 1e-6, 4e-9);
        }
        CHECK_CLOSE(off, moved + t * n, n, 1e-6, 0);
    }
    CHECK_CLOSE(m, golden_array(g, n, "m"), n, 1e-6, 0);
    CHECK_CLOSE(v, golden_array(g, n, "v"), n, 1e-6, 0);
    golden_close(g);
}

static void every_non_finite_value_is_seen(void **state)
{
    (void)state;
    const float bad[] = {NAN, -NAN, INFINITY, -INFINITY};
    float x[67];

    for (size_t i = 0; i < 67; i++) {
        x[i] = i % 2 == 0 ? FLT_MAX : -FLT_MIN / 4;
    }
    for (size_t n = 0; n <= 67; n++) {
        assert_true(vec_finite(x, n));
        for (size_t at = 0; at < n; at++) {
            for (size_t k = 0; k < 4; k++) {
                const float good = x[at];
                x[at] = bad[k];
                assert_false(vec_finite(x, n));
                assert_true(vec_finite(x, at)); /* what lies behind the end does not count */
                x[at] = good;
            }
        }
    }
}

static void small_vector_operations(void **state)
{
    (void)state;
    float t[3] = {1, 2, 3};
    const float x[3] = {5, 6, -7};

    vec_polyak(t, x, 3, 0);
    assert_true(t[0] == 1 && t[1] == 2 && t[2] == 3);
    vec_polyak(t, x, 3, 0.25F);
    assert_true(t[0] == 2 && t[1] == 3 && t[2] == 0.5F);
    vec_polyak(t, x, 3, 1);
    assert_memory_equal(t, x, sizeof t);
    vec_axpy(t, -2, x, 3);
    assert_true(t[0] == -5 && t[1] == -6 && t[2] == 7);
    CHECK_NEAR(vec_dot(t, x, 3), -25 - 36 - 49, 0, 0.5);
    for (size_t n = 0; n <= 40;
         n++) { /* in sixteens and a rest; sums of small whole numbers are exact */
        float g[40];
        float p[40];
        double want = 0;
        for (size_t i = 0; i < n; i++) {
            g[i] = 1;
            p[i] = (float)i;
            want += (double)(i * i);
        }
        assert_true(vec_decay(g, 0.5F, p, n) == want);
        for (size_t i = 0; i < n; i++) {
            assert_true(g[i] == 1 + 0.5F * (float)i);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_equal_triple_loops),
        cmocka_unit_test(networks_equal_plain_loops),
        cmocka_unit_test(networks_have_the_published_sizes),
        cmocka_unit_test(initial_weights_are_those_of_the_released_code),
        cmocka_unit_test(activations_and_slopes_are_right),
        cmocka_unit_test(adam_steps_as_pytorch_does),
        cmocka_unit_test(every_non_finite_value_is_seen),
        cmocka_unit_test(small_vector_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
