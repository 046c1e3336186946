/* BEAR: three updates against PyTorch with both kernels, sums over shards on several owners, the limits
 * of the multiplier. */
#include "support/check.h"

#include "support/golden_agents.h"

static Problem bear_problem(const char *name)
{
    Problem p = problem_open(name, "bear");
    AgentConfig *c = &p.cfg;

    c->gamma = problem_setting(&p, "gamma");
    c->tau = problem_setting(&p, "tau");
    c->reward_scale = problem_setting(&p, "reward_scale");
    c->bear.hidden = (int)problem_setting(&p, "bear.hidden");
    c->bear.vae_hidden = (int)problem_setting(&p, "bear.vae_hidden");
    c->bear.actor_lr = (double)problem_setting(&p, "bear.actor_lr");
    c->bear.critic_lr = (double)problem_setting(&p, "bear.critic_lr");
    c->bear.vae_lr = (double)problem_setting(&p, "bear.vae_lr");
    c->bear.multiplier_lr = (double)problem_setting(&p, "bear.multiplier_lr");
    c->bear.kernel = problem_setting(&p, "bear.gaussian") != 0 ? KERNEL_GAUSSIAN : KERNEL_LAPLACIAN;
    c->bear.sigma = problem_setting(&p, "bear.sigma");
    c->bear.min_weight = problem_setting(&p, "bear.min_weight");
    c->bear.threshold = problem_setting(&p, "bear.threshold");
    c->bear.log_std_min = problem_setting(&p, "bear.log_std_min");
    c->bear.log_std_max = problem_setting(&p, "bear.log_std_max");
    c->bear.samples = (int)problem_setting(&p, "bear.samples");
    c->bear.target_samples = (int)problem_setting(&p, "bear.target_samples");
    c->bear.warm_updates = (int64_t)problem_setting(&p, "bear.warm_updates");
    return p;
}

static const char *const problems[] = {"bear_laplacian", "bear_gaussian"};

/* The first file begins with two updates without Q in the actor's loss. Tolerances as in test_sac. */
static void three_updates_agree_with_pytorch(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        Problem p = bear_problem(problems[i]);
        problem_agrees(&p, 5e-6, 2e-5);
        problem_close(&p);
    }
}

static void two_owners_get_the_bits_of_one(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        Problem p = bear_problem(problems[i]);
        problem_on_two_owners(&p);
        problem_close(&p);
    }
}

/* Released code: log of the multiplier in [-5, 10]. The first Adam step is as long as the rate, towards
 * more where the distance is beyond the threshold. */
static void the_multiplier_keeps_its_limits(void **state)
{
    (void)state;
    const float thresholds[] = {0, 100};
    const float starts[] = {9.9F, -4.9F};
    const float ends[] = {10, -5};

    for (int i = 0; i < 2; i++) {
        Problem p = bear_problem("bear_laplacian");
        p.cfg.bear.threshold = thresholds[i];
        p.cfg.bear.multiplier_lr = 0.25;
        Bench b = problem_bench(&p, SHARDS_MAX);
        float *multiplier = b.agent.params + b.agent.at_alpha;
        const Reduce reduce = reduce_local(SHARDS_MAX);
        Batch batches[SHARDS_MAX];
        float stats[STAT_COUNT];

        problem_batches(&p, 0, batches);
        *multiplier = starts[i];
        CHECK_OK(p.kind->update(&b.agent, batches, p.rows, &reduce, p.seed, &b.tmp, stats));
        assert_true(*multiplier == ends[i]);
        *multiplier = 0;
        CHECK_OK(p.kind->update(&b.agent, batches, p.rows, &reduce, p.seed, &b.tmp, stats));
        assert_true(i == 0 ? *multiplier > 0 : *multiplier < 0); /* not stuck */
        bench_release(&b);
        problem_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_updates_agree_with_pytorch),
        cmocka_unit_test(two_owners_get_the_bits_of_one),
        cmocka_unit_test(the_multiplier_keeps_its_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
