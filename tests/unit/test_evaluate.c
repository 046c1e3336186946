/* evaluate: episodes against the task played by hand, and the summary of returns. The part over ranks is in
 * tests/mpi/test_evaluate_ranks.c. */
#include "support/check.h"

#include <math.h>
#include <string.h>

#include "policy/agent.h"
#include "run/evaluate.h"

enum { S = 4, A = 2 };

typedef struct {
    Agent agent;
    Player player;
    Env *env;
    Arena tmp;
} Bench;

/* A policy whose mean action is tanh(push) in both directions, whatever the state; the log deviation is
 * -1. */
static void bench_make(Bench *b, float push)
{
    const AgentConfig cfg = {.state_dim = S,
                             .act_dim = A,
                             .hidden = 8,
                             .layers = 1,
                             .alpha = 1,
                             .log_std_min = -20,
                             .log_std_max = 2};

    CHECK_OK(agent_init(&b->agent, agent_find("sac"), &cfg, 0, 1));
    float *actor = agent_actor(&b->agent);
    memset(actor, 0, b->agent.actor.count * sizeof *actor);
    float *bias = actor + mlp_matrix(&b->agent.actor, 1, 0).bias;
    bias[0] = push;
    bias[1] = push;
    bias[2] = -1;
    bias[3] = -1;
    b->player = (Player){.env = env_find("pointmass"),
                         .actor = &b->agent.actor,
                         .squash = &b->agent.squash,
                         .params = actor,
                         .seed = 5,
                         .epoch = 3};
    CHECK_OK(b->player.env->open(&b->env, b->player.env));
    CHECK_OK(arena_init(&b->tmp, play_cost(&b->player))); /* it suffices, or the arena panics */
}

static void bench_free(Bench *b)
{
    b->player.env->close(b->env);
    arena_release(&b->tmp);
    agent_release(&b->agent);
}

static EpisodeEntry play(Bench *b, int episode)
{
    EpisodeEntry entry;
    CHECK_OK(play_episode(&b->player, b->env, episode, &b->tmp, &entry));
    assert_int_equal(b->tmp.used, 0);
    assert_int_equal(entry.episode, episode);
    return entry;
}

/* The point mass by the formulas of env/pointmass.c. */
static EpisodeEntry by_hand(const Bench *b, int episode, double push)
{
    Rng noise =
        rng_make(b->player.seed, RNG_EVAL_ACTION, (uint64_t)b->player.epoch, (uint32_t)episode);
    double pos[2];
    double vel[2];
    EpisodeEntry e = {.episode = episode};
    Rng rng =
        rng_make(b->player.seed, RNG_EVAL_RESET, (uint64_t)b->player.epoch, (uint32_t)episode);

    CHECK_OK(b->player.env->reset(b->env, &rng));
    b->player.env->get_state(b->env, pos, vel);
    while (e.length < 100) {
        float eps[2] = {0};
        if (b->player.sample) {
            rng_fill_normal(&noise, eps, 2);
        }
        for (int i = 0; i < 2; i++) {
            const double a = tanh(push + exp(-1) * (double)eps[i]);
            vel[i] += 0.1 * a;
            pos[i] += 0.1 * vel[i];
            e.total -= 0.01 * a * a;
        }
        e.total += exp(-pos[0] * pos[0] - pos[1] * pos[1]);
        e.length += 1;
        if (fabs(pos[0]) > 2 || fabs(pos[1]) > 2) {
            break;
        }
    }
    return e;
}

static void episodes_are_those_of_the_task(void **state)
{
    (void)state;
    static const float pushes[] = {0, 0.01F, 1.5F};
    double lengths = 0;

    for (int k = 0; k < 3; k++) {
        Bench b;
        bench_make(&b, pushes[k]);
        for (int episode = 0; episode < 5; episode++) {
            b.player.sample = episode == 4;
            const EpisodeEntry want = by_hand(&b, episode, (double)pushes[k]);
            const EpisodeEntry got = play(&b, episode);
            CHECK_NEAR(got.total, want.total, 1e-5, 1e-5); /* actions and rewards are float32 */
            CHECK_NEAR(got.length, want.length, 0, 0);
            lengths += got.length;
        }
        bench_free(&b);
    }
    assert_true(lengths < 15 * 100 && lengths > 5 * 100); /* some ended, some were cut at 100 */
}

static void an_episode_depends_on_seed_epoch_and_number_only(void **state)
{
    (void)state;
    Bench b;
    bench_make(&b, 0.1F);
    const EpisodeEntry first = play(&b, 2);

    assert_true(play(&b, 3).total != first.total);
    assert_true(play(&b, 2).total == first.total); /* the task remembers nothing */
    b.player.epoch = 4;
    assert_true(play(&b, 2).total != first.total);
    b.player.epoch = 3;
    b.player.seed = 6;
    assert_true(play(&b, 2).total != first.total);
    bench_free(&b);
}

static void a_policy_that_fails_the_task_is_named(void **state)
{
    (void)state;
    Bench b;
    EpisodeEntry entry;

    bench_make(&b, (float)NAN);
    assert_int_equal(play_episode(&b.player, b.env, 7, &b.tmp, &entry), ERR_ENV);
    assert_non_null(strstr(status_reason(), "evaluation episode 7: pointmass: action 0 is"));
    assert_int_equal(b.tmp.used, 0);
    bench_free(&b);
}

/* 10, 20, 60: mean 30, variance (400 + 100 + 900) / 3. Score: 100 (30 - 25.7) / (97.1 - 25.7). */
static void returns_are_summed_up(void **state)
{
    (void)state;
    const EpisodeEntry episodes[] = {{0, 20, 100, 0}, {1, 60, 50, 0}, {2, 10, 30, 1}};
    const ReturnSummary all = summarize_returns(env_find("pointmass"), episodes, 3);

    CHECK_NEAR(all.mean, 30, 1e-15, 0);
    CHECK_NEAR(all.std, sqrt(1400.0 / 3), 1e-15, 0);
    CHECK_NEAR(all.min, 10, 0, 0);
    CHECK_NEAR(all.max, 60, 0, 0);
    CHECK_NEAR(all.length, 60, 1e-15, 0);
    CHECK_NEAR(all.score, 430 / 71.4, 1e-12, 0);
    assert_int_equal(all.cut, 1);

    const ReturnSummary one = summarize_returns(env_find("halfcheetah"), episodes, 1);
    CHECK_NEAR(one.mean, 20, 0, 0);
    CHECK_NEAR(one.std, 0, 0, 0);
    CHECK_NEAR(one.score, 100 * (20 + 280.178953) / (12135.0 + 280.178953), 1e-12, 0); /* D4RL */
}

/* A critic that is worth sum a: of n drawn actions the one with the largest sum is played. */
static void the_best_of_the_candidates_is_played(void **state)
{
    (void)state;
    enum { N = 7, HIDDEN = 1 };
    Bench b;
    float s[S] = {0.1F, -0.2F, 0.3F, 0};
    float eps[N * A];
    float drawn[N * A];
    float a[A];
    Arena tmp;
    bench_make(&b, 0.2F);
    const Mlp critic = mlp_make(S + A, HIDDEN, 1, 1, 1, ACT_RELU);
    float values[S + A + 3] = {0, 0, 0, 0, 1, 1, 5, 1, 0}; /* relu(a_0 + a_1 + 5) */
    assert_int_equal(critic.count, sizeof values / sizeof *values);

    b.player.candidates = N;
    b.player.critic = &critic;
    b.player.values = values;
    CHECK_OK(arena_init(&tmp, player_act_cost(&b.player)));
    Rng noise = player_noise(&b.player, 2);
    Rng again = rng_make(b.player.seed, RNG_EVAL_CANDIDATE, (uint64_t)b.player.epoch, 2);
    player_act(&b.player, s, &noise, &tmp, a);
    rng_fill_normal(&again, eps, N * A);
    for (int k = 0; k < N; k++) {
        agent_act(&b.agent, b.player.params, s, eps + k * A, 1, &b.tmp, drawn + k * A);
    }
    bool found = false;
    for (int k = 0; k < N; k++) {
        assert_true(drawn[k * A] + drawn[k * A + 1] <= a[0] + a[1] + 1e-6F);
        found =
            found || (fabsf(drawn[k * A] - a[0]) < 1e-6F && fabsf(drawn[k * A + 1] - a[1]) < 1e-6F);
    }
    assert_true(found);
    arena_release(&tmp);
    bench_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_of_the_candidates_is_played),
        cmocka_unit_test(episodes_are_those_of_the_task),
        cmocka_unit_test(an_episode_depends_on_seed_epoch_and_number_only),
        cmocka_unit_test(a_policy_that_fails_the_task_is_named),
        cmocka_unit_test(returns_are_summed_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
