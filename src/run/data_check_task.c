/* Which task the rows are of, and which version of it: by dimensions, and by the simulator on rows
 * spread over the file. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "run/data_check_internal.h"

/* Below this the simulator is not the one of the rows. */
static const double share_trusted = 0.8;

/* ---- settings: versions of a task ---- */

typedef struct {
    size_t at; /* of the bool in EnvConfig */
    bool of_reward;
    const char *when_true, *when_false;
} Setting;

static const Setting settings[] = {
    {offsetof(EnvConfig, exact_inertia), false, "env.inertia=exact", "env.inertia=legacy"},
    {offsetof(EnvConfig, v5_foot), false, "env.walker2d_foot=v5", "env.walker2d_foot=v2"},
    {offsetof(EnvConfig, clip_actions), true, "env.clip_actions=true", "env.clip_actions=false"},
    {offsetof(EnvConfig, behavior_reward), true, "env.reward=behavior", "env.reward=task"},
    {offsetof(EnvConfig, v5_bonus), true, "env.healthy_bonus=healthy", "env.healthy_bonus=always"},
    {offsetof(EnvConfig, jump_max), true, "env.jump_speed=max", "env.jump_speed=min"},
    {offsetof(EnvConfig, jump_fixed), true, "env.jump_height=fixed", "env.jump_height=episode"},
    {offsetof(EnvConfig, angle_no_bonus), true, "env.angle_bonus=false", "env.angle_bonus=true"},
};

enum { SETTINGS = sizeof settings / sizeof *settings };

static bool *setting_of(EnvKind *task, int k)
{
    return (bool *)((char *)&task->config + settings[k].at);
}

/* s' as the rest of the file says it should be taken. */
static ReplayNext next_rule(const Check *c)
{
    return c->shift == 1 ? REPLAY_NEXT : REPLAY_JOINED;
}

static Status replay_as(const Check *c, const EnvKind *task, int64_t rows, Replay *out)
{
    Status st = OK;
    Replayer *replayer = NULL;

    TRY(replay_open(&replayer, c->rec, task, c->starts));
    TRY(replay_rows(out, replayer, c->sample, rows, next_rule(c), NULL));
done:
    replay_close(&replayer);
    return st;
}

static double fit_of(const Replay *r)
{
    return share(r->state_fits, r->compared) + share(r->reward_fits, r->count);
}

static bool all_fit(const Check *c)
{
    return is_most(c->replay.state_fits, c->replay.compared) &&
           is_most(c->replay.reward_fits, c->replay.count);
}

/* Change the one setting that explains the most more; false when none does. */
static Status better_setting(Check *c, bool *changed)
{
    Status st = OK;
    Replay best = {0};
    Replay other = {0};
    int found_at = -1;
    const double now = fit_of(&c->replay);

    const bool states = !is_most(c->replay.state_fits, c->replay.compared);

    for (int k = 0; k < SETTINGS; k++) {
        EnvKind task = c->task;
        if (settings[k].of_reward == states) { /* the steps first */
            continue;
        }
        bool *on = setting_of(&task, k);
        *on = !*on;
        replay_release(&other);
        TRY(replay_as(c, &task, c->samples, &other));
        if (fit_of(&other) > now + 0.02 && (found_at < 0 || fit_of(&other) > fit_of(&best))) {
            replay_release(&best);
            best = other;
            other = (Replay){0};
            found_at = k;
        }
    }
    *changed = found_at >= 0;
    if (*changed) {
        bool *on = setting_of(&c->task, found_at);
        *on = !*on;
        c->settings[c->wrong_settings++] =
            *on ? settings[found_at].when_true : settings[found_at].when_false;
        replay_release(&c->replay);
        c->replay = best;
        best = (Replay){0};
    }
done:
    replay_release(&best);
    replay_release(&other);
    return st;
}

Status check_task_prepare(Check *c)
{
    Status st = OK;
    bool changed = true;

    c->has_task = replay_possible(c->rec, c->options->task) && c->samples > 0;
    if (!c->has_task) {
        return OK;
    }
    c->task = *c->options->task;
    TRY(replay_as(c, &c->task, c->samples, &c->replay));
    while (changed && c->wrong_settings < SETTINGS_MAX && !all_fit(c)) {
        TRY(better_setting(c, &changed));
    }
    c->trusted = share(c->replay.state_fits, c->replay.compared) >= share_trusted;
    TRY(replay_open(&c->replayer, c->rec, &c->task, c->starts));
done:
    return st;
}

static void add_word(Text *text, const char *word)
{
    text_add(text, "%s%s", text->used > 0 ? " " : "", word);
}

/* The setting that gives a state of this length, NULL where there is none. */
static const char *shape_of(const EnvKind *task)
{
    static const char *const ants[] = {[FORCES_NONE] = "env.ant_observation=27",
                                       [FORCES_ZERO] = "env.ant_observation=111-zero",
                                       [FORCES_REAL] = "env.ant_observation=111",
                                       [FORCES_REAL_V5] = "env.ant_observation=105"};

    if (strcmp(task->name, "ant") == 0) {
        return ants[task->config.forces];
    }
    if (strcmp(task->name, "halfcheetah-jump") == 0) {
        return task->config.jump_no_height ? "env.jump_observation=17" : "env.jump_observation=18";
    }
    return NULL;
}

/* A guessed task's settings, as far as they are not the usual ones. */
static void add_guessed(Text *text, const EnvKind *task)
{
    const char *shape = shape_of(task);
    const bool usual = strcmp(task->name, "ant") == 0 ? task->config.forces == FORCES_ZERO
                                                      : !task->config.jump_no_height;

    if (task->config.exact_inertia) {
        add_word(text, "env.inertia=exact");
    }
    if (shape != NULL && !usual) {
        add_word(text, shape);
    }
}

Status check_settings(Check *c)
{
    char names[256] = "";
    Text text = text_over(names, sizeof names);

    for (int k = 0; k < c->wrong_settings; k++) {
        add_word(&text, c->settings[k]);
    }
    if (c->options->guessed && c->options->task != NULL) {
        add_guessed(&text, c->options->task);
    }
    if (c->options->guessed && names[0] != '\0') {
        (void)found(c, SEVERITY_NOTE, "the rows were made with task=%s %s", c->task.name, names);
    } else if (c->wrong_settings > 0) {
        (void)found(c, SEVERITY_ERROR,
                    "the rows were made with another version of task %s: set %s; policies would "
                    "be evaluated on a system that is not the one of the data",
                    c->task.name, names);
    }
    return OK;
}

/* ---- dimensions, and which task it is ---- */

enum { GUESS_SAMPLES = 100, GUESS_FIRST = 10 };

/* How well `kind` explains the rows, with the inertia that does it better; *task gets that. */
static Status fit_task(const Check *c, const EnvKind *kind, EnvKind *task, double *fit)
{
    Status st = OK;
    Replay replay = {0};
    const int64_t rows = c->samples < GUESS_SAMPLES ? c->samples : GUESS_SAMPLES;

    *fit = -1;
    for (int exact = 0; exact < 2; exact++) {
        EnvConfig config = kind->config;
        EnvKind other;
        config.exact_inertia = exact == 1;
        TRY(env_configure(&other, kind->name, &config));
        if (!replay_possible(c->rec, &other)) {
            break;
        }
        replay_release(&replay);
        TRY(replay_as(c, &other, rows < GUESS_FIRST ? rows : GUESS_FIRST, &replay));
        if (share(replay.state_fits, replay.compared) < 0.5) {
            continue;
        }
        replay_release(&replay);
        TRY(replay_as(c, &other, rows, &replay));
        if (share(replay.state_fits, replay.compared) >= 0.5 && fit_of(&replay) > *fit) {
            *fit = fit_of(&replay);
            *task = other;
        }
    }
done:
    replay_release(&replay);
    return st;
}

/* Variants of a row that differ in their dimensions. */
static const EnvConfig shapes[] = {
    {0}, {.jump_no_height = true}, {.forces = FORCES_ZERO}, {.forces = FORCES_REAL_V5}};

/* The task that explains the rows better than all others; *best is its fit, -1: none. */
static Status best_task(const Check *c, EnvKind *task, double *best)
{
    Status st = OK;
    EnvKind candidate;
    double fit = 0;

    *best = -1;
    for (int i = 0; env_kind(i) != NULL; i++) {
        for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
            EnvKind kind;
            TRY(env_configure(&kind, env_kind(i)->name, &shapes[k]));
            if (kind.config.forces != FORCES_NONE && kind.state_dim == env_kind(i)->state_dim) {
                continue; /* no Ant: the same again */
            }
            TRY(fit_task(c, &kind, &candidate, &fit));
            if (fit > *best + 0.02) {
                *best = fit;
                *task = candidate;
            }
        }
    }
done:
    return st;
}

Status check_dimensions(Check *c)
{
    Status st = OK;
    const Recording *rec = c->rec;
    const EnvKind *task = c->options->task;
    EnvKind other;
    double fit = -1;
    char names[256];
    Text text = text_over(names, sizeof names);

    if (task == NULL || task->open == NULL || (c->has_task && c->trusted)) {
        return OK;
    }
    if (rec->state_dim != task->state_dim || rec->act_dim != task->act_dim) {
        (void)found(c, SEVERITY_ERROR,
                    "%d state and %d action columns, task %s has %d and %d: name the task the "
                    "file was made with, or its env.* settings",
                    rec->state_dim, rec->act_dim, task->name, task->state_dim, task->act_dim);
    }
    TRY(best_task(c, &other, &fit));
    const char *shape = fit >= 0 ? shape_of(&other) : NULL;
    if (fit >= 0 && strcmp(other.name, task->name) == 0 && !c->has_task && shape != NULL) {
        (void)found(c, SEVERITY_ERROR, "they are rows of task %s with %d state columns: set %s",
                    other.name, other.state_dim, shape);
    } else if (fit >= 0 && strcmp(other.name, task->name) != 0) {
        add_guessed(&text, &other);
        (void)found(c, SEVERITY_ERROR, "the rows are not of task %s, but of %s: set task=%s%s%s",
                    task->name, other.name, other.name, text.used > 0 ? " " : "", names);
    }
done:
    return st;
}

Status data_guess_task(const Recording *rec, EnvKind *task, bool *found_one)
{
    Status st = OK;
    const CheckOptions options = {.guessed = true};
    Check c = {.rec = rec, .options = &options, .shift = 1};
    EnvKind best;
    double fit = -1;

    *found_one = false;
    TRY(mem_alloc(&c.sample, GUESS_SAMPLES, sizeof *c.sample, "rows to replay"));
    TRY(mem_alloc(&c.starts, (size_t)rec->rows + 1, sizeof *c.starts, "starts of episodes"));
    c.episodes = recording_episodes(rec, 1000, c.starts);
    c.samples = replay_pick(rec, GUESS_SAMPLES, c.sample);
    TRY(best_task(&c, &best, &fit));
    if (fit >= 0) {
        *task = best;
        *found_one = true;
    }
done:
    mem_free(&c.sample);
    mem_free(&c.starts);
    return st;
}
