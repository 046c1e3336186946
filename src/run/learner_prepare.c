/* Updates before the first epoch: BRAC's clone of the behavior. */
#include "base/log.h"
#include "base/panic.h"
#include "base/timer.h"
#include "run/diverged.h"
#include "run/learner_state.h"
#include "run/stop.h"
#include "run/timing.h"

/* Between checkpoints, where an epoch is a single update. */
enum { ON_POLICY_PIECE = 1000 };

/* Up to the next multiple of `piece`, or to the end; *loss gets the mean loss of the behavior's model. */
static Status do_piece(Learner *l, int64_t piece, int64_t total, double *loss)
{
    Session *s = l->s;
    Agent *agent = &s->agent;
    Status st = OK;
    const int64_t next = (agent->prepared / piece + 1) * piece;
    const int64_t end = next < total ? next : total;
    const int64_t count = end - agent->prepared;
    float stats[STAT_COUNT];

    *loss = 0;
    REQUIRE(agent->kind->prepare != NULL);
    const AccountKind before = account_kind(ACCOUNT_UPDATE);
    while (agent->prepared < end) {
        learner_gather_prepare(l);
        TRY(agent->kind->prepare(agent, l->shard, s->cfg.train.batch, &s->reduce,
                                 (uint64_t)s->cfg.top.seed, &s->tmp, stats));
        *loss += (double)stats[STAT_BEHAVIOR] / (double)count;
    }
    (void)account_kind(before);
    TRY(diverged_agent(s));
done:
    st = status_while(st, "behavior's model");
    return diverged_cures(st, s, DIVERGED_AGENT);
}

/* How many pieces are done, the last one perhaps in part. */
static int64_t pieces_done(const Learner *l, int64_t piece)
{
    return (l->s->agent.prepared + piece - 1) / piece;
}

static Status stopped(Learner *l, int64_t piece, int64_t saved, int64_t total)
{
    const Status st = comm_reduce_agree(
        &l->s->reduce,
        l->s->agent.prepared > saved ? learner_save(l, PHASE_PREPARE, pieces_done(l, piece)) : OK);
    if (st != OK) {
        return st;
    }
    return status_fail(ERR_INTERRUPTED,
                       "stopped after %lld of %lld updates of the behavior's model as asked (%s); "
                       "the same command goes on from here",
                       (long long)l->s->agent.prepared, (long long)total, stop_reason());
}

Status learner_prepare(Learner *l)
{
    Agent *agent = &l->s->agent;
    Status st = OK;
    const int64_t total = agent->kind->prepare != NULL ? agent->kind->prepare_updates(agent) : 0;
    const int64_t piece =
        agent->kind->on_policy ? ON_POLICY_PIECE : l->s->cfg.train.updates_per_epoch;
    const int64_t tenth = total > 10 ? total / 10 : 1;
    const double start = timer_now();
    int64_t saved = agent->prepared;
    double loss = 0;

    stop_begin();
    while (agent->prepared < total) {
        if (learner_stop_asked(l)) {
            return stopped(l, piece, saved, total);
        }
        const int64_t before = agent->prepared;
        TRY(do_piece(l, piece, total, &loss));
        const int64_t pieces = pieces_done(l, piece);
        if (learner_save_asked(l) || pieces % l->s->cfg.checkpoint.every == 0 ||
            agent->prepared == total) {
            TRY(comm_reduce_agree(&l->s->reduce, learner_save(l, PHASE_PREPARE, pieces)));
            saved = agent->prepared;
        }
        if (agent->prepared / tenth > before / tenth || agent->prepared == total) {
            log_info("behavior's model: update %lld/%lld, loss %.4g, %.1f s",
                     (long long)agent->prepared, (long long)total, loss, timer_now() - start);
        }
    }
    if (l->lead && total > 0) {
        timing_line("{\"rank\": 0, \"phase\": \"prepare\", \"busy\": %.4f}", timer_now() - start);
    }
done:
    return st;
}
