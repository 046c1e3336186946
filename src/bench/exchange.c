/* What ranks send each other, with the sizes of HalfCheetah under the default settings. Here the wall clock counts,
 * on rank 0, from one barrier to the end of its part; beside it the same bytes copied by this process. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/timer.h"
#include "bench/parts.h"
#include "comm/comm.h"
#include "run/crew.h"

enum { S = 17, A = 6, SHARDS = 4, WORKER = 1 };

typedef struct {
    Agent agent; /* with SHARDS gradient rows */
    Ensemble ens;
    Reduce reduce; /* of the row that is measured */
    float *rows;   /* its gradients */
    int learners;
    size_t policy_bytes, records_bytes, copied; /* copied: of the row that is measured */
    Mail **policy, **answer;                    /* (ranks) on rank 0; elsewhere the first */
    Mail *records;
    unsigned char *from, *to; /* owned on rank 0, each as large as the most that is copied */
} Exchange;

typedef struct {
    const char *name, *unit;
    int calls;    /* in one measurement, so that a rank that comes early waits for the others */
    double units; /* in one call */
    Run run;      /* collective */
    size_t (*bytes)(const Exchange *x); /* that a copy in one process would move; NULL: none */
} Kind;

/* ---- the exchanges ---- */

/* The policy to all workers, and from each the message that ends its task. */
static Status policy_run(void *ctx)
{
    Exchange *x = ctx;

    if (comm_rank() > 0) {
        mail_receive(x->policy[0], 0, TAG_POLICY);
        (void)mail_wait(x->policy[0]);
        mail_send(x->answer[0], 0, TAG_DONE, sizeof(TaskTime));
        (void)mail_wait(x->answer[0]);
        return OK;
    }
    for (int r = 1; r < comm_size(); r++) {
        mail_receive(x->answer[r], r, TAG_DONE);
        mail_send(x->policy[r], r, TAG_POLICY, x->policy_bytes);
    }
    for (int r = 1; r < comm_size(); r++) {
        (void)mail_wait(x->policy[r]);
        (void)mail_wait(x->answer[r]);
    }
    return OK;
}

static size_t policy_bytes(const Exchange *x)
{
    return x->policy_bytes * (size_t)(comm_size() - 1);
}

/* A worker's records of a unit, once it is asked for them. */
static Status records_run(void *ctx)
{
    Exchange *x = ctx;

    if (comm_rank() == 0) {
        mail_receive(x->records, WORKER, TAG_RECORDS);
        mail_send(x->policy[WORKER], WORKER, TAG_POLICY, sizeof(Task));
        (void)mail_wait(x->policy[WORKER]);
        (void)mail_wait(x->records);
    } else if (comm_rank() == WORKER) {
        mail_receive(x->policy[0], 0, TAG_POLICY);
        (void)mail_wait(x->policy[0]);
        mail_send(x->records, 0, TAG_RECORDS, x->records_bytes);
        (void)mail_wait(x->records);
    }
    return OK;
}

static size_t records_bytes(const Exchange *x)
{
    return x->records_bytes;
}

/* All members of the ensemble, each from its owner, as at the end of the model fit. */
static Status members_run(void *ctx)
{
    Exchange *x = ctx;
    for (int i = 0; i < x->ens.cfg.members; i++) {
        coll_bcast(ensemble_member(&x->ens, i), x->ens.stride * sizeof(float), i % comm_size());
    }
    return OK;
}

static size_t members_bytes(const Exchange *x)
{
    return (size_t)x->ens.cfg.members * x->ens.stride * sizeof(float);
}

static Status tree_run(void *ctx)
{
    Exchange *x = ctx;
    const size_t n = x->agent.grad_stride;
    return comm_rank() < x->learners ? x->reduce.sum(&x->reduce, x->rows, n, n) : OK;
}

/* One copy for each addition on one rank: of its own shards, then one for each doubling. */
static size_t tree_bytes(const Exchange *x)
{
    size_t additions = (size_t)(x->reduce.count - 1);
    for (int l = 1; l < x->learners; l *= 2) {
        additions++;
    }
    return additions * x->agent.grad_stride * sizeof(float);
}

static Status barrier_run(void *ctx)
{
    (void)ctx;
    comm_barrier();
    return OK;
}

static Status agree_run(void *ctx)
{
    (void)ctx;
    return comm_agree(OK);
}

static const Kind kinds[] = {
    {"exchange policy with all workers", "task", 4, 1, policy_run, policy_bytes},
    {"exchange records of a unit", "unit", 4, 1, records_run, records_bytes},
    {"exchange members of the ensemble", "member", 4, 7, members_run, members_bytes},
    {"exchange barrier", "call", 100, 1, barrier_run, NULL},
    {"exchange agreement", "call", 100, 1, agree_run, NULL},
};

/* ---- the measurement ---- */

/* Repeats until rank 0's budget is spent. Collective. */
static Status measure(Exchange *x, const Kind *kind, double budget, double *least, double *floor)
{
    Status st = OK;
    const double begin = timer_now();
    int again = 1;

    *least = DBL_MAX;
    *floor = x->copied > 0 ? DBL_MAX : 0;
    for (int k = 0; again != 0; k++) {
        comm_barrier();
        const double start = timer_now();
        for (int i = 0; i < kind->calls; i++) {
            TRY(kind->run(x));
        }
        const double end = timer_now();
        *least = fmin(*least, (end - start) / kind->calls);
        if (comm_rank() == 0 && x->copied > 0) {
            memcpy(x->to, x->from, x->copied);
            *floor = fmin(*floor, timer_now() - end);
        }
        again = k < 1 || timer_now() - begin < budget ? 1 : 0;
        coll_bcast(&again, sizeof again, 0);
    }
done:
    return st;
}

static Status add(Report *report, Exchange *x, const Kind *kind)
{
    Status st = OK;
    double least = 0;
    double floor = 0;

    if (!report_wants(report, kind->name)) {
        return OK;
    }
    x->copied = kind->bytes != NULL ? kind->bytes(x) : 0;
    if (comm_rank() == 0 && x->copied > 0) {
        st = mem_alloc(&x->from, x->copied, 1, "bytes to copy");
        st = st == OK ? mem_alloc(&x->to, x->copied, 1, "bytes to copy") : st;
    }
    TRY(comm_agree(st));
    TRY(measure(x, kind, report->quick ? 0.0 : 0.5, &least, &floor));
    if (comm_rank() == 0) {
        report_add(report, kind->name, kind->unit, x->copied > 0 ? "memcpy" : "",
                   &(RowTimes){.seconds = least / kind->units, .floor = floor / kind->units});
    }
done:
    mem_free(&x->from);
    mem_free(&x->to);
    return st;
}

/* The gradients of SHARDS shards between 2, 4 ... learners; of as many shards as learners where these are more. */
static Status add_trees(Report *report, Exchange *x)
{
    Status st = OK;
    char name[REPORT_WORD_MAX];

    for (x->learners = 2; x->learners <= comm_size() && x->learners <= PLAN_SHARDS_MAX;
         x->learners *= 2) {
        const int shards = x->learners > SHARDS ? x->learners : SHARDS;
        (void)snprintf(name, sizeof name, "exchange gradient tree, %d learners", x->learners);
        TRY(comm_reduce_open(&x->reduce, shards, x->learners));
        TRY(comm_reduce_rows(&x->reduce, x->agent.grad_stride, &x->rows));
        TRY(add(report, x, &(Kind){name, "update", 10, 1, tree_run, tree_bytes}));
        comm_reduce_close(&x->reduce);
    }
done:
    comm_reduce_close(&x->reduce);
    return st;
}

/* ---- setting up ---- */

static Status exchange_open(Exchange *x)
{
    Status st = OK;
    const Config cfg = paper_config();
    const AgentConfig agent = paper_agent(S, A);
    const EnsembleConfig ens = paper_ensemble(S, A, false);
    const int unit_rows = (cfg.rollout.batch + cfg.rollout.units - 1) / cfg.rollout.units;
    const int ends = comm_rank() == 0 ? comm_size() : 1;

    TRY(agent_init(&x->agent, agent_find("sac"), &agent, 0, 1));
    TRY(ensemble_init(&x->ens, &ens, 1));
    x->policy_bytes = sizeof(Task) + agent_policy_floats(&x->agent) * sizeof(float);
    x->records_bytes =
        (size_t)unit_rows * (size_t)cfg.rollout.horizon * record_make(S, A).stride * sizeof(float);
    TRY(mem_alloc(&x->policy, (size_t)ends, sizeof(Mail *), "message slots"));
    TRY(mem_alloc(&x->answer, (size_t)ends, sizeof(Mail *), "message slots"));
    for (int r = 0; r < ends; r++) {
        TRY(mail_open(&x->policy[r], x->policy_bytes));
        TRY(mail_open(&x->answer[r], sizeof(TaskTime)));
    }
    TRY(mail_open(&x->records, x->records_bytes));
done:
    return st;
}

static void exchange_close(Exchange *x)
{
    const int ends = comm_rank() == 0 ? comm_size() : 1;

    for (int r = 0; x->answer != NULL && r < ends; r++) {
        mail_close(&x->policy[r]);
        mail_close(&x->answer[r]);
    }
    mem_free(&x->policy);
    mem_free(&x->answer);
    mail_close(&x->records);
    ensemble_release(&x->ens);
    agent_release(&x->agent);
}

Status bench_exchange(Report *report)
{
    Status st = OK;
    Exchange x = {0};

    TRY(comm_agree(exchange_open(&x)));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        TRY(add(report, &x, &kinds[i]));
    }
    TRY(add_trees(report, &x));
done:
    exchange_close(&x);
    return st;
}
