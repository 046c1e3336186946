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
static void count_reports(const Session *s, Workload *work)
{
    const bool truth = s->truth.next != NULL;
    const int64_t held = least(work->hold_rows, REPORT_HELD);
    const int64_t starts = least(work->hold_rows, REPORT_STARTS);
    const int64_t states = truth ? REPORT_CASES * least(work->rows, REPORT_STATES) : 0;
    const int64_t survey = s->uses_model ? SURVEY_ACTIONS * least(work->rows, SURVEY_ROWS_MAX) : 0;
    const bool halts = s->roll.penalty->halts && s->cfg.penalty.halt_threshold <= 0;
    const int64_t all = s->uses_model && halts ? work->rows : 0;
    const int64_t paths = starts * report_steps[REPORT_STEPS - 1] * work->elites / work->members;

    if (s->needs_model) {
        work->predict_rows = held + paths + states + survey + all;
        work->truth_rows = truth ? states + survey : 0;
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

Plan forecast_plan(const Workload *work, int ranks, int learners)
{
    return (Plan){.ranks = ranks,
                  .cores = ranks,
                  .learners = learners,
                  .shards = work->shards,
                  .units = work->units,
                  .episodes = work->episodes};
}

double forecast_pass(const Workload *work, const UnitCost *cost, int ranks)
{
    const Plan plan = forecast_plan(work, ranks, 1);
    const double steps = ceil((double)work->train_rows / work->model_batch);
    const int size = plan_team_size(&plan, work->team_wanted, work->members, work->model_shards);
    double most = 0;

    for (int r = 0; r < ranks; r++) {
        double mine = 0;
        for (int i = 0; i < work->members; i++) {
            const PlanTeam team = plan_member_team(&plan, work->members, size, i);
            mine += plan_in_team(team, r)
                        ? steps * shared(cost, cost->fit_step, cost->fit_step_fixed,
                                         work->member_bytes, team.size) +
                              (double)work->hold_rows * cost->holdout
                        : 0;
        }
        most = fmax(most, mine);
    }
    return most;
}

static double fit_seconds(const Workload *work, const UnitCost *cost, int ranks)
{
    const double own = ceil((double)work->members / ranks);
    const double send = ranks > 1 ? work->members * exchange(cost, 4 * work->member_bytes) : 0;

    if (!work->needs_model) {
        return 0;
    }
    const double passes = work->is_shared
                              ? 0
                              : cost->fit_open + own * cost->fit_member +
                                    work->passes * (forecast_pass(work, cost, ranks) + send);
    return passes + work->terminal_updates * cost->terminal;
}

static double report_seconds(const Workload *work, const UnitCost *cost, int ranks)
{
    return work->needs_model ? cost->fit_open + ((double)work->predict_rows * cost->predict +
                                                 (double)work->truth_rows * cost->truth) /
                                                    ranks
                             : 0;
}

/* What a learner adds to its updates: the policy to the workers, the records from them. */
static double handover(const Workload *work, const UnitCost *cost, const Plan *plan)
{
    const int workers = plan->ranks - plan->learners;
    const double records = (double)work->rollout_rows * work->record_bytes;

    return workers == 0 ? 0
                        : workers * exchange(cost, work->policy_bytes) +
                              records * cost->byte / plan->learners;
}

/* An epoch of this plan as comm/plan.h takes it. */
static PlanCost epoch_cost(const Workload *work, const UnitCost *cost, const Plan *plan,
                           bool evaluated)
{
    const double besides = cost->save / work->checkpoint_every + handover(work, cost, plan);
    return (PlanCost){.update = work->updates * cost->update + besides,
                      .fixed = work->updates * cost->update_fixed + besides,
                      .exchange = work->updates * exchange(cost, work->gradient_bytes),
                      .rollout = (double)work->rollout_rows * cost->rollout,
                      .eval = evaluated ? work->episodes * work->episode_steps * cost->eval : 0,
                      .in_turn = work->lag == 0};
}

double forecast_epoch(const Workload *work, const UnitCost *cost, int ranks, int learners,
                      bool evaluated)
{
    const Plan plan = forecast_plan(work, ranks, learners);
    return plan_epoch_seconds(&plan, epoch_cost(work, cost, &plan, evaluated));
}

Plan forecast_best_plan(const Workload *work, const UnitCost *cost, int ranks, int cores,
                        int learners)
{
    const Plan one = forecast_plan(work, ranks, 1);
    return plan_make(ranks, cores, learners > 0 ? learners : work->learners_wanted, work->shards,
                     work->units, work->episodes, epoch_cost(work, cost, &one, true));
}

/* All but what compares it with one rank. */
static Forecast phases(const Workload *work, const UnitCost *cost, int ranks, int learners)
{
    const Plan plan = forecast_best_plan(work, cost, ranks, ranks, learners);
    Forecast f = {.ranks = ranks, .learners = plan.learners};
    const int evaluations = (work->epochs + work->eval_every - 1) / work->eval_every;
    const PlanCost of = epoch_cost(work, cost, &plan, true);
    const PlanCost rolled = {.rollout = of.rollout};
    const PlanCost played = {.eval = of.eval};

    f.load = (double)work->rows * cost->load +
             (double)work->collect_rows * (cost->collect / ranks + cost->store);
    f.fit = fit_seconds(work, cost, ranks);
    f.reports = report_seconds(work, cost, ranks);
    f.prepare = (double)work->prepare_updates * shared(cost, cost->prepare, cost->update_fixed,
                                                       work->gradient_bytes, f.learners) +
                (work->lag > 0 ? plan_epoch_seconds(&plan, rolled) : 0);
    /* the policy of an epoch is evaluated in the next one; the last has none */
    f.epoch = forecast_epoch(work, cost, ranks, f.learners, true);
    f.epochs =
        (evaluations - 1) * f.epoch +
        (work->epochs - evaluations + 1) * forecast_epoch(work, cost, ranks, f.learners, false) +
        plan_epoch_seconds(&plan, played);
    f.total = f.load + f.fit + f.reports + f.prepare + f.epochs;
    return f;
}

Forecast forecast_run(const Workload *work, const UnitCost *cost, int ranks, int learners)
{
    Forecast f = phases(work, cost, ranks, learners);
    f.speedup = phases(work, cost, 1, 1).total / f.total;
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
