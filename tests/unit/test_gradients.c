/* Hand-written gradients against central differences of the loss, one random direction per tensor (one
 * for all of them would hide a wrong bias gradient).
 * Steps and tolerances were measured in float32: SiLU networks step 0.03, error 1e-4 of the tensor's
 * gradient norm; ReLU networks, which have kinks, step 1e-3 and 5e-3. A third of the step for tensors
 * of few numbers: it moves each of them further. */
#include "support/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "model/ensemble.h"
#include "nn/spectral.h"
#include "nn/vec.h"
#include "policy/agent.h"

/* A loss as a function of the floats that are moved. */
typedef struct {
    double (*loss)(void *ctx);
    void *ctx;
} Loss;

/* `grad` (n) is dLoss/dp. */
static void check_tensor(const Loss *f, float *p, const float *grad, size_t n, double most,
                         double rel, uint32_t item, const char *what)
{
    float *start = NULL;
    float *way = NULL;
    const double step = n < 20 ? most / 3 : most;
    double side[2];
    double along = 0;
    Rng rng = rng_make(8, RNG_TEST, 0, item);

    CHECK_OK(mem_alloc(&start, n, sizeof *start, what));
    CHECK_OK(mem_alloc(&way, n, sizeof *way, what));
    memcpy(start, p, n * sizeof *p);
    rng_fill_normal(&rng, way, n);
    const double norm = sqrt(vec_dot(way, way, n));
    for (int k = 0; k < 2; k++) {
        const double h = k == 0 ? -step : step;
        for (size_t i = 0; i < n; i++) {
            p[i] = (float)((double)start[i] + h * (double)way[i] / norm);
        }
        side[k] = f->loss(f->ctx);
    }
    memcpy(p, start, n * sizeof *p);
    for (size_t i = 0; i < n; i++) {
        along += (double)grad[i] * (double)way[i] / norm;
    }
    const double size = sqrt(vec_dot(grad, grad, n));
    assert_true(size > 0);
    check_near((side[1] - side[0]) / (2 * step) / size, along / size, 0, rel, what, __FILE__,
               __LINE__);
    mem_free(&start);
    mem_free(&way);
}

static void check_net(const Loss *f, const Mlp *net, float *params, const float *grad, double step,
                      double rel, const char *of)
{
    char what[64];
    for (int l = 0; l <= net->layers; l++) {
        const size_t weights = net->b[l] - net->w[l];
        const size_t biases = (l < net->layers ? net->w[l + 1] : net->count) - net->b[l];
        snprintf(what, sizeof what, "%s W%d", of, l);
        check_tensor(f, params + net->w[l], grad + net->w[l], weights, step, rel, (uint32_t)l,
                     what);
        snprintf(what, sizeof what, "%s b%d", of, l);
        check_tensor(f, params + net->b[l], grad + net->b[l], biases, step, rel, 100 + (uint32_t)l,
                     what);
    }
}

enum { S = 5, A = 3, ROWS = 64 };

typedef struct {
    Ensemble ens;
    Arena tmp;
    float x[ROWS * (S + A)], y[ROWS * (S + 1)];
    float *grad;
    float u[256]; /* spectral vectors to start each evaluation from */
} Member;

static size_t spectral_size(const Ensemble *ens)
{
    return (size_t)ens->cfg.layers * (size_t)ens->cfg.hidden + S + 1;
}

static double member_loss(void *ctx)
{
    Member *m = ctx;
    double loss = 0;
    memcpy(ensemble_member(&m->ens, 0) + m->ens.trained, m->u,
           spectral_size(&m->ens) * sizeof(float));
    CHECK_OK(ensemble_loss_grad(&m->ens, 0, m->x, m->y, ROWS, &m->tmp, &loss, m->grad));
    return loss;
}

/* The gradient takes u and v as constants, while the difference of losses moves them; at the singular
 * vectors themselves sigma does not depend on them to first order, so start from those. */
static void settle(Member *m)
{
    float *u = ensemble_member(&m->ens, 0) + m->ens.trained;
    float v[64];
    for (int l = 0; l <= m->ens.net.layers; l++) {
        const MlpMatrix w = mlp_matrix(&m->ens.net, l, 0);
        const SpectralShape shape = {w.rows, l < m->ens.net.layers ? w.cols : S + 1, w.ld};
        spectral_sigma(&shape, ensemble_member(&m->ens, 0) + w.at,
                       u + (size_t)l * (size_t)m->ens.cfg.hidden, v, 1000);
    }
    memcpy(m->u, u, spectral_size(&m->ens) * sizeof *u);
}

static void check_member(bool spectral, bool bound, float c, const char *what)
{
    const EnsembleConfig cfg = {.members = 1,
                                .elites = 1,
                                .state_dim = S,
                                .act_dim = A,
                                .hidden = 32,
                                .layers = 4,
                                .spectral_norm = spectral,
                                .spectral_is_bound = bound,
                                .spectral_c = c,
                                .logvar_max = 0.5F,
                                .logvar_min = -3,
                                .logvar_reg = 0.01F,
                                .decay_first = 0.02F,
                                .decay_second = 0.03F,
                                .decay_hidden = 0.04F,
                                .decay_head = 0.05F};
    static Member m;
    float *grad = NULL;
    char text[64];
    const Loss f = {member_loss, &m};
    const size_t Y = S + 1;
    Rng rng = rng_make(8, RNG_TEST, 1, 0);

    memset(&m, 0, sizeof m);
    CHECK_OK(ensemble_init(&m.ens, &cfg, 4));
    CHECK_OK(arena_init(&m.tmp, ensemble_loss_cost(&m.ens, ROWS)));
    CHECK_OK(mem_alloc(&m.grad, m.ens.trained, sizeof(float), "gradient"));
    CHECK_OK(mem_alloc(&grad, m.ens.trained, sizeof *grad, "gradient"));
    assert_true(spectral_size(&m.ens) <= 256);
    rng_fill_normal(&rng, m.x, ROWS * (S + A));
    rng_fill_normal(&rng, m.y, ROWS * Y);
    float *p = ensemble_member(&m.ens, 0);
    for (size_t i = 0; i < m.ens.net.count; i++) {
        p[i] += 0.1F * (float)rng_normal(&rng);
    }
    settle(&m);
    member_loss(&m);
    memcpy(grad, m.grad, m.ens.trained * sizeof *grad);

    check_net(&f, &m.ens.net, p, grad, 0.03, 1e-4, what);
    const size_t at = m.ens.net.count;
    snprintf(text, sizeof text, "%s upper bounds", what);
    check_tensor(&f, p + at, grad + at, Y, 0.03, 1e-4, 200, text);
    snprintf(text, sizeof text, "%s lower bounds", what);
    check_tensor(&f, p + at + Y, grad + at + Y, Y, 0.03, 1e-4, 201, text);
    mem_free(&grad);
    mem_free(&m.grad);
    arena_release(&m.tmp);
    ensemble_release(&m.ens);
}

static void ensemble_gradient_is_the_slope_of_the_loss(void **state)
{
    (void)state;
    check_member(false, false, 1, "plain");
    check_member(true, false, 1, "spectral c 1");
    check_member(true, false, 2, "spectral c 2");
    check_member(true, true, 1.2F, "spectral bound");
}

/* An agent whose update stops before it changes anything: losses and gradients alone. */
typedef struct {
    Agent agent;
    Arena tmp;
    Batch batch;
    AgentStat stat; /* the loss in question */
    double factor;
} Probe;

static Status refuse(const Reduce *reduce, float *rows, size_t stride, size_t n)
{
    (void)reduce;
    (void)rows;
    (void)stride;
    (void)n;
    return status_fail(ERR_MPI, "only looking");
}

static double probe_loss(void *ctx)
{
    Probe *p = ctx;
    const Reduce reduce = {.shards = 1, .first = 0, .count = 1, .sum = refuse, .ctx = NULL};
    float stats[STAT_COUNT];
    const Status st =
        p->agent.kind->update(&p->agent, &p->batch, p->batch.rows, &reduce, 3, &p->tmp, stats);
    assert_int_equal(st, ERR_MPI);
    return p->factor * (double)p->agent.grads[p->agent.trained + (size_t)p->stat];
}

/* Each loss moves its own part alone: what the other parts contribute is constant to it. */
static void sac_gradients_are_the_slopes_of_the_losses(void **state)
{
    (void)state;
    const AgentConfig cfg = {.state_dim = S,
                             .act_dim = A,
                             .hidden = 32,
                             .layers = 2,
                             .alpha = 0.7,
                             .target_entropy = -3,
                             .gamma = 0.9F,
                             .reward_scale = 1.5F,
                             .log_std_min = -5,
                             .log_std_max = 2};
    Probe p = {0};
    float records[ROWS * (2 * S + A + 2)];
    float *grad = NULL;
    const Loss f = {probe_loss, &p};
    Rng rng = rng_make(8, RNG_TEST, 2, 0);

    CHECK_OK(agent_init(&p.agent, agent_find("sac"), &cfg, 1, 2));
    CHECK_OK(arena_init(&p.tmp, p.agent.kind->update_cost(&p.agent, ROWS)));
    CHECK_OK(mem_alloc(&grad, p.agent.trained, sizeof *grad, "gradient"));
    rng_fill_uniform(&rng, -1, 1, records, ROWS * (2 * S + A + 2));
    p.batch = (Batch){records, ROWS};
    for (size_t i = 0; i < p.agent.at_alpha; i++) { /* biases too, and twins that differ */
        p.agent.params[i] += 0.1F * (float)rng_normal(&rng);
    }
    probe_loss(&p);
    memcpy(grad, p.agent.grads, p.agent.trained * sizeof *grad);

    p.stat = STAT_CRITIC_LOSS; /* the mean of both critics; each steps along its own loss */
    p.factor = 2;
    const size_t q = p.agent.at_critic;
    check_net(&f, &p.agent.critic, p.agent.params + q, grad + q, 1e-3, 5e-3, "critics");
    p.stat = STAT_ACTOR_LOSS;
    p.factor = 1;
    check_net(&f, &p.agent.actor, agent_actor(&p.agent), grad + p.agent.at_actor, 1e-3, 5e-3,
              "actor");
    p.stat = STAT_ALPHA_LOSS; /* linear in log alpha: any step will do */
    check_tensor(&f, p.agent.params + p.agent.at_alpha, grad + p.agent.at_alpha, 1, 0.1, 1e-5, 0,
                 "log alpha");
    mem_free(&grad);
    arena_release(&p.tmp);
    agent_release(&p.agent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ensemble_gradient_is_the_slope_of_the_loss),
        cmocka_unit_test(sac_gradients_are_the_slopes_of_the_losses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
