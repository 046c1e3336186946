/* agents: the contract that every row of the table keeps, for those to come as well; acting; and two
 * problems whose solutions are known. */
#include "support/check.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "data/record.h"
#include "support/agents.h"

/* One-step problem: reward -(a - s/2)^2, episode over. The best action is s/2. The data are those of a
 * behavior near it, 0.4 s with noise, so that agents that stay with the data can improve, too. */
static void bandit_rows(Rng *rng, float *rows, int n)
{
    float draw[2];
    for (int i = 0; i < n; i++) {
        float *row = rows + (size_t)i * 5; /* s, a, r, s', cont */
        rng_fill_uniform(rng, -1, 1, draw, 2);
        const float a = 0.4F * draw[0] + 0.3F * draw[1];
        const float off = a - 0.5F * draw[0];
        row[0] = draw[0];
        row[1] = a;
        row[2] = -off * off;
        row[3] = draw[0];
        row[4] = 0;
    }
}

static double bandit_cost(Bench *b)
{
    enum { N = 41 };
    float s[N];
    float a[N];
    double sum = 0;
    for (int i = 0; i < N; i++) {
        s[i] = -1.0F + 2.0F * (float)i / (N - 1);
    }
    agent_act(&b->agent, agent_actor(&b->agent), s, NULL, N, &b->tmp, a);
    for (int i = 0; i < N; i++) {
        const double off = (double)(a[i] - 0.5F * s[i]);
        sum += off * off / N;
    }
    return sum;
}

/* Untrained: about E(s/2)^2 = 0.083 or worse; the behavior's mean 0.0035. The bound leaves room for every
 * agent in the table. */
static void improves_on_a_bandit(const AgentKind *kind)
{
    AgentConfig cfg = bench_config();
    cfg.state_dim = 1;
    cfg.act_dim = 1;
    cfg.hidden = 32;
    cfg.actor_lr = cfg.critic_lr = cfg.alpha_lr = 3e-3;
    cfg.alpha = 0.1;
    cfg.log_std_min = -5;
    cfg.bear.hidden = cfg.bear.vae_hidden = cfg.bc.hidden = 32;
    cfg.brac.actor_hidden = cfg.brac.critic_hidden = 32;
    cfg.bear.actor_lr = cfg.bear.critic_lr = cfg.bear.vae_lr = 3e-3;
    cfg.brac.actor_lr = cfg.brac.critic_lr = cfg.brac.clone_lr = cfg.bc.lr = 3e-3;
    cfg.brac.clone_updates = 600;
    Bench b = bench_init(kind, &cfg, 1, 64);
    const Reduce reduce = reduce_local(1);
    Rng rng = rng_make(2, RNG_TEST, 0, 0);
    const double before = bandit_cost(&b);

    const int first = kind->prepare != NULL ? (int)kind->prepare_updates(&b.agent) : 0;
    for (int i = 0; i < first + 600; i++) {
        float rows[64 * 5];
        float stats[STAT_COUNT];
        bandit_rows(&rng, rows, 64);
        CHECK_OK((i < first ? kind->prepare : kind->update)(&b.agent, &(Batch){rows, 64}, 64,
                                                            &reduce, 1, &b.tmp, stats));
    }
    const double after = bandit_cost(&b);
    print_message("%s: mean squared miss on the bandit %.4f, then %.5f\n", kind->name, before,
                  after);
    assert_true(before > 0.05);
    CHECK_NEAR(after, 0, 0, 0.01);
    bench_release(&b);
}

typedef Status (*Update)(Agent *, const Batch *, int, const Reduce *, uint64_t, Arena *, float *);

/* What run/ relies on, for any agent. Small batches of random records. */
static void keeps_the_contract(const AgentKind *kind)
{
    const AgentConfig cfg = bench_config();
    const size_t stride = record_make(cfg.state_dim, cfg.act_dim).stride;
    const Reduce reduce = reduce_local(2);
    Bench a = bench_init(kind, &cfg, 2, 8);
    Bench b = bench_init(kind, &cfg, 2, 8);
    float rows[16 * 10];
    float eps[8 * 2];
    float action[2][8 * 2];
    float stats[2][STAT_COUNT];
    Rng rng = rng_make(1, RNG_TEST, 1, 0);
    Slab of_a[AGENT_SLABS_MAX];
    Slab of_b[AGENT_SLABS_MAX];
    char digest[3][SLAB_DIGEST_MAX];

    assert_ptr_equal(agent_find(kind->name), kind);
    assert_true(strlen(kind->source) > 0 && stride == 10);
    rng_fill_uniform(&rng, -1, 1, rows, 16 * stride);
    rng_fill_normal(&rng, eps, 16);
    const Batch batches[2] = {{rows, 8}, {rows + 8 * stride, 8}};

    /* the update is a function of state, batch and seed, and it moves something */
    const int n = agent_slabs(&a.agent, of_a);
    assert_int_equal(agent_slabs(&b.agent, of_b), n);
    slab_digest(of_a, n, digest[0]);
    const int64_t blocks = mem_count();
    const int first = kind->prepare != NULL ? (int)kind->prepare_updates(&a.agent) : 0;
    for (int i = 0; i < first + 3; i++) {
        const Update step = i < first ? kind->prepare : kind->update;
        CHECK_OK(step(&a.agent, batches, 16, &reduce, 5, &a.tmp, stats[0]));
        CHECK_OK(step(&b.agent, batches, 16, &reduce, 5, &b.tmp, stats[1]));
    }
    for (int k = 0; k < STAT_COUNT; k++) {
        assert_true(isfinite(stats[0][k]));
        assert_true((kind->stats >> k & 1U) != 0 || stats[0][k] == 0);
    }
    assert_int_equal(mem_count(), blocks); /* nothing is allocated in the loop */
    assert_int_equal(a.tmp.used, 0);
    assert_memory_equal(stats[0], stats[1], sizeof stats[0]);
    slab_digest(of_a, n, digest[1]);
    slab_digest(of_b, n, digest[2]);
    assert_string_not_equal(digest[0], digest[1]);
    assert_string_equal(digest[1], digest[2]);

    /* the slabs are the whole state: copied into a fresh agent, it goes on as the first one */
    Bench c = bench_init(kind, &cfg, 2, 8);
    Slab of_c[AGENT_SLABS_MAX];
    assert_int_equal(agent_slabs(&c.agent, of_c), n);
    for (int i = 0; i < n; i++) {
        assert_string_equal(of_a[i].name, of_c[i].name);
        memcpy(of_c[i].data, of_a[i].data, slab_bytes(&of_a[i]));
    }
    CHECK_OK(kind->update(&a.agent, batches, 16, &reduce, 5, &a.tmp, stats[0]));
    CHECK_OK(kind->update(&c.agent, batches, 16, &reduce, 5, &c.tmp, stats[1]));
    slab_digest(of_a, n, digest[1]);
    slab_digest(of_c, n, digest[2]);
    assert_string_equal(digest[1], digest[2]);

    /* actions are finite and within [-1, 1], also for states far away */
    for (size_t i = 0; i < 8 * 3; i++) {
        rows[i] *= i < 12 ? 1.0F : 1e6F;
    }
    agent_act(&a.agent, agent_actor(&a.agent), rows, eps, 8, &a.tmp, action[0]);
    agent_act(&a.agent, agent_actor(&a.agent), rows, NULL, 8, &a.tmp, action[1]);
    for (int i = 0; i < 16; i++) {
        assert_true(fabsf(action[0][i]) <= 1.0F && fabsf(action[1][i]) <= 1.0F);
    }
    assert_memory_not_equal(action[0], action[1], sizeof action[0]);

    /* one bad number anywhere in the batch: refused, and the state is as it was */
    for (size_t at = 0; at < stride; at++) {
        const float good = rows[9 * stride + at];
        rows[9 * stride + at] = at % 2 == 0 ? NAN : INFINITY;
        assert_int_equal(kind->update(&a.agent, batches, 16, &reduce, 5, &a.tmp, stats[0]),
                         ERR_NUMERIC);
        rows[9 * stride + at] = good;
    }
    slab_digest(of_a, n, digest[2]);
    assert_string_equal(digest[1], digest[2]);
    bench_release(&a);
    bench_release(&b);
    bench_release(&c);
}

static void every_agent_keeps_the_contract(void **state)
{
    (void)state;
    assert_non_null(agent_row(0));
    assert_null(agent_find("sarsa"));
    for (int i = 0; agent_row(i) != NULL; i++) {
        keeps_the_contract(agent_row(i));
        improves_on_a_bandit(agent_row(i));
    }
}

static void mean_action_is_tanh_of_the_first_outputs(void **state)
{
    (void)state;
    const AgentConfig cfg = bench_config();
    Bench b = bench_init(agent_find("sac"), &cfg, 0, 3);
    float s[9];
    float head[12];
    float a[6];
    Rng rng = rng_make(1, RNG_TEST, 2, 0);
    Arena tmp;

    rng_fill_normal(&rng, s, 9);
    CHECK_OK(arena_init(&tmp, mlp_infer_cost(&b.agent.actor, 3)));
    mlp_infer(&b.agent.actor, agent_actor(&b.agent), s, 3, &tmp, head);
    agent_act(&b.agent, agent_actor(&b.agent), s, NULL, 3, &b.tmp, a);
    for (int i = 0; i < 6; i++) {
        CHECK_NEAR(a[i], tanh((double)head[i / 2 * 4 + i % 2]), 3e-7, 0);
    }
    arena_release(&tmp);
    bench_release(&b);
}

/* Reward 1 for ever with discount 1/2 is worth 2; without entropy, whatever the policy does. */
static void constant_reward_is_worth_its_discounted_sum(void **state)
{
    (void)state;
    AgentConfig cfg = bench_config();
    cfg.gamma = 0.5F;
    cfg.tau = 0.05F;
    cfg.critic_lr = 3e-3;
    cfg.alpha = 1e-6;
    cfg.alpha_lr = 0;
    Bench b = bench_init(agent_find("sac"), &cfg, 1, 32);
    const Reduce reduce = reduce_local(1);
    Rng rng = rng_make(4, RNG_TEST, 0, 0);
    float stats[STAT_COUNT];

    for (int i = 0; i < 600; i++) {
        float rows[32 * 10];
        rng_fill_uniform(&rng, -1, 1, rows, 320);
        for (int k = 0; k < 32; k++) {
            rows[k * 10 + 5] = 1;
            rows[k * 10 + 9] = 1;
        }
        CHECK_OK(b.agent.kind->update(&b.agent, &(Batch){rows, 32}, 32, &reduce, 1, &b.tmp, stats));
    }
    CHECK_NEAR(stats[STAT_Q], 2, 0.03, 0);
    CHECK_NEAR(agent_alpha(&b.agent), 1e-6, 1e-6, 0); /* a rate of 0 keeps the temperature */
    bench_release(&b);
}

static void start_is_a_copy_and_refusal_is_clean(void **state)
{
    (void)state;
    const AgentConfig cfg = bench_config();
    const int64_t before = mem_count();
    Agent agent;

    mem_fail_at(1);
    assert_int_equal(agent_init(&agent, agent_find("sac"), &cfg, 1, 0), ERR_NOMEM);
    agent_release(&agent);
    CHECK_OK(agent_init(&agent, agent_find("sac"), &cfg, 0, 0));
    assert_memory_equal(agent.target, agent.params + agent.at_critic,
                        agent.critic.count * sizeof(float));
    agent_release(&agent);
    assert_int_equal(mem_count(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_agent_keeps_the_contract),
        cmocka_unit_test(mean_action_is_tanh_of_the_first_outputs),
        cmocka_unit_test(constant_reward_is_worth_its_discounted_sum),
        cmocka_unit_test(start_is_a_copy_and_refusal_is_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
