/* One policy for all ranks. */
#include "base/mem.h"
#include "cli/cmd.h"
#include "comm/comm.h"

Status cmd_share_policy(const char *path, PolicyFile *policy)
{
    Status st = OK;

    *policy = (PolicyFile){0};
    TRY(comm_agree(comm_rank() == 0 ? policy_load(path, policy) : OK));
    float *params = policy->params;
    coll_bcast(policy, sizeof *policy, 0);
    policy->params = params;
    if (comm_rank() != 0) {
        st = mem_alloc(&policy->params, policy->actor.count, sizeof *params, "a policy");
    }
    TRY(comm_agree(st));
    coll_bcast(policy->params, policy->actor.count * sizeof *params, 0);
done:
    if (st != OK) {
        policy_release(policy);
    }
    return st;
}
