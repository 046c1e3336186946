#include "run/fit_model.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/account.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/timer.h"
#include "model/ensemble_fit.h"
#include "run/diverged.h"
#include "run/model_file.h"
#include "run/stop.h"
#include "run/timing.h"

enum { NOTES = 2 }; /* numbers of a member beside its floats: Adam steps, best holdout error */

typedef struct {
    Session *s;
    const RunDir *dir;
    FitData data;
    int team_size;
    int owned,
        taken;      /* members that this rank answers for; all that it fits, alone or in its team */
    MemberFit *fit; /* (taken) by number: one that it fits for another rank is the last */
    Reduce alone;   /* all shards of a batch are this rank's */
    Reduce team;    /* the ranks of its team share them, if it has one */
    float *grads;   /* of the team's member: memory that the team shares */
    Arena tmp;
    int64_t pass, since; /* passes done; those without a gain */
    double mse[ENSEMBLE_MAX], loss[ENSEMBLE_MAX];
    double busy; /* seconds in passes */
    /* for checkpoints, on rank 0: all members, in order of their owners */
    float *floats; /* (E, member_floats) */
    double *notes; /* (E, NOTES) */
    float *mine;   /* (owned, member_floats): what this rank sends */
    double *my_notes;
} Fit;

/* Floats of a member that a checkpoint keeps: weights, m, v, snapshot. */
static size_t member_floats(const Ensemble *ens)
{
    return 2 * ens->stride + 2 * ens->trained;
}

static PlanTeam team_of(const Fit *f, int member)
{
    return plan_member_team(&f->s->plan, f->s->ens.cfg.members, f->team_size, member);
}

/* Which members this rank fits, and with whom. Collective. */
static Status deal(Fit *f)
{
    Status st = OK;
    PlanTeam mine = {0};
    const int shards = f->s->cfg.model.shards;

    f->team_size = plan_team_size(&f->s->plan, f->s->cfg.ranks.team, f->s->ens.cfg.members, shards);
    for (int i = 0; i < f->s->ens.cfg.members; i++) {
        const PlanTeam team = team_of(f, i);
        f->owned += team.first == comm_rank() ? 1 : 0;
        f->taken += plan_in_team(team, comm_rank()) ? 1 : 0;
        mine = plan_in_team(team, comm_rank()) && team.size > 1 ? team : mine;
    }
    f->alone = reduce_local(shards);
    TRY(comm_reduce_open_group(&f->team, shards, mine.first, mine.size));
    TRY(comm_reduce_rows(&f->team, member_fit_stride(&f->s->ens), &f->grads));
done:
    return st;
}

static Status fit_open(Fit *f)
{
    Status st = OK;
    Session *s = f->s;
    const Config *cfg = &s->cfg;
    const size_t E = (size_t)s->ens.cfg.members;
    const uint64_t seed = session_model_seed(cfg);

    TRY(fit_data_init(&f->data, &s->data.rec, s->data.records, s->data.rows,
                      cfg->model.holdout_ratio, cfg->model.holdout_max, seed));
    TRY(diverged_cures(fit_data_scales(&f->data, &s->ens), s, DIVERGED_MODEL));
    const size_t own = (size_t)f->owned;
    TRY(mem_alloc(&f->fit, (size_t)f->taken, sizeof *f->fit, "model fit"));
    TRY(mem_alloc(&f->mine, own * member_floats(&s->ens), sizeof(float), "model checkpoint"));
    TRY(mem_alloc(&f->my_notes, own * NOTES, sizeof(double), "model checkpoint"));
    if (comm_rank() == 0) {
        TRY(mem_alloc(&f->floats, E * member_floats(&s->ens), sizeof(float), "model checkpoint"));
        TRY(mem_alloc(&f->notes, E * NOTES, sizeof(double), "model checkpoint"));
    }
    TRY(arena_init(&f->tmp, member_fit_cost(&s->ens, &f->data, cfg->model.batch)));
    int k = 0;
    for (int i = 0; i < s->ens.cfg.members; i++) {
        const PlanTeam team = team_of(f, i);
        if (plan_in_team(team, comm_rank())) {
            TRY(member_fit_init(&f->fit[k++], &s->ens, &f->data, i,
                                team.size > 1 ? &f->team : &f->alone,
                                team.size > 1 ? f->grads : NULL, seed));
        }
    }
done:
    return st;
}

static void fit_close(Fit *f)
{
    for (int k = 0; f->fit != NULL && k < f->taken; k++) {
        member_fit_release(&f->fit[k]);
    }
    mem_free(&f->fit);
    mem_free(&f->floats);
    mem_free(&f->notes);
    mem_free(&f->mine);
    mem_free(&f->my_notes);
    arena_release(&f->tmp);
    fit_data_release(&f->data);
    comm_reduce_close(&f->team);
}

/* --- checkpoints ------------------------------------------------------------------------------ */

static void pack(const Fit *f)
{
    const Ensemble *ens = &f->s->ens;
    for (int k = 0; k < f->owned; k++) {
        const MemberFit *fit = &f->fit[k];
        float *to = f->mine + (size_t)k * member_floats(ens);
        memcpy(to, ensemble_member(ens, fit->member), ens->stride * sizeof *to);
        memcpy(to + ens->stride, fit->m, ens->trained * sizeof *to);
        memcpy(to + ens->stride + ens->trained, fit->v, ens->trained * sizeof *to);
        memcpy(to + ens->stride + 2 * ens->trained, fit->snapshot, ens->stride * sizeof *to);
        double *notes = f->my_notes + (size_t)k * NOTES;
        notes[0] = (double)fit->steps;
        notes[1] = fit->best;
    }
}

static void unpack(const Fit *f, MemberFit *fit, const float *from, const double *notes)
{
    const Ensemble *ens = &f->s->ens;
    memcpy(ensemble_member(ens, fit->member), from, ens->stride * sizeof *from);
    memcpy(fit->m, from + ens->stride, ens->trained * sizeof *from);
    memcpy(fit->v, from + ens->stride + ens->trained, ens->trained * sizeof *from);
    memcpy(fit->snapshot, from + ens->stride + 2 * ens->trained, ens->stride * sizeof *from);
    fit->steps = (int64_t)notes[0];
    fit->best = notes[1];
}

/* Members lie in `floats` in order of owners on the ranks that saved; the file has them by number. */
static int slot_of(const Fit *f, int member)
{
    int slot = 0;
    const int owner = team_of(f, member).first;
    for (int i = 0; i < f->s->ens.cfg.members; i++) {
        const int other = team_of(f, i).first;
        slot += other < owner || (other == owner && i < member) ? 1 : 0;
    }
    return slot;
}

static int fit_slabs(const Fit *f, Slab *slabs)
{
    const size_t each = member_floats(&f->s->ens);
    int n = 0;
    for (int i = 0; i < f->s->ens.cfg.members; i++) {
        char name[SLAB_NAME_MAX];
        const size_t slot = (size_t)slot_of(f, i);
        (void)snprintf(name, sizeof name, "member%d.floats", i);
        slabs[n++] = slab_f32(name, f->floats + slot * each, each);
        (void)snprintf(name, sizeof name, "member%d.notes", i);
        slabs[n++] = slab_f64(name, f->notes + slot * NOTES, NOTES);
    }
    return n;
}

static Status gather(Fit *f)
{
    Status st = OK;
    size_t *sizes = NULL;
    const size_t bytes = (size_t)f->owned * member_floats(&f->s->ens) * sizeof(float);

    TRY(comm_agree(mem_alloc(&sizes, (size_t)comm_size(), sizeof *sizes, "sizes")));
    pack(f);
    coll_sizes(bytes, sizes);
    coll_gather(f->mine, bytes, f->floats, sizes);
    coll_sizes((size_t)f->owned * NOTES * sizeof(double), sizes);
    coll_gather(f->my_notes, (size_t)f->owned * NOTES * sizeof(double), f->notes, sizes);
done:
    mem_free(&sizes);
    return st;
}

static Status save(Fit *f)
{
    Status st = OK;

    const AccountKind before = account_kind(ACCOUNT_SAVE);
    TRY(gather(f));
    if (comm_rank() == 0) {
        Slab slabs[CHECKPOINT_SLABS_MAX];
        const int n = fit_slabs(f, slabs);
        const CheckpointNote notes[] = {{.key = "since", .number = f->since}};
        st = checkpoint_save(f->dir->path, PHASE_MODEL, f->pass, slabs, n, notes, 1,
                             f->s->cfg.checkpoint.keep);
    }
    st = comm_agree(st);
    (void)account_kind(before);
done:
    return st;
}

static Status load(Fit *f, const Checkpoint *from)
{
    Status st = OK;
    struct {
        int64_t pass, since;
    } at = {0};

    if (comm_rank() == 0 && from != NULL) {
        Slab slabs[CHECKPOINT_SLABS_MAX];
        at.pass = from->step;
        st = checkpoint_note_int(from, "since", &at.since);
        st = st != OK ? st : checkpoint_load(from, slabs, fit_slabs(f, slabs));
        if (st == OK) {
            log_info("model: going on after pass %lld", (long long)at.pass);
        }
    }
    TRY(comm_agree(st));
    coll_bcast(&at, sizeof at, 0);
    f->pass = at.pass;
    f->since = at.since;
    if (at.pass == 0) {
        return OK;
    }
    /* one member after the other, through a buffer that every rank has */
    float *one = NULL;
    double notes[NOTES];
    const size_t each = member_floats(&f->s->ens);
    TRY(comm_agree(mem_alloc(&one, each, sizeof *one, "model checkpoint")));
    int k = 0;
    for (int i = 0; i < f->s->ens.cfg.members; i++) {
        if (comm_rank() == 0) {
            memcpy(one, f->floats + (size_t)slot_of(f, i) * each, each * sizeof *one);
            memcpy(notes, f->notes + (size_t)slot_of(f, i) * NOTES, sizeof notes);
        }
        coll_bcast(one, each * sizeof *one, 0);
        coll_bcast(notes, sizeof notes, 0);
        if (plan_in_team(team_of(f, i), comm_rank())) {
            unpack(f, &f->fit[k++], one, notes);
        }
    }
    mem_free(&one);
done:
    return st;
}

/* --- passes ------------------------------------------------------------------------------------- */

/* A pass of this rank's members, then a look at them; what it answers for goes into f->mse, f->loss and
 * *gained. The team's member, the last, comes first: it fails on all of the team or on none, and a rank that
 * failed alone would leave the others waiting for its shards. */
static Status fit_members(Fit *f, double *gained)
{
    Session *s = f->s;
    const Config *cfg = &s->cfg;
    Status st = OK;

    memset(f->mse, 0, sizeof f->mse);
    memset(f->loss, 0, sizeof f->loss);
    for (int k = f->taken - 1; k >= 0; k--) {
        const int i = f->fit[k].member;
        double loss = 0;
        TRY(member_fit_pass(&f->fit[k], &s->ens, &f->data, f->pass, cfg->model.batch, cfg->model.lr,
                            session_model_seed(cfg), &f->tmp, &loss));
        const double mse = member_fit_holdout(&s->ens, &f->data, i, &f->tmp);
        TRY(member_fit_check(&f->fit[k], &s->ens, mse));
        const bool gain = member_fit_judge(&f->fit[k], &s->ens, mse, cfg->model.min_gain);
        if (k < f->owned) {
            f->mse[i] = mse;
            f->loss[i] = loss;
            *gained += gain ? 1 : 0;
        }
    }
done:
    return st;
}

static Status do_pass(Fit *f)
{
    Session *s = f->s;
    Status st = OK;
    double gained = 0;
    const double start = timer_now();
    const double waited = account_outside();

    st = fit_members(f, &gained);
    const double busy = timer_now() - start - (account_outside() - waited);
    f->busy += busy;
    st = status_while(st, "model pass %lld", (long long)f->pass + 1);
    TRY(comm_agree(diverged_cures(st, s, DIVERGED_MODEL)));
    coll_sum(f->mse, s->ens.cfg.members); /* each slot is filled by one rank: exact */
    coll_sum(f->loss, s->ens.cfg.members);
    coll_sum(&gained, 1);
    f->pass++;
    f->since = gained > 0 ? 0 : f->since + 1;

    double low = DBL_MAX;
    double mse = 0;
    double loss = 0;
    for (int i = 0; i < s->ens.cfg.members; i++) {
        low = fmin(low, f->mse[i]);
        mse += f->mse[i] / s->ens.cfg.members;
        loss += f->loss[i] / s->ens.cfg.members;
    }
    log_info("model pass %3lld  holdout MSE %.5f (best member %.5f)  loss %8.4f  %d of %d members "
             "gained  %.1f s (%.1f s busy)",
             (long long)f->pass, mse, low, loss, (int)gained, s->ens.cfg.members,
             timer_now() - start, busy);
done:
    return st;
}

static bool finished(const Fit *f)
{
    const Config *cfg = &f->s->cfg;
    return f->since > cfg->model.patience ||
           (cfg->model.max_epochs > 0 && f->pass >= cfg->model.max_epochs);
}

/* Best snapshots to every rank, their errors, the elites. */
static Status gather_best(Fit *f)
{
    Session *s = f->s;
    Ensemble *ens = &s->ens;
    Status st = OK;

    memset(ens->holdout, 0, sizeof ens->holdout);
    for (int k = 0; k < f->owned && st == OK; k++) {
        st = member_fit_restore(&f->fit[k], ens);
        ens->holdout[f->fit[k].member] =
            member_fit_holdout(ens, &f->data, f->fit[k].member, &f->tmp);
    }
    TRY(comm_agree(diverged_cures(st, s, DIVERGED_MODEL)));
    for (int i = 0; i < ens->cfg.members; i++) {
        coll_bcast(ensemble_member(ens, i), ens->stride * sizeof(float), team_of(f, i).first);
    }
    coll_sum(ens->holdout, ens->cfg.members);
    ensemble_choose_elites(ens);
    ensemble_freeze(ens);
done:
    return st;
}

/* What was written about an earlier model of this run is not about this one. */
Status forget_reports(const RunDir *dir)
{
    static const char *const names[] = {"model-report.txt", "model-report.svg", "penalty.txt"};
    Status st = OK;

    for (size_t i = 0; i < sizeof names / sizeof *names && st == OK; i++) {
        st = rundir_remove(dir, names[i]);
    }
    return st;
}

static Status write_model(const Fit *f)
{
    const Session *s = f->s;
    char path[RUNDIR_PATH_MAX];
    ModelInfo info = {.passes = f->pass};

    (void)snprintf(info.task, sizeof info.task, "%s", s->env->name);
    (void)snprintf(info.dataset_digest, sizeof info.dataset_digest, "%s", s->data.digest);
    const AccountKind before = account_kind(ACCOUNT_SAVE);
    Status st = forget_reports(f->dir);
    st = st != OK ? st : model_save(rundir_file(f->dir, "model.h5", path), &info, &s->ens);
    (void)account_kind(before);
    return st;
}

/* What was asked of rank 0. Collective. */
static bool asked(bool (*wanted)(void))
{
    int yes = comm_rank() == 0 && wanted() ? 1 : 0;
    coll_bcast(&yes, sizeof yes, 0);
    return yes != 0;
}

Status fit_model(Session *s, const RunDir *dir, const Checkpoint *from)
{
    Status st = OK;
    Fit f = {.s = s, .dir = dir};
    const double start = timer_now();
    const double waited = account_outside();

    TRY(deal(&f));
    TRY(comm_agree(fit_open(&f)));
    log_info("model: %d member%s of %d x %d on %lld rows, %lld held out; spectral norm %s",
             s->ens.cfg.members, s->ens.cfg.members == 1 ? "" : "s", s->ens.cfg.layers,
             s->ens.cfg.hidden, (long long)f.data.n_train, (long long)f.data.n_hold,
             s->ens.cfg.spectral_norm ? "on" : "off");
    TRY(load(&f, from));
    stop_begin();
    while (!finished(&f)) {
        const bool stop = asked(stop_wanted);
        const bool saved = f.pass == 0 || f.pass % s->cfg.checkpoint.every == 0;
        if (!saved && (asked(stop_save_wanted) || stop)) {
            TRY(save(&f));
        }
        if (stop) {
            st = status_fail(ERR_INTERRUPTED,
                             "stopped after model pass %lld as asked (%s); the same "
                             "command goes on from here",
                             (long long)f.pass, stop_reason());
            goto done;
        }
        TRY(do_pass(&f));
        if (f.pass % s->cfg.checkpoint.every == 0) {
            TRY(save(&f));
        }
    }
    TRY(gather_best(&f));
    timing_phase("model", f.busy, account_outside() - waited);
    TRY(comm_agree(comm_rank() == 0 ? write_model(&f) : OK));
    log_info("model: %lld pass%s in %.1f s; best member %lld, holdout MSE %.5f", (long long)f.pass,
             f.pass == 1 ? "" : "es", timer_now() - start, (long long)s->ens.elite[0],
             s->ens.holdout[s->ens.elite[0]]);
done:
    fit_close(&f);
    return st;
}

Status fetch_model(Session *s, const RunDir *dir, bool *found)
{
    Status st = OK;
    int there = 0;
    char path[RUNDIR_PATH_MAX];

    *found = false;
    if (comm_rank() == 0 && file_exists(rundir_file(dir, "model.h5", path))) {
        const EnsembleConfig want = s->ens.cfg;
        ModelInfo info;
        ensemble_release(&s->ens);
        st = model_load(path, &want, &info, &s->ens);
        if (st == OK && strcmp(info.dataset_digest, s->data.digest) != 0) {
            st = status_fail(ERR_CONFIG,
                             "%s was fitted to other data than %s; give the dataset it was fitted "
                             "to, %s",
                             path, s->cfg.top.dataset,
                             dir->shared ? "or delete or rename its directory"
                                         : "choose another run_dir, or delete it");
        }
        there = 1;
    }
    TRY(comm_agree(st));
    coll_bcast(&there, sizeof there, 0);
    if (there != 0) {
        Slab slabs[ENSEMBLE_SLABS_MAX];
        const int n = ensemble_slabs(&s->ens, slabs);
        for (int i = 0; i < n; i++) {
            coll_bcast(slabs[i].data, slab_bytes(&slabs[i]), 0);
        }
        ensemble_freeze(&s->ens);
        log_info("model: taken from %s", comm_rank() == 0 ? path : "");
        *found = true;
    }
done:
    return st;
}
