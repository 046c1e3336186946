/* An agent with its scratch, for tests. */
#ifndef SUPPORT_AGENTS_H
#define SUPPORT_AGENTS_H

#include "policy/agent.h"

typedef struct {
    Agent agent;
    Arena tmp; /* for updates with shards of at most `rows` rows, and for acting on them */
} Bench;

Bench bench_init(const AgentKind *kind, const AgentConfig *cfg, int shards, int rows);
void bench_release(Bench *bench);
/* The paper's settings with 3 states, 2 actions, 2 layers of 16. */
AgentConfig bench_config(void);

#endif
