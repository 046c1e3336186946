/* mopo eval: measure a policy in the true environment. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/cmd.h"
#include "cli/print.h"
#include "comm/comm.h"
#include "comm/watch.h"
#include "run/assess.h"
#include "run/evaluate.h"
#include "run/policy_file.h"
#include "run/rundir.h"
#include "run/session.h"

typedef struct {
    Config config;
    PolicyFile policy;
    char path[RUNDIR_PATH_MAX];
    int episodes;
    bool sample;
    bool is_run; /* the word was a run directory */
} Subject;

/* How many actions are compared: what the policy's file says, unless a word says otherwise. */
static Status choose_candidates(const OptionValues *in, Subject *subject)
{
    static const char key[] = "eval.candidates=";
    PolicyChoice *choice = &subject->policy.choice;

    for (int i = 1; i < in->count; i++) {
        if (strncmp(in->words[i], key, strlen(key)) == 0) {
            choice->candidates = subject->config.eval.candidates;
        }
    }
    if (choice->candidates > 0 && choice->values == NULL) {
        return status_fail(ERR_CONFIG,
                           "eval.candidates is %d, but %s has no critic to choose among them: it "
                           "must have been trained with eval.candidates above 0",
                           choice->candidates, subject->path);
    }
    subject->config.eval.candidates = choice->candidates; /* sizes the scratch of episodes */
    return OK;
}

/* Where a simulator judges, little of a run's settings matters. */
static void check_words(const OptionValues *in, const Subject *subject)
{
    static const char *const used[] = {
        "task", "seed", "env.*", "eval.episodes", "eval.candidates", "ranks.patience", NULL};
    if (strcmp(subject->config.top.task, "none") != 0) {
        cmd_warn_unused(in, 1, used);
    }
}

static Status load_run(const OptionValues *in, Subject *subject)
{
    Status st = OK;
    const char *dir = in->words[0];

    TRY(rundir_settings(dir, &subject->config));
    TRY(config_words_over(&subject->config, in->count - 1, in->words + 1));
    (void)snprintf(subject->path, sizeof subject->path, "%s/policy.h5", dir);
    if (!file_exists(subject->path)) {
        return status_fail(ERR_USAGE,
                           "%s is not there: it is written when training ends; policies of `mopo "
                           "collect --online` lie in the folder policies",
                           subject->path);
    }
    TRY(policy_load(subject->path, &subject->policy));
done:
    return st;
}

/* The defaults with the policy's own task, then words. */
static Status load_policy(const OptionValues *in, Subject *subject)
{
    Status st = OK;

    (void)snprintf(subject->path, sizeof subject->path, "%s", in->words[0]);
    TRY(policy_load(subject->path, &subject->policy));
    TRY(cmd_policy_config(in, subject->policy.info.task, &subject->config));
done:
    return st;
}

static Status load(const OptionValues *in, Subject *subject)
{
    Status st = OK;
    char inside[RUNDIR_PATH_MAX];

    (void)snprintf(inside, sizeof inside, "%s/.", in->words[0]);
    subject->is_run = file_exists(inside); /* or a directory that is none, which is told */
    TRY(subject->is_run ? load_run(in, subject) : load_policy(in, subject));
    check_words(in, subject);
    subject->episodes = subject->config.eval.episodes;
    TRY(option_int(in, "episodes", 1, 1000000, &subject->episodes));
    subject->sample = option_flag(in, "sample");
    TRY(choose_candidates(in, subject));
done:
    return st;
}

static Status check_dimensions(const Subject *subject, const EnvKind *env)
{
    if (subject->policy.state_dim != env->state_dim || subject->policy.act_dim != env->act_dim) {
        return status_fail(
            ERR_CONFIG,
            "%s has %d inputs and %d actions, task %s has %d and %d; say "
            "task=NAME (`mopo config tables` lists them), or the env.* settings that it was "
            "made for",
            subject->path, subject->policy.state_dim, subject->policy.act_dim, env->name,
            env->state_dim, env->act_dim);
    }
    return OK;
}

/* Nothing but a run has the model that episodes are then played in. */
static Status check_assessable(const OptionValues *in, const Subject *subject)
{
    if (!subject->is_run || subject->sample) {
        return status_fail(ERR_USAGE,
                           "task none has no simulator: give a run directory, whose model is then "
                           "used, without --sample (or task=NAME of a task that has one); got %s",
                           in->words[0]);
    }
    return OK;
}

static json_t *number_or_null(double x)
{
    return isnan(x) ? json_null() : json_real(x);
}

/* How the policy acts, for programs ("mean") or for people ("the mean action"). */
static void actions_text(const Subject *subject, bool people, char text[64])
{
    if (subject->sample) {
        (void)snprintf(text, 64, "sampled%s", people ? " actions" : "");
    } else if (subject->policy.choice.candidates > 0) {
        (void)snprintf(text, 64, "%sbest of %d%s", people ? "the " : "",
                       subject->policy.choice.candidates, people ? " actions" : "");
    } else {
        (void)snprintf(text, 64, "%s", people ? "the mean action" : "mean");
    }
}

/* told: NULL where the simulator judged. */
static Status print_json(const Subject *subject, const EnvKind *env, const EpisodeEntry *entries,
                         const ReturnSummary *r, const Assessment *told)
{
    char actions[64];
    json_t *returns = json_array();

    actions_text(subject, false, actions);
    for (int k = 0; k < subject->episodes; k++) {
        (void)json_array_append_new(returns, json_real(entries[k].total));
    }
    json_t *score = number_or_null(r->score);
    json_t *all = json_pack("{s:s, s:s, s:s, s:i, s:f, s:f, s:f, s:f, s:f, s:o, s:o}", "policy",
                            subject->path, "task", env->name, "actions", actions, "episodes",
                            subject->episodes, "return_mean", r->mean, "return_std", r->std,
                            "return_min", r->min, "return_max", r->max, "length_mean", r->length,
                            "score", score, "returns", returns);
    if (all != NULL && told != NULL) {
        (void)json_object_set_new(all, "fqe_value", json_real(told->policy.value));
        (void)json_object_set_new(all, "fqe_std", json_real(told->policy.std));
        (void)json_object_set_new(all, "data_value", number_or_null(told->data.value));
        (void)json_object_set_new(all, "start_states", json_integer(told->starts));
        (void)json_object_set_new(all, "cut_episodes", json_integer(r->cut));
    }
    return print_json_object(all, 0);
}

static void print_text(const Subject *subject, const EnvKind *env, const ReturnSummary *r,
                       const Assessment *told)
{
    char actions[64];

    actions_text(subject, true, actions);
    printf("%s on %s, %d episodes%s with %s:\n", subject->path, env->name, subject->episodes,
           told != NULL ? " in the model" : "", actions);
    printf("  return  mean %.1f, deviation %.1f, from %.1f to %.1f; mean length %.1f\n", r->mean,
           r->std, r->min, r->max, r->length);
    if (!isnan(r->score)) {
        printf("  score   %.2f (random policy 0, expert 100)\n", r->score);
    }
    if (told != NULL) {
        printf(
            "fitted Q evaluation, discounted return from the %lld starts of the data's episodes:\n"
            "  policy  %.2f, deviation over starts %.2f%s\n",
            (long long)told->starts, told->policy.value, told->policy.std,
            subject->policy.choice.candidates > 0 ? "; of its mean action" : "");
        if (!isnan(told->data.value)) {
            printf("  data    %.2f, the recorded actions by the same method\n", told->data.value);
        }
    }
}

static Status print(const OptionValues *in, const Subject *subject, const EnvKind *env,
                    const EpisodeEntry *entries, const Assessment *told)
{
    const ReturnSummary r = summarize_returns(env, entries, subject->episodes);

    warn_of_cut_episodes(&r, subject->path, subject->episodes);
    if (option_flag(in, "json")) {
        return print_json(subject, env, entries, &r, told);
    }
    print_text(subject, env, &r, told);
    return OK;
}

static Status run(const OptionValues *in)
{
    Status st = OK;
    Subject subject = {0};
    EnvKind env;
    EpisodeEntry *entries = NULL;
    Assessment told;

    TRY(options_count(in, 1, -1));
    TRY(comm_agree(comm_rank() == 0 ? load(in, &subject) : OK));
    coll_bcast(&subject, sizeof subject, 0);
    watch_patience(subject.config.ranks.patience);
    TRY(policy_share(&subject.policy));
    TRY(session_task(&subject.config, &env));
    const bool simulated = env.open != NULL;
    TRY(simulated ? check_dimensions(&subject, &env) : check_assessable(in, &subject));
    TRY(comm_agree(
        mem_alloc(&entries, (size_t)subject.episodes, sizeof *entries, "evaluation episodes")));
    const int64_t epoch = subject.policy.info.epoch;
    const Player player = {.env = &env,
                           .actor = &subject.policy.actor,
                           .squash = &subject.policy.squash,
                           .params = subject.policy.params,
                           .seed = (uint64_t)subject.config.top.seed,
                           .epoch = epoch > 0 ? epoch : 0,
                           .sample = subject.sample,
                           .candidates = subject.policy.choice.candidates,
                           .critic = &subject.policy.choice.critic,
                           .values = subject.policy.choice.values};
    if (simulated) {
        TRY(evaluate(&player, subject.episodes, entries));
    } else {
        TRY(assess(&subject.config, in->words[0], &player, subject.episodes, entries, &told));
    }
    const Assessment *also = simulated ? NULL : &told;
    st = comm_agree(comm_rank() == 0 ? print(in, &subject, &env, entries, also) : OK);
done:
    mem_free(&entries);
    policy_release(&subject.policy);
    return st;
}

static const Option options[] = {
    {"episodes", 'n', "N", "how many episodes; otherwise eval.episodes of the settings"},
    {"sample", 's', NULL, "draw actions from the policy instead of its mean action"},
    {"json", 'j', NULL, "print one JSON object with every return"},
    {0},
};

const Command cmd_eval = {
    .verb = "eval",
    .args = "RUN_OR_POLICY [key=value ...]",
    .summary = "measure a policy in the task's simulator, or where there is none in the model",
    .detail =
        "Plays episodes with the policy's mean action (BEAR: the best of many, by its critic), or "
        "actions drawn from it, and prints their undiscounted returns. RUN_OR_POLICY is a run "
        "directory, or a policy file in "
        "D4RL's metadata/policy layout, such as a dataset that carries its policy; a file that "
        "does not say its task needs task=NAME, and env.* are not in it.\n"
        "Where there is no simulator (task none) episodes are played in the run's model, and "
        "fitted Q evaluation judges too (docs/own-data.md).\n"
        "Episodes are dealt to the ranks; the result does not depend on their number. A run's "
        "first eval.episodes episodes are those of its last evaluation.\n"
        "\n"
        "  mpirun -n 4 mopo eval runs/demo-s0 --episodes 100\n"
        "  mopo eval policy.h5 task=halfcheetah env.inertia=exact seed=7 --json\n",
    .options = options,
    .run = run,
};
