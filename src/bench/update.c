/* One update of each agent on 256 rows, all shards on this rank; and the sum of gradients over the shards. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "bench/parts.h"
#include "data/record.h"

enum { ROWS = 256, SHARDS_MAX = 4, NAMES = REPORT_WORD_MAX };

typedef struct {
    Agent agent;
    Reduce reduce;
    Arena tmp;
    float *records; /* (ROWS, stride) owned */
    Batch batch[SHARDS_MAX];
} Update;

static void update_close(Update *u)
{
    agent_release(&u->agent);
    arena_release(&u->tmp);
    mem_free(&u->records);
}

static Status update_open(Update *u, const AgentKind *kind, int S, int A, int shards)
{
    Status st = OK;
    const AgentConfig cfg = paper_agent(S, A);
    const Record rec = record_make(S, A);
    const int rows = ROWS / shards;

    *u = (Update){.reduce = reduce_local(shards)};
    TRY(agent_init(&u->agent, kind, &cfg, shards, 1));
    TRY(arena_init(&u->tmp, u->agent.kind->update_cost(&u->agent, rows)));
    TRY(random_floats(&u->records, ROWS * rec.stride, -1.0F, 1.0F));
    for (int i = 0; i < ROWS; i++) {
        u->records[(size_t)i * rec.stride + rec.cont] = 1.0F;
    }
    for (int s = 0; s < shards; s++) {
        u->batch[s] = (Batch){u->records + (size_t)(s * rows) * rec.stride, rows};
    }
done:
    return st;
}

static Status update_run(void *ctx)
{
    Update *u = ctx;
    float stats[STAT_COUNT];
    return u->agent.kind->update(&u->agent, u->batch, ROWS, &u->reduce, 1, &u->tmp, stats);
}

static Status prepare_run(void *ctx)
{
    Update *u = ctx;
    float stats[STAT_COUNT];
    return u->agent.kind->prepare(&u->agent, u->batch, ROWS, &u->reduce, 1, &u->tmp, stats);
}

typedef struct {
    const AgentKind *kind;
    Run run;
    int S, A, shards;
} Case;

static Status add(Report *report, const Case *c)
{
    Status st = OK;
    Update u = {0};
    char name[NAMES];

    (void)snprintf(name, sizeof name, "%s %s %d/%d, %d shard%s", c->kind->name,
                   c->run == prepare_run ? "prepare" : "update", c->S, c->A, c->shards,
                   c->shards > 1 ? "s" : "");
    if (report_wants(report, name)) {
        TRY(update_open(&u, c->kind, c->S, c->A, c->shards));
        TRY(part_add_products(report, name,
                              &(Pair){.unit = "update", .units = 1, .thing = {c->run, &u}}));
    }
done:
    update_close(&u);
    return st;
}

/* SAC on HalfCheetah and Walker2d, Hopper, Ant without and with the contact forces in its state. */
static Status add_sac(Report *report)
{
    static const int sizes[][2] = {{17, 6}, {11, 3}, {27, 8}, {111, 8}};
    Status st = OK;

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int shards = 1; shards <= SHARDS_MAX; shards *= SHARDS_MAX) {
            TRY(add(report,
                    &(Case){agent_find("sac"), update_run, sizes[i][0], sizes[i][1], shards}));
        }
    }
done:
    return st;
}

static Status add_others(Report *report)
{
    Status st = OK;

    for (int i = 0; agent_row(i) != NULL; i++) {
        const AgentKind *kind = agent_row(i);
        if (strcmp(kind->name, "sac") != 0) {
            TRY(add(report, &(Case){kind, update_run, 17, 6, SHARDS_MAX}));
        }
        if (kind->prepare != NULL) {
            TRY(add(report, &(Case){kind, prepare_run, 17, 6, SHARDS_MAX}));
        }
    }
done:
    return st;
}

static Status reduce_run(void *ctx)
{
    Update *u = ctx;
    return u->reduce.sum(&u->reduce, u->agent.grads, u->agent.grad_stride, u->agent.grad_stride);
}

/* As many additions as the tree makes, but of bytes: copies. */
static Status copy_run(void *ctx)
{
    Update *u = ctx;
    const size_t n = u->agent.grad_stride;
    for (int i = 1; i < u->reduce.shards; i++) {
        memcpy(u->agent.grads, u->agent.grads + (size_t)i * n, n * sizeof(float));
    }
    return OK;
}

static Status add_reduce(Report *report)
{
    static const char name[] = "gradient tree of 4 shards";
    Status st = OK;
    Update u = {0};

    if (report_wants(report, name)) {
        TRY(update_open(&u, agent_find("sac"), 17, 6, SHARDS_MAX));
        TRY(part_add(report, name,
                     &(Pair){.unit = "update",
                             .floor_is = "memcpy",
                             .units = 1,
                             .thing = {reduce_run, &u},
                             .floor = {copy_run, &u}}));
    }
done:
    update_close(&u);
    return st;
}

Status bench_update(Report *report)
{
    Status st = OK;

    TRY(add_sac(report));
    TRY(add_others(report));
    TRY(add_reduce(report));
done:
    return st;
}
