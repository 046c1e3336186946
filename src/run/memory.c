#include "run/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/ensemble_fit.h"
#include "run/crew.h"

/* Measured: what HDF5, OpenBLAS and MuJoCo take once they work, of a rank that plays HalfCheetah. */
static const double libraries = 10 << 20;

typedef struct {
    MemoryTerm *terms;
    int n;
} List;

static void add(List *list, MemoryWhen when, const char *name, double bytes)
{
    if (bytes > 0) {
        list->terms[list->n++] = (MemoryTerm){.name = name, .bytes = bytes, .when = when};
    }
}

static double floats(double n)
{
    return n * (double)sizeof(float);
}

/* Floats of a member in a checkpoint: weights, m, v, snapshot (run/fit_model.c). */
static double member_state(const Ensemble *ens)
{
    return 2.0 * (double)ens->stride + 2.0 * (double)ens->trained;
}

/* ---- while a dataset is collected ---- */

/* Rows of doubles (run/collect.h), joined on rank 0 and copied into columns; measured: 2.6 times their bytes. */
static void add_collected(List *list, const Session *s, const Plan *plan, int rank)
{
    const double row = 2.0 * s->env->state_dim + s->env->act_dim + s->env->nq + s->env->nv + 4;
    const double all = (double)s->collected * row * (double)sizeof(double);

    add(list, MEMORY_COLLECT, "rows that are collected", rank == 0 ? 2.6 * all : all / plan->ranks);
}

/* ---- while the ensemble is fitted ---- */

static void add_fit(List *list, const Session *s, const Plan *plan, int rank, int64_t rows)
{
    const Ensemble *ens = &s->ens;
    const int members = ens->cfg.members;
    const int shards = s->cfg.model.shards;
    const int size = plan_team_size(plan, s->cfg.ranks.team, members, shards);
    const double D = (double)s->data.rec.S + (double)s->data.rec.A;
    const double Y = (double)s->data.rec.S + 1;
    const double share = s->cfg.model.holdout_ratio * (double)rows;
    const double held = fmax(1, fmin(floor(share), (double)s->cfg.model.holdout_max));
    double optimizer = 0;
    int owned = 0;
    int taken = 0;

    for (int i = 0; i < members; i++) {
        const PlanTeam team = plan_member_team(plan, members, size, i);
        if (plan_in_team(team, rank)) {
            taken++;
            owned += team.first == rank ? 1 : 0;
            optimizer += ((double)shards / team.size + 2) * (double)ens->trained;
            optimizer += (double)ens->stride;
        }
    }
    add(list, MEMORY_FIT, "split of the dataset", floats((double)rows + held * (D + Y)));
    add(list, MEMORY_FIT, "gradients, Adam, best state of members", floats(optimizer));
    add(list, MEMORY_FIT, "bootstraps of members", floats(2.0 * taken * ((double)rows - held)));
    add(list, MEMORY_FIT, "scratch of the fit",
        (double)member_fit_cost(ens, &(FitData){.rec = s->data.rec}, s->cfg.model.batch));
    add(list, MEMORY_FIT, "members for a checkpoint", floats(owned * member_state(ens)));
    if (rank == 0) { /* all members, and HDF5's file of them in memory, twice */
        add(list, MEMORY_FIT, "a checkpoint of the fit", 3 * floats(members * member_state(ens)));
    }
}

/* ---- while the policy is learned ---- */

static double unit_bytes(const Session *s)
{
    return floats((double)rollout_unit_most(&s->roll) * (double)s->roll.rec.stride);
}

/* Rows that go through this rank: the rings of a learner's shards, and what is on its way there. */
static void add_rows(List *list, const Session *s, const Plan *plan, int rank)
{
    const double row = floats((double)s->roll.rec.stride);
    const bool learns = plan_is_learner(plan, rank);
    double ring = 0;
    int arriving = 0;

    for (int u = 0; learns && u < plan->units; u++) {
        if (plan_shard_owner(plan, plan_unit_shard(plan, u)) == rank) {
            ring += (double)rollout_unit_starts(&s->roll, u) * s->roll.horizon *
                    s->cfg.rollout.retain * row;
            arriving += plan_unit_owner(plan, u) != rank ? 1 : 0;
        }
    }
    add(list, MEMORY_LEARN, "model rows", ring);
    add(list, MEMORY_LEARN, "rows that arrive", arriving * unit_bytes(s));
    if (learns && plan_first_worker(plan) > 0) {
        return;
    }
    add(list, MEMORY_LEARN, "rows of units on their way",
        (learns ? 1 : CREW_BUFFERS) * unit_bytes(s));
}

static void add_agent(List *list, const Session *s, const Plan *plan, int rank)
{
    const Agent *agent = &s->agent;
    const double T = (double)agent->trained;
    const double targets = (double)agent->critic.count;
    const double grads = (double)agent->grad_stride * plan->shards / plan->learners;
    const double policy = floats((double)agent_policy_floats(agent));

    add(list, MEMORY_ALWAYS, "agent, Adam", floats(3 * T + targets));
    if (plan_is_learner(plan, rank)) {
        add(list, MEMORY_ALWAYS, "gradients of shards", floats(grads));
        add(list, MEMORY_LEARN, "a batch",
            floats((double)s->cfg.train.batch * (double)s->data.rec.stride));
    }
    if (rank == 0) {
        const double past = s->uses_model ? s->cfg.rollout.retain + 2 : 0;
        const double saved = fmin(past, s->cfg.train.epochs + s->cfg.rollout.lag);
        add(list, MEMORY_LEARN, "policies of the model rows",
            past * floats((double)agent->actor.count));
        add(list, MEMORY_LEARN, "policies for workers", (plan->ranks - plan->learners) * policy);
        add(list, MEMORY_LEARN, "a checkpoint of the policy",
            2 * floats(3 * T + targets + saved * (double)agent->actor.count));
    }
}

int memory_terms(const Session *s, const Plan *plan, int rank, int64_t rows, double base,
                 MemoryTerm terms[MEMORY_TERMS_MAX])
{
    List list = {.terms = terms};
    const Ensemble *ens = &s->ens;
    const double E = ens->cfg.members;
    const double Y = (double)s->data.rec.S + 1;

    add(&list, MEMORY_PROGRAM, "program, libraries, MPI", base);
    add(&list, MEMORY_PROGRAM, "buffers of libraries", base > 0 ? libraries : 0);
    add_collected(&list, s, plan, rank);
    add(&list, MEMORY_ALWAYS, "dataset", floats((double)rows * (double)s->data.rec.stride));
    terms[list.n - 1].shared = true;
    add(&list, MEMORY_ALWAYS, "ensemble, and its copy for prediction",
        floats(E * (double)ens->stride + (double)ens->joint.count + 4 * E * Y) +
            (double)ens->scratch.size);
    add_agent(&list, s, plan, rank);
    add(&list, MEMORY_ALWAYS, "scratch", (double)s->tmp.size);
    if (s->needs_model) {
        add_fit(&list, s, plan, rank, rows);
    }
    if (s->uses_model) {
        add_rows(&list, s, plan, rank);
    }
    return list.n;
}

double memory_peak(const MemoryTerm *terms, int n)
{
    double sum[MEMORY_WHENS] = {0};

    for (int i = 0; i < n; i++) {
        sum[terms[i].when] += terms[i].bytes;
    }
    const double run = sum[MEMORY_ALWAYS] + fmax(sum[MEMORY_FIT], sum[MEMORY_LEARN]);
    return sum[MEMORY_PROGRAM] + fmax(sum[MEMORY_COLLECT], run);
}

double memory_shared(const MemoryTerm *terms, int n)
{
    double sum = 0;

    for (int i = 0; i < n; i++) {
        sum += terms[i].shared ? terms[i].bytes : 0;
    }
    return sum;
}

double memory_status(const char *name)
{
    const size_t length = strlen(name);
    char line[128];
    double kb = 0;
    FILE *file = fopen("/proc/self/status", "re");

    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, name, length) == 0 && line[length] == ':') {
            kb = strtod(line + length + 1, NULL);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return 1024 * kb;
}

static double base_bytes;

void memory_note_base(void)
{
    base_bytes = memory_status("VmRSS");
}

double memory_base(void)
{
    return base_bytes;
}
