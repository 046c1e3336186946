/* BRAC: the clone's updates and those of three variants against PyTorch, sums over shards on several
 * owners. */
#include "support/check.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "support/golden_agents.h"

static Problem clone_problem(const char *name)
{
    Problem p = problem_open(name, "brac");
    AgentConfig *c = &p.cfg;

    p.prepare = true;
    c->brac.actor_hidden = (int)problem_setting(&p, "brac.actor_hidden");
    c->brac.critic_hidden = (int)problem_setting(&p, "brac.critic_hidden");
    c->brac.clone_lr = (double)problem_setting(&p, "brac.clone_lr");
    c->brac.action_margin = problem_setting(&p, "brac.action_margin");
    c->brac.clone_updates = p.updates;
    c->brac.samples = 1;
    return p;
}

static Problem update_problem(const char *name)
{
    Problem p = clone_problem(name);
    AgentConfig *c = &p.cfg;

    p.prepare = false;
    c->gamma = problem_setting(&p, "gamma");
    c->tau = problem_setting(&p, "tau");
    c->reward_scale = problem_setting(&p, "reward_scale");
    c->brac.actor_lr = (double)problem_setting(&p, "brac.actor_lr");
    c->brac.critic_lr = (double)problem_setting(&p, "brac.critic_lr");
    c->brac.warm_updates = (int64_t)problem_setting(&p, "brac.warm_updates");
    c->brac.mmd = problem_setting(&p, "brac.mmd") != 0;
    c->brac.value_penalty = problem_setting(&p, "brac.value_penalty") != 0;
    c->brac.alpha = problem_setting(&p, "brac.alpha");
    c->brac.sigma = problem_setting(&p, "brac.sigma");
    c->brac.samples = (int)problem_setting(&p, "brac.samples");
    return p;
}

static const char *const clones[] = {"brac_clone", "brac_clone_cold"};
static const char *const variants[] = {"brac_kl", "brac_kl_value", "brac_mmd_value"};

/* In the second file the temperature is below 0: no weight, and it can only rise. Tolerances as in test_sac. */
static void the_clone_agrees_with_pytorch(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        Problem p = clone_problem(clones[i]);
        problem_agrees(&p, 5e-6, 2e-5);
        problem_close(&p);
    }
}

/* Policy and value penalty; the first and the third file begin with updates without Q. */
static void three_updates_agree_with_pytorch(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        Problem p = update_problem(variants[i]);
        problem_agrees(&p, 5e-6, 2e-5);
        problem_close(&p);
    }
}

static void two_owners_get_the_bits_of_one(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        Problem p = i < 2 ? clone_problem(clones[i]) : update_problem(variants[i - 2]);
        problem_on_two_owners(&p);
        problem_close(&p);
    }
}

/* The clone's mean differs from the policy's by `shift` deviations before tanh, which does not change a
 * divergence; both ignore the state. Returns D as an update measures it. */
static double divergence_at(float shift)
{
    enum { ROWS = 256 };
    AgentConfig cfg = bench_config();
    cfg.brac.samples = 16;
    cfg.brac.actor_lr = 0;
    Bench b = bench_init(agent_find("brac"), &cfg, 1, ROWS);
    static float rows[ROWS * 10];
    float stats[STAT_COUNT];
    const Reduce reduce = reduce_local(1);
    Rng rng = rng_make(3, RNG_TEST, 7, 0);
    const size_t clone = b.agent.at_side[0];

    rng_fill_uniform(&rng, -1, 1, rows, ROWS * 10);
    memset(agent_actor(&b.agent), 0, b.agent.actor.count * sizeof(float));
    memcpy(b.agent.params + clone, agent_actor(&b.agent), b.agent.actor.count * sizeof(float));
    float *bias = b.agent.params + clone + mlp_matrix(&b.agent.actor, b.agent.actor.layers, 0).bias;
    bias[0] = shift * expf(-2.5F); /* raw 0: log deviation -2.5 */
    CHECK_OK(b.agent.kind->update(&b.agent, &(Batch){rows, ROWS}, ROWS, &reduce, 1, &b.tmp, stats));
    bench_release(&b);
    return (double)stats[STAT_DIVERGENCE];
}

/* KL of a policy from itself is 0 in every draw; of Gaussians of equal deviation it is half the squared
 * distance of the means in deviations. 4,096 draws: standard error shift / 64. */
static void divergence_of_equal_policies_is_zero(void **state)
{
    (void)state;
    CHECK_NEAR(divergence_at(0), 0, 0, 2e-5);
    CHECK_NEAR(divergence_at(1), 0.5, 0, 4.0 / 64);
    CHECK_NEAR(divergence_at(3), 4.5, 0, 4 * 3.0 / 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(divergence_of_equal_policies_is_zero),
        cmocka_unit_test(the_clone_agrees_with_pytorch),
        cmocka_unit_test(three_updates_agree_with_pytorch),
        cmocka_unit_test(two_owners_get_the_bits_of_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
