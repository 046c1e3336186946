/* The rows of the agent table, one file each. */
#ifndef POLICY_KINDS_H
#define POLICY_KINDS_H

#include "policy/agent.h"

extern const AgentKind agent_sac;

#endif
