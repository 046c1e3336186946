/* One update of each agent on 256 rows, all shards on this rank; and the sum of gradients over the shards. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "data/record.h"
#include "parts.h"

enum { ROWS = 256, SHARDS_MAX = 4 };

typedef struct {
    Agent agent;
    Reduce reduce;
    Arena tmp;
    float *records; /* (ROWS, stride) owned */
    Batch batch[SHARDS_MAX];
} Update;

static void update_open(Update *u, const AgentKind *kind, int S, int A, int shards)
{
    const AgentConfig cfg = paper_agent(S, A);
    const Record rec = record_make(S, A);
    const int rows = ROWS / shards;

    *u = (Update){.reduce = reduce_local(shards)};
    must(agent_init(&u->agent, kind, &cfg, shards, 1));
    must(arena_init(&u->tmp, u->agent.kind->update_cost(&u->agent, rows)));
    u->records = random_floats(ROWS * rec.stride, -1.0F, 1.0F);
    for (int i = 0; i < ROWS; i++) {
        u->records[(size_t)i * rec.stride + rec.cont] = 1.0F;
    }
    for (int s = 0; s < shards; s++) {
        u->batch[s] = (Batch){u->records + (size_t)(s * rows) * rec.stride, rows};
    }
}

static void update_close(Update *u)
{
    agent_release(&u->agent);
    arena_release(&u->tmp);
    mem_free(&u->records);
}

static void update_run(void *ctx)
{
    Update *u = ctx;
    float stats[STAT_COUNT];
    must(u->agent.kind->update(&u->agent, u->batch, ROWS, &u->reduce, 1, &u->tmp, stats));
}

static void prepare_run(void *ctx)
{
    Update *u = ctx;
    float stats[STAT_COUNT];
    must(u->agent.kind->prepare(&u->agent, u->batch, ROWS, &u->reduce, 1, &u->tmp, stats));
}

static void add(Report *report, const AgentKind *kind, const char *what, Run run, int S, int A,
                int shards)
{
    Pair pair = {.unit = "update", .units = 1, .thing = run, .floor = products_run};
    Update u;
    Products products;

    (void)snprintf(pair.what, sizeof pair.what, "%s %s %d/%d, %d shard%s", kind->name, what, S, A,
                   shards, shards > 1 ? "s" : "");
    if (!report_wants(report, pair.what)) {
        return;
    }
    update_open(&u, kind, S, A, shards);
    products_record(&products, run, &u);
    pair.thing_ctx = &u;
    pair.floor_ctx = &products;
    pair.flops = products.flops;
    report_add(report, &pair);
    products_release(&products);
    update_close(&u);
}

static void reduce_run(void *ctx)
{
    Update *u = ctx;
    must(u->reduce.sum(&u->reduce, u->agent.grads, u->agent.grad_stride, u->agent.grad_stride));
}

/* As many additions as the tree makes, but of bytes: copies. */
static void copy_run(void *ctx)
{
    Update *u = ctx;
    const size_t n = u->agent.grad_stride;
    for (int i = 1; i < u->reduce.shards; i++) {
        memcpy(u->agent.grads, u->agent.grads + (size_t)i * n, n * sizeof(float));
    }
}

static void add_reduce(Report *report)
{
    Update u;
    update_open(&u, agent_find("sac"), 17, 6, SHARDS_MAX);
    report_add(report, &(Pair){.what = "gradients of 4 shards, tree; memcpy",
                               .unit = "update",
                               .units = 1,
                               .thing = reduce_run,
                               .floor = copy_run,
                               .thing_ctx = &u,
                               .floor_ctx = &u});
    update_close(&u);
}

void bench_update(Report *report)
{
    const AgentKind *sac = agent_find("sac");

    add(report, sac, "update", update_run, 17, 6, 1);
    add(report, sac, "update", update_run, 11, 3, 4);
    add(report, sac, "update", update_run, 27, 8, 4);
    for (int i = 0; agent_row(i) != NULL; i++) {
        const AgentKind *kind = agent_row(i);
        add(report, kind, "update", update_run, 17, 6, 4);
        if (kind->prepare != NULL) {
            add(report, kind, "prepare", prepare_run, 17, 6, 4);
        }
    }
    add_reduce(report);
}
