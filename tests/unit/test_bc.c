/* Behavior cloning: three steps by likelihood and by squared error against PyTorch, sums over shards on
 * several owners. */
#include "support/check.h"

#include "support/golden_agents.h"

static Problem bc_problem(const char *name)
{
    Problem p = problem_open(name, "bc");

    p.cfg.bc.hidden = (int)problem_setting(&p, "bc.hidden");
    p.cfg.bc.lr = (double)problem_setting(&p, "bc_lr");
    p.cfg.bc.mse = problem_setting(&p, "bc.mse") != 0;
    p.cfg.bc.action_margin = problem_setting(&p, "bc.action_margin");
    return p;
}

static const char *const losses[] = {"bc_nll", "bc_mse"};

/* Some actions are at the bounds. Tolerances as in test_sac. */
static void three_updates_agree_with_pytorch(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        Problem p = bc_problem(losses[i]);
        problem_agrees(&p, 5e-6, 2e-5);
        problem_close(&p);
    }
}

static void two_owners_get_the_bits_of_one(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        Problem p = bc_problem(losses[i]);
        problem_on_two_owners(&p);
        problem_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_updates_agree_with_pytorch),
        cmocka_unit_test(two_owners_get_the_bits_of_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
