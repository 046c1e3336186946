#include "run/tables.h"

#include "base/panic.h"
#include "config/config.h"
#include "config/preset.h"
#include "env/env.h"
#include "model/penalty.h"
#include "policy/agent.h"
#include "run/session.h"

enum { ROWS_MAX = 64 };

static const char *penalty_name(int i)
{
    return penalty_row(i) != NULL ? penalty_row(i)->name : NULL;
}

static const char *agent_name(int i)
{
    return agent_row(i) != NULL ? agent_row(i)->name : NULL;
}

static const char *preset_name(int i)
{
    return preset_row(i) != NULL ? preset_row(i)->name : NULL;
}

static void allow(const char *key, const char *(*name)(int))
{
    const char *names[ROWS_MAX];
    int n = 0;

    for (; name(n) != NULL; n++) {
        REQUIRE(n < ROWS_MAX);
        names[n] = name(n);
    }
    config_allow(key, names, n);
}

void tables_register(void)
{
    allow("algo", preset_name);
    allow("penalty.type", penalty_name);
    allow("train.agent", agent_name);
}

/* As the default settings have it: some sizes depend on env.*. */
static void print_task(FILE *out, const char *name)
{
    Config config;
    EnvKind task;

    config_default(&config);
    (void)snprintf(config.top.task, sizeof config.top.task, "%s", name);
    REQUIRE(session_task(&config, &task) == OK);
    (void)fprintf(out, "  %-21s %5d %6d %5d  ", name, task.state_dim, task.act_dim, task.horizon);
    if (task.ref_max > task.ref_min) {
        (void)fprintf(out, "%g, %g\n", task.ref_min, task.ref_max);
    } else {
        (void)fprintf(out, "none\n");
    }
    (void)fprintf(out, "    %s\n", task.source);
}

static void print_tasks(FILE *out)
{
    (void)fprintf(out,
                  "task:                   state action steps  reference returns (score 0, 100)\n");
    for (int i = 0; env_kind(i) != NULL; i++) {
        print_task(out, env_kind(i)->name);
    }
    (void)fprintf(out, "  none                  as the dataset; no simulator\n    %s\n",
                  env_find("none")->source);
}

static void print_presets(FILE *out)
{
    (void)fprintf(out, "\nalgo (what each sets; all else by default):\n");
    for (int i = 0; preset_row(i) != NULL; i++) {
        const Preset *preset = preset_row(i);
        (void)fprintf(out, "  %-21s%s", preset->name, preset->words[0] == NULL ? " nothing" : "");
        for (int k = 0; preset->words[k] != NULL; k++) {
            (void)fprintf(out, " %s", preset->words[k]);
        }
        (void)fprintf(out, "\n    %s\n", preset->source);
    }
}

void tables_print(FILE *out)
{
    print_tasks(out);
    print_presets(out);
    (void)fprintf(out, "\ntrain.agent:\n");
    for (int i = 0; agent_row(i) != NULL; i++) {
        (void)fprintf(out, "  %-21s %s\n", agent_row(i)->name, agent_row(i)->source);
    }
    (void)fprintf(out, "\npenalty.type:           unit of u\n");
    for (int i = 0; penalty_row(i) != NULL; i++) {
        const Penalty *penalty = penalty_row(i);
        (void)fprintf(out, "  %-21s %s%s\n    %s\n", penalty->name, penalty->unit,
                      penalty->halts ? "; above a threshold the rollout halts" : "",
                      penalty->source);
    }
}
