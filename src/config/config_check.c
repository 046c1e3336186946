/* Rules across keys, one sentence each. Ranges of single keys stand in the table. */
#include <string.h>

#include "config/config.h"

static bool power_of_two(int n)
{
    return n > 0 && (n & (n - 1)) == 0;
}

static Status check_model(const Config *c)
{
    if (c->model.elites > c->model.members) {
        return status_fail(ERR_CONFIG,
                           "model.elites (%d) is more than model.members (%d): the elites are the "
                           "best of the members; lower model.elites",
                           c->model.elites, c->model.members);
    }
    if (c->model.logvar_min >= c->model.logvar_max) {
        return status_fail(ERR_CONFIG,
                           "model.logvar_min (%g) must be less than model.logvar_max (%g): they "
                           "bound the log-variance from below and above",
                           c->model.logvar_min, c->model.logvar_max);
    }
    return OK;
}

static Status check_model_shards(const Config *c)
{
    if (!power_of_two(c->model.shards)) {
        return status_fail(ERR_CONFIG,
                           "model.shards is %d: it must be a power of two (1, 2, 4, 8), because "
                           "gradients are summed along a binary tree",
                           c->model.shards);
    }
    if (c->model.shards > c->model.batch) {
        return status_fail(ERR_CONFIG,
                           "model.shards (%d) is more than model.batch (%d): a shard would have no "
                           "row; lower model.shards or raise model.batch",
                           c->model.shards, c->model.batch);
    }
    if (c->ranks.team != 0 && !power_of_two(c->ranks.team)) {
        return status_fail(ERR_CONFIG,
                           "ranks.team is %d: it must be a power of two, or 0 for the program's "
                           "choice",
                           c->ranks.team);
    }
    if (c->ranks.team > c->model.shards) {
        return status_fail(ERR_CONFIG,
                           "ranks.team (%d) is more than model.shards (%d): a rank would have no "
                           "shard; lower ranks.team or raise model.shards",
                           c->ranks.team, c->model.shards);
    }
    return OK;
}

static Status check_rollout(const Config *c)
{
    const double rows = (double)c->rollout.batch * c->rollout.horizon * c->rollout.retain;

    if (c->rollout.batch < c->rollout.units) {
        return status_fail(
            ERR_CONFIG,
            "rollout.batch (%d) is less than rollout.units (%d): a unit would have no "
            "start state; lower rollout.units or raise rollout.batch",
            c->rollout.batch, c->rollout.units);
    }
    if (c->rollout.units % c->train.shards != 0) {
        return status_fail(
            ERR_CONFIG,
            "rollout.units (%d) is no multiple of train.shards (%d): every shard gets "
            "the rows of equally many units",
            c->rollout.units, c->train.shards);
    }
    if (rows > INT32_MAX) {
        return status_fail(ERR_CONFIG,
                           "rollout.batch x rollout.horizon x rollout.retain is %.3g rows of model "
                           "data; at most %d can be kept: lower one of them",
                           rows, INT32_MAX);
    }
    return OK;
}

static Status check_train(const Config *c)
{
    if (!power_of_two(c->train.shards)) {
        return status_fail(
            ERR_CONFIG,
            "train.shards is %d: it must be a power of two (1, 2, 4, ... 64), because "
            "gradients are summed along a binary tree",
            c->train.shards);
    }
    if (c->train.shards > c->train.batch) {
        return status_fail(ERR_CONFIG,
                           "train.shards (%d) is more than train.batch (%d): a shard would have no "
                           "row; lower train.shards or raise train.batch",
                           c->train.shards, c->train.batch);
    }
    if (c->ranks.learners != 0 && !power_of_two(c->ranks.learners)) {
        return status_fail(ERR_CONFIG,
                           "ranks.learners is %d: it must be a power of two, or 0 for the "
                           "program's choice",
                           c->ranks.learners);
    }
    if (c->ranks.learners > c->train.shards) {
        return status_fail(
            ERR_CONFIG,
            "ranks.learners (%d) is more than train.shards (%d): a learner would have "
            "no shard; lower ranks.learners or raise train.shards",
            c->ranks.learners, c->train.shards);
    }
    return OK;
}

/* A key of penalty.halt_* that differs from its default; NULL: none does. */
static const char *halt_key(const Config *c)
{
    Config d;

    config_default(&d);
    return c->penalty.halt_threshold != d.penalty.halt_threshold    ? "halt_threshold"
           : c->penalty.halt_pessimism != d.penalty.halt_pessimism  ? "halt_pessimism"
           : c->penalty.halt_cost != d.penalty.halt_cost            ? "halt_cost"
           : strcmp(c->penalty.halt_form, d.penalty.halt_form) != 0 ? "halt_form"
                                                                    : NULL;
}

static Status check_penalty(const Config *c)
{
    const bool halts = strcmp(c->penalty.type, "halt") == 0;

    if (!halts && halt_key(c) != NULL) {
        return status_fail(ERR_CONFIG,
                           "penalty.%s is set, but penalty.type is %s, which never halts: set "
                           "penalty.type to halt, or leave penalty.halt_* out; the presets morel "
                           "and morel-npg set some, take another algo with this type",
                           halt_key(c), c->penalty.type);
    }
    if (halts && strcmp(c->penalty.halt_form, "absorbing") == 0 && (float)c->sac.gamma >= 1) {
        return status_fail(
            ERR_CONFIG,
            "penalty.halt_form is absorbing, so HALT costs gamma kappa / (1 - gamma), "
            "but sac.gamma is %g: lower it below 1, or set halt_form to cut",
            c->sac.gamma);
    }
    if (strcmp(c->penalty.type, "oracle") == 0 && strcmp(c->top.task, "none") == 0) {
        return status_fail(
            ERR_CONFIG,
            "penalty.type is oracle, which asks the task's simulator for the truth, but "
            "task is none: name the task, or take another penalty (`mopo config tables`)");
    }
    return OK;
}

static Status check_others(const Config *c)
{
    if (c->sac.log_std_min >= c->sac.log_std_max) {
        return status_fail(ERR_CONFIG,
                           "sac.log_std_min (%g) must be less than sac.log_std_max (%g): they clip "
                           "the log deviation from below and above",
                           c->sac.log_std_min, c->sac.log_std_max);
    }
    if (c->bear.log_std_min >= c->bear.log_std_max) {
        return status_fail(ERR_CONFIG,
                           "bear.log_std_min (%g) must be less than bear.log_std_max (%g): they "
                           "clip the log deviation from below and above",
                           c->bear.log_std_min, c->bear.log_std_max);
    }
    if (c->npg.log_std_min >= c->npg.log_std_max) {
        return status_fail(ERR_CONFIG,
                           "npg.log_std_min (%g) must be less than npg.log_std_max (%g): they hold "
                           "the log deviation from below and above",
                           c->npg.log_std_min, c->npg.log_std_max);
    }
    if (c->npg.log_std < c->npg.log_std_min || c->npg.log_std > c->npg.log_std_max) {
        return status_fail(ERR_CONFIG,
                           "npg.log_std is %g, but the log deviation is held from "
                           "npg.log_std_min (%g) to npg.log_std_max (%g)",
                           c->npg.log_std, c->npg.log_std_min, c->npg.log_std_max);
    }
    if (strcmp(c->termination.rule, "bounds") == 0 && c->termination.bounds[0] == '\0') {
        return status_fail(ERR_CONFIG,
                           "termination.rule is bounds, but termination.bounds is empty: say where "
                           "a state ends, such as '0:0.7..2', or set the rule to never");
    }
    if (c->collect.rows > 0 && c->top.dataset[0] == '\0') {
        return status_fail(ERR_CONFIG,
                           "collect.rows is %d but dataset is empty: name the file that the "
                           "collected rows are written to, or set collect.rows to 0",
                           c->collect.rows);
    }
    return OK;
}

Status config_check(const Config *config)
{
    Status st = OK;
    TRY(check_model(config));
    TRY(check_model_shards(config));
    TRY(check_train(config)); /* before the rollouts, which divide by the shards */
    TRY(check_rollout(config));
    TRY(check_penalty(config));
    TRY(check_others(config));
done:
    return st;
}
