#include "parts.h"

#include "run/session.h"

static Config defaults(void)
{
    Config config;
    config_default(&config);
    return config;
}

AgentConfig paper_agent(int S, int A)
{
    const Config config = defaults();
    const EnvKind task = {.state_dim = S, .act_dim = A};
    return session_agent_config(&config, &task);
}

EnsembleConfig paper_ensemble(int S, int A, bool spectral_norm)
{
    const Config config = defaults();
    const EnvKind task = {.state_dim = S, .act_dim = A};
    EnsembleConfig ensemble = session_ensemble_config(&config, &task);
    ensemble.spectral_norm = spectral_norm;
    return ensemble;
}
