#include "run/assess.h"

#include <math.h>
#include <stdio.h>

#include "base/log.h"
#include "base/timer.h"
#include "run/fit_model.h"
#include "run/fit_terminal.h"
#include "run/model_world.h"

static Status fetch(Session *s, const char *run_dir)
{
    Status st = OK;
    RunDir dir = {.lock.fd = -1};
    bool found = false;

    (void)snprintf(dir.path, sizeof dir.path, "%s", run_dir);
    TRY(fetch_model(s, comm_rank() == 0 ? &dir : NULL, &found));
    if (!found) {
        return status_fail(ERR_CONFIG,
                           "%s has no model.h5 yet, which an evaluation without a "
                           "simulator needs; train it first",
                           run_dir);
    }
    TRY(fetch_terminal(s, comm_rank() == 0 ? &dir : NULL));
done:
    return st;
}

/* Episode k is played by rank k mod ranks; the entries then are everybody's. */
static Status play_all(Session *s, const EpisodeStarts *starts, const Player *player, int count,
                       EpisodeEntry *entries)
{
    for (int k = comm_rank(); k < count; k += comm_size()) {
        model_episode(&s->roll, starts, player, s->cfg.eval.model_steps, k, &s->tmp, &entries[k]);
    }
    return share_episodes(entries, count);
}

/* actor NULL: the recorded actions. */
static Status run_fqe(const Session *s, const EpisodeStarts *starts, const Player *player,
                      const Mlp *actor, FqeResult *result)
{
    const Config *c = &s->cfg;
    const FqeConfig cfg = {.hidden = c->sac.hidden,
                           .layers = c->sac.layers,
                           .updates = c->fqe.updates,
                           .batch = c->train.batch,
                           .lr = c->fqe.lr,
                           .gamma = (float)c->sac.gamma,
                           .tau = (float)c->fqe.tau,
                           .seed = (uint64_t)c->top.seed};
    const FqeIn in = {.rec = s->data.rec,
                      .records = s->data.records,
                      .rows = s->data.rows,
                      .starts = starts->rows,
                      .n_starts = starts->n,
                      .actor = actor,
                      .squash = player->squash,
                      .params = player->params};
    const double start = timer_now();
    const Status st = fqe_run(&cfg, &in, result);
    if (st == OK) {
        log_info("fitted Q evaluation of %s: %d updates in %.1f s, loss %.3g",
                 actor != NULL ? "the policy" : "the recorded actions", cfg.updates,
                 timer_now() - start, result->loss);
    }
    return st;
}

static Status run_both(const Session *s, const EpisodeStarts *starts, const Player *player,
                       Assessment *result)
{
    Status st = OK;
    TRY(run_fqe(s, starts, player, player->actor, &result->policy));
    st = run_fqe(s, starts, player, NULL, &result->data);
    if (st == ERR_FORMAT) { /* rows in no order: nothing to compare with */
        log_warn("%s", status_reason());
        result->data.value = (double)NAN;
        st = OK;
    }
done:
    return st;
}

Status assess(const Config *cfg, const char *run_dir, const Player *player, int count,
              EpisodeEntry *entries, Assessment *result)
{
    Status st = OK;
    Session s = {0};
    EpisodeStarts starts = {0};

    *result = (Assessment){0};
    TRY(session_open(&s, cfg));
    Player here = *player;
    here.env = s.env;
    TRY(fetch(&s, run_dir));
    TRY(comm_agree(episode_starts(&s.data, &starts)));
    TRY(play_all(&s, &starts, &here, count, entries));
    TRY(comm_agree(comm_rank() == 0 ? run_both(&s, &starts, &here, result) : OK));
    result->starts = starts.n;
done:
    episode_starts_release(&starts);
    session_close(&s);
    return st;
}
