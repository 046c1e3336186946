#include "run/forecast.h"

#include <math.h>

#include "run/model_report.h"
#include "run/penalty_survey.h"

/* ---- counts ---- */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What penalty.txt, the threshold of a penalty that halts and model-report.txt look at. */
static void count_reports(const Session *s, Workload *w)
{
    const bool truth = s->truth.next != NULL;
    const int64_t held = least(w->hold_rows, REPORT_HELD);
    const int64_t starts = least(w->hold_rows, REPORT_STARTS);
    const int64_t states = truth ? REPORT_CASES * least(w->rows, REPORT_STATES) : 0;
    const int64_t survey = s->uses_model ? SURVEY_ACTIONS * least(w->rows, SURVEY_ROWS_MAX) : 0;
    const bool halts = s->roll.penalty->halts && s->cfg.penalty.halt_threshold <= 0;
    const int64_t all = s->uses_model && halts ? w->rows : 0;
    const int64_t paths = starts * report_steps[REPORT_STEPS - 1] * w->elites / w->members;

    if (s->needs_model) {
        w->predict_rows = held + paths + states + survey + all;
        w->truth_rows = truth ? states + survey : 0;
    }
}

Workload workload_of(const Session *s, int passes)
{
    const Config *c = &s->cfg;
    const AgentKind *kind = s->agent.kind;
    const double ratio = c->model.holdout_ratio * (double)s->data.rows;
    Workload w = {
        .rows = s->data.rows,
        .needs_model = s->needs_model,
        .uses_model = s->uses_model,
        .members = c->model.members,
        .elites = c->model.elites,
        .model_batch = c->model.batch,
        .model_shards = c->model.shards,
        .hold_rows = least((int64_t)ratio, c->model.holdout_max),
        .passes = passes > 0 ? passes : c->model.max_epochs,
        .terminal_updates =
            s->roll.end.rule == END_LEARNED && s->needs_model ? c->termination.updates : 0,
        .epochs = c->train.epochs,
        .updates = c->train.updates_per_epoch,
        .shards = c->train.shards,
        .units = c->rollout.units,
        .lag = c->rollout.lag,
        .prepare_updates = kind->prepare != NULL ? kind->prepare_updates(&s->agent) : 0,
        .rollout_rows = s->uses_model ? (int64_t)c->rollout.batch * c->rollout.horizon : 0,
        .episodes = c->eval.episodes,
        .episode_steps = s->env->open != NULL ? s->env->horizon : c->eval.model_steps,
        .eval_every = c->eval.every,
        .checkpoint_every = c->checkpoint.every,
        .learners_wanted = c->ranks.learners,
        .team_wanted = c->ranks.team,
        .gradient_bytes = (double)(s->agent.grad_stride * sizeof(float)),
        .member_bytes = (double)(s->ens.trained * sizeof(float)),
        .policy_bytes = (double)(agent_policy_floats(&s->agent) * sizeof(float)),
        .record_bytes = (double)(s->data.rec.stride * sizeof(float))};

    w.train_rows = w.rows - w.hold_rows;
    if (w.passes == 0 && w.needs_model) {
        w.passes = FORECAST_PASSES;
        w.passes_assumed = true;
    }
    count_reports(s, &w);
    return w;
}

/* ---- seconds ---- */

/* One exchange between partners: both send, both add. */
static double exchange(const UnitCost *cost, double bytes)
{
    return cost->latency + bytes * cost->byte;
}

/* What `size` ranks take for work of `all` seconds, of which `fixed` is done by each in full, and a sum of
 * gradients by recursive doubling. */
static double shared(const UnitCost *cost, double all, double fixed, double bytes, int size)
{
    double seconds = size > 1 ? fixed + (all - fixed) / size : all;
    for (int l = 1; l < size; l *= 2) {
        seconds += exchange(cost, bytes);
    }
    return seconds;
}

static Plan plan_of(const Workload *w, int ranks, int learners)
{
    return (Plan){.ranks = ranks,
                  .cores = ranks,
                  .learners = learners,
                  .shards = w->shards,
                  .units = w->units,
                  .episodes = w->episodes};
}

double forecast_pass(const Workload *w, const UnitCost *cost, int ranks)
{
    const Plan plan = plan_of(w, ranks, 1);
    const double steps = ceil((double)w->train_rows / w->model_batch);
    const int size = plan_team_size(&plan, w->team_wanted, w->members, w->model_shards);
    double most = 0;

    for (int r = 0; r < ranks; r++) {
        double mine = 0;
        for (int i = 0; i < w->members; i++) {
            const PlanTeam team = plan_member_team(&plan, w->members, size, i);
            mine += plan_in_team(team, r)
                        ? steps * shared(cost, cost->fit_step, cost->fit_step_fixed,
                                         w->member_bytes, team.size) +
                              (double)w->hold_rows * cost->holdout
                        : 0;
        }
        most = fmax(most, mine);
    }
    return most;
}

static double fit_seconds(const Workload *w, const UnitCost *cost, int ranks)
{
    const double own = ceil((double)w->members / ranks);
    const double send = ranks > 1 ? w->members * exchange(cost, 4 * w->member_bytes) : 0;

    if (!w->needs_model) {
        return 0;
    }
    return cost->fit_open + own * cost->fit_member +
           w->passes * (forecast_pass(w, cost, ranks) + send) +
           w->terminal_updates * cost->terminal;
}

static double report_seconds(const Workload *w, const UnitCost *cost, int ranks)
{
    return w->needs_model ? cost->fit_open + ((double)w->predict_rows * cost->predict +
                                              (double)w->truth_rows * cost->truth) /
                                                 ranks
                          : 0;
}

/* What a learner adds to its updates: the policy to the workers, the records from them. */
static double handover(const Workload *w, const UnitCost *cost, const Plan *plan)
{
    const int workers = plan->ranks - plan->learners;
    const double records = (double)w->rollout_rows * w->record_bytes;

    return workers == 0
               ? 0
               : workers * exchange(cost, w->policy_bytes) + records * cost->byte / plan->learners;
}

/* An epoch of this plan as comm/plan.h takes it. */
static PlanCost epoch_cost(const Workload *w, const UnitCost *cost, const Plan *plan,
                           bool evaluated)
{
    const double besides = cost->save / w->checkpoint_every + handover(w, cost, plan);
    return (PlanCost){.update = w->updates * cost->update + besides,
                      .fixed = w->updates * cost->update_fixed + besides,
                      .exchange = w->updates * exchange(cost, w->gradient_bytes),
                      .rollout = (double)w->rollout_rows * cost->rollout,
                      .eval = evaluated ? w->episodes * w->episode_steps * cost->eval : 0,
                      .in_turn = w->lag == 0};
}

double forecast_epoch(const Workload *w, const UnitCost *cost, int ranks, int learners,
                      bool evaluated)
{
    const Plan plan = plan_of(w, ranks, learners);
    return plan_epoch_seconds(&plan, epoch_cost(w, cost, &plan, evaluated));
}

/* As a run chooses, but with costs that were measured. */
static Plan choose(const Workload *w, const UnitCost *cost, int ranks, int learners)
{
    const Plan one = plan_of(w, ranks, 1);
    return plan_make(ranks, ranks, learners > 0 ? learners : w->learners_wanted, w->shards,
                     w->units, w->episodes, epoch_cost(w, cost, &one, true));
}

Forecast forecast_run(const Workload *w, const UnitCost *cost, int ranks, int learners)
{
    const Plan plan = choose(w, cost, ranks, learners);
    Forecast f = {.ranks = ranks, .learners = plan.learners};
    const int evaluations = (w->epochs + w->eval_every - 1) / w->eval_every;
    const PlanCost of = epoch_cost(w, cost, &plan, true);
    const PlanCost rolled = {.rollout = of.rollout};
    const PlanCost played = {.eval = of.eval};

    f.load = (double)w->rows * cost->load +
             (double)w->collect_rows * (cost->collect / ranks + cost->store);
    f.fit = fit_seconds(w, cost, ranks);
    f.reports = report_seconds(w, cost, ranks);
    f.prepare = (double)w->prepare_updates *
                    shared(cost, cost->prepare, cost->update_fixed, w->gradient_bytes, f.learners) +
                (w->lag > 0 ? plan_epoch_seconds(&plan, rolled) : 0);
    /* the policy of an epoch is evaluated in the next one; the last has none */
    f.epoch = forecast_epoch(w, cost, ranks, f.learners, true);
    f.epochs = (evaluations - 1) * f.epoch +
               (w->epochs - evaluations + 1) * forecast_epoch(w, cost, ranks, f.learners, false) +
               plan_epoch_seconds(&plan, played);
    f.total = f.load + f.fit + f.reports + f.prepare + f.epochs;
    f.speedup = ranks == 1 ? 1 : forecast_run(w, cost, 1, 1).total / f.total;
    f.efficiency = f.speedup / ranks;
    return f;
}

int forecast_choose(const Forecast *forecasts, int count, double efficient)
{
    int best = 0;
    for (int i = 0; i < count; i++) {
        best = forecasts[i].efficiency >= efficient ? i : best;
    }
    return best;
}
