#include "support/agents.h"

#include "support/check.h"

Bench bench_init(const AgentKind *kind, const AgentConfig *cfg, int shards, int rows)
{
    Bench b;
    CHECK_OK(agent_init(&b.agent, kind, cfg, shards, 17));
    const size_t update = kind->update_cost(&b.agent, rows);
    const size_t act = agent_act_cost(&b.agent, rows);
    CHECK_OK(arena_init(&b.tmp, update > act ? update : act));
    return b;
}

void bench_release(Bench *b)
{
    arena_release(&b->tmp);
    agent_release(&b->agent);
}

AgentConfig bench_config(void)
{
    return (AgentConfig){.state_dim = 3,
                         .act_dim = 2,
                         .hidden = 16,
                         .layers = 2,
                         .actor_lr = 3e-4,
                         .critic_lr = 3e-4,
                         .alpha_lr = 3e-4,
                         .alpha = 1,
                         .target_entropy = -3,
                         .gamma = 0.99F,
                         .tau = 0.005F,
                         .reward_scale = 1,
                         .log_std_min = -20,
                         .log_std_max = 2,
                         .bear = {.hidden = 16,
                                  .vae_hidden = 24,
                                  .actor_lr = 1e-4,
                                  .critic_lr = 3e-4,
                                  .vae_lr = 3e-4,
                                  .multiplier_lr = 1e-3,
                                  .kernel = KERNEL_GAUSSIAN,
                                  .sigma = 20,
                                  .min_weight = 0.75F,
                                  .threshold = 0.05F,
                                  .log_std_min = -5,
                                  .log_std_max = 2,
                                  .samples = 4,
                                  .target_samples = 10},
                         .brac = {.actor_hidden = 16,
                                  .critic_hidden = 16,
                                  .actor_lr = 3e-5,
                                  .critic_lr = 1e-3,
                                  .clone_lr = 5e-4,
                                  .clone_updates = 3,
                                  .alpha = 1,
                                  .sigma = 10,
                                  .action_margin = 1e-3F,
                                  .samples = 4},
                         .bc = {.hidden = 16, .lr = 3e-4, .action_margin = 1e-3F},
                         .npg = {.hidden = 16,
                                 .value_hidden = 16,
                                 .step_size = 0.02,
                                 .damping = 1e-3,
                                 .gae_lambda = 0.97,
                                 .value_lr = 1e-3,
                                 .clone_lr = 1e-3,
                                 .log_std = -0.25F,
                                 .kl_max = 0.02F,
                                 .log_std_min = -1,
                                 .log_std_max = 1,
                                 .cg_iterations = 10,
                                 .value_batch = 8,
                                 .value_passes = 1,
                                 .clone_updates = 3}};
}
