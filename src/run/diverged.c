#include "run/diverged.h"

#include <math.h>
#include <string.h>

#include "base/text.h"
#include "nn/vec.h"
#include "run/checkpoint.h"

enum { WORDS_MAX = STATUS_REASON_MAX };

/* Nothing that is measured in a task is so large, and its square leaves no room for sums. */
static const float absurd = 1e12F;

static const char *const cures[DIVERGED_PARTS] = {
    [DIVERGED_MODEL] = "a smaller model.lr; model.spectral_norm=true; `mopo data check` for values "
                       "that are far off",
    [DIVERGED_ROLLOUT] = "a smaller rollout.horizon; rollout.guard above 0, which ends a rollout "
                         "that runs away; a smaller model.lr or more model.max_epochs; for "
                         "penalty.type=oracle another penalty",
    [DIVERGED_AGENT] = "smaller learning rates",
};

const char *diverged_cure(DivergedPart part)
{
    return cures[part];
}

/* What a learning rate is called, and what else an agent's step depends on. */
static const struct {
    const char *agent, *settings;
} rates[] = {{"sac", "sac.critic_lr, sac.actor_lr, sac.alpha_lr; sac.tau, sac.gamma"},
             {"bear", "bear.critic_lr, bear.actor_lr, bear.vae_lr"},
             {"brac", "brac.critic_lr, brac.actor_lr, brac.clone_lr"},
             {"bc", "bc.lr"},
             {"npg", "npg.step_size, npg.value_lr, npg.clone_lr"}};

static void add_cures(Text *text, const Session *s, DivergedPart part)
{
    text_add(text, "; usual cures: ");
    if (part == DIVERGED_AGENT && s->uses_model) {
        text_add(text,
                 "a larger penalty.lambda; a smaller rollout.horizon; rollout.guard above 0; ");
    }
    text_add(text, "%s", cures[part]);
    for (size_t i = 0; part == DIVERGED_AGENT && i < sizeof rates / sizeof *rates; i++) {
        if (strcmp(rates[i].agent, s->agent.kind->name) == 0) {
            text_add(text, " (%s)", rates[i].settings);
        }
    }
}

/* The largest number of the dataset, if it is absurd. */
static void add_data(Text *text, const Session *s)
{
    const Record *rec = &s->data.rec;
    float most = absurd;
    int64_t row = -1;
    size_t column = 0;

    for (int64_t i = 0; i < s->data.rows; i++) {
        const float *x = s->data.records + (size_t)i * rec->stride;
        for (size_t j = 0; j < rec->cont; j++) {
            if (fabsf(x[j]) > most) {
                most = fabsf(x[j]);
                row = i;
                column = j;
            }
        }
    }
    if (row >= 0) {
        const char *name = column >= rec->s2  ? "next state"
                           : column == rec->r ? "reward"
                           : column >= rec->a ? "action"
                                              : "state";
        text_add(text,
                 "; the dataset went first: in transition %lld the %s has the size %g (`mopo data "
                 "check %s`)",
                 (long long)row, name, (double)most, s->cfg.top.dataset);
    }
}

Status diverged_cures(Status st, const Session *s, DivergedPart part)
{
    char words[WORDS_MAX];
    Text text = text_over(words, sizeof words);

    if (st != ERR_NUMERIC) {
        return st;
    }
    if (s->data.records != NULL) {
        add_data(&text, s);
    }
    add_cures(&text, s, part);
    return status_fail(st, "%s%s", status_reason(), words);
}

Status diverged_left(Status st, const RunDir *dir)
{
    char reason[STATUS_REASON_MAX];
    Checkpoint last = {0};
    bool found = false;

    if (st != ERR_NUMERIC) {
        return st;
    }
    (void)snprintf(reason, sizeof reason, "%s", status_reason());
    if (checkpoint_find(dir->path, &last, &found) != OK) {
        (void)status_fail(st, "%s", reason);
    } else if (found) {
        (void)status_fail(st, "%s. The last checkpoint, %s, is whole", reason, last.path);
    } else {
        (void)status_fail(st, "%s. No checkpoint was saved yet", reason);
    }
    checkpoint_release(&last);
    return st;
}

Status diverged_agent(Session *s)
{
    static const struct {
        const char *slab, *words;
    } names[] = {{"params", "the weights"},
                 {"target", "the target critics' weights"},
                 {"adam_m", "Adam's mean of the gradients"},
                 {"adam_v", "Adam's mean of the squared gradients"}};
    Slab slabs[AGENT_SLABS_MAX];
    const int n = agent_slabs(&s->agent, slabs);

    for (int i = 0; i < n; i++) {
        if (slabs[i].type == SLAB_F32 && !vec_finite(slabs[i].data, slabs[i].n)) {
            const char *words = slabs[i].name;
            for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
                words = strcmp(names[k].slab, slabs[i].name) == 0 ? names[k].words : words;
            }
            return status_fail(ERR_NUMERIC, "update %lld: %s of agent %s are no longer finite",
                               (long long)s->agent.updates, words, s->agent.kind->name);
        }
    }
    return OK;
}
