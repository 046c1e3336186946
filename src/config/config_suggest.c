/* Which key may have been meant by one that is not there. */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "config/config_key.h"

/* What other programs of the field call it. Only for suggestions: none of them is taken. */
static const struct {
    const char *other, *ours;
} aliases[] = {
    {"learning_rate", "model.lr, sac.actor_lr or sac.critic_lr"},
    {"model_lr", "model.lr"},
    {"dynamics_lr", "model.lr"},
    {"actor_learning_rate", "sac.actor_lr"},
    {"critic_learning_rate", "sac.critic_lr"},
    {"policy_lr", "sac.actor_lr"},
    {"weight_decay",
     "model.decay_first, model.decay_second, model.decay_hidden or model.decay_head"},
    {"num_epochs", "train.epochs"},
    {"n_epochs", "train.epochs"},
    {"max_epoch", "train.epochs or model.max_epochs"},
    {"step_per_epoch", "train.updates_per_epoch"},
    {"steps_per_epoch", "train.updates_per_epoch"},
    {"epoch_length", "train.updates_per_epoch"},
    {"batch_size", "train.batch, model.batch or rollout.batch"},
    {"rollout_batch_size", "rollout.batch"},
    {"rollout_length", "rollout.horizon"},
    {"rollout_horizon", "rollout.horizon"},
    {"model_retain_epochs", "rollout.retain"},
    {"n_ensemble", "model.members"},
    {"num_ensemble", "model.members"},
    {"ensemble_size", "model.members"},
    {"num_networks", "model.members"},
    {"num_models", "model.members"},
    {"n_elites", "model.elites"},
    {"num_elites", "model.elites"},
    {"hidden_size", "model.hidden or sac.hidden"},
    {"hidden_sizes", "model.hidden or sac.hidden"},
    {"hidden_dim", "model.hidden or sac.hidden"},
    {"hidden_dims", "model.hidden or sac.hidden"},
    {"hidden_units", "model.hidden or sac.hidden"},
    {"num_layers", "model.layers or sac.layers"},
    {"n_layers", "model.layers or sac.layers"},
    {"validation_split", "model.holdout_ratio"},
    {"val_ratio", "model.holdout_ratio"},
    {"penalty_coef", "penalty.lambda"},
    {"penalty_coefficient", "penalty.lambda"},
    {"penalty_lambda", "penalty.lambda"},
    {"lam", "penalty.lambda"},
    {"uncertainty_mode", "penalty.type"},
    {"penalty_type", "penalty.type"},
    {"discount", "sac.gamma"},
    {"discount_factor", "sac.gamma"},
    {"polyak", "sac.tau"},
    {"soft_target_tau", "sac.tau"},
    {"temperature", "sac.alpha"},
    {"entropy_coef", "sac.alpha"},
    {"environment", "task"},
    {"env_name", "task"},
    {"env_id", "task"},
    {"env", "task"},
    {"data_path", "dataset"},
    {"dataset_path", "dataset"},
    {"dataset_name", "dataset"},
    {"random_seed", "seed"},
    {"output_dir", "run_dir"},
    {"out_dir", "run_dir"},
    {"log_dir", "run_dir"},
    {"logdir", "run_dir"},
    {"save_dir", "run_dir"},
    {"algorithm", "algo"},
    {"method", "algo"},
    {"eval_episodes", "eval.episodes"},
    {"n_eval_episodes", "eval.episodes"},
    {"num_eval_episodes", "eval.episodes"},
    {"eval_freq", "eval.every"},
    {"eval_interval", "eval.every"},
    {"save_freq", "checkpoint.every"},
    {"save_interval", "checkpoint.every"},
    {"num_workers", "ranks.learners"},
};

Status config_section_unknown(const char *name, const char *where)
{
#define SECTION_NAME(section, LIST) #section,
    static const char *const names[] = {CONFIG_SECTIONS(SECTION_NAME)};
#undef SECTION_NAME
    const int count = (int)(sizeof names / sizeof names[0]) - 1; /* all but top */
    const char *near = text_nearest(name, names + 1, count);

    if (near == NULL) {
        return status_fail(ERR_CONFIG, "%s: unknown section %.100s; `mopo config keys` lists all",
                           where, name);
    }
    return status_fail(ERR_CONFIG, "%s: unknown section %.100s; did you mean %s?", where, name,
                       near);
}

static const char *leaf(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL ? dot + 1 : name;
}

/* As our keys are written: other separators are no mistake to count. */
static void tidy(const char *written, char tidied[TEXT_WORD_MAX])
{
    size_t n = 0;
    for (const char *p = written + strspn(written, "-. "); *p != '\0' && n + 1 < TEXT_WORD_MAX;
         p++) {
        tidied[n++] = (char)(strchr("- ", *p) != NULL ? '_' : strchr("/:", *p) != NULL ? '.' : *p);
    }
    while (n > 0 && tidied[n - 1] == '_') {
        n--;
    }
    tidied[n] = '\0';
}

static const char *alias_of(const char *written)
{
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        if (strcasecmp(leaf(written), aliases[i].other) == 0) {
            return aliases[i].ours;
        }
    }
    return NULL;
}

/* How far a known key is from what was written, in half letters; INT_MAX when it was hardly meant. A forgotten
 * or wrong section counts as two letters and a half: two slips in a section's name are more likely. */
static int key_distance(const char *written, const char *known)
{
    enum { OTHER_SECTION = 5 };
    int best = INT_MAX;
    if (text_close(written, known)) {
        best = 2 * text_distance(written, known);
    }
    if (text_close(leaf(written), leaf(known))) {
        const int of_leaf = 2 * text_distance(leaf(written), leaf(known)) + OTHER_SECTION;
        best = of_leaf < best ? of_leaf : best;
    }
    return best;
}

/* The nearest keys, "a or b"; returns how many. */
static int nearest(const char *written, Text *meant)
{
    int distance[CONFIG_KEYS];
    int best = INT_MAX;
    int found = 0;

    for (int i = 0; i < CONFIG_KEYS; i++) {
        distance[i] = key_distance(written, config_keys[i].name);
        best = distance[i] < best ? distance[i] : best;
    }
    for (int i = 0; best < INT_MAX && i < CONFIG_KEYS; i++) {
        if (distance[i] == best) {
            text_add(meant, "%s%s", found++ > 0 ? " or " : "", config_keys[i].name);
        }
    }
    return found;
}

Status config_key_unknown(const char *name, const char *where)
{
    char list[256];
    char written[TEXT_WORD_MAX];
    Text meant = text_over(list, sizeof list);

    tidy(name, written);
    const char *alias = alias_of(written);
    if (alias != NULL) {
        text_add(&meant, "%s", alias);
    } else if (nearest(written, &meant) == 0) {
        return status_fail(ERR_CONFIG, "%s: unknown key %.100s; `mopo config keys` lists all",
                           where, name);
    }
    return status_fail(ERR_CONFIG, "%s: unknown key %.100s; did you mean %s?", where, name, list);
}
