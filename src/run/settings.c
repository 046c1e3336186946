/* From the words and numbers of a configuration to the structs of the folders that use them. */
#include <float.h>
#include <string.h>

#include "base/panic.h"
#include "run/session.h"

static bool is(const char *word, const char *other)
{
    return strcmp(word, other) == 0;
}

/* `auto` stands for what that version of gym does. */
static ContactForces contact_forces(const char *word, const char *gym)
{
    static const char *const words[] = {[FORCES_NONE] = "27",
                                        [FORCES_ZERO] = "111-zero",
                                        [FORCES_REAL] = "111",
                                        [FORCES_REAL_V5] = "105"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (is(word, words[i])) {
            return (ContactForces)i;
        }
    }
    return is(gym, "v2") ? FORCES_ZERO : is(gym, "v4") ? FORCES_NONE : FORCES_REAL_V5;
}

Status session_task(const Config *cfg, EnvKind *task)
{
    const char *gym = cfg->env.gym_version;
    const bool v5 = is(gym, "v5");
    const char *inertia = cfg->env.inertia;
    const char *foot = cfg->env.walker2d_foot;
    const char *bonus = cfg->env.healthy_bonus;
    const EnvConfig config = {.exact_inertia =
                                  is(inertia, "auto") ? !is(gym, "v2") : is(inertia, "exact"),
                              .v5_foot = is(foot, "auto") ? v5 : is(foot, "v5"),
                              .v5_bonus = is(bonus, "auto") ? v5 : is(bonus, "healthy"),
                              .forces = contact_forces(cfg->env.ant_observation, gym),
                              .behavior_reward = is(cfg->env.reward, "behavior"),
                              .jump_max = is(cfg->env.jump_speed, "max"),
                              .jump_no_height = is(cfg->env.jump_observation, "17"),
                              .jump_fixed = is(cfg->env.jump_height, "fixed"),
                              .angle_no_bonus = !cfg->env.angle_bonus,
                              .clip_actions = cfg->env.clip_actions};
    return env_configure(task, cfg->top.task, &config);
}

bool session_needs_model(const Config *cfg, const EnvKind *task)
{
    return session_real_rows(cfg) < cfg->train.batch || task->open == NULL;
}

uint64_t session_model_seed(const Config *cfg)
{
    return (uint64_t)(cfg->model.seed >= 0 ? cfg->model.seed : cfg->top.seed);
}

EnsembleConfig session_ensemble_config(const Config *cfg, const EnvKind *env)
{
    return (EnsembleConfig){.members = cfg->model.members,
                            .elites = cfg->model.elites,
                            .state_dim = env->state_dim,
                            .act_dim = env->act_dim,
                            .hidden = cfg->model.hidden,
                            .layers = cfg->model.layers,
                            .spectral_norm = cfg->model.spectral_norm,
                            .spectral_is_bound = strcmp(cfg->model.spectral_form, "bound") == 0,
                            .spectral_c = (float)cfg->model.spectral_bound,
                            .zscore_targets = strcmp(cfg->model.target_scale, "zscore") == 0,
                            .logvar_max = (float)cfg->model.logvar_max,
                            .logvar_min = (float)cfg->model.logvar_min,
                            .logvar_reg = (float)cfg->model.logvar_reg,
                            .decay_first = (float)cfg->model.decay_first,
                            .decay_second = (float)cfg->model.decay_second,
                            .decay_hidden = (float)cfg->model.decay_hidden,
                            .decay_head = (float)cfg->model.decay_head};
}

/* `auto`: as rail-berkeley/d4rl_evaluations says for these robots; elsewhere its script's default. */
static const char *bear_kernel(const Config *cfg)
{
    const bool laplacian = is(cfg->top.task, "hopper") || is(cfg->top.task, "walker2d");
    return !is(cfg->bear.kernel, "auto") ? cfg->bear.kernel : laplacian ? "laplacian" : "gaussian";
}

AgentConfig session_agent_config(const Config *cfg, const EnvKind *env)
{
    return (AgentConfig){
        .state_dim = env->state_dim,
        .act_dim = env->act_dim,
        .hidden = cfg->sac.hidden,
        .layers = cfg->sac.layers,
        .actor_lr = cfg->sac.actor_lr,
        .critic_lr = cfg->sac.critic_lr,
        .alpha_lr = cfg->sac.alpha_lr,
        .alpha = cfg->sac.alpha,
        .alpha_max = cfg->sac.alpha_max,
        .sequential = is(cfg->sac.update, "sequential"),
        .target_entropy = (float)cfg->sac.target_entropy,
        .gamma = (float)cfg->sac.gamma,
        .tau = (float)cfg->sac.tau,
        .reward_scale = (float)cfg->sac.reward_scale,
        .log_std_min = (float)cfg->sac.log_std_min,
        .log_std_max = (float)cfg->sac.log_std_max,
        .candidates = cfg->eval.candidates,
        .bear = {.hidden = cfg->bear.hidden,
                 .vae_hidden = cfg->bear.vae_hidden,
                 .actor_lr = cfg->bear.actor_lr,
                 .critic_lr = cfg->bear.critic_lr,
                 .vae_lr = cfg->bear.vae_lr,
                 .multiplier_lr = cfg->bear.multiplier_lr,
                 .kernel = is(bear_kernel(cfg), "laplacian") ? KERNEL_LAPLACIAN : KERNEL_GAUSSIAN,
                 .sigma = (float)cfg->bear.sigma,
                 .min_weight = (float)cfg->bear.min_weight,
                 .threshold = (float)cfg->bear.threshold,
                 .log_std_min = (float)cfg->bear.log_std_min,
                 .log_std_max = (float)cfg->bear.log_std_max,
                 .samples = cfg->bear.samples,
                 .target_samples = cfg->bear.target_samples,
                 .warm_updates = cfg->bear.warm_updates},
        .brac = {.actor_hidden = cfg->brac.actor_hidden,
                 .critic_hidden = cfg->brac.critic_hidden,
                 .actor_lr = cfg->brac.actor_lr,
                 .critic_lr = cfg->brac.critic_lr,
                 .clone_lr = cfg->brac.clone_lr,
                 .clone_updates = cfg->brac.clone_updates,
                 .warm_updates = cfg->brac.warm_updates,
                 .mmd = is(cfg->brac.divergence, "mmd"),
                 .value_penalty = cfg->brac.value_penalty,
                 .alpha = (float)cfg->brac.alpha,
                 .sigma = (float)cfg->brac.sigma,
                 .action_margin = (float)cfg->brac.action_margin,
                 .samples = cfg->brac.samples},
        .bc = {.hidden = cfg->bc.hidden,
               .lr = cfg->bc.lr,
               .mse = is(cfg->bc.loss, "mse"),
               .action_margin = (float)cfg->bc.action_margin},
        .npg = {.hidden = cfg->npg.hidden,
                .value_hidden = cfg->npg.value_hidden,
                .step_size = cfg->npg.step_size,
                .damping = cfg->npg.damping,
                .gae_lambda = cfg->npg.gae_lambda,
                .value_lr = cfg->npg.value_lr,
                .clone_lr = cfg->npg.clone_lr,
                .log_std = (float)cfg->npg.log_std,
                .kl_max = (float)cfg->npg.kl_max,
                .log_std_min = (float)cfg->npg.log_std_min,
                .log_std_max = (float)cfg->npg.log_std_max,
                .cg_iterations = cfg->npg.cg_iterations,
                .value_batch = cfg->npg.value_batch,
                .value_passes = cfg->npg.value_passes,
                .clone_updates = cfg->npg.clone_updates}};
}

static Status check_agent(const Config *cfg, const AgentKind *kind)
{
    const char *key = cfg->train.updates_per_epoch != 1     ? "train.updates_per_epoch is not 1"
                      : cfg->train.real_ratio > 0           ? "train.real_ratio is not 0"
                      : cfg->rollout.lag != 0               ? "rollout.lag is not 0"
                      : cfg->rollout.retain != 1            ? "rollout.retain is not 1"
                      : !is(cfg->rollout.actions, "policy") ? "rollout.actions is not policy"
                                                            : NULL;
    if (!kind->on_policy || key == NULL) {
        return OK;
    }
    return status_fail(
        ERR_CONFIG,
        "train.agent %s learns on-policy: an epoch is one update from the model rows that "
        "the policy itself has just made, and from no others; but %s. Set "
        "train.updates_per_epoch=1 train.real_ratio=0 rollout.lag=0 rollout.retain=1 "
        "rollout.actions=policy, or take the preset algo=morel-npg",
        kind->name, key);
}

static Status check_penalty(const Config *cfg, const EnvKind *env)
{
    const Penalty *penalty = penalty_find(cfg->penalty.type);

    REQUIRE(penalty != NULL);
    if (cfg->model.members < penalty->members) {
        return status_fail(
            ERR_CONFIG,
            "penalty.type is %s, which measures how members of the ensemble differ, "
            "but model.members is %d: it would be 0 everywhere; raise model.members, "
            "or set penalty.type to max_std or none",
            penalty->name, cfg->model.members);
    }
    if (penalty->needs_truth && !oracle_possible(env)) {
        return status_fail(ERR_CONFIG,
                           "penalty.type is %s, which asks the task's simulator for the truth, but "
                           "task %s has none that can be put into a state; set penalty.type to one "
                           "of the others (`mopo config tables`)",
                           penalty->name, env->name);
    }
    return OK;
}

static Status check_candidates(const Config *cfg, const AgentKind *kind)
{
    const AgentConfig agent = session_agent_config(cfg, env_find("pointmass"));

    if (cfg->eval.candidates > 0 && !agent_has_critic(kind, &agent)) {
        return status_fail(ERR_CONFIG,
                           "eval.candidates is %d, but train.agent %s has no critic to choose "
                           "among them; set eval.candidates to 0",
                           cfg->eval.candidates, kind->name);
    }
    return OK;
}

int session_real_rows(const Config *cfg)
{
    return (int)(cfg->train.real_ratio * cfg->train.batch);
}

Status session_check(const Config *cfg)
{
    Status st = OK;
    EnvKind task;
    const AgentKind *kind = agent_find(cfg->train.agent);

    REQUIRE(kind != NULL);
    TRY(session_task(cfg, &task));
    TRY(check_agent(cfg, kind));
    TRY(check_candidates(cfg, kind));
    if (session_real_rows(cfg) < cfg->train.batch) {
        TRY(check_penalty(cfg, &task));
    }
done:
    return st;
}

Halt session_halt(const Config *cfg, double reward_min)
{
    const char *form = cfg->penalty.halt_form;
    const double threshold = cfg->penalty.halt_threshold;

    return (Halt){.threshold = threshold > 0 ? (float)threshold : FLT_MAX,
                  .form = is(form, "floor")       ? HALT_FLOOR
                          : is(form, "absorbing") ? HALT_ABSORBING
                                                  : HALT_CUT,
                  .cost = (float)cfg->penalty.halt_cost,
                  .floor = (float)reward_min,
                  .gamma = (float)cfg->sac.gamma};
}
