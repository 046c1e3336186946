/* Known answers for agents (tools/golden/agents.py): a problem of a few updates on four small shards, and
 * the two questions that every agent is asked about it.
 *
 * Records are named <when>.<part>: when is start, grad (of the first update) or moved (in all updates);
 * part is a network (actor, q0, q1, t0, t1, side0, side1; then .w0, .b0, ...) or a number (alpha, side1).
 * A part without grad or moved must not have any.
 */
#ifndef SUPPORT_GOLDEN_AGENTS_H
#define SUPPORT_GOLDEN_AGENTS_H

#include "support/agents.h"
#include "support/golden.h"

enum { SHARDS_MAX = 4 };

typedef struct {
    Golden *g;
    const AgentKind *kind;
    AgentConfig cfg;        /* sizes only: the test adds the settings of its agent */
    bool prepare;           /* the updates are those of kind->prepare */
    int shards[SHARDS_MAX]; /* rows */
    int rows, updates;
    size_t stride;
    const float *batches; /* (updates, rows, stride) */
    uint64_t seed;
} Problem;

Problem problem_open(const char *name, const char *agent);
void problem_close(Problem *p);
/* Record set.<key> as what a setting is. */
float problem_setting(const Problem *p, const char *key);
void problem_batches(const Problem *p, int update, Batch out[SHARDS_MAX]);
/* An agent for so many of the shards, with the start values of the file. */
Bench problem_bench(const Problem *p, int shards);

/* Statistics of every update, gradients of the first and the way moved in all of them. */
void problem_agrees(const Problem *p, double grad_tol, double moved_tol);
/* Two agents that own half of the shards each get the bits of one that owns all, whatever the number
 * of stages; an update that fails in its first stage changes nothing. */
void problem_on_two_owners(const Problem *p);

#endif
