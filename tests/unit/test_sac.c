/* SAC: three updates against PyTorch, sums over shards on several owners, the temperature. */
#include "support/check.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "data/record.h"
#include "support/agents.h"
#include "support/golden.h"

enum { SHARDS_MAX = 4 };

/* The golden problem. */
typedef struct {
    Golden *g;
    AgentConfig cfg;
    int shards[SHARDS_MAX]; /* rows */
    int rows, updates;
    size_t stride;
    const float *batches; /* (updates, rows, stride) */
    uint64_t seed;
} Problem;

static Problem problem_open(void)
{
    Problem p = {.g = golden_open("sac")};
    const float *sizes = golden_array(p.g, 5, "sizes");
    const float *rates = golden_array(p.g, 3, "rates");
    const float *set = golden_array(p.g, 7, "settings");
    const float *shards = golden_array(p.g, SHARDS_MAX, "shards");

    p.cfg = (AgentConfig){.state_dim = (int)sizes[0],
                          .act_dim = (int)sizes[1],
                          .hidden = (int)sizes[2],
                          .layers = (int)sizes[3],
                          .actor_lr = (double)rates[0],
                          .critic_lr = (double)rates[1],
                          .alpha_lr = (double)rates[2],
                          .gamma = set[0],
                          .tau = set[1],
                          .reward_scale = set[2],
                          .target_entropy = set[3],
                          .alpha = (double)set[4],
                          .log_std_min = set[5],
                          .log_std_max = set[6]};
    p.updates = (int)sizes[4];
    for (int i = 0; i < SHARDS_MAX; i++) {
        p.shards[i] = (int)shards[i];
        p.rows += p.shards[i];
    }
    p.stride = record_make(p.cfg.state_dim, p.cfg.act_dim).stride;
    p.batches = golden_array(p.g, (size_t)(p.updates * p.rows) * p.stride, "batches");
    p.seed = (uint64_t)golden_number(p.g, "seed");
    return p;
}

static void problem_batches(const Problem *p, int update, Batch out[SHARDS_MAX])
{
    const float *rows = p->batches + (size_t)(update * p->rows) * p->stride;
    for (int i = 0; i < SHARDS_MAX; i++) {
        out[i] = (Batch){rows, p->shards[i]};
        rows += (size_t)p->shards[i] * p->stride;
    }
}

static void load_agent(const Golden *g, Agent *agent)
{
    golden_load_net(g, "start.actor", &agent->actor, 0, agent_actor(agent));
    golden_load_net(g, "start.q0", &agent->critic, 0, agent->params + agent->at_critic);
    golden_load_net(g, "start.q1", &agent->critic, 1, agent->params + agent->at_critic);
    golden_load_net(g, "start.t0", &agent->critic, 0, agent->target);
    golden_load_net(g, "start.t1", &agent->critic, 1, agent->target);
}

static Bench problem_bench(const Problem *p, int shards)
{
    Bench b = bench_init(agent_find("sac"), &p->cfg, shards, p->rows);
    load_agent(p->g, &b.agent);
    return b;
}

/* The update's own noise is the stream that the documentation of base/rng.h describes; the golden
 * file's comes from a numpy version of that text in double precision. */
static void noise_is_the_documented_stream(void **state)
{
    (void)state;
    Problem p = problem_open();
    const size_t A = (size_t)p.cfg.act_dim;
    const size_t half = (size_t)p.rows * A;

    for (int update = 0; update < p.updates; update++) {
        const float *want = golden_array(p.g, 2 * half, "eps%d", update);
        size_t at = 0;
        for (int i = 0; i < SHARDS_MAX; i++) {
            const size_t n = (size_t)p.shards[i] * A;
            float eps[64];
            Rng rng = rng_make(p.seed, RNG_UPDATE_NOISE, (uint64_t)update, (uint32_t)i);
            rng_fill_normal(&rng, eps, 2 * n);
            CHECK_CLOSE(eps, want + at, n, 3e-7, 0);
            CHECK_CLOSE(eps + n, want + half + at, n, 3e-7, 0);
            at += n;
        }
    }
    golden_close(p.g);
}

/* Gradients: float32 rounding through three layers, 1e-6 seen. The way moved in three steps: Adam
 * divides by the gradient's size, so an element near 0 carries a larger relative error. */
static void three_updates_agree_with_pytorch(void **state)
{
    (void)state;
    Problem p = problem_open();
    Bench b = problem_bench(&p, SHARDS_MAX);
    Agent *agent = &b.agent;
    const Reduce reduce = reduce_local(SHARDS_MAX);
    const double grad_tol = 5e-6;
    const double moved_tol = 2e-5;
    float *start = NULL;

    const size_t n = agent->trained + agent->critic.count;
    CHECK_OK(mem_alloc(&start, n, sizeof *start, "start"));
    memcpy(start, agent->params, agent->trained * sizeof *start);
    memcpy(start + agent->trained, agent->target, agent->critic.count * sizeof *start);
    for (int update = 0; update < p.updates; update++) {
        Batch batches[SHARDS_MAX];
        float stats[STAT_COUNT];
        problem_batches(&p, update, batches);
        CHECK_OK(agent->kind->update(agent, batches, p.rows, &reduce, p.seed, &b.tmp, stats));
        CHECK_CLOSE(stats, golden_array(p.g, 15, "stats") + 5 * update, 5, 5e-6, 0);
        if (update == 0) {
            const float *grad = agent->grads;
            golden_check_net(p.g, "grad.actor", &agent->actor, 0, grad, grad_tol, 0);
            golden_check_net(p.g, "grad.q0", &agent->critic, 0, grad + agent->at_critic, grad_tol,
                             0);
            golden_check_net(p.g, "grad.q1", &agent->critic, 1, grad + agent->at_critic, grad_tol,
                             0);
            CHECK_NEAR(grad[agent->at_alpha], golden_number(p.g, "grad.log_alpha"), grad_tol, 0);
        }
    }
    assert_int_equal(agent->updates, p.updates);
    for (size_t i = 0; i < agent->trained; i++) {
        start[i] = agent->params[i] - start[i];
    }
    float *target = start + agent->trained;
    for (size_t i = 0; i < agent->critic.count; i++) {
        target[i] = agent->target[i] - target[i];
    }
    golden_check_net(p.g, "moved.actor", &agent->actor, 0, start, moved_tol, 0);
    golden_check_net(p.g, "moved.q0", &agent->critic, 0, start + agent->at_critic, moved_tol, 0);
    golden_check_net(p.g, "moved.q1", &agent->critic, 1, start + agent->at_critic, moved_tol, 0);
    golden_check_net(p.g, "moved.t0", &agent->critic, 0, target, moved_tol, 0);
    golden_check_net(p.g, "moved.t1", &agent->critic, 1, target, moved_tol, 0);
    CHECK_NEAR(agent->params[agent->at_alpha], golden_number(p.g, "log_alpha"), 1e-6, 0);
    CHECK_NEAR(agent_alpha(agent), exp((double)golden_number(p.g, "log_alpha")), 1e-6, 0);
    mem_free(&start);
    bench_release(&b);
    golden_close(p.g);
}

/* A rank with half of the shards. Without `other` it notes its own sum and stops the update. */
typedef struct {
    const float *other; /* sum of the other half; NULL: not known yet */
    float *own;
} Half;

static Status sum_half(const Reduce *reduce, float *rows, size_t stride, size_t n)
{
    Half *half = reduce->ctx;
    reduce_block(rows, reduce->count, stride, n);
    if (half->other == NULL) {
        memcpy(half->own, rows, n * sizeof *rows);
        return status_fail(ERR_MPI, "only noted");
    }
    for (size_t i = 0; i < n; i++) {
        rows[i] += half->other[i];
    }
    return OK;
}

static Status half_update(Bench *b, const Problem *p, int update, int first, Half *half,
                          float *stats)
{
    Batch batches[SHARDS_MAX];
    const Reduce reduce = {.shards = SHARDS_MAX,
                           .first = first,
                           .count = SHARDS_MAX / 2,
                           .sum = sum_half,
                           .ctx = half};
    problem_batches(p, update, batches);
    return b->agent.kind->update(&b->agent, batches + first, p->rows, &reduce, p->seed, &b->tmp,
                                 stats);
}

static void two_owners_get_the_bits_of_one(void **state)
{
    (void)state;
    Problem p = problem_open();
    Bench one = problem_bench(&p, SHARDS_MAX);
    Bench low = problem_bench(&p, SHARDS_MAX / 2);
    Bench high = problem_bench(&p, SHARDS_MAX / 2);
    const Reduce whole = reduce_local(SHARDS_MAX);
    const int second = SHARDS_MAX / 2;
    const size_t n = one.agent.grad_stride;
    float *sums = NULL;

    CHECK_OK(mem_alloc(&sums, 2 * n, sizeof *sums, "half sums"));
    for (int update = 0; update < p.updates; update++) {
        Batch batches[SHARDS_MAX];
        float stats[3][STAT_COUNT];
        Half h[2] = {{.own = sums}, {.own = sums + n}};
        problem_batches(&p, update, batches);
        CHECK_OK(one.agent.kind->update(&one.agent, batches, p.rows, &whole, p.seed, &one.tmp,
                                        stats[0]));
        assert_int_equal(half_update(&low, &p, update, 0, &h[0], stats[1]), ERR_MPI);
        assert_int_equal(half_update(&high, &p, update, second, &h[1], stats[2]), ERR_MPI);
        assert_int_equal(low.agent.updates, update); /* a failed sum changes nothing */
        h[0].other = sums + n;
        h[1].other = sums;
        CHECK_OK(half_update(&low, &p, update, 0, &h[0], stats[1]));
        CHECK_OK(half_update(&high, &p, update, second, &h[1], stats[2]));
        assert_memory_equal(stats[0], stats[1], sizeof stats[0]);
        assert_memory_equal(stats[0], stats[2], sizeof stats[0]);
    }
    const size_t state_bytes = (size_t)((char *)one.agent.grads - (char *)one.agent.block);
    assert_memory_equal(one.agent.block, low.agent.block, state_bytes);
    assert_memory_equal(one.agent.block, high.agent.block, state_bytes);
    mem_free(&sums);
    bench_release(&one);
    bench_release(&low);
    bench_release(&high);
    golden_close(p.g);
}

/* First Adam step: lr times the sign of the gradient. Entropy far above the goal: alpha falls. */
static void temperature_moves_towards_the_goal(void **state)
{
    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        AgentConfig cfg = bench_config();
        cfg.target_entropy = 50.0F * (float)sign;
        Bench b = bench_init(agent_find("sac"), &cfg, 1, 4);
        float rows[4 * 10];
        float stats[STAT_COUNT];
        const Reduce reduce = reduce_local(1);
        Rng rng = rng_make(1, RNG_TEST, 0, 0);
        rng_fill_uniform(&rng, -1, 1, rows, 40);
        CHECK_OK(b.agent.kind->update(&b.agent, &(Batch){rows, 4}, 4, &reduce, 1, &b.tmp, stats));
        CHECK_NEAR(log(agent_alpha(&b.agent)), 3e-4 * sign, 1e-5, 0);
        bench_release(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_is_the_documented_stream),
        cmocka_unit_test(three_updates_agree_with_pytorch),
        cmocka_unit_test(two_owners_get_the_bits_of_one),
        cmocka_unit_test(temperature_moves_towards_the_goal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
