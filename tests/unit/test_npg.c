/* npg: advantages by hand, products with the Fisher matrix and updates against PyTorch, conjugate
 * gradients on a known system, rows in pieces, sums over shards on several owners. */
#include "support/check.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "data/record.h"
#include "env/env.h"
#include "nn/conjugate.h"
#include "policy/npg.h"
#include "support/golden_agents.h"

static Problem clone_problem(void)
{
    Problem p = problem_open("npg_clone", "npg");
    p.prepare = true;
    p.cfg.npg.hidden = (int)problem_setting(&p, "npg.hidden");
    p.cfg.npg.value_hidden = (int)problem_setting(&p, "npg.value_hidden");
    p.cfg.npg.clone_lr = (double)problem_setting(&p, "npg.clone_lr");
    p.cfg.npg.clone_updates = p.updates;
    p.cfg.npg.log_std_min = -1;
    p.cfg.npg.log_std_max = 1;
    p.cfg.npg.value_batch = 1;
    return p;
}

static Problem update_problem(void)
{
    Problem p = problem_open("npg", "npg");
    AgentConfig *c = &p.cfg;

    p.other_steps = true;
    c->gamma = problem_setting(&p, "gamma");
    c->reward_scale = problem_setting(&p, "reward_scale");
    c->npg.hidden = (int)problem_setting(&p, "npg.hidden");
    c->npg.value_hidden = (int)problem_setting(&p, "npg.value_hidden");
    c->npg.step_size = (double)problem_setting(&p, "npg.step_size");
    c->npg.kl_max = problem_setting(&p, "npg.kl_max");
    c->npg.damping = (double)problem_setting(&p, "npg.damping");
    c->npg.cg_iterations = (int)problem_setting(&p, "npg.cg_iterations");
    c->npg.gae_lambda = (double)problem_setting(&p, "npg.gae_lambda");
    c->npg.value_lr = (double)problem_setting(&p, "npg.value_lr");
    c->npg.value_batch = (int)problem_setting(&p, "npg.value_batch");
    c->npg.value_passes = (int)problem_setting(&p, "npg.value_passes");
    c->npg.log_std_min = problem_setting(&p, "npg.log_std_min");
    c->npg.log_std_max = problem_setting(&p, "npg.log_std_max");
    return p;
}

/* Three steps, gamma lambda = 1/4: once HALT comes after them, once the horizon. */
static void advantages_are_those_worked_out_by_hand(void **state)
{
    (void)state;
    const float r[] = {1, 2, 3, 1, 2, 3};
    const float cont[] = {1, 1, 0, 1, 1, 1};
    const float value[] = {4, 6, 8, 4, 6, 8};
    const float after[] = {0, 0, 100, 0, 0, 10}; /* behind HALT nothing counts */
    const uint8_t last[] = {0, 0, 1, 0, 0, 1};
    const Gae in = {r, cont, value, after, last, 6, 0.5, 0.5};
    /* delta: 1 + 3 - 4, 2 + 4 - 6, 3 - 8 = 0, 0, -5; with 10 behind: 0, 0, 3 + 5 - 8 = 0 */
    const float adv[] = {-0.3125F, -1.25F, -5, 0, 0, 0};
    /* 3, 2 + 1.5, 1 + 1.75; with 10 behind: 8, 6, 4 */
    const float ret[] = {2.75F, 3.5F, 3, 4, 6, 8};
    float got[2][6];

    npg_gae(&in, got[0], got[1]);
    CHECK_CLOSE(got[0], adv, 6, 0, 0);
    CHECK_CLOSE(got[1], ret, 6, 0, 0);
}

static void trajectories_end_where_the_next_state_is_another(void **state)
{
    (void)state;
    const Agent agent = {.cfg = {.state_dim = 1, .act_dim = 1}};
    const float rows[] = {
        1, 0, 0, 2, 1, /* goes on */
        2, 0, 0, 3, 0, /* ended, though the next one begins there */
        3, 0, 0, 4, 1, /* cut */
        5, 0, 0, 6, 1, /* the last one */
    };
    uint8_t last[4];

    npg_find_ends(&agent, &(Batch){rows, 4}, last);
    assert_true(last[0] == 0 && last[1] == 1 && last[2] == 1 && last[3] == 1);
}

static Status times_matrix(void *ctx, const float *v, float *out)
{
    const float *m = ctx;
    for (int i = 0; i < 3; i++) {
        out[i] = m[3 * i] * v[0] + m[3 * i + 1] * v[1] + m[3 * i + 2] * v[2];
    }
    return OK;
}

static void conjugate_gradients_solve_a_known_system(void **state)
{
    (void)state;
    float m[] = {4, 1, 0, 1, 3, -1, 0, -1, 2};
    const float b[] = {6, 4, 4};
    const float want[] = {1, 2, 3};
    float x[3];
    Arena tmp;

    CHECK_OK(arena_init(&tmp, conjugate_cost(3)));
    CHECK_OK(conjugate_gradients(times_matrix, m, b, 3, 3, &tmp, x));
    CHECK_CLOSE(x, want, 3, 1e-5, 0);
    CHECK_OK(conjugate_gradients(times_matrix, m, b, 3, 100, &tmp, x)); /* stops by itself */
    CHECK_CLOSE(x, want, 3, 1e-5, 0);
    const float zero[3] = {0};
    CHECK_OK(conjugate_gradients(times_matrix, m, zero, 3, 5, &tmp, x));
    CHECK_CLOSE(x, zero, 3, 0, 0);
    assert_int_equal(tmp.used, 0);
    arena_release(&tmp);
}

/* Of a network of two groups with each activation; a central difference, whose own error is h^2. */
static void tangent_is_the_slope_of_the_outputs(void **state)
{
    (void)state;
    enum { B = 5, IN = 3, OUT = 2, G = 2 };
    const double h = 1e-2;
    const Act acts[] = {ACT_SILU, ACT_TANH};

    for (int k = 0; k < 2; k++) {
        const Mlp net = mlp_make(IN, 6, 3, OUT, G, acts[k]);
        float *p = NULL;
        float x[B * IN];
        float y[3][B * G * OUT];
        Arena tmp;
        Rng rng = rng_make(1, RNG_TEST, 0, (uint32_t)k);

        CHECK_OK(mem_alloc(&p, 3 * net.count, sizeof *p, "test"));
        CHECK_OK(arena_init(&tmp, mlp_tape_cost(&net, B) + mlp_backward_cost(&net, B)));
        rng_fill_normal(&rng, x, B * IN);
        mlp_init_linear(&net, p, &rng);
        rng_fill_normal(&rng, p + net.count, net.count);
        MlpTape tape = mlp_tape(&net, B, &tmp);
        for (int side = 0; side < 2; side++) {
            for (size_t i = 0; i < net.count; i++) {
                p[2 * net.count + i] = p[i] + (float)(side == 0 ? h : -h) * p[net.count + i];
            }
            mlp_forward(&net, p + 2 * net.count, x, B, &tape, y[side]);
        }
        mlp_forward(&net, p, x, B, &tape, y[2]);
        mlp_tangent(&net, p, p + net.count, x, B, &tape, y[2], &tmp);
        for (int i = 0; i < B * G * OUT; i++) {
            CHECK_NEAR(y[2][i], ((double)y[0][i] - (double)y[1][i]) / (2 * h), 2e-3, 2e-3);
        }
        arena_release(&tmp);
        mem_free(&p);
    }
}

/* Advantages, gradient, Fisher product and solution of the first update; tolerances: float32 sums. */
static void the_parts_agree_with_pytorch(void **state)
{
    (void)state;
    Problem p = update_problem();
    Bench b = problem_bench(&p, SHARDS_MAX);
    Agent *agent = &b.agent;
    const Reduce reduce = reduce_local(SHARDS_MAX);
    const size_t n = agent->actor.count;
    const size_t rows = (size_t)p.rows;
    Batch batches[SHARDS_MAX];
    float stats[STAT_COUNT];

    problem_batches(&p, 0, batches);
    NpgPhase phase = npg_phase(agent, batches, p.rows, &reduce, p.seed, &b.tmp);
    float *v = arena_floats(&b.tmp, n);
    float *g = arena_floats(&b.tmp, n);
    float *x = arena_floats(&b.tmp, n);
    CHECK_OK(npg_advantages(&phase, stats));
    CHECK_CLOSE(phase.adv, golden_array(p.g, rows, "adv"), rows, 2e-5, 0);
    CHECK_CLOSE(phase.ret, golden_array(p.g, rows, "ret"), rows, 2e-6, 0);
    CHECK_OK(npg_gradient(&phase, g));
    golden_check_net(p.g, "g.actor", &agent->actor, 0, g, 5e-6, 0);
    golden_load_net(p.g, "v.actor", &agent->actor, 0, v);
    CHECK_OK(npg_fisher(&phase, v, x));
    golden_check_net(p.g, "fisher.actor", &agent->actor, 0, x, 5e-6, 0);
    CHECK_OK(conjugate_gradients(npg_fisher, &phase, g, n, p.cfg.npg.cg_iterations, &b.tmp, x));
    golden_check_net(p.g, "x.actor", &agent->actor, 0, x, 2e-5, 0);
    arena_reset(&b.tmp, 0);
    bench_release(&b);
    problem_close(&p);
}

static void three_updates_agree_with_pytorch(void **state)
{
    (void)state;
    Problem p = update_problem();
    problem_agrees(&p, 1e-5, 2e-5);
    problem_close(&p);
    p = clone_problem();
    problem_agrees(&p, 5e-6, 2e-5);
    problem_close(&p);
}

static void two_owners_get_the_bits_of_one(void **state)
{
    (void)state;
    Problem p = update_problem();
    problem_on_two_owners(&p);
    problem_close(&p);
    p = clone_problem();
    problem_on_two_owners(&p);
    problem_close(&p);
}

/* As many rows as take three pieces, against the same rows in four shards of one piece each. The
 * trajectories are of one row, so that no cut changes them. */
static void pieces_add_up(void **state)
{
    (void)state;
    enum { ROWS = 2 * NPG_CHUNK + 400 };
    const AgentConfig cfg = bench_config();
    const size_t stride = record_make(cfg.state_dim, cfg.act_dim).stride;
    const AgentKind *kind = agent_find("npg");
    Bench one = bench_init(kind, &cfg, 1, ROWS);
    Bench four = bench_init(kind, &cfg, 4, ROWS / 4);
    const Reduce alone = reduce_local(1);
    const Reduce shared = reduce_local(4);
    const size_t n = one.agent.actor.count;
    float *rows = NULL;
    float *got[2] = {NULL, NULL};
    float stats[STAT_COUNT];
    Batch quarters[4];
    Rng rng = rng_make(3, RNG_TEST, 0, 0);

    CHECK_OK(mem_alloc(&rows, ROWS * stride, sizeof *rows, "test"));
    rng_fill_normal(&rng, rows, ROWS * stride);
    for (int i = 0; i < 4; i++) {
        quarters[i] = (Batch){rows + (size_t)(i * ROWS / 4) * stride, ROWS / 4};
    }
    NpgPhase whole = npg_phase(&one.agent, &(Batch){rows, ROWS}, ROWS, &alone, 1, &one.tmp);
    NpgPhase parts = npg_phase(&four.agent, quarters, ROWS, &shared, 1, &four.tmp);
    got[0] = arena_floats(&one.tmp, n);
    got[1] = arena_floats(&four.tmp, n);
    CHECK_OK(npg_advantages(&whole, stats));
    CHECK_OK(npg_advantages(&parts, stats));
    CHECK_CLOSE(whole.adv, parts.adv, ROWS, 1e-5, 0);
    CHECK_OK(npg_gradient(&whole, got[0]));
    CHECK_OK(npg_gradient(&parts, got[1]));
    CHECK_CLOSE(got[0], got[1], n, 1e-5, 0);
    CHECK_OK(npg_fisher(&whole, agent_actor(&one.agent), got[0]));
    CHECK_OK(npg_fisher(&parts, agent_actor(&four.agent), got[1]));
    CHECK_CLOSE(got[0], got[1], n, 1e-5, 0);
    mem_free(&rows);
    bench_release(&one);
    bench_release(&four);
}

/* Without damping x^T F x = g^T x holds for every number of conjugate gradient steps, so the KL is half of
 * the step size to second order; what is left over is of third order, and not small where F is flat. */
static void a_step_is_as_long_as_asked(void **state)
{
    (void)state;
    enum { ROWS = 600 };
    AgentConfig cfg = bench_config();
    const size_t stride = record_make(cfg.state_dim, cfg.act_dim).stride;
    float *rows = NULL;
    float stats[STAT_COUNT];
    Rng rng = rng_make(4, RNG_TEST, 0, 0);

    cfg.npg.step_size = 2e-4;
    cfg.npg.damping = 0;
    cfg.npg.kl_max = 0;
    Bench b = bench_init(agent_find("npg"), &cfg, 1, ROWS);
    const Reduce reduce = reduce_local(1);
    CHECK_OK(mem_alloc(&rows, ROWS * stride, sizeof *rows, "test"));
    for (int k = 0; k < 5; k++) {
        rng_fill_normal(&rng, rows, ROWS * stride);
        CHECK_OK(
            b.agent.kind->update(&b.agent, &(Batch){rows, ROWS}, ROWS, &reduce, 1, &b.tmp, stats));
        CHECK_NEAR(stats[STAT_DIVERGENCE], 1e-4, 0.3, 0);
        assert_true(stats[STAT_ACTOR_LOSS] < 0);
    }
    assert_int_equal(b.agent.updates, 5);
    assert_int_equal(b.agent.steps, 5 * ROWS / 8);
    b.agent.cfg.npg.kl_max = 2e-6F; /* four halvings, each a quarter of the KL */
    CHECK_OK(b.agent.kind->update(&b.agent, &(Batch){rows, ROWS}, ROWS, &reduce, 1, &b.tmp, stats));
    assert_true(stats[STAT_DIVERGENCE] <= 2e-6F && stats[STAT_DIVERGENCE] > 2e-7F);
    mem_free(&rows);
    bench_release(&b);
}

/* Rows of `n` trajectories of the true task; returns the mean return. explores: sampled actions. */
static double play(Bench *b, Env *env, const EnvKind *task, int n, uint64_t epoch, bool explores,
                   float *rows, int *count)
{
    const Record rec = record_make(task->state_dim, task->act_dim);
    double sum = 0;

    *count = 0;
    for (int k = 0; k < n; k++) {
        Rng start = rng_make(7, RNG_TEST, epoch, (uint32_t)k);
        EnvStep out = {0};
        CHECK_OK(task->reset(env, &start));
        for (int t = 0; t < 50 && !out.terminal; t++) {
            float *row = rows + (size_t)(*count)++ * rec.stride;
            float eps[2];
            rng_fill_normal(&start, eps, 2);
            task->observe(env, row);
            agent_act(&b->agent, agent_actor(&b->agent), row, explores ? eps : NULL, 1, &b->tmp,
                      row + rec.a);
            CHECK_OK(task->step(env, row + rec.a, &out));
            task->observe(env, row + rec.s2);
            row[rec.r] = out.reward;
            row[rec.cont] = out.terminal ? 0 : 1;
            sum += (double)out.reward / n;
        }
    }
    return sum;
}

/* On pointmass itself, 50 steps of at most 1; starts away from the origin leave less. */
static void it_learns_a_task_of_many_steps(void **state)
{
    (void)state;
    enum { N = 40, ROWS = N * 50 };
    const EnvKind *task = env_find("pointmass");
    const Reduce reduce = reduce_local(1);
    AgentConfig cfg = bench_config();
    Env *env = NULL;
    float *rows = NULL;
    int count = 0;

    cfg.state_dim = task->state_dim;
    cfg.act_dim = task->act_dim;
    cfg.gamma = 0.97F;
    cfg.npg.hidden = cfg.npg.value_hidden = 32;
    cfg.npg.value_batch = 64;
    cfg.npg.step_size = 0.05;
    cfg.npg.value_lr = 3e-3;
    cfg.npg.log_std_min = -2;
    Bench b = bench_init(agent_find("npg"), &cfg, 1, ROWS);
    CHECK_OK(task->open(&env, task));
    CHECK_OK(mem_alloc(&rows, ROWS * record_make(4, 2).stride, sizeof *rows, "test"));
    const double before = play(&b, env, task, N, 0, false, rows, &count);
    for (uint64_t k = 1; k <= 60; k++) {
        float stats[STAT_COUNT];
        (void)play(&b, env, task, N, k, true, rows, &count);
        CHECK_OK(b.agent.kind->update(&b.agent, &(Batch){rows, count}, count, &reduce, 1, &b.tmp,
                                      stats));
    }
    const double after = play(&b, env, task, N, 0, false, rows, &count);
    print_message("pointmass, 50 steps: return %.1f, then %.1f\n", before, after);
    assert_true(before < 30);
    assert_true(after > 42);
    task->close(env);
    mem_free(&rows);
    bench_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(advantages_are_those_worked_out_by_hand),
        cmocka_unit_test(trajectories_end_where_the_next_state_is_another),
        cmocka_unit_test(conjugate_gradients_solve_a_known_system),
        cmocka_unit_test(tangent_is_the_slope_of_the_outputs),
        cmocka_unit_test(the_parts_agree_with_pytorch),
        cmocka_unit_test(three_updates_agree_with_pytorch),
        cmocka_unit_test(two_owners_get_the_bits_of_one),
        cmocka_unit_test(pieces_add_up),
        cmocka_unit_test(a_step_is_as_long_as_asked),
        cmocka_unit_test(it_learns_a_task_of_many_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
