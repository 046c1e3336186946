/* evaluate over ranks: every rank gets all episodes, and they are those that one rank plays. */
#include <string.h>

#include "base/mem.h"
#include "comm/comm.h"
#include "policy/agent.h"
#include "run/evaluate.h"
#include "support/mpi_check.h"

static Agent agent;
static Player player;

static void make_player(void)
{
    const AgentConfig cfg = {.state_dim = 4,
                             .act_dim = 2,
                             .hidden = 8,
                             .layers = 2,
                             .alpha = 1,
                             .log_std_min = -20,
                             .log_std_max = 2};
    MPI_CHECK_OK(agent_init(&agent, agent_find("sac"), &cfg, 0, 1));
    player = (Player){.env = env_find("pointmass"),
                      .actor = &agent.actor,
                      .squash = &agent.squash,
                      .params = agent_actor(&agent),
                      .seed = 2,
                      .epoch = 9};
}

/* More and fewer episodes than ranks. */
static void all_ranks_get_the_episodes_of_one(void)
{
    enum { MOST = 11 };
    const int64_t before = mem_count();
    EpisodeEntry got[MOST];
    EpisodeEntry want[MOST];
    Env *env = NULL;
    Arena tmp;

    MPI_CHECK_OK(arena_init(&tmp, play_cost(&player)));
    MPI_CHECK_OK(player.env->open(&env, player.env));
    for (int k = 0; k < MOST; k++) {
        MPI_CHECK_OK(play_episode(&player, env, k, &tmp, &want[k]));
    }
    for (int count = 1; count <= MOST; count += 5) {
        memset(got, 0xff, sizeof got);
        MPI_CHECK_OK(evaluate(&player, count, got));
        for (int k = 0; k < count; k++) {
            MPI_CHECK(got[k].episode == k);
            MPI_CHECK_NEAR(got[k].total, want[k].total, 0, 0);
            MPI_CHECK_NEAR(got[k].length, want[k].length, 0, 0);
        }
    }
    player.env->close(env);
    arena_release(&tmp);
    MPI_CHECK(mem_count() == before);
}

static void every_rank_knows_what_one_saw_of_an_episode(void)
{
    EpisodeEntry e[5] = {{0}};

    for (int k = comm_rank(); k < 5; k += comm_size()) {
        e[k] = (EpisodeEntry){k, 10 * k, 100 + k, k == 3 ? 1 : 0};
    }
    MPI_CHECK_OK(share_episodes(e, 5));
    for (int k = 0; k < 5; k++) {
        MPI_CHECK(e[k].episode == k);
        MPI_CHECK_NEAR(e[k].total, 10 * k, 0, 0);
        MPI_CHECK_NEAR(e[k].length, 100 + k, 0, 0);
        MPI_CHECK_NEAR(e[k].cut, k == 3 ? 1 : 0, 0, 0);
    }
}

static Status refuse(Env *env, Rng *rng)
{
    const Status st = env_find("pointmass")->reset(env, rng);
    return comm_rank() < comm_size() - 1 ? st : status_fail(ERR_ENV, "the last rank's simulator");
}

static void a_failure_of_one_rank_is_told_to_all(void)
{
    const int64_t before = mem_count();
    EnvKind broken = *env_find("pointmass");
    Player unlucky = player;
    EpisodeEntry got[8];

    broken.reset = refuse;
    unlucky.env = &broken;
    MPI_CHECK(evaluate(&unlucky, 8, got) == ERR_ENV);
    MPI_CHECK(strstr(status_reason(), "the last rank's simulator") != NULL);
    MPI_CHECK(mem_count() == before);
}

int main(int argc, char **argv)
{
    if (comm_open(&argc, &argv) != OK) {
        return 1;
    }
    make_player();
    MPI_CASE(all_ranks_get_the_episodes_of_one);
    MPI_CASE(every_rank_knows_what_one_saw_of_an_episode);
    MPI_CASE(a_failure_of_one_rank_is_told_to_all);
    agent_release(&agent);
    const int code = mpi_check_end();
    comm_close();
    return code;
}
