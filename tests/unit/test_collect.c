/* run/collect: episodes are functions of their number, rows replay in the simulator, actions are those
 * of their source, and a written file reads as a dataset, and as the policy that made it. */
#include "support/check.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "data/dataset.h"
#include "run/collect.h"
#include "support/plain.h"
#include "support/temp_dir.h"

static const CollectSource uniform = {0};
static char dir[TEMP_PATH_MAX];

static int make_dir(void **state)
{
    return temp_dir_setup(state, dir);
}

static int remove_dir(void **state)
{
    return temp_dir_teardown(state, dir);
}

/* Offsets in a row, from the header. */
static size_t at_action(const CollectRows *rows)
{
    return (size_t)rows->state_dim;
}

static size_t at_reward(const CollectRows *rows)
{
    return at_action(rows) + (size_t)rows->act_dim;
}

static size_t at_flags(const CollectRows *rows)
{
    return at_reward(rows) + 1 + (size_t)rows->state_dim;
}

/* Behind the flags: qpos, qvel, log density. */
static double log_prob_of(const CollectRows *rows, int64_t i)
{
    const double *row = rows->data + (size_t)i * rows->stride;
    return row[at_flags(rows) + 2 + (size_t)(rows->nq + rows->nv)];
}

static void check_pieces(const char *task)
{
    const int64_t blocks = mem_count();
    const EnvKind *kind = env_find(task);
    CollectRows whole;
    CollectRows piece[3];
    CollectRows joined;
    const int64_t first[4] = {0, 3, 3, 10}; /* the second piece is empty */

    CHECK_OK(collect_episodes(kind, &uniform, 7, 0, 10, &whole));
    for (int i = 0; i < 3; i++) {
        CHECK_OK(collect_episodes(kind, &uniform, 7, first[i], first[i + 1] - first[i], &piece[i]));
    }
    CHECK_OK(collect_init(&joined, kind, 0));
    CHECK_OK(collect_join(&joined, piece, 3, 0));
    assert_int_equal(joined.rows, whole.rows);
    assert_memory_equal(joined.data, whole.data,
                        (size_t)whole.rows * whole.stride * sizeof(double));
    collect_release(&joined);

    /* cut in the middle of an episode: no flag on the last row */
    int64_t cut = 0;
    for (int64_t i = 5; cut == 0; i++) {
        const double *flags = whole.data + (size_t)(i - 1) * whole.stride + at_flags(&whole);
        cut = flags[0] == 0 && flags[1] == 0 ? i : 0;
    }
    CHECK_OK(collect_init(&joined, kind, 0));
    CHECK_OK(collect_join(&joined, piece, 1, cut)); /* in two calls, as rounds arrive */
    CHECK_OK(collect_join(&joined, piece + 1, 2, cut));
    assert_int_equal(joined.rows, cut);
    assert_memory_equal(joined.data, whole.data, (size_t)cut * whole.stride * sizeof(double));

    collect_release(&joined);
    collect_release(&whole);
    for (int i = 0; i < 3; i++) {
        collect_release(&piece[i]);
    }
    assert_int_equal(mem_count(), blocks);
}

static void pieces_join_to_the_same_rows_however_they_are_cut(void **state)
{
    (void)state;
    check_pieces("pointmass");
    check_pieces("hopper");
}

static void check_replay(const char *task, const CollectSource *source, int64_t episodes)
{
    const EnvKind *kind = env_find(task);
    CollectRows rows;
    Env *env = NULL;
    int64_t ends = 0;
    int64_t step_of_episode = 0;

    CHECK_OK(collect_episodes(kind, source, 1, 100, episodes, &rows));
    CHECK_OK(kind->open(&env, kind));
    for (int64_t i = 0; i < rows.rows; i++) {
        const double *row = rows.data + (size_t)i * rows.stride;
        const double *flags = row + at_flags(&rows);
        const double *qpos = flags + 2;
        float action[16];
        float s[64];
        EnvStep step;
        for (int j = 0; j < kind->act_dim; j++) {
            action[j] = (float)row[at_action(&rows) + (size_t)j];
            assert_true(fabsf(action[j]) <= 1);
        }
        CHECK_OK(kind->set_state(env, qpos, qpos + kind->nq));
        kind->observe(env, s);
        for (int j = 0; j < kind->state_dim; j++) {
            CHECK_NEAR(s[j], row[j], 0, 0);
        }
        CHECK_OK(kind->step(env, action, &step));
        kind->observe(env, s);
        for (int j = 0; j < kind->state_dim; j++) { /* a recording goes on from a warm start */
            CHECK_NEAR(s[j], row[at_reward(&rows) + 1 + (size_t)j], 1e-6, 1e-6);
        }
        CHECK_NEAR(step.reward, row[at_reward(&rows)], 1e-6, 1e-6);
        step_of_episode++;
        const bool timeout = step_of_episode == kind->horizon;
        assert_true((flags[1] != 0) == timeout);
        assert_true((flags[0] != 0) == (step.terminal && !timeout));
        if (flags[0] != 0 || flags[1] != 0) {
            ends++;
            step_of_episode = 0;
        }
    }
    assert_int_equal(ends, episodes); /* whole episodes */
    assert_int_equal(step_of_episode, 0);
    kind->close(env);
    collect_release(&rows);
}

/* ---- a policy with known weights ---- */

enum { S = 4, A = 2, H = 8 };

/* Outputs of about `size`; deviations of about exp(log_std). */
static PolicyFile make_policy(float size, float log_std, bool linear)
{
    PolicyFile p = {.info = {.algorithm = "SAC", .task = "pointmass", .epoch = 12},
                    .state_dim = S,
                    .act_dim = A,
                    .actor = mlp_make(S, H, 1, 2 * A, 1, ACT_RELU),
                    .squash = {.A = A, .low = -20, .high = 2, .linear = linear}};
    Rng rng = rng_make(3, RNG_TEST, 0, 0);
    const MlpMatrix head = mlp_matrix(&p.actor, 1, 0);

    CHECK_OK(mem_alloc(&p.params, p.actor.count, sizeof *p.params, "a policy"));
    rng_fill_normal(&rng, p.params, p.actor.count);
    for (size_t i = 0; i < (size_t)H * (size_t)head.ld; i++) {
        p.params[head.at + i] *= size / 3;
    }
    for (size_t j = 0; j < A; j++) {
        p.params[head.bias + A + j] = log_std;
    }
    return p;
}

/* Mean and log deviation in the state of row i, by plain loops. */
static void head_of(const PolicyFile *p, const CollectRows *rows, int64_t i, double head[2 * A])
{
    float s[S];
    for (int j = 0; j < S; j++) {
        s[j] = (float)rows->data[(size_t)i * rows->stride + (size_t)j];
    }
    plain_forward(&p->actor, p->params, s, 1, head);
}

static const double *action_of(const CollectRows *rows, int64_t i)
{
    return rows->data + (size_t)i * rows->stride + at_action(rows);
}

static void the_mean_action_is_the_squashed_mean(void **state)
{
    (void)state;
    PolicyFile p = make_policy(1, -1, false);
    CollectRows rows;

    CHECK_OK(
        collect_episodes(env_find("pointmass"), &(CollectSource){.policy = &p}, 7, 0, 3, &rows));
    for (int64_t i = 0; i < rows.rows; i++) {
        double head[2 * A];
        head_of(&p, &rows, i, head);
        for (int j = 0; j < A; j++) {
            CHECK_NEAR(action_of(&rows, i)[j], tanh(head[j]), 0, 1e-6); /* sums in float */
        }
        assert_true(isnan(log_prob_of(&rows, i)));
    }
    collect_release(&rows);
    policy_release(&p);
}

/* u = atanh(a) is normal; the density of a is that of u over tanh's slope 1 - a^2. */
static void drawn_actions_have_the_density_they_say(void **state)
{
    (void)state;
    PolicyFile p = make_policy(0.2F, -1, false);
    CollectRows rows;
    double mean = 0;
    double square = 0;
    double n = 0;

    CHECK_OK(collect_episodes(env_find("pointmass"), &(CollectSource){.policy = &p, .sample = true},
                              7, 0, 40, &rows));
    for (int64_t i = 0; i < rows.rows; i++) {
        double head[2 * A];
        double want = 0;
        bool clear = true;
        head_of(&p, &rows, i, head);
        for (int j = 0; j < A; j++) {
            const double a = action_of(&rows, i)[j];
            const double log_std = fmax(-20, fmin(2, head[A + j]));
            const double eps = (atanh(a) - head[j]) / exp(log_std);
            assert_true(fabs(a) <= 1);
            clear = clear && fabs(a) < 0.99; /* a float next to 1 has lost u */
            want += -eps * eps / 2 - log_std - log(2 * acos(-1)) / 2 - log(1 - a * a);
            if (fabs(a) < 0.99) {
                mean += eps;
                square += eps * eps;
                n++;
            }
        }
        if (clear) {
            CHECK_NEAR(log_prob_of(&rows, i), want, 1e-4, 1e-3);
        }
    }
    assert_true(n > 1000);
    CHECK_NEAR(mean / n, 0, 0, 4 / sqrt(n)); /* four standard errors; the cut at 0.99 is rare */
    CHECK_NEAR(square / n, 1, 0, 4 * sqrt(2 / n));
    collect_release(&rows);
    policy_release(&p);
}

static void noise_has_its_deviation_and_is_clipped(void **state)
{
    (void)state;
    const double deviation = 0.1;
    PolicyFile p = make_policy(0.3F, -1, false); /* means far from 1 */
    CollectSource source = {.policy = &p, .noise = deviation};
    CollectRows rows;
    double square = 0;
    int64_t at_limit = 0;

    CHECK_OK(collect_episodes(env_find("pointmass"), &source, 7, 0, 40, &rows));
    for (int64_t i = 0; i < rows.rows; i++) {
        double head[2 * A];
        head_of(&p, &rows, i, head);
        const double e = action_of(&rows, i)[0] - tanh(head[0]);
        square += e * e;
        assert_true(isnan(log_prob_of(&rows, i)));
    }
    const double n = (double)rows.rows;
    CHECK_NEAR(square / n, deviation * deviation, 4 * sqrt(2 / n) + 0.05, 0);
    collect_release(&rows);

    source.noise = 3;
    CHECK_OK(collect_episodes(env_find("pointmass"), &source, 7, 0, 40, &rows));
    for (int64_t i = 0; i < rows.rows; i++) {
        const double *a = action_of(&rows, i);
        assert_true(fabs(a[0]) <= 1 && fabs(a[1]) <= 1);
        at_limit += fabs(a[0]) == 1;
    }
    assert_true(at_limit > rows.rows / 2); /* P(|3 eps| > 1) = 0.74 */
    collect_release(&rows);
    policy_release(&p);
}

/* An action without tanh that was clipped has no density. */
static void linear_policies_are_clipped(void **state)
{
    (void)state;
    PolicyFile p = make_policy(3, 0, true);
    const CollectSource source = {.policy = &p, .sample = true};
    CollectRows rows;
    int64_t at_limit = 0;

    CHECK_OK(collect_episodes(env_find("pointmass"), &source, 7, 0, 20, &rows));
    for (int64_t i = 0; i < rows.rows; i++) {
        assert_true(fabs(action_of(&rows, i)[0]) <= 1);
        at_limit += fabs(action_of(&rows, i)[0]) == 1;
        assert_true(isnan(log_prob_of(&rows, i)));
    }
    assert_true(at_limit > 0);
    collect_release(&rows);
    policy_release(&p);
}

static void uniform_actions_have_the_density_of_a_cube(void **state)
{
    (void)state;
    CollectRows rows;

    CHECK_OK(collect_episodes(env_find("hopper"), &uniform, 7, 0, 1, &rows));
    CHECK_NEAR(log_prob_of(&rows, 0), -3 * log(2), 1e-15, 0);
    collect_release(&rows);
}

static void rows_replay_in_the_simulator(void **state)
{
    (void)state;
    PolicyFile p = make_policy(3, 0, true);
    check_replay("pointmass", &uniform, 30);
    check_replay("pointmass", &(CollectSource){.policy = &p, .sample = true}, 30); /* clipped */
    check_replay("halfcheetah", &uniform, 1);
    policy_release(&p);
}

static void a_policy_of_another_task_is_refused(void **state)
{
    (void)state;
    PolicyFile p = make_policy(1, -1, false);
    CollectRows rows;

    assert_int_equal(
        collect_episodes(env_find("hopper"), &(CollectSource){.policy = &p}, 7, 0, 1, &rows),
        ERR_CONFIG);
    assert_non_null(strstr(status_reason(), "4 inputs and 2 actions, task hopper has 11 and 3"));
    policy_release(&p);
}

/* ---- files ---- */

static void a_written_file_is_a_dataset(void **state)
{
    (void)state;
    const EnvKind *kind = env_find("pointmass");
    CollectRows rows;
    CollectRows copy;
    Dataset set;

    CHECK_OK(collect_episodes(kind, &uniform, 7, 0, 40, &rows));
    CHECK_OK(collect_init(&copy, kind, 0));
    CHECK_OK(collect_join(&copy, &rows, 1, 0));
    CHECK_OK(collect_write(temp_path(dir, "d.hdf5"), kind, &copy, &uniform));
    assert_null(copy.data); /* released on the way */
    CHECK_OK(
        dataset_read(&set, temp_path(dir, "d.hdf5"),
                     &(DatasetOptions){.state_dim = kind->state_dim, .act_dim = kind->act_dim}));
    assert_int_equal(set.rows, rows.rows);
    assert_int_equal(set.episodes, 40);
    assert_true(set.terminals > 10 && set.timeouts > 0 && set.terminals + set.timeouts == 40);
    CHECK_NEAR(set.return_mean, kind->ref_min, 0, 12); /* one episode deviates by about 16 */
    for (size_t i = 0; i < (size_t)set.rows; i++) {
        const double *row = rows.data + i * rows.stride;
        const float *rec = set.records + i * set.rec.stride;
        for (size_t j = 0; j < at_flags(&rows); j++) { /* s, a, r, s' stand alike in both */
            CHECK_NEAR(rec[j], row[j], 0, 0);
        }
        CHECK_NEAR(rec[set.rec.cont], 1 - row[at_flags(&rows)], 0, 0);
    }
    dataset_release(&set);
    rows.rows = 0;
    assert_int_equal(collect_write(temp_path(dir, "e.hdf5"), kind, &rows, &uniform), ERR_ARG);
}

/* A file of three episodes of the source, as a recording. */
static Recording written(const EnvKind *kind, const CollectSource *source)
{
    CollectRows rows;
    Recording rec;

    CHECK_OK(collect_episodes(kind, source, 7, 0, 3, &rows));
    CHECK_OK(collect_write(temp_path(dir, "r.hdf5"), kind, &rows, source));
    CHECK_OK(recording_read(&rec, temp_path(dir, "r.hdf5")));
    return rec;
}

static void a_file_carries_its_policy(void **state)
{
    (void)state;
    PolicyFile p = make_policy(1, -1, false);
    PolicyFile got;
    Recording rec = written(env_find("pointmass"), &(CollectSource){.policy = &p, .sample = true});

    assert_string_equal(rec.algorithm, "SAC");
    assert_int_equal(rec.iteration, 12);
    assert_non_null(rec.log_probs);
    recording_release(&rec);
    CHECK_OK(policy_load(temp_path(dir, "r.hdf5"), &got));
    assert_string_equal(got.info.task, "pointmass");
    assert_int_equal(got.actor.count, p.actor.count);
    assert_memory_equal(got.params, p.params, p.actor.count * sizeof *p.params);
    policy_release(&got);

    rec = written(env_find("pointmass"), &(CollectSource){.policy = &p, .noise = 0.1});
    assert_null(rec.log_probs); /* no density: no column */
    recording_release(&rec);
    policy_release(&p);

    rec = written(env_find("pointmass"), &uniform);
    assert_string_equal(rec.algorithm, "random");
    assert_int_equal(rec.iteration, -1);
    assert_non_null(rec.log_probs);
    assert_null(rec.xpos); /* its reward is no function of a torso */
    recording_release(&rec);
    assert_int_equal(policy_load(temp_path(dir, "r.hdf5"), &got), ERR_FORMAT);
}

/* gym: r = (x' - x) / 0.05 - 0.1 |a|^2. */
static void the_torso_of_a_file_explains_its_rewards(void **state)
{
    (void)state;
    Recording rec = written(env_find("halfcheetah"), &uniform);

    assert_int_equal(rec.rows, 3000);
    for (size_t i = 0; i < 3000; i++) {
        double cost = 0;
        for (size_t j = 0; j < 6; j++) {
            cost += 0.1 * rec.actions[i * 6 + j] * rec.actions[i * 6 + j];
        }
        const double forward = rec.next_xpos[3 * i] - rec.xpos[3 * i];
        CHECK_NEAR(rec.rewards[i], forward / 0.05 - cost, 1e-6, 1e-6); /* stored in float */
    }
    recording_release(&rec);
}

static void errors_leave_nothing_behind(void **state)
{
    (void)state;
    const int64_t blocks = mem_count();
    CollectRows rows;

    assert_int_equal(collect_episodes(env_kind(0), &uniform, 1, -1, 1, &rows), ERR_ARG);
    assert_int_equal(collect_episodes(env_kind(0), &uniform, 1, UINT32_MAX, 2, &rows), ERR_ARG);
    Status st = ERR_NOMEM;
    for (int64_t k = 1; st != OK; k++) {
        mem_fail_at(k);
        st = collect_episodes(env_find("pointmass"), &uniform, 1, 0, 50, &rows);
        mem_fail_at(0);
        assert_true(st == OK || (st == ERR_NOMEM && mem_count() == blocks && rows.data == NULL));
    }
    collect_release(&rows);
    assert_int_equal(mem_count(), blocks);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pieces_join_to_the_same_rows_however_they_are_cut),
        TEST(the_mean_action_is_the_squashed_mean),
        TEST(drawn_actions_have_the_density_they_say),
        TEST(noise_has_its_deviation_and_is_clipped),
        TEST(linear_policies_are_clipped),
        TEST(uniform_actions_have_the_density_of_a_cube),
        TEST(rows_replay_in_the_simulator),
        TEST(a_policy_of_another_task_is_refused),
        TEST(a_written_file_is_a_dataset),
        TEST(a_file_carries_its_policy),
        TEST(the_torso_of_a_file_explains_its_rewards),
        TEST(errors_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
