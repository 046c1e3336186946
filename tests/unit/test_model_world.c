/* Episodes in the model: an ensemble whose members predict constants, and starts of episodes by hand. */
#include "support/check.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "run/model_world.h"

enum { S = 2, A = 1, Y = S + 1, STRIDE = 2 * S + A + 2, ROWS = 6, MEMBERS = 3 };

typedef struct {
    Ensemble ens;
    Agent agent;
    Rollout roll;
    Player player;
    Dataset data;
    EpisodeStarts starts;
    Arena tmp;
    float records[ROWS * STRIDE];
} World;

/* Two episodes: rows 0 1 2 (the last is terminal), 3 4 5 (cut: row 5 does not follow row 4). */
static void fill(World *w)
{
    const Record rec = record_make(S, A);
    const float at[ROWS] = {0.1F, 0.2F, 0.3F, 0.4F, 0.5F, 0.9F};

    for (int i = 0; i < ROWS; i++) {
        float *row = w->records + i * STRIDE;
        row[0] = row[1] = at[i];
        row[rec.r] = 1;
        row[rec.s2] = row[rec.s2 + 1] = i == 4 ? 0.6F : i + 1 < ROWS ? at[i + 1] : 1.0F;
        row[rec.cont] = i == 2 ? 0.0F : 1.0F;
    }
    w->data = (Dataset){.rec = rec, .rows = ROWS, .records = w->records, .borrowed = true};
}

/* Member i predicts r = reward[i] and s' = s + step in each coordinate, with next to no deviation. */
static void set_constant(World *w, const float *reward, float step)
{
    for (int i = 0; i < MEMBERS; i++) {
        float *p = ensemble_member(&w->ens, i);
        float *bias = p + mlp_matrix(&w->ens.net, w->ens.cfg.layers, 0).bias;
        memset(p, 0, w->ens.net.count * sizeof *p);
        for (int y = 0; y < Y; y++) {
            bias[y] = y == 0 ? reward[i] : step;
            bias[Y + y] = 2 * logf(1e-6F);
            p[w->ens.net.count + (size_t)y] = 60; /* bounds out of the way */
            p[w->ens.net.count + (size_t)(Y + y)] = -60;
        }
    }
    ensemble_freeze(&w->ens);
}

static World *world_make(void)
{
    static const float rewards[MEMBERS] = {1, 2, 3};
    World *w = NULL;
    const EnsembleConfig ens = {.members = MEMBERS,
                                .elites = 2,
                                .state_dim = S,
                                .act_dim = A,
                                .hidden = 4,
                                .layers = 1,
                                .logvar_max = 0.5F,
                                .logvar_min = -10};
    const AgentConfig agent = {.state_dim = S,
                               .act_dim = A,
                               .hidden = 4,
                               .layers = 1,
                               .alpha = 1,
                               .log_std_min = -20,
                               .log_std_max = 2};

    CHECK_OK(mem_alloc(&w, 1, sizeof *w, "test"));
    fill(w);
    CHECK_OK(ensemble_init(&w->ens, &ens, 8));
    w->ens.elite[0] = 2; /* rewards 3, then 1 */
    w->ens.elite[1] = 0;
    CHECK_OK(agent_init(&w->agent, agent_find("sac"), &agent, 0, 8));
    set_constant(w, rewards, 0.25F);
    w->roll = (Rollout){.ens = &w->ens,
                        .agent = &w->agent,
                        .env = env_find("none"),
                        .rec = w->data.rec,
                        .dataset = w->records,
                        .dataset_rows = ROWS};
    w->player = (Player){.env = w->roll.env,
                         .actor = &w->agent.actor,
                         .squash = &w->agent.squash,
                         .params = agent_actor(&w->agent),
                         .seed = 3};
    CHECK_OK(episode_starts(&w->data, &w->starts));
    CHECK_OK(arena_init(&w->tmp, model_episode_cost(&w->roll, &w->player)));
    return w;
}

static void world_free(World *w)
{
    episode_starts_release(&w->starts);
    arena_release(&w->tmp);
    agent_release(&w->agent);
    ensemble_release(&w->ens);
    mem_free(&w);
}

static void episodes_begin_where_rows_do_not_follow(void **state)
{
    (void)state;
    World *w = world_make();

    assert_int_equal(w->starts.n, 3);
    assert_int_equal(w->starts.rows[0], 0);
    assert_int_equal(w->starts.rows[1], 3);
    assert_int_equal(w->starts.rows[2], 5);
    world_free(w);
}

static EpisodeEntry play(World *w, int episode, int most)
{
    EpisodeEntry e;
    model_episode(&w->roll, &w->starts, &w->player, most, episode, &w->tmp, &e);
    assert_int_equal(w->tmp.used, 0);
    assert_int_equal(e.episode, episode);
    return e;
}

static void an_episode_stays_with_its_elite(void **state)
{
    (void)state;
    World *w = world_make();

    for (int k = 0; k < 6; k++) {
        const EpisodeEntry e = play(w, k, 7);
        CHECK_NEAR(e.length, 7, 0, 0);
        CHECK_NEAR(e.total, 7 * (k % 2 == 0 ? 3 : 1), 1e-4, 0);
    }
    world_free(w);
}

/* From 0.1, 0.4 or 0.9 up by 0.25 a step until the first state above 2: 8, 7 or 5 steps. */
static void it_ends_by_the_rule(void **state)
{
    (void)state;
    World *w = world_make();
    int seen = 0;

    w->roll.end.rule = END_BOUNDS;
    CHECK_OK(termination_bounds(&w->roll.end, "1:..2", S));
    for (int k = 0; k < 40; k++) {
        const double length = play(w, k, 100).length;
        assert_true(length == 8 || length == 7 || length == 5);
        seen |= length == 8 ? 1 : length == 7 ? 2 : 4;
    }
    assert_int_equal(seen, 7);   /* every start was drawn */
    w->roll.end.rule = END_TASK; /* none: never */
    CHECK_NEAR(play(w, 0, 100).length, 100, 0, 0);
    w->roll.guard = 5;
    assert_true(play(w, 0, 100).length < 25);
    world_free(w);
}

/* From a state whose next one is beyond what a float holds. */
static void an_episode_that_the_model_cannot_go_on_with_is_cut(void **state)
{
    (void)state;
    static const float rewards[MEMBERS] = {1, 2, 3};
    World *w = world_make();

    CHECK_NEAR(play(w, 0, 7).cut, 0, 0, 0);
    set_constant(w, rewards, 2e38F);
    const EpisodeEntry e = play(w, 0, 7);
    CHECK_NEAR(e.cut, 1, 0, 0);
    CHECK_NEAR(e.length, 1, 0, 0);
    CHECK_NEAR(e.total, 3, 1e-4, 0);
    w->roll.guard = 1e6F; /* then it ends in order */
    CHECK_NEAR(play(w, 0, 7).cut, 0, 0, 0);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(episodes_begin_where_rows_do_not_follow),
        cmocka_unit_test(an_episode_stays_with_its_elite),
        cmocka_unit_test(it_ends_by_the_rule),
        cmocka_unit_test(an_episode_that_the_model_cannot_go_on_with_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
