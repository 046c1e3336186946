/* ensemble: loss, gradient and three Adam steps of a member against PyTorch, with and without spectral
 * norm; prediction against the member's own network; scales, elites, singular values. */
#include "support/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "model/ensemble.h"
#include "nn/adam.h"
#include "nn/gauss.h"
#include "nn/spectral.h"
#include "support/golden.h"

typedef struct {
    Ensemble ens;
    Arena tmp;
} Model;

static Model model_make(const EnsembleConfig *cfg, int rows)
{
    Model m;
    CHECK_OK(ensemble_init(&m.ens, cfg, 21));
    CHECK_OK(arena_init(&m.tmp, ensemble_loss_cost(&m.ens, rows) + ensemble_mse_cost(&m.ens, rows) +
                                    ensemble_predict_cost(&m.ens, rows)));
    return m;
}

static void model_release(Model *m)
{
    arena_release(&m->tmp);
    ensemble_release(&m->ens);
}

static EnsembleConfig small_config(void)
{
    return (EnsembleConfig){.members = 3,
                            .elites = 2,
                            .state_dim = 4,
                            .act_dim = 2,
                            .hidden = 12,
                            .layers = 3,
                            .spectral_c = 1,
                            .logvar_max = 0.5F,
                            .logvar_min = -10,
                            .logvar_reg = 0.01F,
                            .decay_first = 2.5e-5F,
                            .decay_second = 5e-5F,
                            .decay_hidden = 7.5e-5F,
                            .decay_head = 1e-4F};
}

static void normals(float *x, size_t n, uint32_t item)
{
    Rng rng = rng_make(6, RNG_TEST, 0, item);
    rng_fill_normal(&rng, x, n);
}

/* The golden problem in one of its forms. */
typedef struct {
    const char *kind;
    bool spectral, bound;
    float c;
} Form;

static const float *spectral_u(const Ensemble *ens, int member, int layer)
{
    return ensemble_member(ens, member) + ens->trained + layer * ens->cfg.hidden;
}

static Model golden_model(const Golden *g, const Form *form)
{
    const float *sizes = golden_array(g, 6, "sizes");
    const float *decay = golden_array(g, 4, "decay");
    const EnsembleConfig cfg = {.members = 2,
                                .elites = 1,
                                .state_dim = (int)sizes[0],
                                .act_dim = (int)sizes[1],
                                .hidden = (int)sizes[2],
                                .layers = (int)sizes[3],
                                .spectral_norm = form->spectral,
                                .spectral_is_bound = form->bound,
                                .spectral_c = form->c,
                                .logvar_reg = golden_number(g, "reg"),
                                .decay_first = decay[0],
                                .decay_second = decay[1],
                                .decay_hidden = decay[2],
                                .decay_head = decay[3]};
    Model m = model_make(&cfg, (int)sizes[4]);
    const size_t Y = (size_t)cfg.state_dim + 1;
    float *p = ensemble_member(&m.ens, 1);

    golden_load_net(g, "start", &m.ens.net, 0, p);
    memcpy(p + m.ens.net.count, golden_array(g, 2 * Y, "start.bounds"), 2 * Y * sizeof *p);
    for (int l = 0; l <= cfg.layers; l++) {
        size_t n = 0;
        const float *u = golden_get(g, &n, "start.u%d", l);
        memcpy(p + (spectral_u(&m.ens, 1, l) - p), u, n * sizeof *u);
    }
    return m;
}

/* Gradients: float32 rounding through four layers and exp(-lv); about 1e-6 of each norm seen. Adam
 * divides by the gradient's size, so small elements weigh as much as large ones: 1e-5. */
static void check_form(const Golden *g, const Form *form)
{
    Model m = golden_model(g, form);
    Ensemble *ens = &m.ens;
    const float *sizes = golden_array(g, 6, "sizes");
    const size_t rows = (size_t)sizes[4];
    const int steps = (int)sizes[5];
    const size_t D = (size_t)(ens->cfg.state_dim + ens->cfg.act_dim);
    const size_t Y = (size_t)ens->cfg.state_dim + 1;
    const float *x = golden_array(g, (size_t)steps * rows * D, "x");
    const float *y = golden_array(g, (size_t)steps * rows * Y, "y");
    const float *losses = golden_array(g, (size_t)steps, "%s.losses", form->kind);
    float *p = ensemble_member(ens, 1);
    float start[512];
    float grad[512];
    float moment[2][512] = {{0}};
    char prefix[32];

    assert_true(ens->trained <= 512);
    memcpy(start, p, ens->trained * sizeof *start);
    for (int t = 0; t < steps; t++) {
        double loss = 0;
        normals(grad, ens->trained, 9); /* must be overwritten, not added to */
        CHECK_OK(ensemble_loss_grad(ens, 1, x + (size_t)t * rows * D, y + (size_t)t * rows * Y,
                                    (int)rows, &m.tmp, &loss, grad));
        CHECK_NEAR(loss, losses[t], 2e-6, 0);
        if (t == 0) {
            snprintf(prefix, sizeof prefix, "%s.grad", form->kind);
            golden_check_net(g, prefix, &ens->net, 0, grad, 5e-6, 0);
            CHECK_CLOSE(grad + ens->net.count, golden_array(g, 2 * Y, "%s.bounds", prefix), 2 * Y,
                        5e-6, 0);
        }
        adam_step(p, grad, moment[0], moment[1], ens->trained, (double)golden_number(g, "lr"),
                  t + 1);
    }
    for (size_t i = 0; i < ens->trained; i++) {
        start[i] = p[i] - start[i];
    }
    snprintf(prefix, sizeof prefix, "%s.moved", form->kind);
    golden_check_net(g, prefix, &ens->net, 0, start, 2e-5, 0);
    CHECK_CLOSE(start + ens->net.count, golden_array(g, 2 * Y, "%s.bounds", prefix), 2 * Y, 2e-5,
                0);
    for (int l = 0; l <= ens->net.layers; l++) {
        size_t n = 0;
        const float *u = golden_get(g, &n, "%s.u%d", form->kind, l);
        CHECK_CLOSE(spectral_u(ens, 1, l), u, n, 5e-6, 0);
    }
    assert_int_equal(m.tmp.used, 0);
    model_release(&m);
}

static void three_steps_agree_with_pytorch(void **state)
{
    (void)state;
    const Form forms[] = {{"plain", false, false, 1},
                          {"exact1", true, false, 1},
                          {"exact3", true, false, 3},
                          {"bound", true, true, 2}};
    Golden *g = golden_open("ensemble");
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        check_form(g, &forms[i]);
    }
    golden_close(g);
}

enum { ROWS = 6, D = 6, Y = 5, MEMBERS = 3 };

/* Weights, biases, bounds and scales away from their start values, so that nothing is 0 or 1. */
static Model lively_model(EnsembleConfig cfg)
{
    Model m = model_make(&cfg, ROWS);
    Ensemble *ens = &m.ens;
    for (int i = 0; i < cfg.members; i++) {
        float *p = ensemble_member(ens, i);
        float noise[2048];
        assert_true(ens->trained <= 2048);
        normals(noise, ens->trained, 40 + (uint32_t)i);
        for (size_t j = 0; j < ens->trained; j++) {
            p[j] += 0.2F * noise[j];
        }
    }
    normals(ens->in_mean, D, 50);
    normals(ens->out_mean, Y, 51);
    Rng rng = rng_make(6, RNG_TEST, 0, 52);
    rng_fill_uniform(&rng, 0.5F, 2, ens->in_inv, D);
    rng_fill_uniform(&rng, 0.5F, 2, ens->out_std, Y);
    ensemble_freeze(ens);
    return m;
}

/* One member by itself, weights as given: mean and std in the task's units. */
static void member_forward(Model *m, int member, const float *weights, const float *sa, float *mean,
                           float *std)
{
    const Ensemble *ens = &m->ens;
    float x[ROWS * D];
    float out[ROWS * 2 * Y];
    float raw[ROWS * Y];
    float column[3][Y];
    const GaussColumns columns = {column[0], column[1], column[2], ens->out_std};

    for (int i = 0; i < ROWS * D; i++) {
        x[i] = (sa[i] - ens->in_mean[i % D]) * ens->in_inv[i % D];
    }
    mlp_infer(&ens->net, weights, x, ROWS, &m->tmp, out);
    for (int i = 0; i < ROWS * Y; i++) {
        raw[i] = out[i / Y * 2 * Y + Y + i % Y];
    }
    gauss_columns(ensemble_member(ens, member) + ens->net.count, Y, column[0], column[1],
                  column[2]);
    gauss_std(raw, &columns, ROWS, Y, std);
    for (int i = 0; i < ROWS * Y; i++) {
        const int row = i / Y;
        const int j = i % Y;
        mean[i] = out[row * 2 * Y + j] * ens->out_std[j] + ens->out_mean[j];
        mean[i] += j > 0 ? sa[row * D + j - 1] : 0.0F; /* reward first, then s' = s + change */
    }
}

/* Other shapes of products: sums in another order, so 1e-6 and not the same bits. */
static void prediction_is_each_members_own(void **state)
{
    (void)state;
    Model m = lively_model(small_config());
    float sa[ROWS * D];
    float mean[ROWS * MEMBERS * Y];
    float std[ROWS * MEMBERS * Y];
    float want_mean[ROWS * Y];
    float want_std[ROWS * Y];

    normals(sa, ROWS * D, 1);
    ensemble_predict(&m.ens, sa, ROWS, &m.tmp, mean, std);
    for (int i = 0; i < MEMBERS; i++) {
        member_forward(&m, i, ensemble_member(&m.ens, i), sa, want_mean, want_std);
        for (int b = 0; b < ROWS; b++) {
            CHECK_CLOSE(mean + (b * MEMBERS + i) * Y, want_mean + b * Y, Y, 1e-6, 0);
            CHECK_CLOSE(std + (b * MEMBERS + i) * Y, want_std + b * Y, Y, 1e-6, 0);
        }
    }
    assert_int_equal(m.tmp.used, 0);
    model_release(&m);
}

/* Deviations of all members have the same bits whatever else is read; means of drawn rows come from other
 * shapes of products; nobody touches the rest. */
static void what_nobody_reads_is_left_out(void **state)
{
    (void)state;
    enum { N = ROWS * MEMBERS * Y };
    Model m = lively_model(small_config());
    float sa[ROWS * D];
    float mean[N];
    float std[N];
    int32_t drawn[ROWS];

    normals(sa, ROWS * D, 1);
    ensemble_predict(&m.ens, sa, ROWS, &m.tmp, mean, std);
    for (int all = 0; all < 2; all++) { /* rows of several members; then of one, others have none */
        for (int b = 0; b < ROWS; b++) {
            drawn[b] = all == 0 ? b % MEMBERS : MEMBERS - 1;
        }
        for (Predict what = PREDICT_STDS; what <= PREDICT_DRAWN; what++) {
            float some_mean[N];
            float some_std[N];
            memset(some_mean, 0xff, sizeof some_mean); /* NaN */
            memset(some_std, 0xff, sizeof some_std);
            ensemble_predict_what(&m.ens, sa, ROWS, drawn, what, &m.tmp, some_mean, some_std);
            for (int i = 0; i < N; i++) {
                const bool is_drawn = i / Y % MEMBERS == drawn[i / Y / MEMBERS];
                assert_int_equal(isnan(some_mean[i]), !is_drawn);
                assert_int_equal(isnan(some_std[i]), what == PREDICT_DRAWN && !is_drawn);
                if (is_drawn) {
                    CHECK_NEAR(some_mean[i], mean[i], 1e-5, 1e-6);
                    CHECK_NEAR(some_std[i], std[i], 1e-5, 1e-6);
                }
            }
            assert_true(what == PREDICT_DRAWN || memcmp(some_std, std, sizeof std) == 0);
            assert_int_equal(m.tmp.used, 0);
        }
    }
    model_release(&m);
}

/* The mean of (mean - target)^2 in raw units, by the same member's prediction. */
static void holdout_error_is_in_raw_units(void **state)
{
    (void)state;
    Model m = lively_model(small_config());
    const Ensemble *ens = &m.ens;
    float sa[ROWS * D];
    float x[ROWS * D];
    float y[ROWS * Y];
    float mean[ROWS * Y];
    float std[ROWS * Y];
    double want = 0;

    normals(sa, ROWS * D, 1);
    normals(y, ROWS * Y, 2);
    member_forward(&m, 1, ensemble_member(ens, 1), sa, mean, std);
    for (int i = 0; i < ROWS * D; i++) {
        x[i] = (sa[i] - ens->in_mean[i % D]) * ens->in_inv[i % D];
    }
    for (int i = 0; i < ROWS * Y; i++) { /* y is scaled; its raw value is a change of state */
        const int j = i % Y;
        const float raw = y[i] * ens->out_std[j] + ens->out_mean[j];
        const float state_now = j > 0 ? sa[i / Y * D + j - 1] : 0.0F;
        const double off = (double)(mean[i] - state_now - raw);
        want += off * off / (ROWS * Y);
    }
    CHECK_NEAR(ensemble_mse(ens, 1, x, y, ROWS, &m.tmp), want, 1e-5, 0);
    assert_int_equal(m.tmp.used, 0);
    model_release(&m);
}

/* The weights that prediction uses have largest singular value c on the way to the mean; the raw half
 * of the head and all biases are untouched. 1000 iterations stand for an SVD, which
 * test_gauss_spectral.c compares them with. */
static void check_norms(bool bound, float c)
{
    EnsembleConfig cfg = small_config();
    cfg.spectral_norm = true;
    cfg.spectral_is_bound = bound;
    cfg.spectral_c = c;
    Model m = lively_model(cfg);
    const Ensemble *ens = &m.ens;

    for (int i = 0; i < cfg.members; i++) {
        const float *raw = ensemble_member(ens, i);
        for (int l = 0; l <= cfg.layers; l++) {
            const MlpMatrix from = mlp_matrix(&ens->net, l, 0);
            const MlpMatrix to = mlp_matrix(&ens->joint, l, i);
            const int n = l == cfg.layers ? Y : from.cols;
            const SpectralShape before = {from.rows, n, from.ld};
            const SpectralShape after = {to.rows, n, to.ld};
            float u[32];
            float v[32];
            normals(u, 32, 60);
            const double was = (double)spectral_sigma(&before, raw + from.at, u, v, 1000);
            const double is = (double)spectral_sigma(&after, ens->frozen + to.at, u, v, 1000);
            CHECK_NEAR(is, bound ? fmin(was, (double)c) : (double)c, 1e-5, 0);
            for (int r = 0; r < from.rows; r++) {
                for (int k = n; k < from.cols; k++) {
                    assert_true(ens->frozen[to.at + (size_t)(r * to.ld + k)] ==
                                raw[from.at + (size_t)(r * from.ld + k)]);
                }
            }
            assert_memory_equal(ens->frozen + to.bias, raw + from.bias,
                                (size_t)from.cols * sizeof(float));
        }
    }
    model_release(&m);
}

static void used_weights_have_the_wanted_norm(void **state)
{
    (void)state;
    check_norms(false, 1);
    check_norms(false, 3);
    check_norms(true, 1.5F);
}

/* Using a model must not change it: the member's own u stays for training to go on with. */
static void use_leaves_the_state_alone(void **state)
{
    (void)state;
    EnsembleConfig cfg = small_config();
    cfg.spectral_norm = true;
    Model m = lively_model(cfg);
    Slab slabs[ENSEMBLE_SLABS_MAX];
    char digest[2][SLAB_DIGEST_MAX];
    float x[ROWS * D];
    float mean[ROWS * MEMBERS * Y];
    float std[ROWS * MEMBERS * Y];
    const int n = ensemble_slabs(&m.ens, slabs);

    normals(x, ROWS * D, 1);
    slab_digest(slabs, n, digest[0]);
    ensemble_freeze(&m.ens);
    ensemble_mse(&m.ens, 0, x, mean, ROWS, &m.tmp);
    ensemble_predict(&m.ens, x, ROWS, &m.tmp, mean, std);
    slab_digest(slabs, n, digest[1]);
    assert_string_equal(digest[0], digest[1]);
    model_release(&m);
}

static void check_elites(const double *errors, int members, const int64_t *want)
{
    EnsembleConfig cfg = small_config();
    cfg.members = members;
    Model m = model_make(&cfg, 1);
    memcpy(m.ens.holdout, errors, (size_t)members * sizeof *errors);
    for (int again = 0; again < 2; again++) {
        ensemble_choose_elites(&m.ens);
        assert_memory_equal(m.ens.elite, want, (size_t)members * sizeof *want);
    }
    model_release(&m);
}

static void elites_are_the_lowest_errors(void **state)
{
    (void)state;
    const double lost = (double)NAN;
    check_elites((const double[]){3, 1, 2}, 3, (const int64_t[]){1, 2, 0});
    check_elites((const double[]){2, 1, 2, 1, 2}, 5, (const int64_t[]){1, 3, 0, 2, 4}); /* ties */
    check_elites((const double[]){lost, 5, (double)INFINITY, 4, lost}, 5,
                 (const int64_t[]){3, 1, 2, 0, 4}); /* a lost member is never an elite by chance */
    check_elites((const double[]){1, lost, 0}, 3, (const int64_t[]){2, 0, 1});
    check_elites((const double[]){lost, lost}, 2, (const int64_t[]){0, 1});
}

static void start_values_are_those_of_the_paper(void **state)
{
    (void)state;
    EnsembleConfig cfg = small_config();
    cfg.state_dim = 17;
    cfg.act_dim = 6;
    cfg.hidden = 200;
    cfg.layers = 4;
    cfg.members = 2;
    Model m = model_make(&cfg, 1);
    const Ensemble *ens = &m.ens;

    assert_int_equal(ens->net.count, 132636);
    assert_int_equal(ens->trained, 132636 + 2 * 18);
    for (int i = 0; i < 2; i++) {
        const float *bounds = ensemble_member(ens, i) + ens->net.count;
        for (int j = 0; j < 18; j++) {
            assert_true(bounds[j] == 0.5F && bounds[18 + j] == -10.0F);
        }
        for (int l = 0; l <= 4; l++) {
            const float *u = spectral_u(ens, i, l);
            double norm = 0;
            for (int j = 0; j < (l < 4 ? 200 : 18); j++) {
                norm += (double)u[j] * (double)u[j];
            }
            CHECK_NEAR(norm, 1, 1e-6, 0);
        }
    }
    /* members differ */
    assert_memory_not_equal(ensemble_member(ens, 0), ensemble_member(ens, 1), 400);
    model_release(&m);
}

static void bad_settings_and_refused_memory_are_clean(void **state)
{
    (void)state;
    const int64_t before = mem_count();
    Ensemble ens;

    for (int k = 1; k <= 3; k++) {
        const EnsembleConfig cfg = small_config();
        mem_fail_at(k);
        assert_int_equal(ensemble_init(&ens, &cfg, 0), ERR_NOMEM);
        ensemble_release(&ens);
    }
    mem_fail_at(0);
    for (int k = 0; k < 5; k++) {
        EnsembleConfig cfg = small_config();
        cfg.members = k == 0 ? 0 : k == 1 ? ENSEMBLE_MAX + 1 : cfg.members;
        cfg.elites = k == 2 ? cfg.members + 1 : cfg.elites;
        cfg.state_dim = k == 3 ? ENSEMBLE_DIM_MAX : k == 4 ? 0 : cfg.state_dim;
        assert_int_equal(ensemble_init(&ens, &cfg, 0), ERR_ARG);
        assert_true(strlen(status_reason()) > 20);
        ensemble_release(&ens);
    }
    assert_int_equal(mem_count(), before);
}

static void a_loss_that_is_not_finite_is_an_error(void **state)
{
    (void)state;
    Model m = lively_model(small_config());
    float x[ROWS * D];
    float y[ROWS * Y];
    float grad[2048];
    double loss = 0;

    normals(x, ROWS * D, 1);
    normals(y, ROWS * Y, 2);
    y[ROWS * Y - 1] = NAN;
    assert_int_equal(ensemble_loss_grad(&m.ens, 2, x, y, ROWS, &m.tmp, &loss, grad), ERR_NUMERIC);
    assert_non_null(strstr(status_reason(), "member 2"));
    y[ROWS * Y - 1] = 0;
    x[0] = INFINITY;
    assert_int_equal(ensemble_loss_grad(&m.ens, 2, x, y, ROWS, &m.tmp, &loss, grad), ERR_NUMERIC);
    assert_int_equal(m.tmp.used, 0);
    model_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_steps_agree_with_pytorch),
        cmocka_unit_test(prediction_is_each_members_own),
        cmocka_unit_test(what_nobody_reads_is_left_out),
        cmocka_unit_test(holdout_error_is_in_raw_units),
        cmocka_unit_test(used_weights_have_the_wanted_norm),
        cmocka_unit_test(use_leaves_the_state_alone),
        cmocka_unit_test(elites_are_the_lowest_errors),
        cmocka_unit_test(start_values_are_those_of_the_paper),
        cmocka_unit_test(bad_settings_and_refused_memory_are_clean),
        cmocka_unit_test(a_loss_that_is_not_finite_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
