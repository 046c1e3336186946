/* The table of agents: a row here, and a file that defines agent_<name>. */
#ifndef POLICY_KINDS_H
#define POLICY_KINDS_H

#include "policy/agent.h"

#define AGENT_TABLE(X) \
    X(sac)             \
    X(bear)            \
    X(brac)            \
    X(bc)

#define AGENT_DECLARE(name) extern const AgentKind agent_##name;
AGENT_TABLE(AGENT_DECLARE)
#undef AGENT_DECLARE

#endif
