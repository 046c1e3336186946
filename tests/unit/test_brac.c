/* BRAC: the clone's updates and those of three variants against PyTorch, sums over shards on several
 * owners. */
#include "support/check.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clone_agrees_with_pytorch),
        cmocka_unit_test(three_updates_agree_with_pytorch),
        cmocka_unit_test(two_owners_get_the_bits_of_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
