/* Steps of the simulator in an evaluation episode and in the collection of random data, beside the same
 * control steps of MuJoCo alone (same start, same actions). */
#include <string.h>

#include "base/mem.h"
#include "env/task.h"
#include "parts.h"
#include "run/collect.h"
#include "run/evaluate.h"

enum { STEPS = 250, A_MAX = 16, Q_MAX = 64 };

typedef struct {
    EnvKind kind; /* halfcheetah, episodes of STEPS steps */
    Agent agent;
    Player player;
    Env *env;
    Arena tmp;
    double qpos[Q_MAX], qvel[Q_MAX]; /* start of the episode */
    double ctrl[STEPS][A_MAX];
} Play;

static void play_open(Play *p)
{
    *p = (Play){.kind = *env_find("halfcheetah")};
    p->kind.horizon = STEPS;
    const AgentConfig agent = paper_agent(p->kind.state_dim, p->kind.act_dim);
    must(p->kind.open(&p->env, &p->kind));
    must(agent_init(&p->agent, agent_find("sac"), &agent, 0, 1));
    p->player = (Player){.env = &p->kind,
                         .actor = &p->agent.actor,
                         .squash = &p->agent.squash,
                         .params = agent_actor(&p->agent),
                         .seed = 1};
    must(arena_init(&p->tmp, play_cost(&p->player)));
}

static void play_close(Play *p)
{
    p->kind.close(p->env);
    agent_release(&p->agent);
    arena_release(&p->tmp);
}

/* What the policy does in episode 0. */
static void note_episode(Play *p)
{
    float s[Q_MAX];
    float a[A_MAX];
    EnvStep out;
    Rng rng = rng_make(1, RNG_EVAL_RESET, 0, 0);

    must(p->kind.reset(p->env, &rng));
    p->kind.get_state(p->env, p->qpos, p->qvel);
    for (int t = 0; t < STEPS; t++) {
        p->kind.observe(p->env, s);
        agent_act(&p->agent, p->player.params, s, NULL, 1, &p->tmp, a);
        must(p->kind.step(p->env, a, &out));
        for (int j = 0; j < p->kind.act_dim; j++) {
            p->ctrl[t][j] = (double)a[j];
        }
    }
}

static void episode_run(void *ctx)
{
    Play *p = ctx;
    EpisodeEntry entry;
    must(play_episode(&p->player, p->env, 0, &p->tmp, &entry));
}

static void simulator_run(void *ctx)
{
    Play *p = ctx;
    must(mjsim_set_state(p->env->sim, p->qpos, p->qvel));
    for (int t = 0; t < STEPS; t++) {
        must(mjsim_step(p->env->sim, p->ctrl[t]));
    }
}

static void collect_run(void *ctx)
{
    Play *p = ctx;
    CollectRows rows;
    must(collect_episodes(&p->kind, &(CollectSource){0}, 1, 0, 1, &rows));
    collect_release(&rows);
}

/* What collect_run does. */
static void note_collected(Play *p)
{
    CollectRows rows;
    must(collect_episodes(&p->kind, &(CollectSource){0}, 1, 0, 1, &rows));
    for (int64_t t = 0; t < rows.rows; t++) {
        const double *row = rows.data + (size_t)t * rows.stride;
        memcpy(p->ctrl[t], row + rows.state_dim, (size_t)rows.act_dim * sizeof *row);
        if (t == 0) {
            const double *qpos = row + 2 * rows.state_dim + rows.act_dim + 3;
            memcpy(p->qpos, qpos, (size_t)rows.nq * sizeof *qpos);
            memcpy(p->qvel, qpos + rows.nq, (size_t)rows.nv * sizeof *qpos);
        }
    }
    collect_release(&rows);
}

void bench_env(Report *report)
{
    Play *p = NULL;
    Pair pair = {.what = "evaluation step; MuJoCo alone",
                 .unit = "step",
                 .units = STEPS,
                 .thing = episode_run,
                 .floor = simulator_run};

    must(mem_alloc(&p, 1, sizeof *p, "an episode"));
    play_open(p);
    note_episode(p);
    pair.thing_ctx = p;
    pair.floor_ctx = p;
    report_add(report, &pair);

    note_collected(p);
    (void)strcpy(pair.what, "collected step; MuJoCo alone");
    pair.thing = collect_run;
    report_add(report, &pair);
    play_close(p);
    mem_free(&p);
}
