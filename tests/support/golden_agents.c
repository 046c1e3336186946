#include "support/golden_agents.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "data/record.h"
#include "support/check.h"

enum { PARTS_MAX = 8, STAGES_MAX = 4 };

/* Where a part's floats stand. */
typedef struct {
    const char *name;
    const Mlp *net; /* NULL: a number */
    int group;
    size_t at;
    bool target; /* in agent->target, not in agent->params */
} Part;

static int parts_of(const Agent *agent, Part out[PARTS_MAX])
{
    static const char *const sides[] = {"side0", "side1"};
    int n = 0;

    if (agent->actor.count > 0) {
        out[n++] = (Part){"actor", &agent->actor, 0, agent->at_actor, false};
    }
    if (agent->critic.count > 0) {
        out[n++] = (Part){"q0", &agent->critic, 0, agent->at_critic, false};
        out[n++] = (Part){"q1", &agent->critic, 1, agent->at_critic, false};
        out[n++] = (Part){"t0", &agent->critic, 0, 0, true};
        out[n++] = (Part){"t1", &agent->critic, 1, 0, true};
    }
    if (agent->at_alpha != AGENT_NO_PART) {
        out[n++] = (Part){"alpha", NULL, 0, agent->at_alpha, false};
    }
    for (int i = 0; i < AGENT_SIDES; i++) {
        if (agent->at_side[i] != AGENT_NO_PART) {
            const Mlp *net = agent->side[i].count > 0 ? &agent->side[i] : NULL;
            out[n++] = (Part){sides[i], net, 0, agent->at_side[i], false};
        }
    }
    return n;
}

static bool has(const Problem *p, const char *when, const Part *part)
{
    return golden_has(p->g, part->net != NULL ? "%s.%s.w0" : "%s.%s", when, part->name);
}

/* The part's floats in `got`, which is laid out as params or target, against the record; 0 without one. */
static void check_part(const Problem *p, const char *when, const Part *part, const float *got,
                       double tol)
{
    char prefix[32];
    snprintf(prefix, sizeof prefix, "%s.%s", when, part->name);
    if (!has(p, when, part)) {
        const float *at = got + part->at;
        for (size_t i = 0; i < (part->net != NULL ? part->net->count : 1); i++) {
            CHECK_NEAR(at[i], 0, 0, 0);
        }
    } else if (part->net != NULL) {
        golden_check_net(p->g, prefix, part->net, part->group, got + part->at, tol, 0);
    } else {
        check_near((double)got[part->at], (double)golden_number(p->g, prefix), tol, 0, prefix,
                   __FILE__, __LINE__);
    }
}

Problem problem_open(const char *name, const char *agent)
{
    Problem p = {.g = golden_open(name), .kind = agent_find(agent)};
    const float *sizes = golden_array(p.g, 4, "sizes");
    const float *shards = golden_array(p.g, SHARDS_MAX, "shards");

    assert_non_null(p.kind);
    p.cfg = (AgentConfig){
        .state_dim = (int)sizes[0], .act_dim = (int)sizes[1], .layers = (int)sizes[2]};
    p.updates = (int)sizes[3];
    for (int i = 0; i < SHARDS_MAX; i++) {
        p.shards[i] = (int)shards[i];
        p.rows += p.shards[i];
    }
    p.stride = record_make(p.cfg.state_dim, p.cfg.act_dim).stride;
    p.batches = golden_array(p.g, (size_t)(p.updates * p.rows) * p.stride, "batches");
    p.seed = (uint64_t)golden_number(p.g, "seed");
    return p;
}

void problem_close(Problem *p)
{
    golden_close(p->g);
    *p = (Problem){0};
}

float problem_setting(const Problem *p, const char *key)
{
    return *golden_array(p->g, 1, "set.%s", key);
}

void problem_batches(const Problem *p, int update, Batch out[SHARDS_MAX])
{
    const float *rows = p->batches + (size_t)(update * p->rows) * p->stride;
    for (int i = 0; i < SHARDS_MAX; i++) {
        out[i] = (Batch){rows, p->shards[i]};
        rows += (size_t)p->shards[i] * p->stride;
    }
}

Bench problem_bench(const Problem *p, int shards)
{
    Bench b = bench_init(p->kind, &p->cfg, shards, p->rows);
    Part parts[PARTS_MAX];
    const int n = parts_of(&b.agent, parts);

    for (int i = 0; i < n; i++) {
        const Part *part = &parts[i];
        float *to = (part->target ? b.agent.target : b.agent.params) + part->at;
        char prefix[32];
        snprintf(prefix, sizeof prefix, "start.%s", part->name);
        if (!has(p, "start", part)) { /* of another phase of the agent */
            continue;
        }
        if (part->net != NULL) {
            golden_load_net(p->g, prefix, part->net, part->group, to);
        } else {
            *to = golden_number(p->g, prefix);
        }
    }
    return b;
}

static Status problem_update(const Problem *p, Bench *b, int update, const Reduce *reduce,
                             float *stats)
{
    Batch batches[SHARDS_MAX];
    problem_batches(p, update, batches);
    return (p->prepare ? p->kind->prepare : p->kind->update)(
        &b->agent, batches + reduce->first, p->rows, reduce, p->seed, &b->tmp, stats);
}

static int64_t updates_done(const Problem *p, const Bench *b)
{
    return p->prepare ? b->agent.prepared : b->agent.updates;
}

/* Adam's m after one step is 0.1 g, for every part and whatever its stage. */
static void check_gradients(const Problem *p, const Agent *agent, double tol)
{
    Part parts[PARTS_MAX];
    const int n = parts_of(agent, parts);
    float *grad = NULL;

    CHECK_OK(mem_alloc(&grad, agent->trained, sizeof *grad, "gradient"));
    for (size_t i = 0; i < agent->trained; i++) {
        grad[i] = 10.0F * agent->m[i];
    }
    for (int i = 0; i < n; i++) {
        if (!parts[i].target) {
            check_part(p, "grad", &parts[i], grad, tol);
        }
    }
    mem_free(&grad);
}

void problem_agrees(const Problem *p, double grad_tol, double moved_tol)
{
    Bench b = problem_bench(p, SHARDS_MAX);
    Agent *agent = &b.agent;
    const Reduce reduce = reduce_local(SHARDS_MAX);
    const size_t n = agent->trained + agent->critic.count; /* params, target: side by side */
    Part parts[PARTS_MAX];
    const int count = parts_of(agent, parts);
    float *moved = NULL;

    CHECK_OK(mem_alloc(&moved, n, sizeof *moved, "start"));
    memcpy(moved, agent->params, n * sizeof *moved);
    for (int update = 0; update < p->updates; update++) {
        float stats[STAT_COUNT];
        CHECK_OK(problem_update(p, &b, update, &reduce, stats));
        CHECK_CLOSE(stats,
                    golden_array(p->g, (size_t)(p->updates * STAT_COUNT), "stats") +
                        (ptrdiff_t)STAT_COUNT * update,
                    STAT_COUNT, grad_tol, 0);
        if (update == 0) {
            check_gradients(p, agent, grad_tol);
        }
    }
    assert_int_equal(updates_done(p, &b), p->updates);
    for (size_t i = 0; i < n; i++) {
        moved[i] = agent->params[i] - moved[i];
    }
    for (int i = 0; i < count; i++) {
        check_part(p, "moved", &parts[i], moved + (parts[i].target ? agent->trained : 0),
                   moved_tol);
    }
    mem_free(&moved);
    bench_release(&b);
}

/* A rank with half of the shards. The first `known` sums of an update are there from the other half;
 * at the next one it notes its own and stops. */
typedef struct {
    const float *other; /* (STAGES_MAX, stride) */
    float *own;         /* (STAGES_MAX, stride) */
    size_t stride;
    int known, at;
} Half;

static Status sum_half(const Reduce *reduce, float *rows, size_t stride, size_t n)
{
    Half *half = reduce->ctx;
    reduce_block(rows, reduce->count, stride, n);
    if (half->at == half->known) {
        assert_true(half->at < STAGES_MAX && n <= half->stride);
        memcpy(half->own + (size_t)half->at * half->stride, rows, n * sizeof *rows);
        return status_fail(ERR_MPI, "only noted");
    }
    const float *other = half->other + (size_t)half->at++ * half->stride;
    for (size_t i = 0; i < n; i++) {
        rows[i] += other[i];
    }
    return OK;
}

/* What an update may change, without the gradients. */
static size_t state_floats(const Agent *agent)
{
    return (size_t)(agent->grads - agent->block);
}

typedef struct {
    Bench bench;
    Half half;
    float *before; /* state in front of the update */
    float stats[STAT_COUNT];
} Owner;

static Status owner_update(const Problem *p, Owner *o, int update, int first, int known)
{
    Agent *agent = &o->bench.agent;
    const size_t bytes = state_floats(agent) * sizeof(float);
    const Reduce reduce = {.shards = SHARDS_MAX,
                           .first = first,
                           .count = SHARDS_MAX / 2,
                           .sum = sum_half,
                           .ctx = &o->half};
    memcpy(agent->block, o->before, bytes);
    o->half.known = known;
    o->half.at = 0;
    const Status st = problem_update(p, &o->bench, update, &reduce, o->stats);
    assert_int_equal(updates_done(p, &o->bench), st == OK ? update + 1 : update);
    return st;
}

/* As many sums become known as the update has stages: each time it begins again. */
static void owners_update(const Problem *p, Owner *low, Owner *high, int update)
{
    Owner *owners[] = {low, high};
    const size_t bytes = state_floats(&low->bench.agent) * sizeof(float);
    for (int i = 0; i < 2; i++) {
        memcpy(owners[i]->before, owners[i]->bench.agent.block, bytes);
    }
    for (int known = 0; known <= STAGES_MAX; known++) {
        const Status st = owner_update(p, low, update, 0, known);
        assert_int_equal(owner_update(p, high, update, SHARDS_MAX / 2, known), st);
        if (st == OK) {
            assert_true(known > 0);
            return;
        }
        assert_int_equal(st, ERR_MPI);
        if (known == 0) {
            assert_memory_equal(low->bench.agent.block, low->before, bytes);
        }
    }
    fail_msg("more than %d stages", STAGES_MAX);
}

static Owner owner_make(const Problem *p)
{
    Owner o = {.bench = problem_bench(p, SHARDS_MAX / 2)};
    o.half.stride = o.bench.agent.grad_stride;
    CHECK_OK(mem_alloc(&o.half.own, STAGES_MAX * o.half.stride, sizeof(float), "half sums"));
    CHECK_OK(mem_alloc(&o.before, state_floats(&o.bench.agent), sizeof(float), "state"));
    return o;
}

static void owner_release(Owner *o)
{
    mem_free(&o->half.own);
    mem_free(&o->before);
    bench_release(&o->bench);
}

void problem_on_two_owners(const Problem *p)
{
    Bench one = problem_bench(p, SHARDS_MAX);
    Owner low = owner_make(p);
    Owner high = owner_make(p);
    const Reduce whole = reduce_local(SHARDS_MAX);
    const size_t bytes = state_floats(&one.agent) * sizeof(float);

    low.half.other = high.half.own;
    high.half.other = low.half.own;
    for (int update = 0; update < p->updates; update++) {
        float stats[STAT_COUNT];
        CHECK_OK(problem_update(p, &one, update, &whole, stats));
        owners_update(p, &low, &high, update);
        assert_memory_equal(stats, low.stats, sizeof stats);
        assert_memory_equal(stats, high.stats, sizeof stats);
        assert_memory_equal(one.agent.block, low.bench.agent.block, bytes);
        assert_memory_equal(one.agent.block, high.bench.agent.block, bytes);
    }
    bench_release(&one);
    owner_release(&low);
    owner_release(&high);
}
