/* A member that several ranks fit together: whatever the team, the same bits as by one rank alone, and the
 * same end where the numbers are bad. */
#include <math.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "comm/comm.h"
#include "comm/plan.h"
#include "model/ensemble_fit.h"
#include "nn/gemm.h"
#include "support/mpi_check.h"

enum { S = 3, A = 2, ROWS = 150, BATCH = 32, SEED = 5, MEMBERS = 3 };

typedef struct {
    float *records;
    FitData data;
    Ensemble ens;
    Arena tmp;
} World;

static Status world_open(World *w, bool spectral_norm)
{
    Status st = OK;
    const Record rec = record_make(S, A);
    const EnsembleConfig cfg = {.members = MEMBERS,
                                .elites = 1,
                                .state_dim = S,
                                .act_dim = A,
                                .hidden = 16,
                                .layers = 2,
                                .spectral_norm = spectral_norm,
                                .spectral_c = 1,
                                .logvar_max = 0.5F,
                                .logvar_min = -10,
                                .logvar_reg = 0.01F,
                                .decay_hidden = 1e-3F};
    Rng rng = rng_make(SEED, RNG_TEST, 0, 0);

    *w = (World){0};
    TRY(mem_alloc(&w->records, ROWS * rec.stride, sizeof(float), "test"));
    rng_fill_normal(&rng, w->records, ROWS * rec.stride);
    TRY(fit_data_init(&w->data, &rec, w->records, ROWS, 0.1, 1000, SEED));
    TRY(ensemble_init(&w->ens, &cfg, SEED));
    TRY(fit_data_scales(&w->data, &w->ens));
    TRY(arena_init(&w->tmp, member_fit_cost(&w->ens, &w->data, BATCH)));
done:
    return st;
}

static void world_close(World *w)
{
    arena_release(&w->tmp);
    ensemble_release(&w->ens);
    fit_data_release(&w->data);
    mem_free(&w->records);
}

static Status one_pass(World *w, MemberFit *fit, int64_t pass, double *loss)
{
    return member_fit_pass(fit, &w->ens, &w->data, pass, BATCH, 1e-2, SEED, &w->tmp, loss);
}

typedef struct {
    int member;
    Reduce reduce;
    float *grads; /* shared by the team */
} Team;

/* Passes of 135 rows: four batches and one of 7, fewer than eight shards. */
static void fit_beside_one_alone(World *shared, World *alone, const Team *team)
{
    const Reduce whole = reduce_local(team->reduce.shards);
    const int member = team->member;
    const size_t bytes = shared->ens.stride * sizeof(float);
    MemberFit fit = {0};
    MemberFit want = {0};

    MPI_CHECK_OK(member_fit_init(&fit, &shared->ens, &shared->data, member, &team->reduce,
                                 team->grads, SEED));
    MPI_CHECK_OK(member_fit_init(&want, &alone->ens, &alone->data, member, &whole, NULL, SEED));
    for (int64_t pass = 0; pass < 2; pass++) {
        double loss[2] = {0};
        MPI_CHECK_OK(one_pass(shared, &fit, pass, &loss[0]));
        MPI_CHECK_OK(one_pass(alone, &want, pass, &loss[1]));
        MPI_CHECK_NEAR(loss[0], loss[1], 0, 0);
        MPI_CHECK(memcmp(ensemble_member(&shared->ens, member),
                         ensemble_member(&alone->ens, member), bytes) == 0);
    }
    MPI_CHECK(fit.steps == 10 && want.steps == 10);
    member_fit_release(&fit);
    member_fit_release(&want);
}

/* One record is bad: one shard has it, all of the team see it in the sum. */
static void fail_together(World *w, const Team *team)
{
    const Record rec = record_make(S, A);
    MemberFit fit = {0};
    double loss = 0;

    MPI_CHECK_OK(
        member_fit_init(&fit, &w->ens, &w->data, team->member, &team->reduce, team->grads, SEED));
    float *next = w->records + (size_t)fit.sample[70] * rec.stride + rec.s2;
    const float was = *next;
    *next = NAN;
    MPI_CHECK(one_pass(w, &fit, 0, &loss) == ERR_NUMERIC);
    MPI_CHECK(strstr(status_reason(), "is not finite") != NULL);
    *next = was;
    MPI_CHECK(fit.steps < 5);
    float row[8]; /* nobody was left behind: all have made as many steps */
    for (int i = 0; i < team->reduce.count; i++) {
        row[i] = (float)fit.steps;
    }
    MPI_CHECK_OK(team->reduce.sum(&team->reduce, row, 1, 1));
    MPI_CHECK_NEAR(row[0], team->reduce.shards * fit.steps, 0, 0);
    member_fit_release(&fit);
}

/* Work on the members of the last round, of which a rank has one at most. */
static void fit_in_teams_of(int members, int shards, void (*work)(const Team *))
{
    const Plan plan = {.ranks = comm_size()};
    const int size = plan_team_size(&plan, shards, members, shards); /* whatever cores there are */
    PlanTeam mine = {0};
    Team team = {0};
    World w;

    for (int i = members - members % plan.ranks; i < members; i++) {
        const PlanTeam one = plan_member_team(&plan, members, size, i);
        if (plan_in_team(one, comm_rank())) {
            mine = one;
            team.member = i;
        }
    }
    if (MPI_CHECK_OK(world_open(&w, false)) &&
        MPI_CHECK_OK(comm_reduce_open_group(&team.reduce, shards, mine.first, mine.size)) &&
        MPI_CHECK_OK(comm_reduce_rows(&team.reduce, member_fit_stride(&w.ens), &team.grads)) &&
        mine.size > 0) {
        work(&team);
    }
    comm_reduce_close(&team.reduce);
    world_close(&w);
}

static void in_teams(void (*work)(const Team *))
{
    const int64_t before = mem_count();
    for (int members = 1; members <= MEMBERS; members++) {
        for (int shards = 1; shards <= 8; shards *= 2) {
            fit_in_teams_of(members, shards, work);
        }
    }
    MPI_CHECK(mem_count() == before);
}

static void compare(const Team *team)
{
    for (int normed = 0; normed < 2; normed++) {
        World shared;
        World alone;
        if (MPI_CHECK_OK(world_open(&shared, normed != 0)) &&
            MPI_CHECK_OK(world_open(&alone, normed != 0))) {
            fit_beside_one_alone(&shared, &alone, team);
        }
        world_close(&shared);
        world_close(&alone);
    }
}

static void spoil(const Team *team)
{
    World w;
    if (MPI_CHECK_OK(world_open(&w, false))) {
        fail_together(&w, team);
    }
    world_close(&w);
}

static void a_team_gets_the_bits_of_one_rank(void)
{
    in_teams(compare);
}

static void a_bad_number_in_one_shard_stops_all_of_the_team(void)
{
    in_teams(spoil);
}

int main(int argc, char **argv)
{
    if (comm_open(&argc, &argv) != OK) {
        return 1;
    }
    log_start(comm_rank(), comm_size());
    gemm_setup();
    MPI_CASE(a_team_gets_the_bits_of_one_rank);
    MPI_CASE(a_bad_number_in_one_shard_stops_all_of_the_team);
    const int code = mpi_check_end();
    comm_close();
    return code;
}
