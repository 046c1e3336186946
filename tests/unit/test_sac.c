/* SAC: three updates against PyTorch, sums over shards on several owners, the temperature. */
#include "support/check.h"

#include <math.h>

#include "base/rng.h"
#include "support/golden_agents.h"

static Problem sac_problem(const char *name)
{
    Problem p = problem_open(name, "sac");
    AgentConfig *c = &p.cfg;

    c->hidden = (int)problem_setting(&p, "hidden");
    c->actor_lr = (double)problem_setting(&p, "actor_lr");
    c->critic_lr = (double)problem_setting(&p, "critic_lr");
    c->alpha_lr = (double)problem_setting(&p, "alpha_lr");
    c->alpha = (double)problem_setting(&p, "alpha");
    c->alpha_max = (double)problem_setting(&p, "alpha_max");
    c->sequential = problem_setting(&p, "sequential") != 0;
    c->target_entropy = problem_setting(&p, "target_entropy");
    c->gamma = problem_setting(&p, "gamma");
    c->tau = problem_setting(&p, "tau");
    c->reward_scale = problem_setting(&p, "reward_scale");
    c->log_std_min = problem_setting(&p, "log_std_min");
    c->log_std_max = problem_setting(&p, "log_std_max");
    return p;
}

/* The update's own noise is the stream that the documentation of base/rng.h describes; the golden
 * file's comes from a numpy version of that text in double precision. */
static void noise_is_the_documented_stream(void **state)
{
    (void)state;
    Problem p = sac_problem("sac");
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
    problem_close(&p);
}

static const char *const orders[] = {"sac", "sac_sequential"};

/* Gradients: float32 rounding through three layers, 1e-6 seen. The way moved in three steps: Adam
 * divides by the gradient's size, so an element near 0 carries a larger relative error. */
static void three_updates_agree_with_pytorch(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        Problem p = sac_problem(orders[i]);
        problem_agrees(&p, 5e-6, 2e-5);
        problem_close(&p);
    }
}

static void two_owners_get_the_bits_of_one(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        Problem p = sac_problem(orders[i]);
        problem_on_two_owners(&p);
        problem_close(&p);
    }
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
