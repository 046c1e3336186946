/* Steps of the simulator in an evaluation episode and in the collection of random data, beside the same
 * control steps of MuJoCo alone (same start, same actions). */
#include <string.h>

#include "base/mem.h"
#include "bench/parts.h"
#include "env/task.h"
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

static Status play_open(Play *p)
{
    Status st = OK;

    p->kind = *env_find("halfcheetah");
    p->kind.horizon = STEPS;
    const AgentConfig agent = paper_agent(p->kind.state_dim, p->kind.act_dim);
    TRY(p->kind.open(&p->env, &p->kind));
    TRY(agent_init(&p->agent, agent_find("sac"), &agent, 0, 1));
    p->player = (Player){.env = &p->kind,
                         .actor = &p->agent.actor,
                         .squash = &p->agent.squash,
                         .params = agent_actor(&p->agent),
                         .seed = 1};
    TRY(arena_init(&p->tmp, play_cost(&p->player)));
done:
    return st;
}

static void play_close(Play *p)
{
    if (p->env != NULL) {
        p->kind.close(p->env);
    }
    agent_release(&p->agent);
    arena_release(&p->tmp);
}

static Status episode_run(void *ctx)
{
    Play *p = ctx;
    EpisodeEntry entry;
    return play_episode(&p->player, p->env, 0, &p->tmp, &entry);
}

/* What the policy does in episode 0. */
static Status note_episode(Play *p)
{
    Status st = OK;
    float s[Q_MAX];
    float a[A_MAX];
    EnvStep out;
    Rng rng = rng_make(1, RNG_EVAL_RESET, 0, 0);

    TRY(p->kind.reset(p->env, &rng));
    p->kind.get_state(p->env, p->qpos, p->qvel);
    for (int t = 0; t < STEPS; t++) {
        p->kind.observe(p->env, s);
        agent_act(&p->agent, p->player.params, s, NULL, 1, &p->tmp, a);
        TRY(p->kind.step(p->env, a, &out));
        for (int j = 0; j < p->kind.act_dim; j++) {
            p->ctrl[t][j] = (double)a[j];
        }
    }
done:
    return st;
}

static Status collect_run(void *ctx)
{
    Play *p = ctx;
    CollectRows rows;
    const Status st = collect_episodes(&p->kind, &(CollectSource){0}, 1, 0, 1, &rows);
    collect_release(&rows);
    return st;
}

/* What collect_run does. */
static Status note_collected(Play *p)
{
    Status st = OK;
    CollectRows rows = {0};

    TRY(collect_episodes(&p->kind, &(CollectSource){0}, 1, 0, 1, &rows));
    for (int64_t t = 0; t < rows.rows; t++) {
        const double *row = rows.data + (size_t)t * rows.stride;
        memcpy(p->ctrl[t], row + rows.state_dim, (size_t)rows.act_dim * sizeof *row);
        if (t == 0) {
            const double *qpos = row + 2 * (size_t)rows.state_dim + (size_t)rows.act_dim + 3;
            memcpy(p->qpos, qpos, (size_t)rows.nq * sizeof *qpos);
            memcpy(p->qvel, qpos + rows.nq, (size_t)rows.nv * sizeof *qpos);
        }
    }
done:
    collect_release(&rows);
    return st;
}

static Status simulator_run(void *ctx)
{
    Status st = OK;
    Play *p = ctx;

    TRY(mjsim_set_state(p->env->sim, p->qpos, p->qvel));
    for (int t = 0; t < STEPS; t++) {
        TRY(mjsim_step(p->env->sim, p->ctrl[t]));
    }
done:
    return st;
}

static const struct {
    const char *name;
    Run run;
    Status (*note)(Play *p); /* start and actions for the simulator alone */
} kinds[] = {
    {"evaluation step", episode_run, note_episode},
    {"collection step", collect_run, note_collected},
};

Status bench_env(Report *report)
{
    Status st = OK;
    Play *p = NULL;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!report_wants(report, kinds[i].name)) {
            continue;
        }
        if (p == NULL) {
            TRY(mem_alloc(&p, 1, sizeof *p, "an episode"));
            TRY(play_open(p));
        }
        TRY(kinds[i].note(p));
        TRY(part_add(report, kinds[i].name,
                     &(Pair){.unit = "step",
                             .floor_is = "mj_step",
                             .units = STEPS,
                             .thing = {kinds[i].run, p},
                             .floor = {simulator_run, p}}));
    }
done:
    if (p != NULL) {
        play_close(p);
    }
    mem_free(&p);
    return st;
}
