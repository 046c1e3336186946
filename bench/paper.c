#include "parts.h"

AgentConfig paper_agent(int S, int A)
{
    return (AgentConfig){.state_dim = S,
                         .act_dim = A,
                         .hidden = 256,
                         .layers = 2,
                         .actor_lr = 3e-4,
                         .critic_lr = 3e-4,
                         .alpha_lr = 3e-4,
                         .alpha = 1.0,
                         .target_entropy = -3.0F,
                         .gamma = 0.99F,
                         .tau = 0.005F,
                         .reward_scale = 1.0F,
                         .log_std_min = -20.0F,
                         .log_std_max = 2.0F};
}

EnsembleConfig paper_ensemble(int S, int A, bool spectral_norm)
{
    return (EnsembleConfig){.members = 7,
                            .elites = 5,
                            .state_dim = S,
                            .act_dim = A,
                            .hidden = 200,
                            .layers = 4,
                            .spectral_norm = spectral_norm,
                            .spectral_c = 1.0F,
                            .logvar_max = 0.5F,
                            .logvar_min = -10.0F,
                            .logvar_reg = 0.01F,
                            .decay_first = 2.5e-5F,
                            .decay_second = 5e-5F,
                            .decay_hidden = 7.5e-5F,
                            .decay_head = 1e-4F};
}
