/* The choice of learners by measured costs: the same on all ranks, and only where it is worth a second. */
#include <stdio.h>

#include "base/log.h"
#include "comm/comm.h"
#include "nn/gemm.h"
#include "run/choose_learners.h"
#include "run/tables.h"
#include "support/mpi_check.h"

static Config long_run(void)
{
    Config c;

    config_default(&c);
    (void)snprintf(c.top.task, sizeof c.top.task, "pointmass");
    c.model.members = 3;
    c.model.elites = 2;
    c.model.hidden = 16;
    c.model.layers = 2;
    c.rollout.batch = 64;
    c.rollout.units = 8;
    c.rollout.horizon = 2;
    c.train.epochs = 1000;
    c.train.updates_per_epoch = CHOOSE_UPDATES / 1000;
    c.eval.episodes = 2;
    return c;
}

static void all_ranks_agree_on_what_was_measured(void)
{
    Config c = long_run();

    if (MPI_CHECK_OK(choose_learners(&c))) {
        const int mine = c.ranks.learners;
        int first = mine;
        coll_bcast(&first, sizeof first, 0);
        MPI_CHECK(mine == first);
        MPI_CHECK(comm_size() == 1 ? mine == 0 : mine == 1 || mine == 2 || mine == 4);
        MPI_CHECK(mine <= comm_size());
    }
}

/* Updates that dwarf everything else are shared where there are cores for it. */
static void dear_updates_are_shared(void)
{
    Config c = long_run();

    c.train.batch = 1024;
    c.sac.hidden = 512;
    c.rollout.batch = 8;
    c.eval.every = 1000;
    c.eval.episodes = 1;
    if (comm_size() == 2 && comm_cores() >= 2 && MPI_CHECK_OK(choose_learners(&c))) {
        MPI_CHECK(c.ranks.learners == 2);
    }
}

static void short_runs_and_wishes_are_left_alone(void)
{
    Config c = long_run();

    c.train.epochs -= 1;
    MPI_CHECK_OK(choose_learners(&c));
    MPI_CHECK(c.ranks.learners == 0);
    c.train.epochs += 1;
    c.ranks.learners = 1;
    MPI_CHECK_OK(choose_learners(&c));
    MPI_CHECK(c.ranks.learners == 1);
    c.ranks.learners = 0;
    c.train.shards = 1;
    MPI_CHECK_OK(choose_learners(&c));
    MPI_CHECK(c.ranks.learners == 0);
}

int main(int argc, char **argv)
{
    if (comm_open(&argc, &argv) != OK) {
        return 1;
    }
    log_start(comm_rank(), comm_size());
    gemm_setup();
    tables_register();
    MPI_CASE(all_ranks_agree_on_what_was_measured);
    MPI_CASE(dear_updates_are_shared);
    MPI_CASE(short_runs_and_wishes_are_left_alone);
    const int code = mpi_check_end();
    comm_close();
    return code;
}
